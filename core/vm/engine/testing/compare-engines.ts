import { type Bytes, createRandom, hashFromHex, toHex, ZERO_HASH } from "@ostrom/base";
import { commitState, MemoryState, StateOverlay } from "@ostrom/state";
import { executeMessage } from "../../execute-message.ts";
import { accountWith, CALLER, CONTRACT, OTHER, TEST_BLOCK } from "../../testing/run-code.ts";
import type { ExecutionContext, Fork, Message, Outcome } from "../../types.ts";
import { randomProgram } from "./random-program.ts";

const ONES = hashFromHex(`0x${"01".repeat(32)}`);

type Execute = (context: ExecutionContext, message: Message) => Outcome;

export type CodeRun = {
  readonly fork: Fork;
  readonly code: Bytes;
  /** At OTHER. */
  readonly otherCode: Bytes;
  readonly data: Bytes;
  readonly gas: bigint;
};

/** All that a message leaves, as text. Faults are told apart by their gas only: which of several checks fails first is up
 * to an engine. */
export function observe(execute: Execute, run: CodeRun): string {
  const before = MemoryState.of([
    accountWith({ address: CALLER, balance: 10n ** 18n }),
    accountWith({ address: CONTRACT, balance: 5n, code: run.code, storage: [{ slot: 1n, value: 7n }] }),
    accountWith({ address: OTHER, code: run.otherCode }),
  ]);
  const state = new StateOverlay(before);
  state.beginTransaction();
  const context: ExecutionContext = {
    fork: run.fork,
    block: TEST_BLOCK,
    transaction: { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [ONES, ZERO_HASH] },
    state,
  };
  const outcome = execute(context, {
    caller: CALLER,
    to: CONTRACT,
    value: 3n,
    data: run.data,
    gas: run.gas,
  });
  const logs = state.logs().map((log) => [toHex(log.address), log.topics.map(toHex), toHex(log.data)]);
  const refund = state.refund();
  state.endTransaction();
  const root = toHex(commitState(before, state.changes()).stateRoot);
  return JSON.stringify([
    outcome.status,
    toHex(outcome.output),
    String(outcome.gasLeft),
    logs,
    String(refund),
    root,
  ]);
}

/** @returns how the engine differs from the reference, or undefined. */
export function difference(execute: Execute, run: CodeRun): string | undefined {
  const expected = observe(executeMessage, run);
  const actual = observe(execute, run);
  return expected === actual
    ? undefined
    : `${toHex(run.code)}\n  reference ${expected}\n  compiled  ${actual}`;
}

/** The same seed gives the same run for ever. */
export function randomRun(seed: number): CodeRun {
  const random = createRandom(seed);
  const fork = (["cancun", "prague", "osaka"] as const)[random.below(3)]!;
  return {
    fork,
    code: randomProgram(random, 10 + random.below(150)),
    otherCode: randomProgram(random, 20),
    data: random.bytes(random.below(100)),
    gas: BigInt([30_000, 100_000, 300_000][random.below(3)]! + random.below(5000)),
  };
}
