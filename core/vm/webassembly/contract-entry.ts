import { entryGas } from "../contract-host/program-gas.ts";
import type { Contract } from "./read-contract.ts";

/** An entry for each: a segment is a copy with a beginning and an end, however short it is. */
const SEGMENT_BYTES = 32;
const GLOBAL_BYTES = 8;
/** V8 checks and links each entry when it makes an instance: some 0.2 us. */
const TABLE_ENTRY_BYTES = 24;

/** Gas that a message to a contract costs before its first instruction. */
export function contractEntryGas({ initialPages, data, globals, table }: Contract): number {
  let bytes = globals.length * GLOBAL_BYTES + table.length * TABLE_ENTRY_BYTES;
  for (const segment of data) bytes += segment.bytes.length + SEGMENT_BYTES;
  return entryGas(initialPages, bytes);
}
