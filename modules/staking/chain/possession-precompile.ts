import { type Address, type Bytes, concatBytes, type Hash, utf8, wordToBytes } from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import type { ModulePrecompile } from "@ostrom/execution";
import { POSSESSION_PRECOMPILE_ADDRESS } from "./addresses.ts";

const KEY_BYTES = 48;
const SIGNATURE_BYTES = 96;
const MESSAGE_BYTES = 32;
const POSSESSION_BYTES: number = KEY_BYTES + SIGNATURE_BYTES;
const CONSENT_BYTES: number = POSSESSION_BYTES + SIGNATURE_BYTES + MESSAGE_BYTES;
/** For each signature what EIP-2537 asks for its parts: hashing to G2 (2 * 23,800), two pairings (32,600 * 2 + 37,700), and somewhat less
 * than 30,000 for decompression and subgroup checks. */
const SIGNATURE_GAS = 180_000n;
/** What is refused by its length alone costs the call. */
const REFUSE_GAS = 100n;
const CONSENT_DOMAIN = utf8("ostrom/staking/consent");

/** Says whether somebody holds the secret key of a consensus key, and whether that key wants to be an account's:
 * key (48) || proof of possession (96) -> 1, or key || proof || signature (96) || message (32) -> 1; else the call fails.
 * Sources: draft-irtf-cfrg-bls-signature-05, 3.3; EIP-2537. */
export const possessionPrecompile: ModulePrecompile = {
  address: POSSESSION_PRECOMPILE_ADDRESS,
  gas: ({ length }) =>
    length === POSSESSION_BYTES ? SIGNATURE_GAS : length === CONSENT_BYTES ? 2n * SIGNATURE_GAS : REFUSE_GAS,
  run: (input) => {
    if (input.length !== POSSESSION_BYTES && input.length !== CONSENT_BYTES) return undefined;
    // Engines keep decoded keys by what they are given, and the input may change.
    const bytes = input.slice();
    const key = bytes.subarray(0, KEY_BYTES);
    const isHeld = bls().verifyPossession(key, bytes.subarray(KEY_BYTES, POSSESSION_BYTES));
    return isHeld && hasConsented(key, bytes.subarray(POSSESSION_BYTES)) ? wordToBytes(1n) : undefined;
  },
};

/** What a consensus key signs (as an ordinary message) to become an account's, in `register` and `rotateConsensusKey`. Keys and their
 * proofs of possession are public; without it, whoever copies them first could bond them. */
export function consentMessage(chainId: bigint, operator: Address): Hash {
  return keccak256(concatBytes(CONSENT_DOMAIN, wordToBytes(chainId), operator));
}

function hasConsented(key: Bytes, consent: Bytes): boolean {
  if (consent.length === 0) return true;
  return bls().verify(key, consent.subarray(SIGNATURE_BYTES), consent.subarray(0, SIGNATURE_BYTES));
}
