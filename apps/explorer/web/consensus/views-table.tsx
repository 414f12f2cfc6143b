import { useMemo } from "react";
import { Badge, type Tone } from "../components/badge.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { BlockLink } from "../components/hash.tsx";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { isNumber, type Outcome, outcomeOf } from "./view-model.ts";
import type { SimplexView } from "./view-types.ts";

export const OUTCOME_TONES: Readonly<Record<Outcome, Tone>> = {
  final: "good",
  notarized: "info",
  nullified: "warn",
  open: "quiet",
};
const HEIGHT = 420;

type ViewsTableProps = { readonly views: readonly SimplexView[]; readonly names: readonly string[] };

/** What the pictures show, in words and numbers. */
export function ViewsTable({ views, names }: ViewsTableProps) {
  const t = useText(consensus);
  const columns = useColumns(names);
  const rows = useMemo(() => views.toReversed(), [views]);
  return (
    <DataTable
      label={t("tableTitle")}
      columns={columns}
      rows={rows}
      rowKey={({ number }) => String(number)}
      virtualHeight={HEIGHT}
    />
  );
}

function useColumns(names: readonly string[]): readonly Column<SimplexView>[] {
  const t = useText(consensus);
  const formats = useFormats();
  return useMemo(
    () => [
      { id: "view", header: t("view"), cell: ({ view }) => String(view), sort: ({ view }) => view },
      { id: "leader", header: t("leader"), cell: ({ leader }) => names[leader] ?? String(leader) },
      {
        id: "outcome",
        header: t("outcome"),
        cell: (view) => {
          const outcome = outcomeOf(view);
          return <Badge tone={OUTCOME_TONES[outcome]}>{t(outcome)}</Badge>;
        },
      },
      {
        id: "block",
        header: t("block"),
        cell: ({ height }) => (height === null ? "–" : <BlockLink number={height} />),
        align: "end",
      },
      {
        id: "took",
        header: t("took"),
        cell: ({ steps: { proposed, finalized } }) =>
          proposed === null || finalized === null ? "–" : formats.duration(Math.max(0, finalized - proposed)),
        align: "end",
      },
      {
        id: "voters",
        header: t("voters"),
        cell: ({ votes }) =>
          `${votes.notarize.filter(isNumber).length} / ${votes.finalize.filter(isNumber).length}`,
        align: "end",
        from: "tablet",
      },
      {
        id: "transactions",
        header: t("transactions"),
        cell: ({ transactions }) => (transactions === null ? "–" : formats.number(transactions)),
        align: "end",
        from: "tablet",
      },
      {
        id: "payload",
        header: t("payload"),
        cell: ({ payloadBytes }) => (payloadBytes === null ? "–" : formats.bytes(payloadBytes)),
        align: "end",
        from: "desktop",
      },
    ],
    [names, t, formats],
  );
}
