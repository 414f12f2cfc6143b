import type { ReactNode } from "react";
import { RestError } from "../data/rest.ts";
import { RpcError } from "../data/rpc.ts";
import { type Text, useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Button } from "./button.tsx";

/** Grey lines where text will be. Screen readers hear "Loading" once. */
export function Skeleton({ lines = 1 }: { readonly lines?: number }) {
  const t = useText(shell);
  return (
    <span role="status">
      <span className="visually-hidden">{t("loading")}</span>
      {Array.from({ length: lines }, (_, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move
          key={index}
          className="skeleton"
          style={{ "--skeleton-width": `${92 - ((index * 23) % 40)}%` } as Record<string, string>}
        />
      ))}
    </span>
  );
}

type EmptyProps = { readonly title?: string; readonly children?: ReactNode };

/** There is nothing, and why that may be. */
export function EmptyState({ title, children }: EmptyProps) {
  const t = useText(shell);
  return (
    <div className="state">
      <h3>{title ?? t("nothing")}</h3>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

type ErrorProps = {
  readonly error: unknown;
  /** What to do, if the page knows it better. */
  readonly advice?: ReactNode;
  readonly onRetry?: () => void;
};

/** Something failed: what, and what to do. */
export function ErrorState({ error, advice, onRetry }: ErrorProps) {
  const t = useText(shell);
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className="state" data-tone="bad" role="alert">
      <h3>{t("failed")}</h3>
      <p>{advice ?? adviceFor(error, t) ?? message}</p>
      {(advice ?? adviceFor(error, t)) === undefined ? null : <p className="mono muted">{message}</p>}
      {onRetry === undefined ? null : <Button onClick={onRetry}>{t("retry")}</Button>}
    </div>
  );
}

const METHOD_NOT_FOUND = -32601;
const NOT_KEPT = 4444;
const SERVER_FAULT = 500;

function adviceFor(error: unknown, t: Text<keyof (typeof shell)["en"]>): string | undefined {
  if (error instanceof RpcError) {
    if (error.code === undefined) return t("unreachable");
    return error.code === METHOD_NOT_FOUND || error.code === NOT_KEPT ? t("notKept") : undefined;
  }
  if (error instanceof RestError && (error.status === 0 || error.status >= SERVER_FAULT))
    return t("indexUnreachable");
  return undefined;
}

type LoadedProps<Value> = {
  readonly answer: {
    readonly value?: Value;
    readonly error?: unknown;
    readonly isLoading: boolean;
    readonly retry: () => void;
  };
  readonly lines?: number;
  readonly children: (value: Value) => ReactNode;
};

/** What `useAnswer` found: its value, lines while there is none, or what went wrong. */
export function Loaded<Value>({ answer, lines = 4, children }: LoadedProps<Value>) {
  if (answer.value !== undefined) return children(answer.value);
  if (answer.error !== undefined) return <ErrorState error={answer.error} onRetry={answer.retry} />;
  return (
    <div className="card-body">
      <Skeleton lines={lines} />
    </div>
  );
}
