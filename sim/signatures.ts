import { type Bytes, equalBytes, must, toHexDigits } from "@ostrom/base";
import type { ConsensusDomain, Signatures } from "@ostrom/consensus";
import {
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_SM2,
  signatureInList,
  VALIDATOR_SCHEME_IDS,
  type ValidatorScheme,
  validatorScheme,
  validatorSchemeOfKey,
} from "@ostrom/crypto";

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

/** Where signatures do not aggregate: one of them by OpenSSL on the same machine, in the same run as those above. */
const LIST_COSTS: ReadonlyMap<number, { readonly signUs: number; readonly verifyUs: number }> = new Map([
  [SCHEME_SM2, { signUs: 440, verifyUs: 380 }],
  [SCHEME_ML_DSA_44, { signUs: 620, verifyUs: 120 }],
  [SCHEME_ML_DSA_65, { signUs: 1_000, verifyUs: 185 }],
]);

/** What a scheme costs a network whose BLS12-381 costs so much: lists are checked signature by signature, and joined for nothing. */
function costsOf(schemeId: number, costs: CryptographyCosts): CryptographyCosts {
  const list = LIST_COSTS.get(schemeId);
  if (list === undefined || costs.verifyOneUs === 0) return costs;
  return {
    ...costs,
    signUs: list.signUs,
    verifyOneUs: list.verifyUs,
    aggregateEachUs: 0,
    verifyAggregateUs: 0,
    verifyAggregateEachKeyUs: list.verifyUs,
  };
}

/** Words of a signature that mean something; the others are zero. */
const WORDS = 4;
const BLS_SIGNATURE_LENGTH = 96;
const HEAD_BYTES = 12;

/** The scheme whose public keys have this length. */
function schemeOfKey(publicKey: Bytes): ValidatorScheme {
  return must(validatorSchemeOfKey(publicKey), "a simulated key has the length of a real one");
}

const SCHEMES: readonly ValidatorScheme[] = VALIDATOR_SCHEME_IDS.map((id) =>
  must(validatorScheme(id), "it is one of validators"),
);

/** Simulated signatures have the sizes of their schemes' and cost next to nothing: a hash of message and public key, which is its own
 * secret. They cannot be forged only because nobody here tries; what forgers send is noise. Those of BLS12-381 add up by words; others are
 * joined one after the other. */
export function simulatedSign(publicKey: Bytes, message: Bytes): Bytes {
  const signature = new Uint8Array(schemeOfKey(publicKey).signatureLength);
  writeWords(signature, mixed(wordsOf(publicKey), hashWords(message)));
  return signature;
}

/** A public key of a validator of a simulated network. */
export function simulatedConsensusKey(
  index: number,
  generation = 0,
  schemeId: number = SCHEME_BLS12381,
): Bytes {
  const scheme = must(validatorScheme(schemeId), "validators vote by it");
  const key = new Uint8Array(scheme.publicKeyLength);
  const view = new DataView(key.buffer);
  view.setUint32(0, 0x51_6d_00_00 + schemeId);
  view.setUint32(4, index);
  view.setUint32(8, generation);
  return key;
}

/** Keys that a validator goes through, so many of each scheme, each with what signs with it. */
export function simulatedKeys(
  identity: number,
  count: number,
  at: { readonly costs: CryptographyCosts; readonly charge: (us: number) => void },
): readonly { readonly publicKey: Bytes; readonly sign: (message: Bytes) => Bytes }[] {
  return SCHEMES.flatMap(({ id }) => {
    const { signUs } = costsOf(id, at.costs);
    return Array.from({ length: count }, (_, generation) => {
      const publicKey = simulatedConsensusKey(identity, generation, id);
      const sign = (message: Bytes): Bytes => {
        at.charge(signUs);
        return simulatedSign(publicKey, message);
      };
      return { publicKey, sign };
    });
  });
}

const POSSESSION = Uint8Array.of(0x70, 0x6f, 0x70);

/** What admits a simulated key to a validator set. */
export function provePossession(publicKey: Bytes): Bytes {
  return simulatedSign(publicKey, POSSESSION);
}

