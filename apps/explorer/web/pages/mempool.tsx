import { type ReactNode, useMemo, useState } from "react";
import { Amount } from "../components/amount.tsx";
import { Badge, Notice } from "../components/badge.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Address, TransactionLink } from "../components/hash.tsx";
import { Card, Page, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { Tabs } from "../components/tabs.tsx";
import { useLiveChain, useNode } from "../data/network.ts";
import { toNumber } from "../data/quantity.ts";
import { RpcError } from "../data/rpc.ts";
import { useAnswer } from "../data/use-answer.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { mempool as section } from "../i18n/mempool.ts";
import {
  bySender,
  MAX_ARRIVALS,
  MAX_POOL,
  type PoolContent,
  type PoolSender,
  type PoolTransaction,
  readPool,
} from "../mempool/pool.ts";
import { type Arrivals, useArrivals } from "../mempool/use-arrivals.ts";

const REFRESH_MS = 1_000;
const TABLE_HEIGHT = 620;
const GWEI_DIGITS = 9;

type Status = { readonly pending: number; readonly queued: number };

/** What waits at the chosen node: how much, by whom, and what arrives now. */
export default function MempoolPage() {
  const t = useText(section);
  const { name, rpc, path } = useNode();
  const arrivals = useArrivals();
  const status = useAnswer(
    `pool-status:${path}`,
    async (): Promise<Status> => {
      const found = await rpc.call<{ readonly pending: string; readonly queued: string }>("txpool_status");
      return { pending: toNumber(found.pending), queued: toNumber(found.queued) };
    },
    { everyMs: REFRESH_MS },
  );
  return (
    <Page title={t("title")} lead={t("lead", { node: name })}>
      <Figures status={status.value} arrivals={arrivals} />
      <PoolTabs status={status.value} arrivals={arrivals} />
    </Page>
  );
}

type FiguresProps = { readonly status: Status | undefined; readonly arrivals: Arrivals };

function Figures({ status, arrivals }: FiguresProps) {
  const t = useText(section);
  const formats = useFormats();
  const { blocks } = useLiveChain();
  const baseFee = blocks.at(-1)?.baseFeePerGas;
  return (
    <Stats label={t("title")}>
      <Stat
        label={t("pending")}
        value={status === undefined ? "–" : formats.number(status.pending)}
        note={t("pendingNote")}
      />
      <Stat
        label={t("queued")}
        value={status === undefined ? "–" : formats.number(status.queued)}
        note={t("queuedNote")}
      />
      <Stat label={t("arriving")} value={formats.number(arrivals.perSecond, 1)} unit={t("perSecond")} />
      <Stat
        label={t("baseFee")}
        value={baseFee === undefined ? "–" : <Amount value={baseFee} decimals={GWEI_DIGITS} />}
        unit={t("gwei")}
      />
    </Stats>
  );
}

const TABS = ["waiting", "senders", "recent"] as const;
type TabId = (typeof TABS)[number];

function PoolTabs({ status, arrivals }: FiguresProps) {
  const t = useText(section);
  const [selected, select] = useState<TabId>("waiting");
  const count = status === undefined ? 0 : status.pending + status.queued;
  return (
    <Tabs<TabId>
      label={t("parts")}
      tabs={TABS.map((id) => ({ id, label: t(id) }))}
      selected={selected}
      onSelect={select}
    >
      {selected === "recent" ? (
        <Recent arrivals={arrivals} />
      ) : (
        <Whole count={count} arrivals={arrivals}>
          {(pool) => (selected === "waiting" ? <Waiting pool={pool} /> : <Senders pool={pool} />)}
        </Whole>
      )}
    </Tabs>
  );
}

type WholeProps = {
  readonly count: number;
  readonly arrivals: Arrivals;
  readonly children: (pool: readonly PoolTransaction[]) => ReactNode;
};

/** The whole pool, unless it is too large or not for strangers. */
function Whole({ count, arrivals, children }: WholeProps) {
  const t = useText(section);
  const { rpc, path } = useNode();
  const isLarge = count > MAX_POOL;
  const answer = useAnswer(
    isLarge ? undefined : `pool:${path}`,
    async () => readPool(await rpc.call<PoolContent>("txpool_content")),
    { everyMs: REFRESH_MS },
  );
  if (isLarge || (answer.value === undefined && answer.error instanceof RpcError)) {
    return (
      <>
        <Notice>{isLarge ? t("tooMany", { count }) : t("refused")}</Notice>
        <Recent arrivals={arrivals} />
      </>
    );
  }
  return <Loaded answer={answer}>{children}</Loaded>;
}

type SectionText = Text<keyof (typeof section)["en"]>;

function Waiting({ pool }: { readonly pool: readonly PoolTransaction[] }) {
  const t = useText(section);
  const columns = useMemo(() => transactionColumns(t), [t]);
  return (
    <Card flush>
      <DataTable
        label={t("waiting")}
        columns={columns}
        rows={pool}
        rowKey={({ hash }) => hash}
        rowHref={({ hash }) => `/tx/${hash}`}
        virtualHeight={TABLE_HEIGHT}
        empty={<EmptyState title={t("empty")}>{t("emptyWords")}</EmptyState>}
      />
    </Card>
  );
}

function Recent({ arrivals }: { readonly arrivals: Arrivals }) {
  const t = useText(section);
  const columns = useMemo(() => transactionColumns(t).filter(({ id }) => id !== "state"), [t]);
  return (
    <Card title={t("recent")} aside={t("bounded", { count: MAX_ARRIVALS })} flush>
      <DataTable
        label={t("recent")}
        columns={columns}
        rows={arrivals.transactions}
        rowKey={({ hash }) => hash}
        rowHref={({ hash }) => `/tx/${hash}`}
        virtualHeight={TABLE_HEIGHT}
        empty={<EmptyState title={t("noArrivals")} />}
      />
    </Card>
  );
}

function transactionColumns(t: SectionText): readonly Column<PoolTransaction>[] {
  return [
    { id: "hash", header: t("hash"), cell: ({ hash }) => <TransactionLink hash={hash} /> },
    {
      id: "state",
      header: t("state"),
      sort: ({ state }) => state,
      cell: ({ state }) => <Badge tone={state === "pending" ? "good" : "warn"}>{t(`state_${state}`)}</Badge>,
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
      from: "desktop",
      cell: ({ to }) =>
        to === null ? <Badge tone="info">{t("created")}</Badge> : <Address value={to} copy={false} />,
    },
    { id: "nonce", header: t("nonce"), align: "end", sort: ({ nonce }) => nonce, cell: ({ nonce }) => nonce },
    {
      id: "value",
      header: t("value"),
      align: "end",
      from: "tablet",
      sort: ({ value }) => value,
      cell: ({ value }) => <Amount value={value} />,
    },
    {
      id: "maxFee",
      header: `${t("maxFee")} (${t("gwei")})`,
      align: "end",
      sort: ({ maxFee }) => maxFee,
      cell: ({ maxFee }) => <Amount value={maxFee} decimals={GWEI_DIGITS} />,
    },
    {
      id: "tip",
      header: `${t("tip")} (${t("gwei")})`,
      align: "end",
      from: "desktop",
      sort: ({ tip }) => tip,
      cell: ({ tip }) => <Amount value={tip} decimals={GWEI_DIGITS} />,
    },
  ];
}

function Senders({ pool }: { readonly pool: readonly PoolTransaction[] }) {
  const t = useText(section);
  const columns = useMemo(() => senderColumns(t), [t]);
  const rows = useMemo(() => bySender(pool), [pool]);
  return (
    <Card flush>
      <DataTable
        label={t("senders")}
        columns={columns}
        rows={rows}
        rowKey={({ from }) => from}
        rowHref={({ from }) => `/address/${from}`}
        virtualHeight={TABLE_HEIGHT}
        empty={<EmptyState title={t("empty")}>{t("emptyWords")}</EmptyState>}
      />
    </Card>
  );
}

function senderColumns(t: SectionText): readonly Column<PoolSender>[] {
  return [
    { id: "from", header: t("from"), cell: ({ from }) => <Address value={from} /> },
    {
      id: "pending",
      header: t("pending"),
      align: "end",
      sort: (row) => row.pending,
      cell: (row) => row.pending,
    },
    { id: "queued", header: t("queued"), align: "end", sort: (row) => row.queued, cell: (row) => row.queued },
    {
      id: "nonces",
      header: t("nonces"),
      align: "end",
      from: "tablet",
      cell: ({ firstNonce, lastNonce }) =>
        firstNonce === lastNonce ? firstNonce : `${firstNonce} – ${lastNonce}`,
    },
    {
      id: "total",
      header: t("total"),
      align: "end",
      sort: ({ value }) => value,
      cell: ({ value }) => <Amount value={value} />,
    },
  ];
}
