import { type Bytes, hashFromWord, must, toHexDigits, Weight } from "@ostrom/base";
import {
  type ConsensusDomain,
  type Executed,
  executedSigningBytes,
  type StateCertificate,
} from "@ostrom/consensus";
import { bls, deriveBlsSecretKey, keccak256, writeSigners } from "@ostrom/crypto";
import { addressOfSecretKey, type ValidatorSet } from "@ostrom/execution";

/** Keys of test chains, the same in Node and in a browser. */

const FEE_RECIPIENTS = 10_000n;
const CLIENTS = 20_000n;
const MEMBERS = 4;
const POOL_OF_VALIDATORS = 8;
const WEIGHTS = [2, 1, 3, 1];

/** Secret key of a validator's votes. */
export function validatorSecret(index: number): Bytes {
  return deriveBlsSecretKey(keccak256(Uint8Array.of(7, index)));
}

const publicKeys = new Map<number, Bytes>();

function publicKeyOf(index: number): Bytes {
  const known = publicKeys.get(index) ?? bls().publicKey(validatorSecret(index));
  publicKeys.set(index, known);
  return known;
}

const possessions = new Map<number, Bytes>();

function possessionOf(index: number): Bytes {
  const known = possessions.get(index) ?? bls().provePossession(validatorSecret(index));
  possessions.set(index, known);
  return known;
}

export function clientKey(index: number): Bytes {
  return hashFromWord(CLIENTS + BigInt(index));
}

/** Which validators an epoch's set has, by their numbers: one leaves and one joins at each step. */
export function membersOf(epoch: number): readonly number[] {
  return Array.from({ length: MEMBERS }, (_, index) => (epoch + index) % POOL_OF_VALIDATORS);
}

export function storedSetOf(epoch: number): ValidatorSet {
  return {
    schemeId: 1,
    validators: membersOf(epoch).map((member, index) => ({
      name: `validator-${member}`,
      address: addressOfSecretKey(hashFromWord(FEE_RECIPIENTS + BigInt(member))),
      weight: Weight(must(WEIGHTS[index], "there is a weight for each member")),
      consensusKey: publicKeyOf(member),
      proofOfPossession: possessionOf(member),
      transportKey: keccak256(Uint8Array.of(8, member)),
      host: "127.0.0.1",
      port: 30_310 + member,
    })),
  };
}

/** A certificate by some of an epoch's members. @param signers positions in the set; all unless told. @param keys whose keys sign; the
 * members' own unless told. */
export function certify(
  domain: ConsensusDomain,
  executed: Executed,
  signers: readonly number[] = membersOf(executed.epoch).map((_, index) => index),
  keys: readonly number[] = membersOf(executed.epoch),
): StateCertificate {
  const message = executedSigningBytes(domain, executed);
  const signatures = signers.map((index) => signedBy(must(keys[index], "a signer has a key"), message));
  return {
    schemeId: domain.signatures.schemeId,
    executed,
    signers: writeSigners(keys.length, signers),
    signature: must(bls().aggregate(signatures), "signatures add up"),
  };
}

const signed = new Map<string, Bytes>();

function signedBy(member: number, message: Bytes): Bytes {
  const key = `${member}:${toHexDigits(keccak256(message))}`;
  const known = signed.get(key) ?? bls().sign(validatorSecret(member), message);
  signed.set(key, known);
  return known;
}
