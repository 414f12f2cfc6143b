import type { Address, Hash } from "@ostrom/base";
import type { AccountOverride, BlockOverride, CallRequest } from "@ostrom/execution";

/** A call of a simulated block. */
export type SimulatedCall = {
  readonly request: CallRequest;
  /** undefined: the sender's in state. */
  readonly nonce: bigint | undefined;
};

/** One entry of `blockStateCalls`. */
export type SimulatedBlock = {
  readonly blockOverride: BlockOverride & { readonly parentBeaconBlockRoot?: Hash };
  readonly accountOverrides: readonly AccountOverride[];
  /** Precompiles that answer elsewhere in this block. */
  readonly moves: readonly { readonly from: Address; readonly to: Address }[];
  readonly calls: readonly SimulatedCall[];
};

/** What eth_simulateV1 is asked for. */
export type SimulatedBlocks = {
  readonly blocks: readonly SimulatedBlock[];
  readonly traceTransfers: boolean;
  readonly validation: boolean;
  readonly returnFullTransactions: boolean;
};
