import type {
  RestHolding,
  RestInternalCall,
  RestLog,
  RestToken,
  RestTransaction,
  RestTransfer,
} from "@ostrom/indexer";
import { Link } from "wouter";
import { Amount } from "../components/amount.tsx";
import { Badge } from "../components/badge.tsx";
import type { Column } from "../components/data-table.tsx";
import { Address, BlockLink, Hash, TransactionLink } from "../components/hash.tsx";
import { Time } from "../components/time.tsx";
import { shorten } from "../data/quantity.ts";
import { nameOfSelector } from "../data/selectors.ts";
import type { address as section } from "../i18n/address.ts";
import type { Text } from "../i18n/language.ts";

type AddressText = Text<keyof (typeof section)["en"]>;

export const ZERO_ADDRESS = "0x0000000000000000000000000000000000000000";

type Placed = { readonly blockNumber: number; readonly timestamp: number };

function placeColumns<Item extends Placed>(t: AddressText): readonly Column<Item>[] {
  return [
    {
      id: "block",
      header: t("block"),
      from: "desktop",
      cell: (row) => <BlockLink number={row.blockNumber} />,
    },
    { id: "age", header: t("age"), from: "tablet", cell: (row) => <Time seconds={row.timestamp} /> },
  ];
}

/** @param owner whose list it is: which way a row goes is said. */
export function transactionColumns(t: AddressText, owner: string): readonly Column<RestTransaction>[] {
  return [
    { id: "hash", header: t("hash"), cell: ({ hash }) => <TransactionLink hash={hash} /> },
    { id: "method", header: t("method"), from: "tablet", cell: (row) => <Method row={row} t={t} /> },
    ...placeColumns<RestTransaction>(t),
    {
      id: "from",
      header: t("from"),
      from: "desktop",
      cell: ({ from }) => <Party value={from} owner={owner} />,
    },
    {
      id: "way",
      header: "",
      cell: (row) => <Way from={row.from} to={row.to ?? row.created} owner={owner} t={t} />,
    },
    {
      id: "to",
      header: t("to"),
      from: "tablet",
      cell: (row) => <Party value={row.to ?? row.created ?? ZERO_ADDRESS} owner={owner} />,
    },
    { id: "value", header: t("value"), align: "end", cell: ({ value }) => <Amount value={value} /> },
    { id: "fee", header: t("fee"), align: "end", from: "desktop", cell: ({ fee }) => <Amount value={fee} /> },
  ];
}

