import { type Abi, decodeErrorResult, decodeFunctionResult, encodeFunctionData, type Hex } from "viem";
import { type RpcClient, RpcError } from "../data/rpc.ts";
import type { AbiFunction } from "./abi-types.ts";

/** A call that is ready to be made. */
export type PreparedCall = {
  readonly to: string;
  readonly from?: string | undefined;
  readonly data: Hex;
  readonly value: bigint;
};

/** What a call would do, or why it would fail. */
export type Simulation =
  | { readonly ok: true; readonly result: unknown; readonly gas: bigint | undefined }
  | { readonly ok: false; readonly error: CallError };

/** Why a call fails: an error of the contract with its arguments, a reason in words, or what the node said. */
export type CallError = {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly value: unknown }[];
  readonly message: string;
};

/** Encodes a call. @throws what viem says of arguments that do not fit. */
export function encodeCall(definition: AbiFunction, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: [definition] as Abi, functionName: definition.name, args: [...args] });
}

/** Makes the call on the node without changing anything. */
export async function simulate(
  rpc: RpcClient,
  definition: AbiFunction,
  abi: readonly unknown[],
  call: PreparedCall,
  wantsGas: boolean,
): Promise<Simulation> {
  const request = {
    to: call.to,
    data: call.data,
    ...(call.from === undefined ? {} : { from: call.from }),
    ...(call.value === 0n ? {} : { value: `0x${call.value.toString(16)}` }),
  };
  try {
    const [data, gas] = await Promise.all([
      rpc.call<Hex>("eth_call", [request, "latest"]),
      wantsGas ? rpc.call<string>("eth_estimateGas", [request]) : undefined,
    ]);
    return {
      ok: true,
      result: decodeResult(definition, data),
      gas: gas === undefined ? undefined : BigInt(gas),
    };
  } catch (error) {
    return { ok: false, error: describeError(abi, error) };
  }
}

/** What a function returned; one value stands alone, several as a list. Nothing for a function that returns nothing. */
export function decodeResult(definition: AbiFunction, data: Hex): unknown {
  if (definition.outputs.length === 0) return undefined;
  return decodeFunctionResult({ abi: [definition] as Abi, functionName: definition.name, data });
}

/** Reads what a node or a wallet says of a failed call: errors of the contract's own ABI, Error(string), Panic(uint256). */
export function describeError(abi: readonly unknown[], error: unknown): CallError {
  const message =
    error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
  const data = dataOf(error);
  if (data === undefined) return { name: "", args: [], message };
  try {
    const decoded = decodeErrorResult({ abi: abi as Abi, data });
    const inputs = decoded.abiItem.type === "error" ? decoded.abiItem.inputs : [];
    const args = (decoded.args ?? []).map((value, index) => ({ name: inputs[index]?.name ?? "", value }));
    return { name: decoded.errorName, args, message };
  } catch {
    return { name: data.slice(0, 10), args: [], message };
  }
}

const MAX_NESTING = 4;

/** A revert's data: wallets wrap what nodes say once or twice. */
function dataOf(error: unknown): Hex | undefined {
  let at: unknown = error instanceof RpcError ? error.data : error;
  for (let depth = 0; depth < MAX_NESTING; depth++) {
    if (typeof at === "string") return /^0x(?:[0-9a-f]{2}){4,}$/i.test(at) ? (at as Hex) : undefined;
    if (typeof at !== "object" || at === null) return undefined;
    const { data, error: inner } = at as { readonly data?: unknown; readonly error?: unknown };
    at = data ?? inner;
  }
  return undefined;
}

/** Writes a decoded value for people: whole numbers in full, structures as JSON. */
export function showValue(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint" || typeof value === "number" || typeof value === "boolean")
    return String(value);
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner), 2) ??
    ""
  );
}
