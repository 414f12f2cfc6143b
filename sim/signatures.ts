import { assert, type Bytes, equalBytes, toHexDigits } from "@ostrom/base";
import type { Signatures } from "@ostrom/consensus";
import { SCHEME_BLS12381 } from "@ostrom/crypto";

/** What operations of the signature scheme cost the processor that does them, in microseconds. */
export type CryptographyCosts = {
  readonly signUs: number;
  readonly verifyOneUs: number;
  /** For each signature: it is decompressed and its group is checked. */
  readonly aggregateEachUs: number;
  readonly verifyAggregateUs: number;
  readonly verifyAggregateEachKeyUs: number;
  /** A frame that arrives: decryption, decoding and a step of the engine, without signatures. */
  readonly frameUs: number;
};

/** BLS12-381 by @chainsafe/blst on one core of a 2-core cloud machine, Node 26; verifying keys are cached, as in production.
 * Measured with `npm run bench -- consensus --costs`. */
export const MEASURED_COSTS: CryptographyCosts = {
  signUs: 280,
  verifyOneUs: 780,
  aggregateEachUs: 64,
  verifyAggregateUs: 790,
  verifyAggregateEachKeyUs: 0.25,
  frameUs: 20,
};

export const NO_COSTS: CryptographyCosts = {
  signUs: 0,
  verifyOneUs: 0,
  aggregateEachUs: 0,
  verifyAggregateUs: 0,
  verifyAggregateEachKeyUs: 0,
  frameUs: 0,
};

const KEY_LENGTH = 48;
const SIGNATURE_LENGTH = 96;
/** Words of a signature that mean something; the others are zero. */
const WORDS = 4;

/** Simulated signatures have the sizes of BLS12-381's and cost next to nothing: a hash of message and public key, which is its own
 * secret. They cannot be forged only because nobody here tries; what forgers send is noise. Signatures add up by words. */
export function simulatedSign(publicKey: Bytes, message: Bytes): Bytes {
  const signature = new Uint8Array(SIGNATURE_LENGTH);
  writeWords(signature, mixed(wordsOf(publicKey), hashWords(message)));
  return signature;
}

/** A public key of a validator of a simulated network. */
export function simulatedConsensusKey(index: number, generation = 0): Bytes {
  const key = new Uint8Array(KEY_LENGTH);
  const view = new DataView(key.buffer);
  view.setUint32(0, 0x51_6d_00_01);
  view.setUint32(4, index);
  view.setUint32(8, generation);
  return key;
}

/** Keys that a validator goes through, each with what signs with it. */
export function simulatedKeys(
  identity: number,
  count: number,
  at: { readonly costs: CryptographyCosts; readonly charge: (us: number) => void },
): readonly { readonly publicKey: Bytes; readonly sign: (message: Bytes) => Bytes }[] {
  return Array.from({ length: count }, (_, generation) => {
    const publicKey = simulatedConsensusKey(identity, generation);
    const sign = (message: Bytes): Bytes => {
      at.charge(at.costs.signUs);
      return simulatedSign(publicKey, message);
    };
    return { publicKey, sign };
  });
}

const POSSESSION = Uint8Array.of(0x70, 0x6f, 0x70);

/** What admits a simulated key to a validator set. */
export function provePossession(publicKey: Bytes): Bytes {
  return simulatedSign(publicKey, POSSESSION);
}

export function verifyPossession(publicKey: Bytes, proof: Bytes): boolean {
  return publicKey.length === KEY_LENGTH && equalBytes(provePossession(publicKey), proof);
}

/** The slot of a ConsensusDomain; each operation is charged to the processor of the node that does it. */
export function simulatedSignatures(costs: CryptographyCosts, charge: (us: number) => void): Signatures {
  return {
    schemeId: SCHEME_BLS12381,
    verifyOne: (publicKey, message, signature) => {
      charge(costs.verifyOneUs);
      return equalBytes(simulatedSign(publicKey, message), signature);
    },
    aggregate: (signatures) => {
      charge(costs.aggregateEachUs * signatures.length);
      return aggregated(signatures);
    },
    verifyAggregate: (publicKeys, message, aggregate) => {
      charge(costs.verifyAggregateUs + costs.verifyAggregateEachKeyUs * publicKeys.length);
      return isAggregateOf(publicKeys, message, aggregate);
    },
  };
}

