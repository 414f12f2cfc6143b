import { useMemo } from "react";
import { Badge, Notice } from "../components/badge.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Address } from "../components/hash.tsx";
import { Hint } from "../components/hint.tsx";
import { Card, Page, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { useViews } from "../consensus/use-views.ts";
import type { SimplexView } from "../consensus/view-types.ts";
import { useNode } from "../data/network.ts";
import { formatUnits, groupDigits } from "../data/quantity.ts";
import { useAnswer } from "../data/use-answer.ts";
import type { Formats } from "../i18n/formats.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { validators } from "../i18n/validators.ts";
import { changesBetween } from "../validators/set-changes.ts";
import type { Staker, Validator, ValidatorSet } from "../validators/validator-types.ts";
import { STRIP_VIEWS, VoteStrip } from "../validators/vote-strip.tsx";
import "./validators.css";

const EVERY_MS = 2_000;
const STAKE_EVERY_MS = 15_000;
/** The newest views are still being voted on. */
const UNFINISHED = 2;

/** Who votes on blocks, and how they have done. */
export default function ValidatorsPage() {
  const t = useText(validators);
  const { path, rpc, name } = useNode();
  const answer = useAnswer(`${path} set`, () => rpc.call<ValidatorSet | null>("ostrom_getValidators"), {
    everyMs: EVERY_MS,
  });
  return (
    <Page title={t("title")} lead={t("lead", { node: name })}>
      <Loaded answer={answer}>
        {(set) =>
          set === null ? <EmptyState title={t("none")}>{t("noneText")}</EmptyState> : <SetParts set={set} />
        }
      </Loaded>
    </Page>
  );
}

function SetParts({ set }: { readonly set: ValidatorSet }) {
  const t = useText(validators);
  const { participation, epoch } = set;
  const number = Number(epoch);
  return (
    <>
      <Figures set={set} />
      <Card title={t("setTitle", { epoch: number })} aside={<StripLegend />} flush>
        <SetTable set={set} />
        {participation === null ? null : (
          <p className="set-note">
            {t("about", { from: Number(participation.fromBlock), to: Number(participation.toBlock) })}
          </p>
        )}
      </Card>
      <Card title={t("nextTitle", { epoch: number + 1 })}>
        <NextSet set={set} />
      </Card>
    </>
  );
}

function Figures({ set }: { readonly set: ValidatorSet }) {
  const t = useText(validators);
  const formats = useFormats();
  const total = sumOfWeights(set.validators);
  const quorum = Math.floor((2 * total) / 3) + 1;
  const here = set.validators.filter(({ connected }) => connected);
  const weightHere = sumOfWeights(here);
  const head = Math.max(0, ...set.validators.map(({ height }) => Number(height ?? 0)));
  return (
    <Stats label={t("title")}>
      <Stat label={t("count")} value={set.validators.length} note={t("here", { count: here.length })} />
      <Stat
        label={t("weightHere")}
        value={formats.percent(weightHere / total, 0)}
        note={t(weightHere >= quorum ? "enough" : "notEnough")}
      />
      <Stat
        label={t("quorum")}
        value={formats.number(quorum)}
        note={t("quorumNote", { total: formats.number(total) })}
      />
      <Stat
        label={t("epoch")}
        value={formats.number(Number(set.epoch))}
        note={t("epochLeft", { count: Math.max(0, Number(set.lastBlock) - head) })}
      />
    </Stats>
  );
}

function sumOfWeights(among: readonly Validator[]): number {
  return among.reduce((sum, { weight }) => sum + Number(weight), 0);
}

function StripLegend() {
  const t = useText(validators);
  return (
    <span className="strip-legend">
      <span data-share="final">{t("voted")}</span>
      <span data-share="nullify">{t("gaveUp")}</span>
      <span data-share="none">{t("silent")}</span>
    </span>
  );
}

function SetTable({ set }: { readonly set: ValidatorSet }) {
  const t = useText(validators);
  const { records } = useViews();
  const stakers = useStakers();
  const views = useMemo(
    () =>
      records
        .filter((one): one is SimplexView => one.engine === "simplex" && one.epoch === Number(set.epoch))
        .slice(-STRIP_VIEWS - UNFINISHED, -UNFINISHED),
    [records, set.epoch],
  );
  const columns = useColumns(set, views, stakers);
  return (
    <DataTable
      label={t("setTitle", { epoch: Number(set.epoch) })}
      columns={columns}
      rows={set.validators}
      rowKey={({ index }) => index}
    />
  );
}

/** By operator in lower case; empty on a chain without stake. */
function useStakers(): ReadonlyMap<string, Staker> {
  const { path, rpc } = useNode();
  const { value } = useAnswer(
    `${path} stakers`,
    () => rpc.call<readonly Staker[]>("staking_getValidators").catch(() => []),
    { everyMs: STAKE_EVERY_MS, staleMs: STAKE_EVERY_MS },
  );
  return useMemo(
    () =>
      new Map(
        (value ?? []).flatMap((staker) =>
          staker.consensusKey === undefined ? [] : [[staker.consensusKey, staker]],
        ),
      ),
    [value],
  );
}

type ColumnFacts = {
  readonly set: ValidatorSet;
  readonly views: readonly SimplexView[];
  readonly stakers: ReadonlyMap<string, Staker>;
  readonly t: Text<keyof (typeof validators)["en"]>;
  readonly formats: Formats;
};

function useColumns(
  set: ValidatorSet,
  views: readonly SimplexView[],
  stakers: ReadonlyMap<string, Staker>,
): readonly Column<Validator>[] {
  const t = useText(validators);
  const formats = useFormats();
  return useMemo(() => {
    const facts = { set, views, stakers, t, formats };
    return [...conductColumns(facts), ...standingColumns(facts)];
  }, [t, formats, views, stakers, set]);
}

/** Who it is, and how it has voted and led. */
function conductColumns({ set, views, stakers, t, formats }: ColumnFacts): readonly Column<Validator>[] {
  const seen = set.participation?.views ?? 0;
  return [
    {
      id: "name",
      header: t("name"),
      cell: ({ address, name }) => <Address value={address} name={name} copy={false} />,
      sort: ({ name }) => name,
    },
    {
      id: "state",
      header: t("state"),
      cell: (one) => <State validator={one} staker={stakers.get(one.consensusKey)} />,
    },
    {
      id: "votes",
      header: t("votes"),
      cell: ({ participation }) => (
        <Hint text={t("votesHint", { count: seen })}>
          {participation === null || seen === 0 ? "–" : formats.percent(participation.viewsVoted / seen, 0)}
        </Hint>
      ),
      align: "end",
    },
    {
      id: "missed",
      header: t("missed"),
      cell: ({ participation }) => participation?.missedLeads ?? "–",
      sort: ({ participation }) => participation?.missedLeads ?? 0,
      align: "end",
    },
    {
      id: "led",
      header: t("led"),
      cell: ({ participation }) => participation?.proposedBlocks ?? "–",
      align: "end",
    },
    {
      id: "strip",
      header: t("strip"),
      cell: ({ index, name }) => <VoteStrip name={name} index={Number(index)} views={views} />,
    },
  ];
}

/** What it weighs, what it signed, and what its node is. */
function standingColumns({ set, stakers, t }: ColumnFacts): readonly Column<Validator>[] {
  const total = sumOfWeights(set.validators);
  return [
    {
      id: "weight",
      header: t("weight"),
      cell: (one) => <Weight validator={one} total={total} staker={stakers.get(one.consensusKey)} />,
      sort: ({ weight }) => Number(weight),
      align: "end",
    },
    {
      id: "finalizations",
      header: t("finalizations"),
      cell: ({ participation }) =>
        ofAll(participation?.finalizationsSigned, set.participation?.finalizations),
      align: "end",
      from: "desktop",
    },
    {
      id: "results",
      header: t("results"),
      cell: ({ participation }) => ofAll(participation?.resultsSigned, set.participation?.results),
      align: "end",
      from: "desktop",
    },
    {
      id: "height",
      header: t("height"),
      cell: ({ height }) => (height === null ? "–" : Number(height)),
      align: "end",
    },
    {
      id: "version",
      header: t("version"),
      cell: ({ version }) => <span className="mono">{version ?? t("unknown")}</span>,
      from: "tablet",
    },
  ];
}

function ofAll(some: number | undefined, all: number | undefined): string {
  return some === undefined || all === undefined || all === 0 ? "–" : `${some}/${all}`;
}

type StateProps = { readonly validator: Validator; readonly staker: Staker | undefined };

function State({ validator: { connected }, staker }: StateProps) {
  const t = useText(validators);
  return (
    <span className="row">
      <Badge tone={connected ? "good" : "bad"}>{t(connected ? "connected" : "away")}</Badge>
      {staker?.state === "jailed" ? (
        <Badge tone="warn">{t("jailed", { epoch: Number(staker.jailedUntilEpoch ?? 0) })}</Badge>
      ) : null}
    </span>
  );
}

type WeightProps = {
  readonly validator: Validator;
  readonly total: number;
  readonly staker: Staker | undefined;
};

function Weight({ validator: { weight }, total, staker }: WeightProps) {
  const t = useText(validators);
  const formats = useFormats();
  const title =
    staker === undefined ? undefined : `${t("bonded")}: ${groupDigits(formatUnits(BigInt(staker.bonded)))}`;
  return (
    <span title={title}>
      {formats.number(Number(weight))}{" "}
      <span className="muted">{formats.percent(Number(weight) / total, 1)}</span>
    </span>
  );
}

/** What changes with the next epoch, as soon as it is decided. */
function NextSet({ set }: { readonly set: ValidatorSet }) {
  const t = useText(validators);
  const { path, rpc } = useNode();
  const epoch = Number(set.epoch) + 1;
  const answer = useAnswer(
    `${path} set ${epoch}`,
    () => rpc.call<ValidatorSet | null>("ostrom_getValidators", [epoch, 0]),
    { everyMs: STAKE_EVERY_MS },
  );
  const length = Number(set.lastBlock) - Number(set.firstBlock) + 1;
  const lead = Math.max(0, Number(set.firstBlock) - 1 - Number(set.decidedAtBlock));
  if (answer.value === undefined || answer.value === null) {
    if (Number(set.epoch) === 0 || lead === 0)
      return <p className="soft">{t("epochBlocks", nextBlocks(set, length))}</p>;
    return <p className="soft">{t("nextUndecided", { block: Number(set.lastBlock) - lead })}</p>;
  }
  const changes = changesBetween(set, answer.value);
  if (changes.length === 0) return <p className="soft">{t("nextSame")}</p>;
  return (
    <Notice>
      <ul className="set-changes">
        {changes.map(({ kind, ...values }) => (
          <li key={`${kind} ${values.name}`}>{t(kind, values)}</li>
        ))}
      </ul>
    </Notice>
  );
}

function nextBlocks(set: ValidatorSet, length: number): { readonly first: number; readonly last: number } {
  const last = Number(set.lastBlock);
  return { first: last + 1, last: last + length };
}
