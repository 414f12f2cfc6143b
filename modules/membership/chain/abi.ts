import {
  type Address,
  addressFromWord,
  addressToWord,
  assert,
  type Bytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  ok,
  type Result,
  wordToBytes,
} from "@ostrom/base";

/** Types of Solidity's contract ABI, as many as settings are made of. Numbers of all sizes are `number`, `bool` is 0 or 1. */
export type AbiType =
  | { readonly kind: "number" }
  | { readonly kind: "address" }
  | { readonly kind: "bytes" }
  | { readonly kind: "array"; readonly of: AbiType }
  | { readonly kind: "tuple"; readonly of: readonly AbiType[] };

/** A number, an address or bytes (text as its bytes), or a list of these. */
export type AbiValue = bigint | Address | Bytes | readonly AbiValue[];

export type AbiFailure = Failure<"abi/malformed">;

export const NUMBER: AbiType = { kind: "number" };
export const ADDRESS: AbiType = { kind: "address" };
export const BYTES: AbiType = { kind: "bytes" };
export const arrayOf = (of: AbiType): AbiType => ({ kind: "array", of });
export const tupleOf = (...of: readonly AbiType[]): AbiType => ({ kind: "tuple", of });

const WORD_BYTES = 32;
/** Of one array: what is decoded was bounded in bytes before. */
const MAX_ENTRIES = 4_096;
/** Deeper than any type here. */
const MAX_DEPTH = 8;

/** Encodes one value as the only argument of a call, without the selector. Asserts that the value is of the type.
 * Source: Solidity documentation, "Contract ABI Specification". */
export function encodeAbi(type: AbiType, value: AbiValue): Bytes {
  return encodeTuple([type], [value]);
}

/** Reads what `encodeAbi` writes, and nothing else that Solidity would take: one value has one encoding.
 * Errors: `abi/malformed`. */
export function decodeAbi(type: AbiType, bytes: Bytes): Result<AbiValue, AbiFailure> {
  const value = decodeTuple([type], bytes, 0)?.[0];
  if (value === undefined || !equalBytes(encodeAbi(type, value), bytes))
    return fail("abi/malformed", "the bytes are no canonical ABI encoding of this type");
  return ok(value);
}

function isDynamic(type: AbiType): boolean {
  return type.kind === "bytes" || type.kind === "array" || (type.kind === "tuple" && type.of.some(isDynamic));
}

function encode(type: AbiType, value: AbiValue): Bytes {
  switch (type.kind) {
    case "number":
      assert(typeof value === "bigint", "a number must be given where the type is a number");
      return wordToBytes(value);
    case "address":
      return wordToBytes(addressToWord(bytesValue(value) as Address));
    case "bytes": {
      const bytes = bytesValue(value);
      const padding = new Uint8Array((WORD_BYTES - (bytes.length % WORD_BYTES)) % WORD_BYTES);
      return concatBytes(wordToBytes(BigInt(bytes.length)), bytes, padding);
    }
    case "array": {
      const values = listValue(value);
      const types = values.map(() => type.of);
      return concatBytes(wordToBytes(BigInt(values.length)), encodeTuple(types, values));
    }
    case "tuple":
      return encodeTuple(type.of, listValue(value));
    default:
      return type satisfies never;
  }
}

function encodeTuple(types: readonly AbiType[], values: readonly AbiValue[]): Bytes {
  assert(types.length === values.length, "a tuple must have a value for each of its types");
  const parts = types.map((type, index) => encode(type, values[index] ?? []));
  const headLength = types.reduce((sum, type) => sum + headBytes(type), 0);
  const heads: Bytes[] = [];
  const tails: Bytes[] = [];
  let offset = headLength;
  types.forEach((type, index) => {
    const part = parts[index] ?? new Uint8Array(0);
    if (!isDynamic(type)) heads.push(part);
    else {
      heads.push(wordToBytes(BigInt(offset)));
      tails.push(part);
      offset += part.length;
    }
  });
  return concatBytes(...heads, ...tails);
}

function headBytes(type: AbiType): number {
  if (isDynamic(type) || type.kind !== "tuple") return WORD_BYTES;
  return type.of.reduce((sum, member) => sum + headBytes(member), 0);
}

function decodeTuple(types: readonly AbiType[], bytes: Bytes, depth: number): AbiValue[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const values: AbiValue[] = [];
  let head = 0;
  for (const type of types) {
    const offset = isDynamic(type) ? countAt(bytes, head, bytes.length) : head;
    const value = offset === undefined ? undefined : decode(type, bytes.subarray(offset), depth + 1);
    if (value === undefined) return undefined;
    values.push(value);
    head += headBytes(type);
  }
  return values;
}

function decode(type: AbiType, bytes: Bytes, depth: number): AbiValue | undefined {
  switch (type.kind) {
    case "number":
      return bytes.length < WORD_BYTES ? undefined : bytesToBigint(bytes.subarray(0, WORD_BYTES));
    case "address":
      return bytes.length < WORD_BYTES
        ? undefined
        : addressFromWord(bytesToBigint(bytes.subarray(0, WORD_BYTES)));
    case "bytes": {
      const length = countAt(bytes, 0, bytes.length - WORD_BYTES);
      return length === undefined ? undefined : bytes.slice(WORD_BYTES, WORD_BYTES + length);
    }
    case "array": {
      const count = countAt(bytes, 0, MAX_ENTRIES);
      if (count === undefined || count * WORD_BYTES > bytes.length) return undefined;
      return decodeTuple(new Array<AbiType>(count).fill(type.of), bytes.subarray(WORD_BYTES), depth);
    }
    case "tuple":
      return decodeTuple(type.of, bytes, depth);
    default:
      return type satisfies never;
  }
}

/** @returns undefined if there is none, or more than `limit`. */
function countAt(bytes: Bytes, offset: number, limit: number): number | undefined {
  if (offset + WORD_BYTES > bytes.length) return undefined;
  const value = bytesToBigint(bytes.subarray(offset, offset + WORD_BYTES));
  return value > BigInt(Math.max(limit, 0)) ? undefined : Number(value);
}

function bytesValue(value: AbiValue): Bytes {
  assert(value instanceof Uint8Array, "bytes must be given where the type is bytes or an address");
  return value;
}

function listValue(value: AbiValue): readonly AbiValue[] {
  assert(Array.isArray(value), "a list must be given where the type is an array or a tuple");
  return value;
}
