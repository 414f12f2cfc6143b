import {
  type Bytes,
  bigintToBytes,
  type Failure,
  fromHex,
  type Hash,
  type Result,
  toHex,
} from "@ostrom/base";
import {
  bindParameters,
  type DecodedParameters,
  type Decoder,
  type Json,
  type Method,
  type Parameter,
  quantity,
  RPC_ERROR,
  RpcError,
  ValueError,
} from "@ostrom/rpc";

/** Codes that Hardhat's node answers with. */
const INVALID_INPUT = -32000;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;

const MAX_WORD = 2n ** 256n - 1n;
const WORD_BYTES = 32;

/** Describes a method whose parameters are decoded by their position. */
export function define<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly returns: string;
  readonly run: (...values: DecodedParameters<P>) => Json | Promise<Json>;
}): Method {
  const { name, summary, parameters, returns, run } = definition;
  const call = bindParameters(parameters, (_context: unknown, ...values: DecodedParameters<P>) =>
    run(...values),
  );
  return { name, summary, parameters, returns, call };
}

/** The same method under these names. */
export function alias(method: Method, ...names: readonly string[]): readonly Method[] {
  return names.map((name) => ({ ...method, name }));
}

export function invalidInput(message: string, data?: Json): RpcError {
  return new RpcError(INVALID_INPUT, message, data);
}

export function invalidParameter(message: string): RpcError {
  return new RpcError(INVALID_PARAMS, message);
}

/** The error of what ran and failed, with the codes of Hardhat's node: -32000 if it ran out of gas, else geth's 3 with the bare data, which
 * viem and ethers look for. @param hash of a transaction, which is in a block. */
export function failedRun(
  { fault, output }: { readonly fault?: string | undefined; readonly output: Bytes },
  message: string,
  hash?: Hash,
): RpcError {
  const data = toHex(output);
  if (fault === undefined || !/out of gas/i.test(fault))
    return new RpcError(RPC_ERROR.executionReverted, message, data);
  return invalidInput(message, { message, ...(hash === undefined ? {} : { txHash: toHex(hash) }), data });
}

export function internalError(message: string, data?: Json): RpcError {
  return new RpcError(INTERNAL, message, data);
}

/** The value of a result, or its failure as an error of who asked. */
export function orThrow<T>(result: Result<T, Failure>): T {
  if (!result.ok) throw invalidInput(result.error.message);
  return result.value;
}

function readAmount(value: unknown): bigint {
  const isWhole = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  const isText = typeof value === "string" && /^(?:0x[0-9a-fA-F]*|[0-9]+)$/.test(value);
  if (!isWhole && !isText) throw new ValueError("expected a quantity: a whole number, or text of one");
  const amount = value === "0x" ? 0n : BigInt(value as string | number);
  if (amount > MAX_WORD) throw new ValueError("larger than 256 bits");
  return amount;
}

/** A quantity as the clients of development chains write it: hex with or without leading zeros, decimal text, or a number. */
export const amount: Decoder<bigint> = { type: "quantity or number", decode: readAmount };

/** The same below 2^53. */
export const whole: Decoder<number> = {
  type: "quantity or number",
  decode: (value) => {
    const read = Number(readAmount(value));
    if (!Number.isSafeInteger(read)) throw new ValueError("too large");
    return read;
  },
};

/** Seconds, which may be negative. */
export const seconds: Decoder<number> = {
  type: "seconds (quantity or number)",
  decode: (value) => {
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    if (typeof value === "string" && /^-[0-9]+$/.test(value)) return Number(value);
    return whole.decode(value);
  },
};

/** 32 bytes, or a quantity that is filled up to them. */
export const wordBytes: Decoder<Bytes> = {
  type: "32 bytes",
  decode: (value) => {
    if (typeof value === "string" && value.length === 2 + 2 * WORD_BYTES) {
      const read = fromHex(value);
      if (read.ok) return read.value;
    }
    return bigintToBytes(readAmount(value), WORD_BYTES);
  },
};

/** Fields as clients of development chains write them: what they leave out is null too, and quantities are numbers too. */
export function plainFields(object: object): object {
  const told = Object.entries(object).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(told.map(([name, value]) => [name, plainQuantity(value)]));
}

/** How types of parameters are named that a number may stand for. */
const NUMERIC_TYPE = /^(?:quantity|block number)/;

/** What a method of every node is given, with plain numbers written as it reads them: Hardhat's node takes both. */
export function plainParameters(given: readonly unknown[], { parameters }: Method): readonly unknown[] {
  return given.map((value, at) =>
    NUMERIC_TYPE.test(parameters[at]?.type ?? "") ? plainQuantity(value) : value,
  );
}

function plainQuantity(value: unknown): unknown {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? quantity(value) : value;
}

/** 32 bytes and nothing shorter, which could be meant for either end of them. */
export const storedWord: Decoder<Bytes> = {
  type: "32 bytes",
  decode: (value) => {
    if (typeof value !== "string" || !/^0x[0-9a-fA-F]*$/.test(value))
      throw new ValueError("expected bytes as 0x...");
    const bytes = Math.floor((value.length - 2) / 2);
    if (value.length !== 2 + 2 * WORD_BYTES) {
      throw invalidInput(
        `Storage value must be exactly ${WORD_BYTES} bytes long. Received ${value}, which is ${bytes} bytes long.`,
      );
    }
    return orThrow(fromHex(value));
  },
};

/** Whatever JSON. */
export const anything: Decoder<unknown> = { type: "any", decode: (value) => value };
