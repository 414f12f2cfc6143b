import { type Address, type Bytes, EMPTY_BYTES, equalBytes, toHexDigits } from "@ostrom/base";
import { type BlockObserver, describeFault } from "@ostrom/execution";
import type { StateReader } from "@ostrom/state";
import type { BlockMaker, BlockRequest } from "./block-maker.ts";
import { describeFailure } from "./failure-text.ts";
import type { DevelopmentObserver, FailureExplanation, ObservedRun } from "./observation.ts";
import type { ConsoleUse } from "./watched-run.ts";

/** What the transactions of a block came to, by their hash digits. */
export type BlockRuns = Map<
  string,
  { readonly run: ObservedRun; readonly failure: FailureExplanation | undefined }
>;

/** What is said of a failed run. */
export function explain(observer: DevelopmentObserver, run: ObservedRun): FailureExplanation {
  return observer.explainFailure?.(run) ?? { message: describeFailure(run) };
}

/** Watches the transactions of a block as they run. */
export function observeBlock(
  maker: BlockMaker,
  request: BlockRequest,
  console: ConsoleUse,
  onRun: (run: ObservedRun) => void,
): BlockObserver {
  const calls: Bytes[] = [];
  const blockNumber = maker.head.header.number + 1;
  const { state } = maker;
  return {
    watchPrecompiles: console.watch(calls),
    onApplied: (transaction, applied) => {
      const { sender, to, value, data, gasLimit, hash } = transaction;
      const failedBy = applied.fault === undefined ? "revert" : "fault";
      onRun({
        kind: "transaction",
        message: { from: sender, to, value, data },
        transactionHash: toHexDigits(hash),
        blockNumber,
        blockHash: undefined,
        status: applied.succeeded ? "success" : failedBy,
        fault: applied.fault === undefined ? undefined : describeFault(applied.fault, applied.faultReason),
        output: applied.output,
        gasUsed: applied.gasUsed,
        gasLimit,
        contractAddress: applied.contractAddress,
        consoleCalls: calls.splice(0),
        codeOf: codeReader(state),
        replay: (watch) => {
          const at = request.transactions.findIndex((other) => equalBytes(other.hash, hash));
          maker.apply({
            ...request,
            transactions: request.transactions.slice(0, at + 1),
            observer: { watchOf: (step) => (step === at ? watch : undefined) },
          });
        },
      });
    },
  };
}

export function codeReader(state: StateReader): (address: Address) => Bytes {
  return (address) => {
    const account = state.account(address);
    return account === undefined ? EMPTY_BYTES : state.code(account.codeHash);
  };
}
