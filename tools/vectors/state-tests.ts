import { type Bytes, type Hash, toHex, utf8 } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { applyTransaction, decodeSignedTransaction, type SignedTransaction } from "@ostrom/execution";
import { commitState, type Log, MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, blobBaseFee, type Fork, forkRules, GAS_PER_BLOB, type Step } from "@ostrom/vm";
import { readStateTests, type StateTest, type StateTestCase } from "./state-test-format.ts";

export type StateTestFailure = {
  readonly test: string;
  readonly fork: Fork;
  readonly index: number;
  readonly variant: string;
  readonly reasons: readonly string[];
};

/** What came of one file. */
export type StateTestReport = {
  readonly path: string;
  readonly passed: number;
  readonly failures: readonly StateTestFailure[];
  /** False if the file holds something else than state tests. */
  readonly isStateTest: boolean;
  readonly durationMs: number;
};

/** Runs all cases of a file that are for one of the forks. */
export function runStateTestFile(path: string, forks: readonly Fork[]): StateTestReport {
  const start = performance.now();
  const tests = readStateTests(path, forks);
  const failures: StateTestFailure[] = [];
  let cases = 0;
  for (const test of tests ?? []) {
    for (const testCase of test.cases) {
      cases++;
      const failure = runOrExplain(test, testCase);
      if (failure !== undefined) failures.push(failure);
    }
  }
  const durationMs = performance.now() - start;
  return { path, passed: cases - failures.length, failures, isStateTest: tests !== undefined, durationMs };
}

/** A broken invariant fails its case, and the others run all the same. */
function runOrExplain(test: StateTest, testCase: StateTestCase): StateTestFailure | undefined {
  try {
    return runStateTestCase(test, testCase);
  } catch (error) {
    const { fork, index, variant } = testCase;
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { test: test.name, fork, index, variant, reasons: [`threw ${why}`] };
  }
}

/** Runs one case. @returns what is wrong, or undefined if all is as it must be. */
export function runStateTestCase(
  test: StateTest,
  testCase: StateTestCase,
  onStep?: (step: Step) => void,
): StateTestFailure | undefined {
  const before = MemoryState.of(test.accounts);
  const state = new StateOverlay(before);
  const ran = runTransaction(test, testCase, state, onStep);
  const { stateRoot } = commitState(before, state.changes());

  const reasons: string[] = [];
  if (ran.kind === "refused" && testCase.exception === undefined) reasons.push(`refused: ${ran.why}`);
  if (ran.kind === "applied" && testCase.exception !== undefined) {
    reasons.push(`ran, but ${testCase.exception} must keep it from running`);
  }
  if (toHex(stateRoot) !== testCase.stateRoot) {
    reasons.push(`state root: expected ${testCase.stateRoot}, got ${toHex(stateRoot)}${told(ran)}`);
  }
  const logsHash = toHex(hashLogs(ran.kind === "applied" ? ran.logs : []));
  if (logsHash !== testCase.logsHash) {
    reasons.push(`logs hash: expected ${testCase.logsHash}, got ${logsHash}`);
  }
  if (reasons.length === 0) return undefined;
  const { fork, index, variant } = testCase;
  return { test: test.name, fork, index, variant, reasons };
}

type Ran =
  | { readonly kind: "applied"; readonly logs: readonly Log[]; readonly summary: string }
  | { readonly kind: "refused"; readonly why: string };

function told(ran: Ran): string {
  return ran.kind === "applied" ? ` (${ran.summary})` : ` (refused: ${ran.why})`;
}

function runTransaction(
  test: StateTest,
  { fork, transaction: bytes }: StateTestCase,
  state: StateOverlay,
  onStep: ((step: Step) => void) | undefined,
): Ran {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) return { kind: "refused", why: `${decoded.error.code}: ${decoded.error.message}` };
  const wrongSender = checkSender(test, decoded.value);
  if (wrongSender !== undefined) return { kind: "refused", why: wrongSender };
  const applied = applyTransaction(
    {
      fork,
      block: blockOf(test, fork),
      state,
      gasCharge: "used",
      room: { gas: test.environment.gasLimit, blobGas: forkRules(fork).blobs.maxPerBlock * GAS_PER_BLOB },
      ...(test.precompiles === undefined ? {} : { precompiles: test.precompiles }),
      ...(onStep === undefined ? {} : { onStep }),
    },
    decoded.value,
  );
  if (!applied.ok) return { kind: "refused", why: `${applied.error.code}: ${applied.error.message}` };
  const { succeeded, fault, gasUsed, logs } = applied.value;
  const outcome = succeeded ? "succeeded" : (fault ?? "reverted");
  return { kind: "applied", logs, summary: `${outcome}, gas used ${gasUsed}` };
}

function checkSender(test: StateTest, { sender }: SignedTransaction): string | undefined {
  if (test.sender === undefined || toHex(sender) === test.sender) return undefined;
  return `recovered the sender ${toHex(sender)}, but it is ${test.sender}`;
}

function blockOf({ environment, chainId }: StateTest, fork: Fork): BlockContext {
  const { excessBlobGas, ...rest } = environment;
  return { ...rest, chainId, blobBaseFee: blobBaseFee(fork, excessBlobGas), blockHash: hashOfNumber };
}

/** State tests have no chain: the hash of a block is the hash of its number in decimal digits. */
function hashOfNumber(number: bigint): Hash {
  return keccak256(utf8(number.toString()));
}

function hashLogs(logs: readonly Log[]): Hash {
  return keccak256(
    encodeRlp(logs.map(({ address, topics, data }): (Bytes | readonly Bytes[])[] => [address, topics, data])),
  );
}
