import type { AbiParameter } from "./abi-types.ts";

/** What a text in a form stands for; or why it stands for nothing. */
export type ParsedInput =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: InputProblem };

/** Stable: the pages have words for each. */
export type InputProblem =
  | "address"
  | "integer"
  | "range"
  | "bool"
  | "bytes"
  | "length"
  | "json"
  | "array"
  | "tuple";

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const BYTES = /^0x(?:[0-9a-fA-F]{2})*$/;
const INTEGER = /^-?(?:\d+|0x[0-9a-fA-F]+)$/;
/** 1.5 ether, 20 gwei, 1e18 */
const AMOUNT = /^(\d+)(?:\.(\d+))?(?:e(\d{1,2})|\s*(ether|gwei|wei))$/;
const UNIT_DIGITS: Readonly<Record<string, number>> = { ether: 18, gwei: 9, wei: 0 };
const DEFAULT_BITS = 256;

/** Reads a text by the type of a parameter. Lists and structures are JSON, e.g. `["0x...", 1]` or `{"to": "0x...", "amount": 5}`; whole
 * numbers may have an exponent or a unit (`1.5 ether`). */
export function parseInput(parameter: AbiParameter, text: string): ParsedInput {
  const { type } = parameter;
  if (type.endsWith("]") || type === "tuple") {
    const json = parseJson(text);
    return json === undefined ? fail("json") : fromJson(parameter, json.value);
  }
  return fromText(type, text);
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    // Integers beyond 2^53 would lose digits: they are read as text.
    return { value: JSON.parse(text.replace(/(?<=[[,:]\s*)-?\d{16,}(?=\s*[,\]}])/g, '"$&"')) };
  } catch {
    return undefined;
  }
}

function fromJson(parameter: AbiParameter, json: unknown): ParsedInput {
  const { type, components = [] } = parameter;
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    const [, inner = "", size = ""] = list;
    if (!Array.isArray(json)) return fail("array");
    if (size !== "" && json.length !== Number(size)) return fail("length");
    return all(json.map((item) => fromJson({ ...parameter, type: inner }, item)));
  }
  if (type !== "tuple") return fromText(type, typeof json === "string" ? json : String(json));
  if (typeof json !== "object" || json === null) return fail("tuple");
  if (Array.isArray(json)) {
    if (json.length !== components.length) return fail("length");
    return named(
      components,
      components.map((component, index) => fromJson(component, json[index])),
    );
  }
  const fields = json as Readonly<Record<string, unknown>>;
  if (components.some(({ name = "" }) => !(name in fields))) return fail("tuple");
  return named(
    components,
    components.map((component) => fromJson(component, fields[component.name ?? ""])),
  );
}

function fromText(type: string, given: string): ParsedInput {
  const text = type === "string" ? given : given.trim();
  if (type === "string") return { ok: true, value: text };
  if (type === "address") return ADDRESS.test(text) ? { ok: true, value: text } : fail("address");
  if (type === "bool") {
    return text === "true" || text === "false" ? { ok: true, value: text === "true" } : fail("bool");
  }
  if (type.startsWith("bytes")) {
    if (!BYTES.test(text)) return fail("bytes");
    const size = type.slice("bytes".length);
    return size !== "" && text.length !== 2 + 2 * Number(size) ? fail("length") : { ok: true, value: text };
  }
  return integerOf(type, text);
}

function integerOf(type: string, text: string): ParsedInput {
  const value = readInteger(text);
  if (value === undefined) return fail("integer");
  const isSigned = type.startsWith("int");
  const bits = BigInt(type.replace(/^u?int/, "") || DEFAULT_BITS);
  const most = isSigned ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n;
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  return value < least || value > most ? fail("range") : { ok: true, value };
}

function readInteger(text: string): bigint | undefined {
  if (INTEGER.test(text)) return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
  return readAmount(text);
}

/** Reads `1.5 ether`, `20 gwei`, `1e18`: exact, or undefined. */
export function readAmount(text: string): bigint | undefined {
  const match = AMOUNT.exec(text.trim());
  if (match === null) return undefined;
  const [, whole = "", fraction = "", exponent, unit] = match;
  const digits = exponent === undefined ? (UNIT_DIGITS[unit ?? ""] ?? 0) : Number(exponent);
  if (fraction.replace(/0+$/, "").length > digits) return undefined;
  return BigInt(whole + fraction.slice(0, digits).padEnd(digits, "0"));
}

function all(parsed: readonly ParsedInput[]): ParsedInput {
  const values: unknown[] = [];
  for (const one of parsed) {
    if (!one.ok) return one;
    values.push(one.value);
  }
  return { ok: true, value: values };
}

/** Encoders find a structure's fields by name, or by place where they have none. */
function named(components: readonly AbiParameter[], parsed: readonly ParsedInput[]): ParsedInput {
  const values = all(parsed);
  if (!values.ok || components.some(({ name = "" }) => name === "")) return values;
  const list = values.value as readonly unknown[];
  return {
    ok: true,
    value: Object.fromEntries(components.map(({ name = "" }, index) => [name, list[index]])),
  };
}

function fail(problem: InputProblem): ParsedInput {
  return { ok: false, problem };
}
