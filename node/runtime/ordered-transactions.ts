import { assert, type Bytes, equalBytes } from "@ostrom/base";
import { decodeBatch, decodeOrderedPayload } from "@ostrom/dissemination";
import type { OrderedInput } from "./execution-port.ts";
import { ENTRY_LENGTH, readEntry } from "./sender-entries.ts";

/** What a finalized block has executed, in this order: transactions that stand in its payload, then those of the batches that it refers to. */
export type OrderedTransactions = {
  readonly raws: readonly Bytes[];
  /** What this node has found out about the one at a place; undefined for those that stand in the payload, and where it has found nothing. */
  readonly signedAt: (index: number) => ReturnType<typeof readEntry>;
};

/** @param payload of the input's ordered block. */
export function orderedTransactions(
  payload: Bytes,
  { batches = [] }: Pick<OrderedInput, "batches">,
): OrderedTransactions {
  const read = decodeOrderedPayload(payload);
  // Who votes checks the form of a payload; one that cannot be read all the same is an empty one, everywhere alike.
  const { inline, batches: references } = read.ok ? read.value : { inline: [], batches: [] };
  assert(references.length === batches.length, "a block is executed when all of its batches are there");
  const raws = [...inline];
  /** Of each transaction of a batch: the entries of the batch, and where in them it has its own. */
  const found: { readonly entries: Bytes; readonly place: number }[] = [];
  for (const [index, batch] of batches.entries()) {
    const isIt = equalBytes(batch.digest, references[index]!.header.digest);
    assert(isIt, "batches are in the order of their references");
    const body = decodeBatch(batch.bytes);
    for (const [place, raw] of (body.ok ? body.value.transactions : []).entries()) {
      raws.push(raw);
      found.push({ entries: batch.entries, place });
    }
  }
  return {
    raws,
    signedAt: (index) => {
      const own = found[index - inline.length];
      if (own === undefined) return undefined;
      const { entries, place } = own;
      return place * ENTRY_LENGTH < entries.length ? readEntry(entries, place) : undefined;
    },
  };
}
