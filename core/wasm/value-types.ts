import type { ByteReader } from "./byte-reader.ts";
import type { Subset } from "./subset.ts";
import { I32, I64, V128, type ValueType } from "./types.ts";

const F32 = 0x7d;
const F64 = 0x7c;
/** The shortest negative number of 7 bits: types are written as negative numbers. */
const FIRST_TYPE_BYTE = 0x40;

/** Reads a value type of the subset.
 * Errors (thrown): `wasm/unsupported-float`, `wasm/unsupported` (v128 where the subset has none, references), `wasm/malformed`.
 * Source: WebAssembly core specification, "Binary Format", "Types". */
export function readValueType(reader: ByteReader, subset: Subset): ValueType {
  const byte = reader.u8();
  if (byte === I32 || byte === I64) return byte;
  if (byte === V128 && subset.vectors) return byte;
  const offset = reader.at - 1;
  if (byte === F32 || byte === F64)
    reader.refuse("wasm/unsupported-float", "floating-point values are not accepted", offset);
  if (byte >= FIRST_TYPE_BYTE && byte < 0x80)
    reader.refuse("wasm/unsupported", `value type 0x${byte.toString(16)} is outside the subset`, offset);
  reader.refuse("wasm/malformed", "no value type", offset);
}
