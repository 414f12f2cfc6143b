import { type Bytes, bytesToBigint, toHex } from "@ostrom/base";
import { type Abi, type AbiParameter, decodeErrorResult, decodeFunctionData } from "viem";

const SELECTOR_LENGTH = 4;
const WORD_LENGTH = 32;
/** Error(string) */
const ERROR_SELECTOR = "0x08c379a0";
/** Panic(uint256) */
const PANIC_SELECTOR = "0x4e487b71";

const ERROR_STRING: Abi = [
  { type: "error", name: "Error", inputs: [{ name: "message", type: "string" }] },
] as const;

export function isErrorString(data: Bytes): boolean {
  return toHex(data.subarray(0, SELECTOR_LENGTH)) === ERROR_SELECTOR;
}

/** @returns the reason; undefined if the data is no well-formed Error(string). */
export function readErrorString(data: Bytes): string | undefined {
  if (!isErrorString(data)) return undefined;
  const reason = argumentsOf(ERROR_STRING, data)?.args[0];
  return typeof reason === "string" ? reason : undefined;
}

/** @returns the panic's code; undefined if the data is no Panic(uint256). */
export function readPanic(data: Bytes): bigint | undefined {
  if (toHex(data.subarray(0, SELECTOR_LENGTH)) !== PANIC_SELECTOR) return undefined;
  return bytesToBigint(data.subarray(SELECTOR_LENGTH, SELECTOR_LENGTH + WORD_LENGTH));
}

/** A contract's own error with its arguments, as Hardhat words it. */
export function describeCustomError(abi: Abi, data: Bytes): string {
  const decoded = argumentsOf(abi, data);
  if (decoded === undefined)
    return `reverted with an unrecognized custom error (return data: ${toHex(data)})`;
  const values = decoded.args.map((value, at) => showValue(decoded.inputs[at], value));
  return `reverted with custom error '${decoded.name}(${values.join(", ")})'`;
}

/** Whether call data holds the arguments of the function that it selects. */
export function hasValidArguments(abi: Abi, callData: Bytes): boolean {
  try {
    decodeFunctionData({ abi, data: toHex(callData) });
    return true;
  } catch {
    return false;
  }
}

function argumentsOf(
  abi: Abi,
  data: Bytes,
): { name: string; inputs: readonly AbiParameter[]; args: readonly unknown[] } | undefined {
  try {
    const { abiItem, args } = decodeErrorResult({ abi, data: toHex(data) });
    if (abiItem.type !== "error") return undefined;
    return {
      name: abiItem.name,
      inputs: abiItem.inputs,
      args: (args as readonly unknown[] | undefined) ?? [],
    };
  } catch {
    return undefined;
  }
}

function showValue(parameter: AbiParameter | undefined, value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item, at) => showValue(partOf(parameter, at), item)).join(", ")}]`;
  if (typeof value === "string") return `"${value}"`;
  if (typeof value === "object" && value !== null) {
    const parts = componentsOf(parameter).map((part) => {
      const field = (value as Readonly<Record<string, unknown>>)[part.name ?? ""];
      return showValue(part, field);
    });
    return `[${parts.join(", ")}]`;
  }
  return String(value);
}

function componentsOf(parameter: AbiParameter | undefined): readonly AbiParameter[] {
  return parameter !== undefined && "components" in parameter ? parameter.components : [];
}

/** What an array's or a nameless struct's item is of. */
function partOf(parameter: AbiParameter | undefined, at: number): AbiParameter | undefined {
  if (parameter?.type.endsWith("]") !== true) return componentsOf(parameter)[at];
  return { ...parameter, type: parameter.type.replace(/\[\d*\]$/, "") } as AbiParameter;
}
