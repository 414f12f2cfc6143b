import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { type StoryEvent, storyOf, waitOf } from "./story.ts";
import { useWidth } from "./use-width.ts";
import { ticksOf } from "./view-model.ts";
import type { SimplexView, Step, VoteKind } from "./view-types.ts";

const LEFT = 104;
const RIGHT = 24;
const TOP = 26;
const BOTTOM = 26;
const MIN_LANE = 9;
const MAX_LANE = 30;
const ALL_LANES = 300;
const TICK_WIDTH = 110;
const MAX_NAMED = 30;
/** Steps that are drawn as lines through all lanes. */
const LINES: readonly Step[] = [
  "proposed",
  "notarized",
  "nullified",
  "finalized",
  "executed",
  "certified",
  "leaderTimeout",
  "advanceTimeout",
];

type TimelineProps = {
  readonly view: SimplexView;
  readonly names: readonly string[];
  readonly node: string;
};

/** One view over time: a lane for each validator with its votes, a line for each step. Each mark explains itself when it is pointed at or walked to. */
export function Timeline({ view, names, node }: TimelineProps) {
  const t = useText(consensus);
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const events = useMemo(() => storyOf(view), [view]);
  const [chosen, setChosen] = useState<string>();
  const tell = useTeller(view, names, node);
  const event = events.find(({ id }) => id === chosen);
  const lane = Math.max(MIN_LANE, Math.min(MAX_LANE, ALL_LANES / names.length));
  const end = Math.max(1, events.at(-1)?.atMs ?? 0);
  const scale = (atMs: number): number => LEFT + (atMs / end) * Math.max(1, width - LEFT - RIGHT);
  const place: Place = { scale, lane, lanes: names.length, width };
  const move = (key: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key.key];
    if (step === undefined || events.length === 0) return;
    key.preventDefault();
    const at = events.findIndex(({ id }) => id === chosen);
    setChosen(events[Math.max(0, Math.min(events.length - 1, at + step))]?.id);
  };
  return (
    <>
      <div
        ref={frame}
        className="timeline"
        role="slider"
        tabIndex={0}
        aria-label={t("detailLabel", { view: String(view.view), text: t("pointHint") })}
        aria-valuemin={0}
        aria-valuemax={events.length}
        aria-valuenow={events.findIndex(({ id }) => id === chosen) + 1}
        aria-valuetext={event === undefined ? t("pointHint") : tell(event)}
        onKeyDown={move}
      >
        <svg aria-hidden="true" width={width} height={TOP + lane * names.length + BOTTOM}>
          <Axis end={end} place={place} />
          <Lanes names={names} leader={view.leader} place={place} />
          <StepLines events={events} chosen={chosen} place={place} onPoint={setChosen} />
          <Marks events={events} chosen={chosen} place={place} onPoint={setChosen} />
        </svg>
      </div>
      <p className="timeline-text" aria-live="polite" data-kind={event?.kind}>
        {event === undefined ? <span className="muted">{t("pointHint")}</span> : tell(event)}
      </p>
    </>
  );
}

type Place = {
  readonly scale: (atMs: number) => number;
  readonly lane: number;
  readonly lanes: number;
  readonly width: number;
};

/** Says in words what an event is. */
export function useTeller(
  view: SimplexView,
  names: readonly string[],
  node: string,
): (event: StoryEvent) => string {
  const t = useText(consensus);
  const formats = useFormats();
  return ({ text, atMs, validator }) =>
    t(text, {
      at: formats.duration(atMs),
      wait: formats.duration(waitOf(view)),
      who: names[validator ?? -1] ?? String(validator ?? ""),
      leader: names[view.leader] ?? String(view.leader),
      node,
    });
}

function Axis({ end, place }: { readonly end: number; readonly place: Place }) {
  const formats = useFormats();
  const { scale, lane, lanes, width } = place;
  const y = TOP + lane * lanes;
  return ticksOf(end, Math.max(2, Math.floor((width - LEFT) / TICK_WIDTH))).map((at) => (
    <g key={at}>
      <line className="axis-line" x1={scale(at)} x2={scale(at)} y1={TOP} y2={y + 4} />
      <text className="axis-label" x={scale(at)} y={y + 18} textAnchor="middle">
        {at === 0 ? "0" : formats.duration(at)}
      </text>
    </g>
  ));
}

type LanesProps = { readonly names: readonly string[]; readonly leader: number; readonly place: Place };

function Lanes({ names, leader, place: { lane, width } }: LanesProps) {
  return names.map((name, index) => {
    const y = TOP + (index + 0.5) * lane;
    const isNamed = names.length <= MAX_NAMED || index === leader;
    return (
      <g key={name}>
        <line className="lane-line" x1={LEFT} x2={width - RIGHT} y1={y} y2={y} />
        {isNamed ? (
          <text className="lane-name" data-leader={index === leader} x={0} y={y} dominantBaseline="central">
            {index === leader ? `◆ ${name}` : name}
          </text>
        ) : null}
      </g>
    );
  });
}

type EventsProps = {
  readonly events: readonly StoryEvent[];
  readonly chosen: string | undefined;
  readonly place: Place;
  readonly onPoint: (id: string) => void;
};

function StepLines({ events, chosen, place: { scale, lane, lanes }, onPoint }: EventsProps) {
  return events
    .filter(({ kind, validator }) => validator === undefined && LINES.includes(kind as Step))
    .map(({ id, atMs, kind }) => (
      <g
        key={id}
        className="step"
        data-kind={kind}
        data-chosen={id === chosen}
        onPointerEnter={() => onPoint(id)}
      >
        <rect className="step-reach" x={scale(atMs) - 5} y={0} width={10} height={TOP + lane * lanes} />
        <line x1={scale(atMs)} x2={scale(atMs)} y1={TOP - 6} y2={TOP + lane * lanes} />
        <path d={`M${scale(atMs) - 4} ${TOP - 13}h8l-4 7z`} />
      </g>
    ));
}

const SHAPES: Readonly<Record<VoteKind, (size: number) => string>> = {
  notarize: (size) => `M${-size} 0a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0z`,
  finalize: (size) => `M${-size} ${-size}h${2 * size}v${2 * size}h${-2 * size}z`,
  nullify: (size) => `M${-size} ${-size}l${2 * size} ${2 * size}M${size} ${-size}l${-2 * size} ${2 * size}`,
  executed: (size) => `M0 ${-size}l${size} ${2 * size}h${-2 * size}z`,
};

function Marks({ events, chosen, place: { scale, lane }, onPoint }: EventsProps) {
  const size = Math.min(5, lane / 2.4);
  return events
    .filter(({ validator }) => validator !== undefined)
    .map(({ id, atMs, kind, validator = 0 }) => (
      <path
        key={id}
        className="mark"
        data-kind={kind}
        data-chosen={id === chosen}
        transform={`translate(${scale(atMs)} ${TOP + (validator + 0.5) * lane})`}
        d={SHAPES[kind as VoteKind](size)}
        onPointerEnter={() => onPoint(id)}
      />
    ));
}
