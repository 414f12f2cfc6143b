import { Address, addressFromWord, type Bytes, EMPTY_BYTES, toHexDigits, wordToBytes } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
} from "@ostrom/crypto";
import type { JournaledState } from "@ostrom/state";
import { type PrecompileResult, type PrecompileSet, verifyAddress } from "@ostrom/vm";
import { AUTHORIZATION_ADDRESS } from "./key-addresses.ts";
import { isKeyedAccount, type KeyRules } from "./key-authority.ts";
import {
  ECVRF_VERIFY_ADDRESS,
  EVIDENCE_VERIFY_ADDRESS,
  POSSESSION_VERIFY_ADDRESS,
} from "./module-addresses.ts";

/** What a precompile that rests on elliptic curves does when they are broken: its call succeeds and returns nothing (as for a wrong
 * signature), or a word of 0 (as for a pairing that does not hold), or fails. */
type WhenBroken = "nothing" | "false" | "fails";

/** All precompiles that rest on elliptic curves. docs/cryptography.md tells contract authors. */
const WHEN_BROKEN: ReadonlyMap<string, WhenBroken> = new Map([
  // ECRECOVER, P256VERIFY, and the verification of single schemes.
  [wordKey(0x01n), "nothing"],
  [wordKey(0x100n), "nothing"],
  ...[SCHEME_SECP256K1, SCHEME_P256, SCHEME_ED25519, SCHEME_SM2, SCHEME_WEBAUTHN_P256].map(
    (schemeId) => [toHexDigits(verifyAddress(schemeId)), "nothing"] as const,
  ),
  // BN254: addition, multiplication, pairing.
  [wordKey(0x06n), "fails"],
  [wordKey(0x07n), "fails"],
  [wordKey(0x08n), "false"],
  // KZG.
  [wordKey(0x0an), "fails"],
  // BLS12-381: G1 addition and sums, G2 addition and sums, pairing, maps to G1 and G2.
  [wordKey(0x0bn), "fails"],
  [wordKey(0x0cn), "fails"],
  [wordKey(0x0dn), "fails"],
  [wordKey(0x0en), "fails"],
  [wordKey(0x0fn), "false"],
  [wordKey(0x10n), "fails"],
  [wordKey(0x11n), "fails"],
  [toHexDigits(ECVRF_VERIFY_ADDRESS), "fails"],
  // BLS12-381 too: whoever breaks it could have anybody punished, and bond anybody's key.
  [toHexDigits(EVIDENCE_VERIFY_ADDRESS), "fails"],
  [toHexDigits(POSSESSION_VERIFY_ADDRESS), "fails"],
]);

const ECRECOVER = addressFromWord(0x01n);
const ADDRESS_OFFSET = 12;
const WORD_BYTES = 32;
/** Precompiles lie below 2^40. */
const ZERO_BYTES = 15;
const AUTHORIZATION_GAS = 100n;
const NO: Bytes = wordToBytes(0n);
const YES: Bytes = wordToBytes(1n);

/** A chain's precompiles as they are where accounts have key sets: ECRECOVER gives nothing for accounts that act by their key sets alone
 * (as EIP-8151 has it), KeySets can ask who authorized the transaction, and when elliptic curves are broken, all that rests on them proves nothing.
 * @param state of the run, as it is when a precompile is called. */
export function keyedPrecompiles(
  base: PrecompileSet,
  state: Pick<JournaledState, "code" | "address">,
  { broken }: KeyRules,
): PrecompileSet {
  return {
    // Each transaction makes them warm, which is faster by the state's own copies.
    addresses: [...base.addresses, AUTHORIZATION_ADDRESS].map((address) => state.address(address)),
    call: (address, input, gasLimit) => {
      if (!isLow(address)) return base.call(address, input, gasLimit);
      const key = toHexDigits(address);
      if (key === AUTHORIZATION_KEY) return answer(NO, gasLimit);
      const result = base.call(address, input, gasLimit);
      const change = broken === undefined ? undefined : WHEN_BROKEN.get(key);
      if (result?.ok === true && change !== undefined) return changed(result, change);
      return key === ECRECOVER_KEY ? unlessKeyed(result, state) : result;
    },
  };
}

/** As they are for a transaction that post-quantum keys have authorized. */
export function authorizedPrecompiles(base: PrecompileSet): PrecompileSet {
  return {
    addresses: base.addresses,
    call: (address, input, gasLimit) =>
      isLow(address) && toHexDigits(address) === AUTHORIZATION_KEY
        ? answer(YES, gasLimit)
        : base.call(address, input, gasLimit),
  };
}

const AUTHORIZATION_KEY = toHexDigits(AUTHORIZATION_ADDRESS);
const ECRECOVER_KEY = toHexDigits(ECRECOVER);

/** Every call of a contract asks, so most are answered by the first byte. */
function isLow(address: Address): boolean {
  for (let i = 0; i < ZERO_BYTES; i++) if (address[i] !== 0) return false;
  return true;
}

function changed(result: Extract<PrecompileResult, { ok: true }>, change: WhenBroken): PrecompileResult {
  switch (change) {
    case "nothing":
      return { ...result, output: EMPTY_BYTES };
    case "false":
      return { ...result, output: NO.slice() };
    case "fails":
      return { ok: false };
    default:
      return change satisfies never;
  }
}

function unlessKeyed(
  result: PrecompileResult | undefined,
  state: Pick<JournaledState, "code">,
): PrecompileResult | undefined {
  if (result?.ok !== true || result.output.length !== WORD_BYTES) return result;
  const signer = Address(result.output.slice(ADDRESS_OFFSET));
  return isKeyedAccount(state.code(signer)) ? { ...result, output: EMPTY_BYTES } : result;
}

function answer(word: Bytes, gasLimit: bigint): PrecompileResult {
  if (gasLimit < AUTHORIZATION_GAS) return { ok: false };
  return { ok: true, gasUsed: AUTHORIZATION_GAS, output: word.slice() };
}

function wordKey(word: bigint): string {
  return toHexDigits(addressFromWord(word));
}