export function verifyPossession(
  publicKey: Bytes,
  proof: Bytes,
  schemeId: number = SCHEME_BLS12381,
): boolean {
  const { publicKeyLength } = must(validatorScheme(schemeId), "validators vote by it");
  return publicKey.length === publicKeyLength && equalBytes(provePossession(publicKey), proof);
}

/** A slot of a ConsensusDomain; each operation is charged to the processor of the node that does it. */
export function simulatedSignatures(
  bls: CryptographyCosts,
  charge: (us: number) => void,
  schemeId: number = SCHEME_BLS12381,
): Signatures {
  const scheme = must(validatorScheme(schemeId), "validators vote by it");
  const costs = costsOf(schemeId, bls);
  return {
    schemeId,
    aggregates: scheme.aggregates,
    verifyOne: (publicKey, message, signature) => {
      charge(costs.verifyOneUs);
      return (
        publicKey.length === scheme.publicKeyLength &&
        equalBytes(simulatedSign(publicKey, message), signature)
      );
    },
    aggregate: (signatures) => {
      charge(costs.aggregateEachUs * signatures.length);
      return scheme.aggregates ? aggregated(signatures) : scheme.join(signatures);
    },
    verifyAggregate: (publicKeys, message, joined) => {
      charge(costs.verifyAggregateUs + costs.verifyAggregateEachKeyUs * publicKeys.length);
      return scheme.aggregates
        ? isAggregateOf(publicKeys, message, joined)
        : isListOf(scheme, publicKeys, message, joined);
    },
  };
}

/** Where a ConsensusDomain looks up the schemes of all epochs. */
export function simulatedSchemes(
  costs: CryptographyCosts,
  charge: (us: number) => void,
): ConsensusDomain["signaturesOf"] {
  const slots = new Map(SCHEMES.map(({ id }) => [id, simulatedSignatures(costs, charge, id)]));
  return (schemeId) => slots.get(schemeId);
}

/** A chain's domain with simulated signatures. @param wrap what planted bugs make of each scheme. */
export function withSimulatedSignatures(
  domain: ConsensusDomain,
  simulated: ConsensusDomain["signaturesOf"],
  wrap: (signatures: Signatures) => Signatures = (signatures) => signatures,
): ConsensusDomain {
  const signaturesOf = (schemeId: number): Signatures | undefined => {
    const signatures = simulated(schemeId);
    return signatures === undefined ? undefined : wrap(signatures);
  };
  const signatures = must(signaturesOf(domain.signatures.schemeId), "the chain's scheme is simulated");
  return { ...domain, signatures, signaturesOf };
}

function isListOf(
  scheme: ValidatorScheme,
  publicKeys: readonly Bytes[],
  message: Bytes,
  joined: Bytes,
): boolean {
  return (
    publicKeys.length > 0 &&
    joined.length === scheme.joinedLength(publicKeys.length) &&
    publicKeys.every((key, place) =>
      equalBytes(simulatedSign(key, message), signatureInList(scheme, joined, place)),
    )
  );
}

/** Any slot, its operations charged. */
export function chargedSignatures(
  inner: Signatures,
  costs: CryptographyCosts,
  charge: (us: number) => void,
): Signatures {
  return {
    schemeId: inner.schemeId,
    aggregates: inner.aggregates,
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
    if (signature.length !== BLS_SIGNATURE_LENGTH) return undefined;
    const view = new DataView(signature.buffer, signature.byteOffset);
    for (let word = 0; word < WORDS; word++) sum[word]! += view.getUint32(4 * word);
  }
  const aggregate = new Uint8Array(BLS_SIGNATURE_LENGTH);
  writeWords(aggregate, sum);
  return aggregate;
}

function isAggregateOf(publicKeys: readonly Bytes[], message: Bytes, aggregate: Bytes): boolean {
  if (publicKeys.length === 0 || aggregate.length !== BLS_SIGNATURE_LENGTH) return false;
  const sum = new Uint32Array(WORDS);
  const hashed = hashWords(message);
  for (const key of publicKeys) {
    const words = mixed(wordsOf(key), hashed);
    for (let word = 0; word < WORDS; word++) sum[word]! += words[word]!;
  }
  const expected = new Uint8Array(BLS_SIGNATURE_LENGTH);
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
  const name = toHexDigits(publicKey.subarray(0, HEAD_BYTES));
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
