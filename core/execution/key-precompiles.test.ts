import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromWord,
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  hex,
  must,
  padLeft,
  toHex,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import {
  keccak256,
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  sha256,
  signatureEngine,
} from "@ostrom/crypto";
import { cryptographyPrecompiles, type PrecompileSet, verifyAddress } from "@ostrom/vm";
import { transactionContext } from "./account-keys.ts";
import { AUTHORIZATION_ADDRESS } from "./key-addresses.ts";
import { KEYED_DESIGNATOR } from "./key-authority.ts";
import { authorizedPrecompiles, keyedPrecompiles } from "./key-precompiles.ts";
import {
  ECVRF_VERIFY_ADDRESS,
  EVIDENCE_VERIFY_ADDRESS,
  POSSESSION_VERIFY_ADDRESS,
} from "./module-addresses.ts";
import { addressOfSecretKey, signHash } from "./signature.ts";
import { heldKey } from "./testing/key-chain.ts";

const BASE = cryptographyPrecompiles("osaka");
const GAS = 10_000_000n;
const MESSAGE = keccak256(utf8("message"));
const elliptic = heldKey(SCHEME_SECP256K1, 1);
const signer = addressOfSecretKey(elliptic.secretKey);
const address = (of: Address): Address => of;
const NO_CODE = { address, code: (): Bytes => EMPTY_BYTES };
const WHOLE = { broken: undefined };
const BROKEN = { broken: { since: 1n } };

function outputOf(set: PrecompileSet, address: Address, input: Bytes): string | undefined {
  const result = set.call(address, input, GAS);
  assert.ok(result !== undefined, "there is a precompile");
  return result.ok ? toHex(result.output) : undefined;
}

function ecrecoverInput(): Bytes {
  const { r, s, yParity } = signHash(MESSAGE, elliptic.secretKey);
  return concatBytes(MESSAGE, wordToBytes(27n + BigInt(yParity)), wordToBytes(r), wordToBytes(s));
}

function verifyInput(schemeId: number): Bytes {
  const { publicKey, secretKey } = heldKey(schemeId, 2);
  const context = transactionContext(schemeId);
  const signature = must(signatureEngine(schemeId), "it has an engine").sign(secretKey, MESSAGE, context);
  const lengths = [Uint8Array.of(0, context.length), Uint8Array.of(0, 0, 0, 32)] as const;
  return concatBytes(lengths[0], context, lengths[1], MESSAGE, publicKey, signature);
}

test("ECRECOVER gives the signer of any account but of one that acts by its key set alone", () => {
  const ecrecover = addressFromWord(1n);
  const keyed = {
    address,
    code: (of: Address): Bytes => (toHex(of) === toHex(signer) ? KEYED_DESIGNATOR : EMPTY_BYTES),
  };
  const input = ecrecoverInput();
  assert.equal(
    outputOf(keyedPrecompiles(BASE, NO_CODE, WHOLE), ecrecover, input),
    toHex(padLeft(signer, 32)),
  );
  assert.equal(outputOf(keyedPrecompiles(BASE, keyed, WHOLE), ecrecover, input), "0x");
  const elsewhere = {
    address,
    code: (of: Address): Bytes => (toHex(of) === toHex(signer) ? EMPTY_BYTES : KEYED_DESIGNATOR),
  };
  assert.equal(
    outputOf(keyedPrecompiles(BASE, elsewhere, WHOLE), ecrecover, input),
    toHex(padLeft(signer, 32)),
  );
  const prices = [keyed, NO_CODE].map((state) =>
    keyedPrecompiles(BASE, state, WHOLE).call(ecrecover, input, GAS),
  );
  assert.deepEqual(
    prices.map((result) => result?.ok === true && result.gasUsed),
    [3000n, 3000n],
  );
});

test("when elliptic curves are broken, no signature of theirs is valid, and post-quantum ones are", () => {
  const whole = keyedPrecompiles(BASE, NO_CODE, WHOLE);
  const broken = keyedPrecompiles(BASE, NO_CODE, BROKEN);
  const elliptics = [SCHEME_SECP256K1, SCHEME_P256, SCHEME_ED25519, SCHEME_SM2, SCHEME_WEBAUTHN_P256];
  const yes = toHex(wordToBytes(1n));
  for (const schemeId of elliptics) {
    const input = verifyInput(schemeId);
    assert.equal(outputOf(whole, verifyAddress(schemeId), input), yes);
    assert.equal(outputOf(broken, verifyAddress(schemeId), input), "0x");
  }
  const lattice = verifyInput(SCHEME_ML_DSA_44);
  assert.equal(outputOf(broken, verifyAddress(SCHEME_ML_DSA_44), lattice), yes);
  assert.equal(outputOf(broken, addressFromWord(1n), ecrecoverInput()), "0x");
  const { publicKey, secretKey } = heldKey(SCHEME_P256, 3);
  const signature = must(signatureEngine(SCHEME_P256), "it has an engine").sign(
    secretKey,
    utf8("x"),
    EMPTY_BYTES,
  );
  const input = concatBytes(sha256(utf8("x")), signature, publicKey);
  assert.equal(outputOf(whole, addressFromWord(0x100n), input), yes);
  assert.equal(outputOf(broken, addressFromWord(0x100n), input), "0x");
});

