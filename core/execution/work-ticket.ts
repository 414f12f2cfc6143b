import {
  type Address,
  addressToWord,
  type Bytes,
  compareBytes,
  concatBytes,
  type Hash,
  wordToBytes,
} from "@ostrom/base";
import { keccak256, sha256 } from "@ostrom/crypto";
import type { Validator } from "./validator-set.ts";

/** What a miner looks for work with, where the validator set is elected by it (languages/solidity/validator-sets/WorkValidatorSet.sol). */
export type WorkTask = {
  readonly chainId: bigint;
  /** Of this epoch, as the contract has it. */
  readonly challenge: Hash;
  /** Who sends the ticket. */
  readonly miner: Address;
  /** What the miner will validate with. */
  readonly keys: Pick<Validator, "consensusKey" | "proofOfPossession" | "transportKey">;
};

const NONCE_OFFSET = 24;

/** A ticket's preimage up to its nonce: abi.encode(chain id, challenge, miner, keccak256(keys), ...). */
export function workPreimage({ chainId, challenge, miner, keys }: WorkTask): Bytes {
  const { consensusKey, proofOfPossession, transportKey } = keys;
  return concatBytes(
    wordToBytes(chainId),
    challenge,
    wordToBytes(addressToWord(miner)),
    keccak256(concatBytes(consensusKey, proofOfPossession, transportKey)),
  );
}

/** The hash of a ticket. @param preimage of `workPreimage`. @param nonce below 2^64. */
export function ticketHash(preimage: Bytes, nonce: bigint): Hash {
  return sha256(concatBytes(preimage, wordToBytes(nonce)));
}

/** Whether a hash wins: as a number of 256 bits it must be below the target. */
export function isTicket(hash: Hash, target: bigint): boolean {
  return compareBytes(hash, wordToBytes(target)) < 0;
}

/** Looks for the next ticket from a nonce on. @param tries hashes at most. @returns its nonce, or undefined if there is none among them. */
export function findTicket(preimage: Bytes, target: bigint, from: bigint, tries: number): bigint | undefined {
  const limit = wordToBytes(target);
  // Written over for each nonce: this loop is what a miner's time goes to.
  const message = concatBytes(preimage, wordToBytes(0n));
  const nonceWord = new DataView(message.buffer, message.byteOffset + preimage.length);
  const end = from + BigInt(tries);
  for (let nonce = from; nonce < end; nonce++) {
    nonceWord.setBigUint64(NONCE_OFFSET, nonce);
    if (compareBytes(sha256(message), limit) < 0) return nonce;
  }
  return undefined;
}
