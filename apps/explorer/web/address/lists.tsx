import type {
  Page as ListPage,
  RestHolding,
  RestInternalCall,
  RestLog,
  RestTransaction,
  RestTransfer,
} from "@ostrom/indexer";
import { type ReactNode, useMemo } from "react";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Card } from "../components/page.tsx";
import { type Cursors, Pager, useCursors } from "../components/pager.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { type RestQuery, rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { address as section } from "../i18n/address.ts";
import { useText } from "../i18n/language.ts";
import {
  holdingColumns,
  internalColumns,
  logColumns,
  transactionColumns,
  transferColumns,
} from "./columns.tsx";

const REFRESH_MS = 5_000;

type ListProps<Item> = {
  readonly label: string;
  readonly path: string;
  readonly query?: RestQuery;
  readonly columns: readonly Column<Item>[];
  readonly rowKey: (item: Item) => string;
  readonly rowHref?: (item: Item) => string;
  readonly empty: string;
};

/** A list of the index, page by page; its first page is asked for again from time to time. */
export function RestList<Item>(props: ListProps<Item>) {
  const cursors = useCursors();
  return (
    <Card flush>
      <RestRows {...props} cursors={cursors} />
    </Card>
  );
}

function RestRows<Item>(props: ListProps<Item> & { readonly cursors: Cursors }): ReactNode {
  const { label, path, query = {}, columns, rowKey, rowHref, empty, cursors } = props;
  const key = `rest:${path}?${JSON.stringify(query)}&${cursors.current ?? ""}`;
  const answer = useAnswer(
    key,
    () => rest<ListPage<Item>>(path, { ...query, cursor: cursors.current }),
    cursors.isFirst ? { everyMs: REFRESH_MS } : {},
  );
  return (
    <Loaded answer={answer}>
      {({ items, next }) => (
        <>
          <DataTable
            label={label}
            columns={columns}
            rows={items}
            rowKey={rowKey}
            {...(rowHref === undefined ? {} : { rowHref })}
            isLive={cursors.isFirst}
            empty={<EmptyState title={empty} />}
          />
          <Pager cursors={cursors} next={next} />
        </>
      )}
    </Loaded>
  );
}

type OfAddress = { readonly address: string };

/** Transactions that an address sent or received. */
export function TransactionList({ address }: OfAddress) {
  const t = useText(section);
  const columns = useMemo(() => transactionColumns(t, address), [t, address]);
  return (
    <RestList<RestTransaction>
      label={t("transactions")}
      path={`/addresses/${address}/transactions`}
      columns={columns}
      rowKey={({ hash }) => hash}
      rowHref={({ hash }) => `/tx/${hash}`}
      empty={t("noTransactions")}
    />
  );
}

type TransferProps = { readonly path: string; readonly owner?: string; readonly showsToken?: boolean };

/** Token transfers: of an address, or of a token. */
export function TransferList({ path, owner, showsToken = true }: TransferProps) {
  const t = useText(section);
  const columns = useMemo(() => transferColumns(t, owner, showsToken), [t, owner, showsToken]);
  return (
    <RestList<RestTransfer>
      label={t("transfers")}
      path={path}
      columns={columns}
      rowKey={(row) => `${row.transactionHash}-${row.logIndex}-${row.tokenId ?? ""}`}
      rowHref={({ transactionHash }) => `/tx/${transactionHash}`}
      empty={t("noTransfers")}
    />
  );
}

/** Tokens that an address holds. */
export function HoldingList({ address }: OfAddress) {
  const t = useText(section);
  const columns = useMemo(() => holdingColumns(t), [t]);
  return (
    <RestList<RestHolding>
      label={t("tokens")}
      path={`/addresses/${address}/tokens`}
      columns={columns}
      rowKey={({ token, tokenId }) => `${token.address}-${tokenId ?? ""}`}
      rowHref={({ token }) => `/token/${token.address}`}
      empty={t("noTokens")}
    />
  );
}

/** Calls between contracts in which an address took part. */
export function InternalList({ address }: OfAddress) {
  const t = useText(section);
  const columns = useMemo(() => internalColumns(t), [t]);
  return (
    <RestList<RestInternalCall>
      label={t("internal")}
      path={`/addresses/${address}/internal`}
      columns={columns}
      rowKey={({ transactionHash, path }) => `${transactionHash}-${path}`}
      rowHref={({ transactionHash }) => `/tx/${transactionHash}`}
      empty={t("noInternal")}
    />
  );
}

/** Events that a contract has written. */
export function LogList({ address }: OfAddress) {
  const t = useText(section);
  const columns = useMemo(() => logColumns(t), [t]);
  const query = useMemo(() => ({ address }), [address]);
  return (
    <RestList<RestLog>
      label={t("logs")}
      path="/logs"
      query={query}
      columns={columns}
      rowKey={({ blockNumber, logIndex }) => `${blockNumber}-${logIndex}`}
      rowHref={({ transactionHash }) => `/tx/${transactionHash}`}
      empty={t("noLogs")}
    />
  );
}
