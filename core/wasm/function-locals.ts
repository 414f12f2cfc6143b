import type { ByteReader } from "./byte-reader.ts";
import type { Subset } from "./subset.ts";
import type { FunctionType, ValueType } from "./types.ts";
import { readValueType } from "./value-types.ts";

/** Reads the declaration of locals with which a body begins, and leaves the reader at the first instruction.
 * @param type the function's: its parameters are the first locals.
 * @param into where the types of all parameters and locals go; has room for `subset.maxLocals`.
 * @returns how many there are.
 * Errors (thrown): `wasm/limit`, `wasm/truncated`, and those of numbers and types. */
export function readLocals(
  reader: ByteReader,
  type: FunctionType,
  subset: Subset,
  into: { [index: number]: ValueType | number },
): number {
  let total = 0;
  for (const parameter of type.parameters) into[total++] = parameter;
  const groups = reader.u32();
  for (let group = 0; group < groups; group++) {
    const count = reader.count(subset.maxLocals - total, "locals more");
    const localType = readValueType(reader, subset);
    for (let index = 0; index < count; index++) into[total++] = localType;
  }
  return total;
}
