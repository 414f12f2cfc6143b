import { type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { ecvrf } from "@ostrom/crypto";
import type { ModuleCall } from "@ostrom/runtime";
import { STAKING_ABI, STAKING_ADDRESS } from "@ostrom/staking-chain";
import { type Abi, encodeFunctionData, parseAbi } from "viem";
import type { Act } from "./next-acts.ts";

/** The contract of staking, for viem. */
export const STAKING_CONTRACT_ABI: Abi = parseAbi(STAKING_ABI as readonly string[]) as Abi;

/** A call of the contract. */
export function stakingCall(
  functionName: string,
  args: readonly unknown[] = [],
  value: bigint = 0n,
): ModuleCall {
  const data = encodeFunctionData({ abi: STAKING_CONTRACT_ABI, functionName, args });
  return { to: STAKING_ADDRESS, data: unwrap(fromHex(data)), value };
}

/** The call that an act is. @param vrfSecret of the validator, for its reveals: without one they are undefined. */
export function callOfAct(act: Act, vrfSecret: Bytes | undefined): ModuleCall | undefined {
  switch (act.kind) {
    case "reveal": {
      if (vrfSecret === undefined) return undefined;
      return stakingCall("reveal", [BigInt(act.staker), toHex(ecvrf().prove(vrfSecret, act.input))]);
    }
    case "announce":
      return stakingCall("announce", [toHex(act.commitment)]);
    case "report":
      return stakingCall("report", [toHex(act.evidence), toHex(act.consensusKey)]);
    default:
      return act satisfies never;
  }
}