function Method({ row, t }: { readonly row: RestTransaction; readonly t: AddressText }) {
  const { selector, created, method, succeeded } = row;
  const name =
    method?.replace(/\(.*/s, "") ?? (selector === null ? undefined : nameOfSelector(selector)) ?? selector;
  return (
    <>
      {created !== null ? <Badge tone="info">{t("created")}</Badge> : null}
      {created === null && name !== null && name !== undefined ? <Badge tone="accent">{name}</Badge> : null}
      {succeeded ? null : <Badge tone="bad">{t("failed")}</Badge>}
    </>
  );
}

function Party({ value, owner }: { readonly value: string; readonly owner: string | undefined }) {
  return <Address value={value} copy={false} link={value !== owner} />;
}

type WayProps = {
  readonly from: string;
  readonly to: string | null;
  readonly owner: string;
  readonly t: AddressText;
};

function Way({ from, to, owner, t }: WayProps) {
  if (from === to) return <Badge>{t("itself")}</Badge>;
  return from === owner ? (
    <Badge tone="warn">{t("outgoing")}</Badge>
  ) : (
    <Badge tone="good">{t("incoming")}</Badge>
  );
}

/** @param owner whose list it is, if it is an address's. */
export function transferColumns(
  t: AddressText,
  owner: string | undefined,
  showsToken: boolean,
): readonly Column<RestTransfer>[] {
  const way: Column<RestTransfer> = {
    id: "way",
    header: "",
    cell: (row) => <Way from={row.from} to={row.to} owner={owner ?? ""} t={t} />,
  };
  const token: Column<RestTransfer> = {
    id: "token",
    header: t("token"),
    cell: (row) => <Link href={`/token/${row.token}`}>{row.symbol ?? shorten(row.token)}</Link>,
  };
  return [
    {
      id: "hash",
      header: t("hash"),
      cell: ({ transactionHash }) => <TransactionLink hash={transactionHash} />,
    },
    ...placeColumns<RestTransfer>(t),
    {
      id: "from",
      header: t("from"),
      from: "tablet",
      cell: (row) => <End value={row.from} word={t("mint")} />,
    },
    ...(owner === undefined ? [] : [way]),
    { id: "to", header: t("to"), from: "tablet", cell: (row) => <End value={row.to} word={t("burn")} /> },
    {
      id: "amount",
      header: t("amount"),
      align: "end",
      cell: (row) => (
        <>
          {row.kind === "erc721" ? null : <Amount value={row.amount} decimals={row.decimals ?? 0} />}
          {row.tokenId === null ? null : <span className="mono"> #{shortId(row.tokenId)}</span>}
        </>
      ),
    },
    ...(showsToken ? [token] : []),
  ];
}

/** Tokens come from nowhere when they are made, and go there when they are burnt. */
function End({ value, word }: { readonly value: string; readonly word: string }) {
  return value === ZERO_ADDRESS ? <Badge tone="info">{word}</Badge> : <Address value={value} copy={false} />;
}

const SHOWN_ID_DIGITS = 14;

/** Ids of NFTs may have 78 digits. */
export function shortId(id: string): string {
  return id.length <= SHOWN_ID_DIGITS ? id : `${id.slice(0, 6)}…${id.slice(-4)}`;
}

const KIND_NAMES: Readonly<Record<RestToken["kind"], string>> = {
  erc20: "ERC-20",
  erc721: "ERC-721",
  erc1155: "ERC-1155",
};

export function kindName(kind: RestToken["kind"]): string {
  return KIND_NAMES[kind];
}

export function holdingColumns(t: AddressText): readonly Column<RestHolding>[] {
  return [
    {
      id: "token",
      header: t("token"),
      cell: ({ token }) => (
        <Link href={`/token/${token.address}`}>
          {token.name ?? t("unnamed")} <span className="muted">{token.symbol}</span>
        </Link>
      ),
    },
    {
      id: "kind",
      header: t("kind"),
      from: "tablet",
      cell: ({ token }) => <Badge>{kindName(token.kind)}</Badge>,
    },
    {
      id: "id",
      header: t("id"),
      cell: ({ tokenId }) => (tokenId === null ? "" : <span className="mono">#{shortId(tokenId)}</span>),
    },
    {
      id: "amount",
      header: t("amount"),
      align: "end",
      cell: ({ token, amount }) => (
        <Amount value={amount} decimals={token.decimals ?? 0} symbol={token.symbol ?? undefined} />
      ),
    },
  ];
}

export function internalColumns(t: AddressText): readonly Column<RestInternalCall>[] {
  return [
    {
      id: "hash",
      header: t("hash"),
      cell: ({ transactionHash }) => <TransactionLink hash={transactionHash} />,
    },
    ...placeColumns<RestInternalCall>(t),
    {
      id: "kind",
      header: t("kind"),
      cell: ({ type, error }) => <Badge tone={error === null ? "quiet" : "bad"}>{type}</Badge>,
    },
    {
      id: "path",
      header: t("path"),
      from: "desktop",
      cell: ({ path }) => <span className="mono">{path}</span>,
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
      cell: ({ to }) => (to === null ? t("created") : <Address value={to} copy={false} />),
    },
    { id: "value", header: t("value"), align: "end", cell: ({ value }) => <Amount value={value} /> },
  ];
}

export function logColumns(t: AddressText): readonly Column<RestLog>[] {
  return [
    {
      id: "hash",
      header: t("hash"),
      cell: ({ transactionHash }) => <TransactionLink hash={transactionHash} />,
    },
    ...placeColumns<RestLog>(t),
    {
      id: "event",
      header: t("event"),
      cell: ({ topics: [topic] }) => (topic === undefined ? "" : <Hash value={topic} copy={false} />),
    },
    {
      id: "data",
      header: t("data"),
      from: "tablet",
      cell: ({ data }) => <span className="mono muted">{shorten(data, 16, 8)}</span>,
    },
  ];
}