test("when elliptic curves are broken, pairings hold no more and other operations on curves fail; hashes go on", () => {
  const whole = keyedPrecompiles(BASE, NO_CODE, WHOLE);
  const broken = keyedPrecompiles(BASE, NO_CODE, BROKEN);
  const yes = toHex(wordToBytes(1n));
  const no = toHex(wordToBytes(0n));
  assert.equal(outputOf(whole, addressFromWord(8n), EMPTY_BYTES), yes);
  assert.equal(outputOf(broken, addressFromWord(8n), EMPTY_BYTES), no);
  const blsPair = new Uint8Array(384);
  assert.equal(outputOf(whole, addressFromWord(0x0fn), blsPair), yes);
  assert.equal(outputOf(broken, addressFromWord(0x0fn), blsPair), no);
  const operations: readonly (readonly [bigint, number])[] = [
    [6n, 128],
    [7n, 96],
    [0x0bn, 256],
    [0x0cn, 160],
    [0x0dn, 512],
    [0x0en, 288],
    [0x10n, 64],
    [0x11n, 128],
  ];
  for (const [address, length] of operations) {
    assert.notEqual(
      outputOf(whole, addressFromWord(address), new Uint8Array(length)),
      undefined,
      `${address}`,
    );
    assert.equal(outputOf(broken, addressFromWord(address), new Uint8Array(length)), undefined, `${address}`);
  }
  for (const address of [2n, 3n, 4n, 5n, 9n]) {
    const input =
      address === 9n ? concatBytes(Uint8Array.of(0, 0, 0, 1), new Uint8Array(209)) : utf8("input");
    assert.equal(
      outputOf(broken, addressFromWord(address), input),
      outputOf(BASE, addressFromWord(address), input),
    );
  }
});

test("when elliptic curves are broken, what a module verifies by them fails: VRF outputs, evidence, possession", () => {
  const modules = [ECVRF_VERIFY_ADDRESS, EVIDENCE_VERIFY_ADDRESS, POSSESSION_VERIFY_ADDRESS];
  const names = new Set(modules.map(toHex));
  const base: PrecompileSet = {
    addresses: [...BASE.addresses, ...modules],
    call: (address, input, gasLimit) =>
      names.has(toHex(address))
        ? { ok: true, gasUsed: 1n, output: wordToBytes(1n) }
        : BASE.call(address, input, gasLimit),
  };
  for (const address of modules) {
    assert.equal(
      outputOf(keyedPrecompiles(base, NO_CODE, WHOLE), address, EMPTY_BYTES),
      toHex(wordToBytes(1n)),
    );
    assert.equal(outputOf(keyedPrecompiles(base, NO_CODE, BROKEN), address, EMPTY_BYTES), undefined);
  }
});

test("KeySets hears whether post-quantum keys have authorized the transaction", () => {
  const set = keyedPrecompiles(BASE, NO_CODE, WHOLE);
  assert.equal(outputOf(set, AUTHORIZATION_ADDRESS, EMPTY_BYTES), toHex(wordToBytes(0n)));
  assert.equal(
    outputOf(authorizedPrecompiles(set), AUTHORIZATION_ADDRESS, EMPTY_BYTES),
    toHex(wordToBytes(1n)),
  );
  assert.deepEqual(authorizedPrecompiles(set).call(AUTHORIZATION_ADDRESS, EMPTY_BYTES, 99n), { ok: false });
  assert.ok(set.addresses.some((address) => toHex(address) === toHex(AUTHORIZATION_ADDRESS)));
});

test("an address that is no precompile's stays one", () => {
  const set = authorizedPrecompiles(keyedPrecompiles(BASE, NO_CODE, BROKEN));
  for (const address of [signer, addressFromWord(0n), addressFromWord(0xffffn), addressFromWord(2n ** 159n)])
    assert.equal(set.call(address, hex("00"), GAS), undefined);
});
