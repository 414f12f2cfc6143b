import type { RestHolder, RestToken, RestTokenId } from "@ostrom/indexer";
import { type ReactNode, useMemo } from "react";
import { useParams, useSearchParams } from "wouter";
import { kindName, shortId } from "../address/columns.tsx";
import { RestList, TransferList } from "../address/lists.tsx";
import { Amount } from "../components/amount.tsx";
import { Badge } from "../components/badge.tsx";
import type { Column } from "../components/data-table.tsx";
import { Address, BlockLink } from "../components/hash.tsx";
import { Page, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { Tabs } from "../components/tabs.tsx";
import { rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { tokens as section } from "../i18n/tokens.ts";
import "../tokens/tokens.css";

const ADDRESS = /^0x[0-9a-f]{40}$/;
const REFRESH_MS = 5_000;

/** One token: its supply, who holds it, and every transfer. */
export default function TokenPage() {
  const t = useText(section);
  const { address = "" } = useParams<{ address: string }>();
  const lower = address.toLowerCase();
  const isAddress = ADDRESS.test(lower);
  const answer = useAnswer(
    isAddress ? `token:${lower}` : undefined,
    () => rest<RestToken>(`/tokens/${lower}`),
    {
      everyMs: REFRESH_MS,
    },
  );
  if (!isAddress) {
    return (
      <Page title={t("token")}>
        <EmptyState title={t("notToken")} />
      </Page>
    );
  }
  const { value } = answer;
  return (
    <Page
      title={value?.name ?? t("unnamed")}
      beside={value === undefined ? null : <Badge tone="accent">{kindName(value.kind)}</Badge>}
      lead={<Address value={lower} full />}
    >
      <Loaded answer={answer}>{(token) => <TokenView key={token.address} token={token} />}</Loaded>
    </Page>
  );
}

function TokenView({ token }: { readonly token: RestToken }) {
  const t = useText(section);
  const formats = useFormats();
  const { totalSupply, decimals, symbol, holderCount, transferCount, firstBlock } = token;
  return (
    <>
      <Stats label={t("token")}>
        <Stat
          label={t("supply")}
          value={totalSupply === null ? "–" : <Amount value={totalSupply} decimals={decimals ?? 0} />}
          {...(symbol === null ? {} : { unit: symbol })}
        />
        <Stat label={t("holders")} value={formats.number(holderCount)} />
        <Stat label={t("transfers")} value={formats.number(transferCount)} />
        <Stat
          label={t("firstBlock")}
          value={<BlockLink number={firstBlock} />}
          {...(token.kind === "erc20" ? { note: `${t("decimals")}: ${decimals ?? 0}` } : {})}
        />
      </Stats>
      <TokenTabs token={token} />
    </>
  );
}

const TABS = ["transfers", "holders", "ids"] as const;
type TabId = (typeof TABS)[number];

function TokenTabs({ token }: { readonly token: RestToken }) {
  const t = useText(section);
  const [search, setSearch] = useSearchParams();
  const shown = TABS.filter((id) => id !== "ids" || token.kind !== "erc20");
  const selected = shown.find((id) => id === search.get("tab")) ?? "transfers";
  return (
    <Tabs<TabId>
      label={t("parts")}
      tabs={shown.map((id) => ({ id, label: t(id) }))}
      selected={selected}
      onSelect={(id) => setSearch({ tab: id }, { replace: true })}
    >
      {bodyOf(selected, token)}
    </Tabs>
  );
}

function bodyOf(tab: TabId, token: RestToken): ReactNode {
  switch (tab) {
    case "transfers":
      return <TransferList path={`/tokens/${token.address}/transfers`} showsToken={false} />;
    case "holders":
      return <HolderList token={token} />;
    case "ids":
      return <IdList token={token} />;
    default:
      return tab satisfies never;
  }
}

type SectionText = Text<keyof (typeof section)["en"]>;

function HolderList({ token }: { readonly token: RestToken }) {
  const t = useText(section);
  const { percent } = useFormats();
  const columns = useMemo(() => holderColumns(t, token, percent), [t, token, percent]);
  return (
    <RestList<RestHolder>
      label={t("holders")}
      path={`/tokens/${token.address}/holders`}
      columns={columns}
      rowKey={({ holder, tokenId }) => `${holder}-${tokenId ?? ""}`}
      rowHref={({ holder }) => `/address/${holder}`}
      empty={t("noHolders")}
    />
  );
}

/** Digits that are kept of a share when whole numbers are divided. */
const SHARE_SCALE = 1_000_000n;

function shareOf(amount: string, supply: string | null): number | undefined {
  if (supply === null || BigInt(supply) === 0n) return undefined;
  return Number((BigInt(amount) * SHARE_SCALE) / BigInt(supply)) / Number(SHARE_SCALE);
}

function holderColumns(
  t: SectionText,
  { totalSupply, decimals, kind }: RestToken,
  percent: (share: number, digits?: number) => string,
): readonly Column<RestHolder>[] {
  const share: Column<RestHolder> = {
    id: "share",
    header: t("share"),
    align: "end",
    from: "tablet",
    cell: ({ amount }) => {
      const part = shareOf(amount, totalSupply);
      if (part === undefined) return "–";
      return (
        <span className="row token-share">
          <span className="meter" aria-hidden="true">
            <i style={{ width: `${Math.min(100, 100 * part)}%` }} />
          </span>
          {percent(part, 2)}
        </span>
      );
    },
  };
  const id: Column<RestHolder> = {
    id: "id",
    header: t("id"),
    cell: ({ tokenId }) => (tokenId === null ? "" : <span className="mono">#{shortId(tokenId)}</span>),
  };
  return [
    { id: "holder", header: t("holder"), cell: ({ holder }) => <Address value={holder} /> },
    ...(kind === "erc1155" ? [id] : []),
    {
      id: "amount",
      header: t("amount"),
      align: "end",
      cell: ({ amount }) => <Amount value={amount} decimals={decimals ?? 0} />,
    },
    ...(kind === "erc1155" ? [] : [share]),
  ];
}

function IdList({ token }: { readonly token: RestToken }) {
  const t = useText(section);
  const columns = useMemo(() => idColumns(t, token), [t, token]);
  return (
    <RestList<RestTokenId>
      label={t("ids")}
      path={`/tokens/${token.address}/ids`}
      columns={columns}
      rowKey={({ tokenId }) => tokenId}
      empty={t("noIds")}
    />
  );
}

function idColumns(t: SectionText, { kind }: RestToken): readonly Column<RestTokenId>[] {
  const owner: Column<RestTokenId> = {
    id: "owner",
    header: t("owner"),
    cell: ({ owner: holder }) => (holder === null ? "–" : <Address value={holder} copy={false} />),
  };
  const supply: Column<RestTokenId> = {
    id: "supply",
    header: t("supply"),
    align: "end",
    cell: (row) => <Amount value={row.supply} decimals={0} />,
  };
  return [
    {
      id: "id",
      header: t("id"),
      cell: ({ tokenId }) => (
        <span className="mono" title={tokenId}>
          #{shortId(tokenId)}
        </span>
      ),
    },
    kind === "erc721" ? owner : supply,
    {
      id: "uri",
      header: t("uri"),
      cell: ({ uri }) => <span className="token-uri mono small">{uri ?? "–"}</span>,
    },
  ];
}