/** Any slot, its operations charged. */
export function chargedSignatures(
  inner: Signatures,
  costs: CryptographyCosts,
  charge: (us: number) => void,
): Signatures {
  return {
    schemeId: inner.schemeId,
    verifyOne: (publicKey, message, signature) => {
      charge(costs.verifyOneUs);
      return inner.verifyOne(publicKey, message, signature);
    },
    aggregate: (signatures) => {
      charge(costs.aggregateEachUs * signatures.length);
      return inner.aggregate(signatures);
    },
    verifyAggregate: (publicKeys, message, aggregate) => {
      charge(costs.verifyAggregateUs + costs.verifyAggregateEachKeyUs * publicKeys.length);
      return inner.verifyAggregate(publicKeys, message, aggregate);
    },
  };
}

function aggregated(signatures: readonly Bytes[]): Bytes | undefined {
  if (signatures.length === 0) return undefined;
  const sum = new Uint32Array(WORDS);
  for (const signature of signatures) {
    if (signature.length !== SIGNATURE_LENGTH) return undefined;
    const view = new DataView(signature.buffer, signature.byteOffset);
    for (let word = 0; word < WORDS; word++) sum[word]! += view.getUint32(4 * word);
  }
  const aggregate = new Uint8Array(SIGNATURE_LENGTH);
  writeWords(aggregate, sum);
  return aggregate;
}

function isAggregateOf(publicKeys: readonly Bytes[], message: Bytes, aggregate: Bytes): boolean {
  if (publicKeys.length === 0 || aggregate.length !== SIGNATURE_LENGTH) return false;
  const sum = new Uint32Array(WORDS);
  const hashed = hashWords(message);
  for (const key of publicKeys) {
    const words = mixed(wordsOf(key), hashed);
    for (let word = 0; word < WORDS; word++) sum[word]! += words[word]!;
  }
  const expected = new Uint8Array(SIGNATURE_LENGTH);
  writeWords(expected, sum);
  return equalBytes(expected, aggregate);
}

function writeWords(into: Bytes, words: Uint32Array): void {
  const view = new DataView(into.buffer, into.byteOffset);
  for (let word = 0; word < WORDS; word++) view.setUint32(4 * word, words[word]!);
}

const keyWords = new Map<string, Uint32Array>();
const MAX_KEYS = 4_096;

function wordsOf(publicKey: Bytes): Uint32Array {
  assert(publicKey.length === KEY_LENGTH, "a simulated key has the length of a real one");
  const name = toHexDigits(publicKey.subarray(0, 12));
  const known = keyWords.get(name);
  if (known !== undefined) return known;
  if (keyWords.size >= MAX_KEYS) keyWords.clear();
  const words = hashWords(publicKey);
  keyWords.set(name, words);
  return words;
}

const SEEDS = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
const FIRST = 0xcc9e2d51;
const SECOND = 0x1b873593;

function mixed(key: Uint32Array, message: Uint32Array): Uint32Array {
  const out = new Uint32Array(WORDS);
  for (let word = 0; word < WORDS; word++) {
    let value = Math.imul(key[word]! ^ message[word]!, FIRST);
    value = Math.imul(value ^ (value >>> 15) ^ key[(word + 1) & 3]!, SECOND);
    out[word] = value ^ (value >>> 13);
  }
  return out;
}

/** Four hashes of 32 bits, each over all bytes. */
function hashWords(message: Bytes): Uint32Array {
  let [a, b, c, d] = [SEEDS[0]!, SEEDS[1]!, SEEDS[2]!, SEEDS[3]! ^ message.length];
  for (let at = 0; at < message.length; at++) {
    const byte = message[at]!;
    a = Math.imul(a ^ byte, FIRST);
    b = Math.imul(b + byte + a, SECOND);
    c = Math.imul(c ^ b ^ byte, FIRST) + byte;
    d = (Math.imul(d, SECOND) + c) ^ byte;
    const rotated = (a << 15) | (a >>> 17);
    a = rotated ^ d;
  }
  return Uint32Array.of(a ^ (b >>> 11), b ^ (c >>> 7), c ^ (d >>> 13), d ^ (a >>> 9));
}
