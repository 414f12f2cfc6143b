import { type AbiFunction, decodeFunctionResult, encodeFunctionData, isHex, parseAbiItem } from "viem";
import { type Command, UsageError } from "../command.ts";
import { ask, DEFAULT_RPC_URL } from "../rpc-client.ts";
import { readAddress, readData } from "../units.ts";

const BLOCK_TAGS: readonly string[] = ["latest", "finalized", "safe", "pending", "earliest"];

export const call: Command = {
  name: "call",
  summary: "call a contract without a transaction and print what it returns",
  usage: "ADDRESS ['function name(types) view returns (types)' ARGUMENT...] [--data HEX]",
  maxPositionals: Number.POSITIVE_INFINITY,
  flags: [
    { name: "data", kind: "text", placeholder: "HEX", help: "raw call data instead of a signature" },
    { name: "from", kind: "text", placeholder: "ADDRESS", help: "the caller" },
    {
      name: "block",
      kind: "text",
      placeholder: "TAG",
      help: "latest, finalized, or a number",
      default: "latest",
      choices: BLOCK_TAGS,
    },
    { name: "rpc", kind: "text", placeholder: "URL", help: "the node to ask", default: DEFAULT_RPC_URL },
  ],
  examples: [
    "ostrom call 0x5FbD...0aa3 'function balanceOf(address) view returns (uint256)' 0xf39F...2266",
    "ostrom call 0x5FbD...0aa3 --data 0x18160ddd --json",
  ],
  run: async ({ values, positionals }) => {
    const [target, signature, ...args] = positionals;
    const to = readAddress(target, "the contract");
    const item = signature === undefined ? undefined : readSignature(signature);
    if ((item === undefined) === (values["data"] === undefined)) {
      throw new UsageError(
        "name a function, such as 'function name() view returns (string)', or give --data HEX",
      );
    }
    const data =
      item === undefined
        ? readData(String(values["data"]), "--data")
        : encodeCall(item, readArguments(item, args));
    const request = {
      to,
      data,
      ...(values["from"] === undefined ? {} : { from: readAddress(String(values["from"]), "--from") }),
    };
    const block = readBlock(String(values["block"]));
    const output = await ask<`0x${string}`>(String(values["rpc"]), "eth_call", [request, block]);
    const result = item === undefined ? output : decodeResult(item, to, output);
    const isJson = values["json"] === true;
    console.log(
      isJson ? toJson({ output, result }) : typeof result === "string" ? result : showResult(result),
    );
    return 0;
  },
};

/** Numbers beyond what JSON's readers keep exactly are written as text. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, entry) =>
    typeof entry === "bigint" ? entry.toString() : (entry as unknown),
  );
}

function showResult(result: unknown): string {
  return typeof result === "bigint" ? result.toString() : (toJson(result) ?? "(nothing)");
}

function encodeCall(item: AbiFunction, args: readonly unknown[]): `0x${string}` {
  try {
    return encodeFunctionData({ abi: [item], functionName: item.name, args });
  } catch (error) {
    throw new UsageError(
      `${item.name}: ${(error as { shortMessage?: string }).shortMessage ?? String(error)}`,
    );
  }
}

function decodeResult(item: AbiFunction, to: string, output: `0x${string}`): unknown {
  if (output === "0x" && item.outputs.length > 0) {
    throw new UsageError(`${to} returned nothing: no contract is there, or it has no function ${item.name}`);
  }
  try {
    return decodeFunctionResult({ abi: [item], functionName: item.name, data: output });
  } catch (error) {
    const detail = (error as { shortMessage?: string }).shortMessage ?? String(error);
    throw new UsageError(`${to} returned ${output}, which is not what the signature says: ${detail}`);
  }
}

function readBlock(text: string): string {
  if (/^\d+$/.test(text)) return `0x${BigInt(text).toString(16)}`;
  if (BLOCK_TAGS.includes(text) || isHex(text)) return text;
  throw new UsageError(`--block: expected a number or one of ${BLOCK_TAGS.join(", ")}, found "${text}"`);
}

function readSignature(text: string): AbiFunction {
  try {
    const item = parseAbiItem(text.startsWith("function ") ? text : `function ${text}`);
    if (item.type === "function") return item;
  } catch (error) {
    throw new UsageError(
      `"${text}" is no function signature: ${(error as { shortMessage?: string }).shortMessage ?? ""}`,
    );
  }
  throw new UsageError(`"${text}" is no function signature`);
}

function readArguments(item: AbiFunction, texts: readonly string[]): readonly unknown[] {
  if (texts.length !== item.inputs.length) {
    throw new UsageError(`${item.name} takes ${item.inputs.length} arguments, ${texts.length} are given`);
  }
  return texts.map((text, index) => {
    const type = item.inputs[index]!.type;
    try {
      if (/[\]]$|^tuple/.test(type)) return JSON.parse(text) as unknown;
      if (/^u?int/.test(type)) return BigInt(text);
      if (type === "bool") return readBoolean(text);
      return text;
    } catch {
      throw new UsageError(`argument ${index + 1} of ${item.name}: "${text}" is no ${type}`);
    }
  });
}

function readBoolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new UsageError(`"${text}" is no bool`);
  return text === "true";
}
