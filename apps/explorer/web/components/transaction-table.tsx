import { type ReactNode, useMemo } from "react";
import { toNumber } from "../data/quantity.ts";
import type { RpcTransaction } from "../data/rpc-types.ts";
import { nameOfSelector } from "../data/selectors.ts";
import { type Text, useText } from "../i18n/language.ts";
import { transactions } from "../i18n/transactions.ts";
import { Amount } from "./amount.tsx";
import { Badge } from "./badge.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { Address, BlockLink, TransactionLink } from "./hash.tsx";

type TransactionTableProps = {
  readonly rows: readonly RpcTransaction[];
  readonly isLive?: boolean;
  /** Fewer columns, for half a page. */
  readonly compact?: boolean;
  readonly virtualHeight?: number;
  readonly empty?: ReactNode;
};

/** Transactions as a node answers them, one a row. */
export function TransactionTable({ rows, compact = false, ...rest }: TransactionTableProps) {
  const t = useText(transactions);
  const columns = useMemo(() => columnsOf(t, compact), [t, compact]);
  return (
    <DataTable
      label={t("title")}
      columns={columns}
      rows={rows}
      rowKey={({ hash }) => hash}
      rowHref={({ hash }) => `/tx/${hash}`}
      {...rest}
    />
  );
}

type TextOfTransactions = Text<keyof (typeof transactions)["en"]>;

function columnsOf(t: TextOfTransactions, compact: boolean): readonly Column<RpcTransaction>[] {
  const all: readonly (Column<RpcTransaction> & { readonly wide?: boolean })[] = [
    { id: "hash", header: t("hash"), cell: ({ hash }) => <TransactionLink hash={hash} /> },
    { id: "method", header: t("method"), from: "desktop", wide: true, cell: (row) => <Method {...row} /> },
    {
      id: "block",
      header: t("block"),
      wide: true,
      cell: ({ blockNumber }) =>
        blockNumber === null ? t("pending") : <BlockLink number={toNumber(blockNumber)} />,
    },
    {
      id: "from",
      header: t("from"),
      from: "tablet",
      cell: ({ from }) => <Address value={from} copy={false} />,
    },
    {
      id: "to",
      header: t("to"),
      from: "tablet",
      cell: ({ to }) =>
        to === null ? <Badge tone="info">{t("created")}</Badge> : <Address value={to} copy={false} />,
    },
    { id: "value", header: t("value"), align: "end", cell: ({ value }) => <Amount value={value} /> },
  ];
  return compact ? all.filter(({ wide }) => wide !== true) : all;
}

/** What a transaction calls, in a word. */
export function Method({ to, input }: Pick<RpcTransaction, "to" | "input">) {
  const t = useText(transactions);
  if (to === null) return <Badge tone="info">{t("created")}</Badge>;
  if (input.length < 10) return <Badge>{t("transfer")}</Badge>;
  const selector = input.slice(0, 10);
  const name = nameOfSelector(selector);
  return <Badge tone={name === undefined ? "quiet" : "accent"}>{name ?? selector}</Badge>;
}
