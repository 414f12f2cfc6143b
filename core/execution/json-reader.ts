import { type Bytes, type Failure, fromHex } from "@ostrom/base";

export type JsonErrorCode =
  | "genesis/missing"
  | "genesis/unknown-key"
  | "genesis/wrong-type"
  | "genesis/out-of-range"
  | "genesis/inconsistent"
  | "genesis/duplicate"
  | "genesis/unsupported"
  | "genesis/bad-proof-of-possession";

/** `path` names the place in the file, such as `validators[2].weight`; empty for the whole of it. */
export type JsonFailure = Failure<JsonErrorCode> & { readonly path: string };

/** Thrown by the readers below and turned into a Result where reading began. */
export class JsonReadError extends Error {
  override readonly name = "JsonReadError";
  readonly failure: JsonFailure;

  constructor(code: JsonErrorCode, path: string, message: string) {
    super(message);
    this.failure = { code, path, message: path === "" ? message : `${path}: ${message}` };
  }
}

/** A value of a JSON document and where it stands. */
export type Place = { readonly value: unknown; readonly path: string };

const MAX_SHOWN_CHARACTERS = 60;
const MAX_AMOUNT_DIGITS = 80;

/** Reads an object with exactly these keys, `optional` ones allowed. Refusing others catches misspelled settings. */
export function readObject<Key extends string, Optional extends string = never>(
  place: Place,
  required: readonly Key[],
  optional: readonly Optional[] = [],
): { readonly [K in Key]: Place } & { readonly [K in Optional]?: Place } {
  const record = readRecord(place);
  const known: readonly string[] = [...required, ...optional];
  for (const key of Object.keys(record)) {
    if (known.includes(key)) continue;
    throw new JsonReadError(
      "genesis/unknown-key",
      joinPath(place.path, key),
      `there is no such setting; known here are ${known.join(", ")}`,
    );
  }
  const fields: Record<string, Place> = {};
  for (const key of known) {
    const path = joinPath(place.path, key);
    if (Object.hasOwn(record, key)) fields[key] = { value: record[key], path };
    else if ((required as readonly string[]).includes(key)) {
      throw new JsonReadError("genesis/missing", path, "is missing; add it");
    }
  }
  return fields as { readonly [K in Key]: Place } & { readonly [K in Optional]?: Place };
}

/** Reads an object of any keys. */
export function readEntries(place: Place): readonly (readonly [key: string, entry: Place])[] {
  return Object.entries(readRecord(place)).map(([key, value]) => [
    key,
    { value, path: joinPath(place.path, key) },
  ]);
}

export function readList(place: Place): readonly Place[] {
  if (!Array.isArray(place.value)) throw wrongType(place, "a list");
  return place.value.map((value: unknown, index) => ({ value, path: `${place.path}[${index}]` }));
}

/** A whole number as JSON has them. */
export function readCount(place: Place, min: number, max: number): number {
  const { value } = place;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw wrongType(place, "a whole number");
  if (value < min || value > max) throw outOfRange(place, `from ${min} to ${max}`);
  return value;
}

/** An amount of any size: decimal or 0x-hex text, or a whole number below 2^53. */
export function readAmount(place: Place, min: bigint, max: bigint): bigint {
  const { value } = place;
  const isNumber = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  const isText = typeof value === "string" && /^(0x[0-9a-fA-F]+|[0-9]+)$/.test(value);
  if (!isNumber && !(isText && value.length <= MAX_AMOUNT_DIGITS)) {
    throw wrongType(place, 'an amount: decimal text such as "1000", or hex text such as "0x3e8"');
  }
  const amount = BigInt(value);
  if (amount < min || amount > max) throw outOfRange(place, `from ${min} to ${max}`);
  return amount;
}

export function readChoice<Choice extends string | number>(place: Place, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === place.value);
  if (found !== undefined) return found;
  throw new JsonReadError(
    "genesis/unsupported",
    place.path,
    `must be ${choices.map((choice) => JSON.stringify(choice)).join(" or ")}; found ${show(place.value)}`,
  );
}

/** @param what says what matches, for the message. */
export function readText(place: Place, pattern: RegExp, what: string): string {
  if (typeof place.value !== "string") throw wrongType(place, what);
  if (!pattern.test(place.value)) throw outOfRange(place, what);
  return place.value;
}

/** Bytes as 0x-hex text. @param lengths the least and the most bytes. */
export function readHex(place: Place, lengths: { readonly min: number; readonly max: number }): Bytes {
  const { min, max } = lengths;
  const what =
    min === max
      ? `${min} bytes as 0x and ${2 * min} hex digits`
      : `0x and hex digits of ${min} to ${max} bytes`;
  if (typeof place.value !== "string" || !place.value.startsWith("0x")) throw wrongType(place, what);
  const bytes = fromHex(place.value);
  if (!bytes.ok || bytes.value.length < min || bytes.value.length > max) throw outOfRange(place, what);
  return bytes.value;
}

export function duplicate(place: Place, what: string): JsonReadError {
  return new JsonReadError("genesis/duplicate", place.path, what);
}

export function inconsistent(place: Place, what: string): JsonReadError {
  return new JsonReadError("genesis/inconsistent", place.path, what);
}

function readRecord(place: Place): Readonly<Record<string, unknown>> {
  const { value } = place;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrongType(place, "an object");
  return value as Readonly<Record<string, unknown>>;
}

function wrongType(place: Place, what: string): JsonReadError {
  return new JsonReadError("genesis/wrong-type", place.path, `must be ${what}; found ${show(place.value)}`);
}

function outOfRange(place: Place, what: string): JsonReadError {
  return new JsonReadError("genesis/out-of-range", place.path, `must be ${what}; found ${show(place.value)}`);
}

function joinPath(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function show(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}
