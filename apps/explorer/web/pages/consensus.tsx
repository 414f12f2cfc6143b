import { useMemo, useState } from "react";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { BlockLink } from "../components/hash.tsx";
import { Card, Columns, Page, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { ChainTip } from "../consensus/chain-tip.tsx";
import { Elsewhere } from "../consensus/elsewhere.tsx";
import { Legend } from "../consensus/legend.tsx";
import { StepTimes } from "../consensus/step-times.tsx";
import { Strip } from "../consensus/strip.tsx";
import { Timeline } from "../consensus/timeline.tsx";
import { useViews, type Views } from "../consensus/use-views.ts";
import { outcomeOf, phaseTimes } from "../consensus/view-model.ts";
import type { BlockRecord, SimplexView } from "../consensus/view-types.ts";
import { OUTCOME_TONES, ViewsTable } from "../consensus/views-table.tsx";
import { useNode } from "../data/network.ts";
import { useValidators } from "../data/validators.ts";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import "./consensus.css";

/** How blocks are agreed on, live. */
export default function ConsensusPage() {
  const t = useText(consensus);
  const { name } = useNode();
  const views = useViews();
  const { engine, records, isKept } = views;
  const lead =
    engine === "pow"
      ? t("leadPow", { node: name })
      : engine === "instant"
        ? t("leadInstant")
        : t("lead", { node: name });
  const isPausable = engine !== undefined && records.length > 0;
  return (
    <Page title={t("title")} lead={lead} actions={isPausable ? <PauseButton views={views} /> : undefined}>
      <Content views={views} records={records} isKept={isKept} />
    </Page>
  );
}

type ContentProps = {
  readonly views: Views;
  readonly records: Views["records"];
  readonly isKept: boolean;
};

function Content({ views, records, isKept }: ContentProps) {
  const t = useText(consensus);
  const simplex = useMemo(
    () => records.filter((one): one is SimplexView => one.engine === "simplex"),
    [records],
  );
  const blocks = useMemo(
    () => records.filter((one): one is BlockRecord => one.engine !== "simplex"),
    [records],
  );
  if (!isKept) return <EmptyState>{t("notKept")}</EmptyState>;
  if (views.engine === undefined) {
    return <Loaded<never> answer={views.answer}>{() => null}</Loaded>;
  }
  if (records.length === 0) return <EmptyState>{t("waiting")}</EmptyState>;
  return blocks.length > 0 ? <ChainTip blocks={blocks} /> : <SimplexParts views={views} simplex={simplex} />;
}

function PauseButton({ views: { isPaused, setPaused } }: { readonly views: Views }) {
  const t = useText(consensus);
  return (
    <>
      <Badge tone={isPaused ? "warn" : "good"}>{t(isPaused ? "paused" : "live")}</Badge>
      <Button size="small" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
        {t(isPaused ? "resume" : "pause")}
      </Button>
    </>
  );
}

type SimplexProps = { readonly views: Views; readonly simplex: readonly SimplexView[] };

function SimplexParts({ views, simplex }: SimplexProps) {
  const t = useText(consensus);
  const { name } = useNode();
  const names = useNames(simplex.at(-1)?.validators ?? 0);
  const [chosen, setChosen] = useState<number>();
  const [back, setBack] = useState(0);
  const shown = views.isPaused && back > 0 ? simplex.slice(0, -back) : simplex;
  const selected = simplex.find(({ number }) => number === chosen) ?? newestDone(shown);
  const choose = (view: SimplexView): void => {
    // A picture that runs away from who reads it helps nobody.
    if (!views.isPaused) views.setPaused(true);
    setChosen(view.number);
  };
  return (
    <>
      <Figures simplex={simplex} names={names} />
      <Card title={t("stripTitle")} aside={<span className="muted">{t("stripHint")}</span>}>
        <Strip views={shown} names={names} selected={selected} onSelect={choose} />
        {views.isPaused ? <Scrub back={back} most={simplex.length - 1} onChange={setBack} /> : null}
      </Card>
      {selected === undefined ? null : (
        <Card
          title={t("detailTitle", { view: String(selected.view) })}
          aside={
            <Facts view={selected} onFollow={chosen === undefined ? undefined : () => setChosen(undefined)} />
          }
        >
          <Timeline key={selected.number} view={selected} names={names} node={name} />
        </Card>
      )}
      <Columns>
        <Legend />
        <StepTimes views={simplex} />
      </Columns>
      {selected === undefined ? null : (
        <Elsewhere key={`${selected.epoch}/${selected.view}`} view={selected} />
      )}
      <Card title={t("tableTitle")} flush>
        <ViewsTable views={simplex} names={names} />
      </Card>
    </>
  );
}

function newestDone(views: readonly SimplexView[]): SimplexView | undefined {
  const isDone = ({ steps }: SimplexView): boolean => steps.certified !== null || steps.nullified !== null;
  return views.findLast(isDone) ?? views.at(-1);
}

/** Names of validators by index; until they are known, numbers. */
function useNames(count: number): readonly string[] {
  const set = useValidators();
  return useMemo(
    () => Array.from({ length: count }, (_, index) => set?.validators[index]?.name ?? `#${index}`),
    [set, count],
  );
}

type FactsProps = { readonly view: SimplexView; readonly onFollow: (() => void) | undefined };

function Facts({ view, onFollow }: FactsProps) {
  const t = useText(consensus);
  const outcome = outcomeOf(view);
  return (
    <span className="row">
      <Badge tone={OUTCOME_TONES[outcome]}>{t(outcome)}</Badge>
      {view.height === null ? null : (
        <span>
          {t("block")} <BlockLink number={view.height} />
        </span>
      )}
      {onFollow === undefined ? null : (
        <Button size="small" kind="plain" onClick={onFollow}>
          {t("follow")}
        </Button>
      )}
    </span>
  );
}

type ScrubProps = {
  readonly back: number;
  readonly most: number;
  readonly onChange: (back: number) => void;
};

function Scrub({ back, most, onChange }: ScrubProps) {
  const t = useText(consensus);
  return (
    <label className="scrub">
      <span>{t("scrub")}</span>
      <input
        type="range"
        min={0}
        max={Math.max(0, most)}
        value={most - back}
        aria-valuetext={t("scrubValue", { count: back })}
        onChange={({ currentTarget }) => onChange(most - Number(currentTarget.value))}
      />
      <span className="muted">{t("scrubValue", { count: back })}</span>
    </label>
  );
}

type FiguresProps = { readonly simplex: readonly SimplexView[]; readonly names: readonly string[] };

function Figures({ simplex, names }: FiguresProps) {
  const t = useText(consensus);
  const formats = useFormats();
  const newest = simplex.at(-1);
  const done = simplex.filter((view) => outcomeOf(view) !== "open");
  const good = done.filter((view) => outcomeOf(view) === "final" || outcomeOf(view) === "notarized");
  const all = phaseTimes(simplex).find(({ id }) => id === "all");
  return (
    <Stats label={t("title")}>
      <Stat
        label={t("currentView")}
        value={newest === undefined ? "–" : formats.number(newest.view)}
        note={newest === undefined ? undefined : `${t("epoch")} ${newest.epoch}`}
      />
      <Stat label={t("leader")} value={names[newest?.leader ?? -1] ?? "–"} />
      <Stat
        label={t("finality")}
        value={all === undefined || all.count === 0 ? "–" : formats.duration(all.median)}
        note={
          all === undefined || all.count === 0 ? undefined : `${t("high")}: ${formats.duration(all.high)}`
        }
      />
      <Stat
        label={t("finalRate")}
        value={done.length === 0 ? "–" : formats.percent(good.length / done.length)}
        note={t("timesNote", { count: done.length })}
      />
    </Stats>
  );
}
