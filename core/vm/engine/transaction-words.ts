import { addressToWord, assert, bytesToBigint } from "@ostrom/base";
import { BLOB_HASHES, TRANSACTION_WORDS, WORD_BYTES } from "../runtime/memory-layout.ts";
import type { ExecutionContext } from "../types.ts";
import type { Arena } from "./arena.ts";

/** Writes what all frames of a message read of its transaction and block without the host. */
export function writeTransaction(arena: Arena, { block, transaction }: ExecutionContext): void {
  arena.setWord(TRANSACTION_WORDS.origin, addressToWord(transaction.origin));
  arena.setWord(TRANSACTION_WORDS.gasPrice, transaction.gasPrice);
  arena.setWord(TRANSACTION_WORDS.coinbase, addressToWord(block.coinbase));
  arena.setWord(TRANSACTION_WORDS.timestamp, block.timestamp);
  arena.setWord(TRANSACTION_WORDS.number, block.number);
  arena.setWord(TRANSACTION_WORDS.prevRandao, bytesToBigint(block.prevRandao));
  arena.setWord(TRANSACTION_WORDS.gasLimit, block.gasLimit);
  arena.setWord(TRANSACTION_WORDS.chainId, block.chainId);
  arena.setWord(TRANSACTION_WORDS.baseFee, block.baseFeePerGas);
  arena.setWord(TRANSACTION_WORDS.blobBaseFee, block.blobBaseFee);
  const { blobVersionedHashes: hashes } = transaction;
  assert(
    hashes.length <= BLOB_HASHES.room,
    "a message in tiers must have no more blobs than there is room for",
  );
  arena.setNumber(BLOB_HASHES.count, hashes.length);
  for (const [index, hash] of hashes.entries()) arena.setWordBytes(BLOB_HASHES.at + WORD_BYTES * index, hash);
}
