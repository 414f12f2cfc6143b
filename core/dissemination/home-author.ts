import { type Address, type Hash, utf8 } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import type { BatchAuthors } from "./types.ts";

const HOME_DOMAIN = utf8("ostrom/home-author/1");
/** 2^48 is far above what tells two validators apart, and exact. */
const DRAW_BYTES = 6;
const DRAW_BITS = 48n;

/** Whose batches carry a sender's transactions in an epoch, where they came to several validators or to none (rule D6): drawn by weight. Others may
 * carry them after a while. */
export function homeAuthor(
  hash: (data: Uint8Array) => Hash,
  genesisHash: Hash,
  { epoch, weights }: Pick<BatchAuthors, "epoch" | "weights">,
  sender: Address,
): number {
  const draw = hash(encodeRlp([HOME_DOMAIN, genesisHash, rlpUint(epoch), sender]));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let point = 0;
  for (let index = 0; index < DRAW_BYTES; index++) point = point * 256 + draw[index]!;
  let left = Number((BigInt(point) * BigInt(total)) >> DRAW_BITS);
  for (const [index, weight] of weights.entries()) {
    if (left < weight) return index;
    left -= weight;
  }
  return weights.length - 1;
}
