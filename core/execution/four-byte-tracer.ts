import { toHex } from "@ostrom/base";
import type { MessageEntry } from "@ostrom/vm";
import type { TraceBudget } from "./trace-budget.ts";
import type { TracedTransaction, TransactionTracer } from "./tracer.ts";

const SELECTOR_BYTES = 4;
const ENTRY_BYTES = 64;

/** geth's 4byteTracer: how often each selector was called, with how many bytes of arguments ("0xa9059cbb-64").
 * Source: go-ethereum's documentation, "Built-in tracers". */
export function createFourByteTracer(budget: TraceBudget): TransactionTracer {
  const counts = new Map<string, number>();
  let isPrecompile: TracedTransaction["isPrecompile"] = () => false;
  const onEnter = ({ kind, to, input }: MessageEntry): void => {
    const isCreation = kind === "CREATE" || kind === "CREATE2";
    if (isCreation || to === undefined || input.length < SELECTOR_BYTES || isPrecompile(to)) return;
    const key = `${toHex(input.subarray(0, SELECTOR_BYTES))}-${input.length - SELECTOR_BYTES}`;
    const count = counts.get(key) ?? 0;
    if (count === 0) budget.take(ENTRY_BYTES);
    counts.set(key, count + 1);
  };
  return {
    observer: { onEnter, onLeave: () => {} },
    begin: (traced) => {
      isPrecompile = traced.isPrecompile;
    },
    finish: () => JSON.stringify(Object.fromEntries(counts)),
  };
}
