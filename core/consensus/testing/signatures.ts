import { createHash } from "node:crypto";
import { type Bytes, concatBytes, Epoch, equalBytes, Hash, Weight, ZERO_ADDRESS } from "@ostrom/base";
import type { ConsensusDomain, Signatures, ValidatorSet } from "../types.ts";

/** Simulated signatures: cheap, unforgeable only because the actors here do not try. A "public key" is its own secret. */
export const SIMULATED_SCHEME = 200;

function sha256(data: Bytes): Bytes {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

export function simulatedSign(publicKey: Bytes, message: Bytes): Bytes {
  return sha256(concatBytes(publicKey, message)).subarray(0, 16);
}

function joined(signatures: readonly Bytes[]): Bytes {
  const sum = new Uint8Array(16);
  for (const signature of signatures) for (let i = 0; i < 16; i++) sum[i]! ^= signature[i]!;
  return sum;
}

export const simulatedSignatures: Signatures = {
  schemeId: SIMULATED_SCHEME,
  aggregates: true,
  verifyOne: (publicKey, message, signature) => equalBytes(simulatedSign(publicKey, message), signature),
  aggregate: (signatures) =>
    signatures.length === 0 || signatures.some((signature) => signature.length !== 16)
      ? undefined
      : joined(signatures),
  verifyAggregate: (publicKeys, message, aggregate) =>
    publicKeys.length > 0 &&
    equalBytes(joined(publicKeys.map((key) => simulatedSign(key, message))), aggregate),
};

/** The same without aggregation. */
export const SIMULATED_LIST_SCHEME = 201;
const SIMULATED_LENGTH = 16;

export const simulatedLists: Signatures = {
  schemeId: SIMULATED_LIST_SCHEME,
  aggregates: false,
  verifyOne: simulatedSignatures.verifyOne,
  aggregate: (signatures) =>
    signatures.length === 0 || signatures.some(({ length }) => length !== SIMULATED_LENGTH)
      ? undefined
      : concatBytes(...signatures),
  verifyAggregate: (publicKeys, message, list) =>
    publicKeys.length > 0 &&
    list.length === SIMULATED_LENGTH * publicKeys.length &&
    publicKeys.every((key, place) =>
      equalBytes(
        simulatedSign(key, message),
        list.subarray(SIMULATED_LENGTH * place, SIMULATED_LENGTH * (place + 1)),
      ),
    ),
};

export const simulatedDomain: ConsensusDomain = {
  genesisHash: Hash(sha256(new Uint8Array([7]))),
  hashId: 2,
  hash: (data) => Hash(sha256(data)),
  signatures: simulatedSignatures,
  signaturesOf: (schemeId) => [simulatedSignatures, simulatedLists].find((one) => one.schemeId === schemeId),
};

/** A set with these weights; keys name the validators' places. */
export function simulatedSet(weights: readonly number[], schemeId: number = SIMULATED_SCHEME): ValidatorSet {
  return {
    epoch: Epoch(0),
    schemeId,
    validators: weights.map((weight, index) => ({
      address: ZERO_ADDRESS,
      consensusKey: Uint8Array.of(1, index >> 8, index & 255),
      transportKey: Uint8Array.of(2, index >> 8, index & 255),
      weight: Weight(weight),
    })),
  };
}
