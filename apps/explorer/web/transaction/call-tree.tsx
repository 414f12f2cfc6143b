import { Amount } from "../components/amount.tsx";
import { Badge } from "../components/badge.tsx";
import { Address } from "../components/hash.tsx";
import { EmptyState } from "../components/states.tsx";
import { nameOfSelector } from "../data/selectors.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { transaction as text } from "../i18n/transaction.ts";
import { flattenCalls, type PlacedCall } from "./call-frames.ts";
import { traceCalls } from "./read-transaction.ts";
import { Traced } from "./traced.tsx";

/** The calls that a transaction made, each under who made it. */
export function CallTree({ hash }: { readonly hash: string }) {
  const t = useText(text);
  return (
    <Traced hash={hash} kind="calls" trace={traceCalls}>
      {(root) => {
        const calls = flattenCalls(root);
        return (
          <>
            <ol className="calls" aria-label={t("callTree")}>
              {calls.map((call) => (
                <Call key={call.path} call={call} />
              ))}
            </ol>
            {calls.length === 1 ? <EmptyState title={t("noCalls")} /> : null}
          </>
        );
      }}
    </Traced>
  );
}

const INDENT_REM = 1.1;
const MAX_INDENT = 12;
const NO_VALUE = ["0x0", undefined];

function Call({ call: { depth, frame, gasUsed } }: { readonly call: PlacedCall }) {
  const { number } = useFormats();
  const { type, to, input, value, error, revertReason } = frame;
  const selector = input.slice(0, 10);
  const isCall = input.length >= selector.length && selector.length === 10 && !type.startsWith("CREATE");
  return (
    <li
      style={{ paddingInlineStart: `${Math.min(depth, MAX_INDENT) * INDENT_REM}rem` }}
      data-failed={error !== undefined}
    >
      <Badge tone={error === undefined ? toneOf(type) : "bad"}>{type}</Badge>
      {to === undefined ? null : <Address value={to} copy={false} />}
      {isCall ? <code>{nameOfSelector(selector) ?? selector}</code> : null}
      {NO_VALUE.includes(value) ? null : <Amount value={value ?? "0x0"} />}
      {error === undefined ? null : <span className="call-error">{revertReason ?? error}</span>}
      <span className="call-gas muted">{number(gasUsed)} gas</span>
    </li>
  );
}

function toneOf(type: string): "info" | "accent" | "quiet" {
  if (type.startsWith("CREATE")) return "info";
  return type === "CALL" ? "accent" : "quiet";
}
