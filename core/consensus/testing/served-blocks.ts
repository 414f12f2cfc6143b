import { equalBytes, type Hash, must } from "@ostrom/base";
import type { FinalizedTip, Message, OrderedBlock, SealProof } from "../index.ts";

export type StoredBlock = {
  readonly block: OrderedBlock;
  readonly digest: Hash;
  readonly tip: FinalizedTip;
};

/** Most blocks in one answer: so few that what is rare with many happens all the time. */
const SERVED_BLOCKS = 4;

/** Blocks of one epoch from a height upward, as `serveBlocks` asks for them.
 * @param stored all that are executed, from height 1 on. */
export function servedBlocks(
  stored: readonly StoredBlock[],
  proofs: ReadonlyMap<number, SealProof>,
  epochLength: number,
  fromHeight: number,
): Message | undefined {
  const first = Math.max(1, fromHeight);
  const epoch = Math.ceil(first / epochLength) - 1;
  const lastHeight = (epoch + 1) * epochLength;
  const blocks: OrderedBlock[] = [];
  let whole: Message | undefined;
  let begun: Message | undefined;
  for (const { block, digest, tip } of stored.slice(first - 1, lastHeight).slice(0, SERVED_BLOCKS)) {
    blocks.push(block);
    const finalization = must(tip.finalization, "every stored block has what makes it final");
    const answer = { kind: "block-range", blocks: [...blocks], finalization } as const;
    const proof = proofs.get(epoch);
    if (equalBytes(finalization.digest, digest)) whole = answer;
    else if (tip.height < lastHeight) begun = answer;
    else if (proof !== undefined)
      whole = { ...answer, blocks: [...blocks, ...proof.sealing], finalization: proof.finalization };
  }
  return whole ?? (blocks.length === SERVED_BLOCKS ? begun : undefined);
}
