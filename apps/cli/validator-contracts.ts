import {
  VALIDATOR_SCHEME_IDS,
  type ValidatorScheme,
  validatorScheme,
  validatorSchemeByName,
} from "@ostrom/crypto";
import { type Abi, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from "viem";
import { UsageError } from "./command.ts";
import { ask } from "./rpc-client.ts";
import { didYouMean } from "./spelling.ts";

/** The account that holds a chain's validator set (core/execution), and the contract that changes it, if one does. */
export const VALIDATOR_SET_ADDRESS: Hex = "0x000000000000000000000000000000000056a11d";

/** What validators may vote by, as commands and key files name it. */
export const VALIDATOR_SCHEME_NAMES: readonly string[] = VALIDATOR_SCHEME_IDS.map(
  (id) => validatorScheme(id)!.name,
);

/** What commands call of languages/solidity/validator-sets. */
const ABI: Abi = parseAbi([
  "function rotateConsensusKey(bytes consensusKey, bytes newKey, bytes newProof)",
  "function changeScheme(uint128 scheme)",
  "function setNextKey(bytes consensusKey, bytes nextKey, bytes nextProof)",
  "function submitWork(bytes consensusKey, bytes proofOfPossession, bytes transportKey, string host, uint16 port, uint64 nonce)",
  "function challenge() view returns (bytes32)",
  "function target() view returns (uint256)",
  "function minerOf(address account) view returns (uint256 tickets, uint64 lastNonce, bool hasWorked)",
]);

export function contractCall(functionName: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: ABI, functionName, args });
}

/** What a node answers of the contract. @throws UsageError if the chain has another one, or none. */
export async function askContract<T>(
  rpc: string,
  functionName: string,
  args: readonly unknown[] = [],
): Promise<T> {
  const call = { to: VALIDATOR_SET_ADDRESS, data: contractCall(functionName, args) };
  const data = await ask<Hex>(rpc, "eth_call", [call, "latest"]);
  if (data === "0x") throw new UsageError(`${rpc}: the validators of this chain are not elected by work`);
  return decodeFunctionResult({ abi: ABI, functionName, data }) as T;
}

/** A scheme that validators may vote by, by its name in commands and key files. @throws UsageError */
export function readScheme(name: string, flag: string): ValidatorScheme {
  const scheme = validatorSchemeByName(name);
  if (scheme !== undefined) return scheme;
  const meant = didYouMean(name, VALIDATOR_SCHEME_NAMES);
  throw new UsageError(
    `${flag}: validators vote by ${VALIDATOR_SCHEME_NAMES.join(", ")}, not by "${name}"${meant}`,
  );
}

/** A set as `ostrom_getValidators` tells it; numbers as hex text. */
export type ToldSet = {
  readonly epoch: Hex;
  readonly currentEpoch: Hex;
  readonly firstBlock: Hex;
  readonly lastBlock: Hex;
  readonly decidedAtBlock: Hex;
  readonly schemeId: Hex;
  readonly validators: readonly {
    readonly index: Hex;
    readonly name: string;
    readonly address: Hex;
    readonly weight: Hex;
    readonly consensusKey: Hex;
    readonly transportKey: Hex;
    readonly host: string;
    readonly port: Hex;
  }[];
};

/** @param epoch undefined: the current one. @returns undefined if it is not decided. @throws UsageError where nobody votes. */
export async function askSet(rpc: string, epoch?: number): Promise<ToldSet | undefined> {
  const params = epoch === undefined ? [] : [`0x${epoch.toString(16)}`];
  const set = await ask<ToldSet | null>(rpc, "ostrom_getValidators", params);
  if (set === null && epoch === undefined)
    throw new UsageError(`${rpc}: the blocks of this chain are mined; it has no validators`);
  return set ?? undefined;
}
