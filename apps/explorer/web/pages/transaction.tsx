import { useState } from "react";
import { Link, useParams } from "wouter";
import { Badge } from "../components/badge.tsx";
import { Card, Page } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { type Tab, Tabs } from "../components/tabs.tsx";
import { useLiveChain, useNode } from "../data/network.ts";
import type { RpcBlock } from "../data/rpc-types.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { CallCard } from "../transaction/call-card.tsx";
import { CallTree } from "../transaction/call-tree.tsx";
import { Facts } from "../transaction/facts.tsx";
import { FailureCard } from "../transaction/failure-card.tsx";
import { GasViews } from "../transaction/gas-views.tsx";
import { Life } from "../transaction/life.tsx";
import { LogList } from "../transaction/log-list.tsx";
import { RawViews } from "../transaction/raw-views.tsx";
import { isSettled, type KnownTransaction, readTransaction } from "../transaction/read-transaction.ts";
import { StateChanges } from "../transaction/state-changes.tsx";
import "./transaction.css";

/** A transaction that is not settled is asked for so often. */
const EVERY_MS = 500;

/** One transaction: where it stands, what it says, and what it did. */
export default function TransactionPage() {
  const t = useText(text);
  const { hash = "" } = useParams<{ hash: string }>();
  const { path, rpc } = useNode();
  const [isDone, setDone] = useState<string>();
  const answer = useAnswer(
    `${path} transaction ${hash}`,
    async () => {
      const known = await readTransaction(rpc, hash);
      if (isSettled(known)) setDone(hash);
      return known;
    },
    isDone === hash ? {} : { everyMs: EVERY_MS },
  );
  return (
    <Page
      title={t("title")}
      beside={answer.value === undefined ? undefined : <Outcome known={answer.value} />}
    >
      <Loaded answer={answer} lines={10}>
        {(known) => <Content known={known} hash={hash} />}
      </Loaded>
    </Page>
  );
}

function Outcome({ known: { receipt, status } }: { readonly known: KnownTransaction }) {
  const t = useText(text);
  if (status.status === "dropped") return <Badge tone="bad">{t("dropped")}</Badge>;
  if (receipt === null) return status.status === "unknown" ? null : <Badge tone="warn">{t("waiting")}</Badge>;
  return receipt.status === "0x1" ? (
    <Badge tone="good">{t("succeeded")}</Badge>
  ) : (
    <Badge tone="bad">{t("reverted")}</Badge>
  );
}

type ContentProps = { readonly known: KnownTransaction; readonly hash: string };

function Content({ known, hash }: ContentProps) {
  const { transaction, receipt, status } = known;
  if (status.status === "unknown" && transaction === null) return <Unknown hash={hash} />;
  return (
    <>
      <Life known={known} />
      {receipt !== null && receipt.status !== "0x1" ? <FailureCard hash={hash} /> : null}
      {transaction === null ? null : <Facts transaction={transaction} known={known} />}
      {transaction === null ? null : <Views known={known} hash={hash} />}
    </>
  );
}

/** A hash may as well be a block's. */
function Unknown({ hash }: { readonly hash: string }) {
  const t = useText(text);
  const { path, rpc } = useNode();
  const { head } = useLiveChain();
  const block = useAnswer(
    `${path} block ${hash}`,
    () => rpc.call<RpcBlock | null>("eth_getBlockByHash", [hash, false]),
    { on: head },
  ).value;
  if (block !== null && block !== undefined) {
    return (
      <EmptyState title={t("blockHashTitle")}>
        <Link href={`/block/${hash}`}>
          {t("block")} {Number.parseInt(block.number, 16)}
        </Link>
      </EmptyState>
    );
  }
  return <EmptyState title={t("unknownTitle")}>{t("unknownAdvice")}</EmptyState>;
}

type View = "call" | "logs" | "calls" | "state" | "gas" | "raw";

function Views({ known, hash }: ContentProps) {
  const t = useText(text);
  const [view, setView] = useState<View>("call");
  const { transaction, receipt } = known;
  if (transaction === null) return null;
  const tabs: readonly Tab<View>[] = [
    { id: "call", label: t("call") },
    ...(receipt === null
      ? []
      : ([
          { id: "logs", label: t("logCount", { count: receipt.logs.length }) },
          { id: "calls", label: t("calls") },
          { id: "state", label: t("state") },
          { id: "gas", label: t("gasTab") },
        ] as const)),
    { id: "raw", label: t("raw") },
  ];
  return (
    <Card flush>
      <div className="card-tabs">
        <Tabs label={t("views")} tabs={tabs} selected={view} onSelect={setView}>
          {view === "call" ? <CallCard transaction={transaction} /> : null}
          {view === "logs" && receipt !== null ? <LogList logs={receipt.logs} /> : null}
          {view === "calls" ? <CallTree hash={hash} /> : null}
          {view === "state" ? <StateChanges hash={hash} /> : null}
          {view === "gas" ? <GasViews hash={hash} /> : null}
          {view === "raw" ? <RawViews transaction={transaction} receipt={receipt} /> : null}
        </Tabs>
      </div>
    </Card>
  );
}
