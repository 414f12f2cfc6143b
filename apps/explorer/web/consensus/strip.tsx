import { type KeyboardEvent, type PointerEvent, useMemo, useRef } from "react";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { useWidth } from "./use-width.ts";
import { isNumber, outcomeOf, type Share, shareOf } from "./view-model.ts";
import type { SimplexView } from "./view-types.ts";

const COLUMN = 13;
const MIN_LANE = 5;
const MAX_LANE = 18;
const ALL_LANES = 220;
const HEAD = 20;
const LABELS_EVERY = 5;
const NAMES_WIDTH = 92;
const NARROW = 560;
const MAX_NAMED = 24;
const SHARES: readonly Share[] = ["final", "notarize", "nullify", "none"];

type StripProps = {
  /** Ascending; the newest ones are shown. */
  readonly views: readonly SimplexView[];
  readonly names: readonly string[];
  readonly selected: SimplexView | undefined;
  readonly onSelect: (view: SimplexView) => void;
};

/** The newest views, a column each, with a lane for each validator. As a control it is a slider over views. */
export function Strip({ views, names, selected, onSelect }: StripProps) {
  const t = useText(consensus);
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const left = width < NARROW || names.length > MAX_NAMED ? 0 : NAMES_WIDTH;
  const columns = Math.max(1, Math.floor((width - left) / COLUMN));
  const shown = views.slice(-columns);
  const lane = Math.max(MIN_LANE, Math.min(MAX_LANE, ALL_LANES / Math.max(1, names.length)));
  const choose = (index: number): void => {
    const view = shown[Math.max(0, Math.min(shown.length - 1, index))];
    if (view !== undefined) onSelect(view);
  };
  const current = shown.findIndex(({ number }) => number === selected?.number);
  const point = ({ clientX, currentTarget }: PointerEvent<HTMLDivElement>): void =>
    choose(Math.floor((clientX - currentTarget.getBoundingClientRect().left - left) / COLUMN));
  return (
    <div
      ref={frame}
      className="strip"
      role="slider"
      tabIndex={0}
      aria-label={t("stripLabel")}
      aria-valuemin={shown[0]?.view ?? 0}
      aria-valuemax={shown.at(-1)?.view ?? 0}
      aria-valuenow={selected?.view ?? 0}
      aria-valuetext={useDescription(selected, names)}
      onKeyDown={stripKeys(current < 0 ? shown.length - 1 : current, shown.length, choose)}
      onPointerDown={point}
      onPointerMove={(event) => {
        if (event.buttons === 1) point(event);
      }}
    >
      <svg aria-hidden="true" width={width} height={HEAD + lane * names.length + 4}>
        {left === 0 ? null : <LaneNames names={names} lane={lane} />}
        <g transform={`translate(${left} ${HEAD})`}>
          <Cells views={shown} lanes={names.length} lane={lane} />
          <Labels views={shown} />
          {current < 0 ? null : (
            <rect
              className="strip-selected"
              x={current * COLUMN + 0.5}
              y={-1}
              width={COLUMN - 1}
              height={lane * names.length + 3}
              rx={3}
            />
          )}
        </g>
      </svg>
    </div>
  );
}

/** One view in a sentence. */
function useDescription(view: SimplexView | undefined, names: readonly string[]): string {
  const t = useText(consensus);
  if (view === undefined) return "";
  return t("stripValue", {
    view: String(view.view),
    leader: names[view.leader] ?? String(view.leader),
    outcome: t(outcomeOf(view)),
    voted: view.votes.notarize.filter(isNumber).length,
    all: view.validators,
    finalized: view.votes.finalize.filter(isNumber).length,
  });
}

const PAGE = 10;

function stripKeys(current: number, count: number, choose: (index: number) => void) {
  return (event: KeyboardEvent): void => {
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: current - 1,
      ArrowDown: current - 1,
      ArrowRight: current + 1,
      ArrowUp: current + 1,
      PageUp: current + PAGE,
      PageDown: current - PAGE,
      Home: 0,
      End: count - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
  };
}

function LaneNames({ names, lane }: { readonly names: readonly string[]; readonly lane: number }) {
  return names.map((name, index) => (
    <text key={name} className="lane-name" x={0} y={HEAD + (index + 0.5) * lane} dominantBaseline="central">
      {name}
    </text>
  ));
}

type CellsProps = {
  readonly views: readonly SimplexView[];
  readonly lanes: number;
  readonly lane: number;
};

/** One path for all cells of a kind: many validators and views stay few elements. */
function Cells({ views, lanes, lane }: CellsProps) {
  const paths = useMemo(() => {
    const parts: Record<Share | "leader", string> = {
      final: "",
      notarize: "",
      nullify: "",
      none: "",
      leader: "",
    };
    const size = Math.max(3, lane - 3);
    for (const [column, view] of views.entries()) {
      const x = column * COLUMN + 2;
      for (let index = 0; index < lanes; index++) {
        const y = index * lane + (lane - size) / 2;
        parts[shareOf(view, index)] += `M${x} ${y}h${COLUMN - 4}v${size}h${4 - COLUMN}z`;
        if (index === view.leader)
          parts.leader += diamond(x + (COLUMN - 4) / 2, y + size / 2, Math.min(4, size / 2));
      }
    }
    return parts;
  }, [views, lanes, lane]);
  return (
    <>
      {SHARES.map((share) => (
        <path key={share} className="cell" data-share={share} d={paths[share]} />
      ))}
      <path className="cell-leader" d={paths.leader} />
    </>
  );
}

function diamond(x: number, y: number, size: number): string {
  return `M${x} ${y - size}l${size} ${size}l${-size} ${size}l${-size} ${-size}z`;
}

function Labels({ views }: { readonly views: readonly SimplexView[] }) {
  const formats = useFormats();
  return views.map(({ number, view }, column) =>
    view % LABELS_EVERY === 0 ? (
      <text key={number} className="axis-label" x={column * COLUMN + COLUMN / 2} y={-8} textAnchor="middle">
        {formats.number(view)}
      </text>
    ) : null,
  );
}
