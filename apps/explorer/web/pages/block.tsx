import { useMemo, useState } from "react";
import { Link, useParams } from "wouter";
import { CertificateView } from "../block/certificate-view.tsx";
import { HeaderFields } from "../block/header-view.tsx";
import { Badge } from "../components/badge.tsx";
import { Icon } from "../components/icon.tsx";
import { JsonTree } from "../components/json-tree.tsx";
import { Card, Page } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { Tabs } from "../components/tabs.tsx";
import { TransactionTable } from "../components/transaction-table.tsx";
import { useLiveChain, useNode } from "../data/network.ts";
import { toNumber, toQuantity } from "../data/quantity.ts";
import type { RpcClient } from "../data/rpc.ts";
import type { RpcBlock, RpcTransaction } from "../data/rpc-types.ts";
import { useAnswer } from "../data/use-answer.ts";
import { block as text } from "../i18n/block.ts";
import { useText } from "../i18n/language.ts";
import "./block.css";

type WholeBlock = RpcBlock<RpcTransaction>;

const HASH_LENGTH = 66;
const KEEP_MS = 10_000;
/** More rows than this are drawn as they come into sight. */
const MAX_PLAIN_ROWS = 100;
const TABLE_HEIGHT = 720;

/** One block, by height or hash: its header explained, its transactions, and who certified it. */
export default function BlockPage() {
  const t = useText(text);
  const { id = "" } = useParams<{ id: string }>();
  const { path, rpc } = useNode();
  const { head } = useLiveChain();
  const [found, setFound] = useState<string>();
  const answer = useAnswer(
    `${path} whole block ${id}`,
    async () => {
      const block = await readBlock(rpc, id);
      if (block !== null) setFound(id);
      return block;
    },
    // A block that is not there yet is asked for with each new head; one that is there is what it is.
    { staleMs: KEEP_MS, on: found === id ? undefined : head },
  );
  const block = answer.value ?? undefined;
  const number = block === undefined ? undefined : toNumber(block.number);
  return (
    <Page
      title={t("title", { number: number === undefined ? shownId(id) : String(number) })}
      beside={number === undefined ? undefined : <State number={number} />}
      actions={number === undefined ? undefined : <Neighbours number={number} head={head} />}
    >
      <Loaded answer={answer} lines={12}>
        {(value) =>
          value === null ? (
            <EmptyState title={t("missing")}>{t("missingAdvice", { head: String(head) })}</EmptyState>
          ) : (
            <Content block={value} />
          )
        }
      </Loaded>
    </Page>
  );
}

async function readBlock(rpc: RpcClient, id: string): Promise<WholeBlock | null> {
  if (id.length === HASH_LENGTH) return rpc.call<WholeBlock | null>("eth_getBlockByHash", [id, true]);
  if (!/^\d{1,15}$/.test(id)) return null;
  return rpc.call<WholeBlock | null>("eth_getBlockByNumber", [toQuantity(Number(id)), true]);
}

function shownId(id: string): string {
  return id.length === HASH_LENGTH ? `${id.slice(0, 10)}…` : id;
}

function State({ number }: { readonly number: number }) {
  const t = useText(text);
  const { certified } = useLiveChain();
  if (number === 0) return <Badge tone="info">{t("genesis")}</Badge>;
  return number <= certified ? <Badge tone="good">{t("certified")}</Badge> : <Badge>{t("executed")}</Badge>;
}

type NeighboursProps = { readonly number: number; readonly head: number };

function Neighbours({ number, head }: NeighboursProps) {
  const t = useText(text);
  return (
    <>
      {number > 0 ? (
        <Link href={`/block/${number - 1}`} className="button" aria-label={t("previous")}>
          <Icon name="left" size={13} /> {number - 1}
        </Link>
      ) : null}
      {number < head ? (
        <Link href={`/block/${number + 1}`} className="button" aria-label={t("next")}>
          {number + 1} <Icon name="chevron" size={13} />
        </Link>
      ) : null}
    </>
  );
}

type View = "transactions" | "header" | "certificate" | "raw";

function Content({ block }: { readonly block: WholeBlock }) {
  const t = useText(text);
  const [view, setView] = useState<View>("header");
  const raw = useMemo(
    () => ({ ...block, transactions: block.transactions.map(({ hash }) => hash) }),
    [block],
  );
  const count = block.transactions.length;
  return (
    <Card flush>
      <div className="block-views">
        <Tabs
          label={t("views")}
          tabs={[
            { id: "header", label: t("header") },
            { id: "transactions", label: t("transactions", { count }) },
            { id: "certificate", label: t("certificate") },
            { id: "raw", label: t("raw") },
          ]}
          selected={view}
          onSelect={setView}
        >
          {view === "header" ? <HeaderFields block={block} /> : null}
          {view === "transactions" ? (
            <TransactionTable
              rows={block.transactions}
              {...(count > MAX_PLAIN_ROWS ? { virtualHeight: TABLE_HEIGHT } : {})}
              empty={<EmptyState title={t("noTransactions")} />}
            />
          ) : null}
          {view === "certificate" ? <CertificateView number={toNumber(block.number)} /> : null}
          {view === "raw" ? (
            <div className="card-body">
              <JsonTree value={raw} />
            </div>
          ) : null}
        </Tabs>
      </div>
    </Card>
  );
}
