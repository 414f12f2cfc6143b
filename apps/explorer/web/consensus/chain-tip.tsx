import { useMemo, useRef } from "react";
import { Badge } from "../components/badge.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Address, BlockLink, Hash } from "../components/hash.tsx";
import { Card, Stat, Stats } from "../components/page.tsx";
import { Time } from "../components/time.tsx";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { useWidth } from "./use-width.ts";
import type { BlockRecord } from "./view-types.ts";

const STEP = 34;
const BOX = 20;
const ROW = 34;
const MS_PER_SECOND = 1_000;

/** The newest blocks of a chain that is mined or made by one node, with those that a heavier branch has put out. */
export function ChainTip({ blocks }: { readonly blocks: readonly BlockRecord[] }) {
  const t = useText(consensus);
  const formats = useFormats();
  const depths = reorganisationsOf(blocks);
  const rows = useMemo(() => blocks.toReversed(), [blocks]);
  const columns = useColumns();
  const kept = blocks.filter(({ unwound }) => unwound === null);
  const gaps = kept.slice(1).map(({ startedAt }, index) => startedAt - (kept[index]?.startedAt ?? startedAt));
  const mean = gaps.reduce((sum, gap) => sum + Math.max(0, gap), 0) / Math.max(1, gaps.length);
  return (
    <>
      <Stats label={t("chainTitle")}>
        <Stat label={t("height")} value={kept.at(-1)?.height ?? "–"} />
        <Stat label={t("interval")} value={gaps.length === 0 ? "–" : formats.duration(mean)} />
        <Stat
          label={t("reorganisations")}
          value={depths.length}
          note={depths.length === 0 ? undefined : t("reorganisationsNote", { depth: Math.max(...depths) })}
        />
      </Stats>
      <Card title={t("chainTitle")}>
        <Tip blocks={blocks} />
      </Card>
      <Card title={t("tableTitle")} flush>
        <DataTable
          label={t("tableTitle")}
          columns={columns}
          rows={rows}
          rowKey={({ number }) => String(number)}
          virtualHeight={480}
        />
      </Card>
    </>
  );
}

/** How many blocks each reorganisation took off. */
function reorganisationsOf(blocks: readonly BlockRecord[]): readonly number[] {
  const depths: number[] = [];
  let depth = 0;
  for (const { unwound } of blocks) {
    if (unwound !== null) depth += 1;
    else if (depth > 0) {
      depths.push(depth);
      depth = 0;
    }
  }
  return depth > 0 ? [...depths, depth] : depths;
}

function Tip({ blocks }: { readonly blocks: readonly BlockRecord[] }) {
  const t = useText(consensus);
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const top = Math.max(0, ...blocks.map(({ height }) => height));
  const columns = Math.max(1, Math.floor(width / STEP));
  const shown = blocks.filter(({ height }) => height > top - columns);
  const placed = place(shown, top - columns + 1);
  const byHash = new Map(placed.map((one) => [one.block.hash, one]));
  const rows = Math.max(1, ...placed.map(({ row }) => row + 1));
  return (
    <div ref={frame}>
      <svg role="img" aria-label={t("chainLabel")} width={width} height={rows * ROW + 18}>
        {placed.map(({ block, x, y }) => {
          const parent = byHash.get(block.parentHash);
          return parent === undefined ? null : (
            <line
              key={`${block.number}-link`}
              className="tip-link"
              x1={parent.x + BOX}
              y1={parent.y + BOX / 2}
              x2={x}
              y2={y + BOX / 2}
            />
          );
        })}
        {placed.map(({ block, x, y }) => (
          <g key={block.number} className="tip-block" data-state={stateOf(block)}>
            <title>{`${block.height} · ${block.hash}`}</title>
            <rect x={x} y={y} width={BOX} height={BOX} rx={4} />
            {block.height % 5 === 0 && block.unwound === null ? (
              <text className="axis-label" x={x + BOX / 2} y={rows * ROW + 12} textAnchor="middle">
                {block.height}
              </text>
            ) : null}
          </g>
        ))}
      </svg>
    </div>
  );
}

type Placed = { readonly block: BlockRecord; readonly row: number; readonly x: number; readonly y: number };

/** Blocks of the chain stand in the first row, abandoned ones of their height below. */
function place(blocks: readonly BlockRecord[], lowest: number): readonly Placed[] {
  const abandoned = new Map<number, number>();
  return blocks.map((block) => {
    const { height, unwound } = block;
    const row = unwound === null ? 0 : (abandoned.get(height) ?? 0) + 1;
    if (unwound !== null) abandoned.set(height, row);
    return { block, row, x: (height - lowest) * STEP + 2, y: row * ROW + 2 };
  });
}

type BlockState = "final" | "inChain" | "abandoned";

function stateOf({ unwound, finalized }: BlockRecord): BlockState {
  if (unwound !== null) return "abandoned";
  return finalized === null ? "inChain" : "final";
}

const TONES = { final: "good", inChain: "info", abandoned: "warn" } as const;

function useColumns(): readonly Column<BlockRecord>[] {
  const t = useText(consensus);
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: "height",
        header: t("height"),
        cell: ({ height, unwound }) => (unwound === null ? <BlockLink number={height} /> : String(height)),
        sort: ({ height }) => height,
      },
      { id: "hash", header: t("hash"), cell: ({ hash }) => <Hash value={hash} /> },
      {
        id: "state",
        header: t("state"),
        cell: (block) => <Badge tone={TONES[stateOf(block)]}>{t(stateOf(block))}</Badge>,
      },
      {
        id: "miner",
        header: t("miner"),
        cell: ({ coinbase }) => (coinbase === null ? "–" : <Address value={coinbase} copy={false} />),
        from: "tablet",
      },
      {
        id: "difficulty",
        header: t("difficulty"),
        cell: ({ difficulty }) => (difficulty === null ? "–" : formats.compact(BigInt(difficulty))),
        align: "end",
        from: "tablet",
      },
      {
        id: "transactions",
        header: t("transactions"),
        cell: ({ transactions }) => formats.number(transactions),
        align: "end",
      },
      {
        id: "seen",
        header: t("seen"),
        cell: ({ startedAt }) => <Time seconds={startedAt / MS_PER_SECOND} />,
        align: "end",
      },
    ],
    [t, formats],
  );
}
