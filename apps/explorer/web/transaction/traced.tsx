import type { ReactNode } from "react";
import { ErrorState, Skeleton } from "../components/states.tsx";
import { useNode } from "../data/network.ts";
import type { RpcClient } from "../data/rpc.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";

const KEEP_MS = 300_000;

type TracedProps<Value> = {
  readonly hash: string;
  /** Which trace it is, for the cache. */
  readonly kind: string;
  readonly trace: (rpc: RpcClient, hash: string) => Promise<Value>;
  readonly children: (value: Value) => ReactNode;
};

/** What running a transaction again shows; what happened does not change, so it is asked for once. */
export function Traced<Value>({ hash, kind, trace, children }: TracedProps<Value>) {
  const t = useText(text);
  const { path, rpc } = useNode();
  const answer = useAnswer(`${path} ${kind} ${hash}`, () => trace(rpc, hash), { staleMs: KEEP_MS });
  if (answer.value !== undefined) return children(answer.value);
  if (answer.error === undefined) return <Skeleton lines={4} />;
  return <ErrorState error={answer.error} advice={t("traceMissing")} onRetry={answer.retry} />;
}
