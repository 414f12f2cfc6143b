import { type Address, bytesToBigint, equalBytes, type Hash, Address as toAddress, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type Receipt, STAKING_ADDRESS } from "@ostrom/execution";

/** What a block's receipts say of stake. */
export type StakeEvent =
  | {
      readonly kind: "undelegated";
      readonly staker: number;
      readonly account: Address;
      readonly amount: bigint;
    }
  | { readonly kind: "withdrawn"; readonly account: Address; readonly amount: bigint }
  | { readonly kind: "slashed"; readonly staker: number; readonly epoch: number };

const topicOf = (event: string): Hash => keccak256(utf8(event)) as Hash;
const UNDELEGATED = topicOf("Undelegated(uint256,address,uint256)");
const WITHDRAWN = topicOf("Withdrawn(address,uint256)");
const SLASHED = topicOf("Slashed(uint256,uint256,address,uint256,uint256,uint8)");
const WORD = 32;
const ADDRESS_OFFSET = 12;

/** In the order in which they happened. */
export function stakeEvents(receipts: readonly Receipt[]): readonly StakeEvent[] {
  return receipts.flatMap(({ logs }) =>
    logs.flatMap(({ address, topics, data }): readonly StakeEvent[] => {
      const [topic, first, second] = topics;
      if (topic === undefined || first === undefined || !equalBytes(address, STAKING_ADDRESS)) return [];
      const amount = bytesToBigint(data.subarray(0, WORD));
      if (equalBytes(topic, UNDELEGATED) && second !== undefined)
        return [{ kind: "undelegated", staker: numberOf(first), account: accountOf(second), amount }];
      if (equalBytes(topic, WITHDRAWN)) return [{ kind: "withdrawn", account: accountOf(first), amount }];
      if (equalBytes(topic, SLASHED) && second !== undefined)
        return [{ kind: "slashed", staker: numberOf(first), epoch: numberOf(second) }];
      return [];
    }),
  );
}

function numberOf(topic: Uint8Array): number {
  return Number(bytesToBigint(topic));
}

function accountOf(topic: Uint8Array): Address {
  return toAddress(topic.slice(ADDRESS_OFFSET));
}
