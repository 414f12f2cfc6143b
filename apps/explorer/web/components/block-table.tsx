import { useMemo } from "react";
import type { LiveBlock } from "../data/live-chain.ts";
import { useValidatorNames } from "../data/validators.ts";
import { blocks } from "../i18n/blocks.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { Badge } from "./badge.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { GasMeter } from "./gas-meter.tsx";
import { Address, BlockLink } from "./hash.tsx";
import { Time } from "./time.tsx";

type BlockTableProps = {
  /** Newest first. */
  readonly rows: readonly LiveBlock[];
  /** The newest certified block. */
  readonly certified: number;
  readonly isLive?: boolean;
  /** Fewer columns, for half a page. */
  readonly compact?: boolean;
  readonly virtualHeight?: number;
};

/** Blocks, one a row. */
export function BlockTable({ rows, certified, isLive = false, compact = false, ...rest }: BlockTableProps) {
  const t = useText(blocks);
  const { number } = useFormats();
  const names = useValidatorNames();
  const columns = useMemo((): readonly Column<LiveBlock>[] => {
    const all: readonly (Column<LiveBlock> & { readonly wide?: boolean })[] = [
      { id: "block", header: t("block"), cell: (row) => <BlockLink number={row.number} /> },
      { id: "age", header: t("age"), cell: ({ timestamp }) => <Time seconds={timestamp} /> },
      {
        id: "leader",
        header: t("leader"),
        from: "tablet",
        cell: ({ miner }) => <Address value={miner} name={names.get(miner.toLowerCase())} copy={false} />,
      },
      {
        id: "transactions",
        header: t("transactions"),
        align: "end",
        cell: ({ transactions }) => number(transactions),
      },
      {
        id: "gas",
        header: t("gas"),
        align: "end",
        from: "desktop",
        wide: true,
        cell: (row) => <GasMeter {...row} />,
      },
      {
        id: "state",
        header: t("state"),
        align: "end",
        cell: (row) => (
          <Badge tone={row.number <= certified ? "good" : "quiet"}>
            {row.number <= certified ? t("certified") : t("executed")}
          </Badge>
        ),
      },
    ];
    return compact ? all.filter(({ wide }) => wide !== true) : all;
  }, [t, number, names, certified, compact]);
  return (
    <DataTable
      label={t("title")}
      columns={columns}
      rows={rows}
      rowKey={(row) => String(row.number)}
      rowHref={(row) => `/block/${row.number}`}
      isLive={isLive}
      {...rest}
    />
  );
}
