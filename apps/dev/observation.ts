import type { Address, Bytes } from "@ostrom/base";
import type { ExecutionWatch } from "@ostrom/execution";

/** A message, as the outermost one of a transaction or a call. */
export type RunMessage = {
  readonly from: Address;
  /** undefined: creates a contract. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Bytes;
};

/** What a developer's transaction or call came to. */
export type ObservedRun = {
  readonly kind: "transaction" | "call" | "estimate";
  readonly message: RunMessage;
  /** Hash digits of a transaction that is in a block; undefined of a call. */
  readonly transactionHash: string | undefined;
  readonly blockNumber: number;
  /** Of a transaction, when the block is made; undefined before, and of a call. */
  readonly blockHash: string | undefined;
  readonly status: "success" | "revert" | "fault";
  /** Why it failed, in geth's words; undefined if it succeeded or reverted. */
  readonly fault: string | undefined;
  /** Return or revert data. */
  readonly output: Bytes;
  readonly gasUsed: bigint;
  readonly gasLimit: bigint;
  /** Where a creation put its contract. */
  readonly contractAddress: Address | undefined;
  /** Inputs of the calls to the console's address, in their order. */
  readonly consoleCalls: readonly Bytes[];
  /** Code of an account as the run found it. */
  readonly codeOf: (address: Address) => Bytes;
  /** Runs it once more on the same state, and watches it; nothing is changed by it. Call it at once, while the run is told
   * of: later there is another state. */
  readonly replay: (watch: ExecutionWatch) => void;
};

/** What is said of a failed run. */
export type FailureExplanation = {
  /** The JSON-RPC error's message. */
  readonly message: string;
  /** For the log: lines of a stack trace, innermost first. */
  readonly stack?: readonly string[];
};

/** Who watches a development chain. All are optional and must not throw. */
export type DevelopmentObserver = {
  /** In place of `describeFailure`; undefined: it has nothing better to say. */
  readonly explainFailure?: ((run: ObservedRun) => FailureExplanation | undefined) | undefined;
  /** Each transaction that ran in a block, and each eth_call and eth_estimateGas (once), with what was said of its failure. */
  readonly onRun?: ((run: ObservedRun, failure: FailureExplanation | undefined) => void) | undefined;
  /** hardhat_addCompilationResult. @returns whether it was taken. */
  readonly addCompilationResult?: ((version: string, input: unknown, output: unknown) => boolean) | undefined;
  readonly onBlock?:
    | ((block: { readonly number: number; readonly hash: string; readonly transactions: number }) => void)
    | undefined;
  /** A request was answered. @param error the message of a refused one. */
  readonly onAnswer?: ((method: string, error: string | undefined) => void) | undefined;
  /** Whether anything shall be printed. */
  readonly setLogging?: ((isOn: boolean) => void) | undefined;
};
