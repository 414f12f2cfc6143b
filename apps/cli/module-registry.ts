import { type Address, addressFromHex, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { MODULE_REGISTRY_ADDRESS, moduleNameBytes } from "@ostrom/execution";
import type { ModuleCall } from "@ostrom/runtime";
import { type Abi, encodeFunctionData, type Hex, parseAbi } from "viem";
import { ask } from "./rpc-client.ts";

/** What of languages/solidity/modules/ModuleRegistry.sol commands call. */
const ABI: Abi = parseAbi([
  "function schedule(bytes32 name, uint32 version, bytes32 codeHash, uint64 height, bytes settings)",
  "function cancel(bytes32 name, uint64 height)",
  "function cancelFork(bytes32 name)",
  "function scheduleFork(bytes32 name, uint64 height)",
  "function handOver(bytes32 name, uint64 fromEpoch)",
]);

/** What `ostrom_getModules` tells; numbers as hex text. */
export type ToldModules = {
  readonly block: Hex;
  /** null on a chain without one. */
  readonly registry: {
    readonly authority: Hex | null;
    readonly modules: readonly {
      readonly name: string;
      readonly active: ToldVersion | null;
      readonly scheduled: ToldVersion | null;
    }[];
    readonly forks: readonly { readonly name: string; readonly fromBlock: Hex }[];
    readonly validatorSets: {
      readonly holder: string | null;
      readonly handOver: { readonly to: string; readonly fromEpoch: Hex } | null;
    };
  } | null;
  readonly installed: readonly { readonly name: string; readonly version: Hex; readonly codeHash: Hex }[];
};

export type ToldVersion = {
  readonly version: Hex;
  readonly codeHash: Hex;
  readonly fromBlock: Hex;
  /** In the node that tells it. */
  readonly isInstalled: boolean;
};

/** @throws UsageError if nobody answers. */
export function askModules(rpc: string): Promise<ToldModules> {
  return ask<ToldModules>(rpc, "ostrom_getModules");
}

export function scheduleCall(
  module: { readonly name: string; readonly version: number; readonly codeHash: Bytes },
  height: number,
  settings: Bytes,
): ModuleCall {
  const { name, version, codeHash } = module;
  return registryCall("schedule", [
    nameWord(name),
    version,
    toHex(codeHash),
    BigInt(height),
    toHex(settings),
  ]);
}

export function scheduleForkCall(fork: string, height: number): ModuleCall {
  return registryCall("scheduleFork", [nameWord(fork), BigInt(height)]);
}

export function cancelCall(name: string, height: number): ModuleCall {
  return registryCall("cancel", [nameWord(name), BigInt(height)]);
}

export function cancelForkCall(fork: string): ModuleCall {
  return registryCall("cancelFork", [nameWord(fork)]);
}

export function handOverCall(module: string, fromEpoch: number): ModuleCall {
  return registryCall("handOver", [nameWord(module), BigInt(fromEpoch)]);
}

function registryCall(functionName: string, args: readonly unknown[]): ModuleCall {
  const data = unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args })));
  return { to: MODULE_REGISTRY_ADDRESS, data };
}

function nameWord(name: string): Hex {
  return toHex(moduleNameBytes(name));
}

/** An authority as `ostrom_getModules` tells it. */
export function authorityOf({ registry }: ToldModules): Address | undefined {
  const authority = registry?.authority;
  return authority === null || authority === undefined ? undefined : addressFromHex(authority);
}
