import assert from "node:assert/strict";
import { type Address, addressFromHex } from "@ostrom/base";
import { SCHEME_ED25519, SCHEME_ML_DSA_44, SCHEME_SECP256K1 } from "@ostrom/crypto";
import { type HeldKey, heldKey, type KeySetRequest, type Ran, type Signer, senderOf } from "./key-chain.ts";

// An account of Ethereum's kind, whose owner has keys of other kinds, too; and what became of its transactions.

export const TO: Address = addressFromHex("00000000000000000000000000000000000000aa");
export const elliptic: HeldKey = heldKey(SCHEME_SECP256K1, 1);
export const lattice: HeldKey = heldKey(SCHEME_ML_DSA_44, 2);
export const edwards: HeldKey = heldKey(SCHEME_ED25519, 3);
export const ethereum: Signer = { kind: "ethereum", secretKey: elliptic.secretKey };
export const stranger: Signer = { kind: "ethereum", secretKey: heldKey(SCHEME_SECP256K1, 7).secretKey };
export const owner: Address = senderOf(ethereum);
export const HYBRID: KeySetRequest = { threshold: 2, keys: [elliptic, lattice] };
export const NOT_AUTHORIZED = "execution/not-authorized";

/** The owner, by these keys of the version of its set. */
export function byKeys(version: number, ...keys: readonly (readonly [number, HeldKey])[]): Signer {
  return { kind: "keys", sender: owner, version, keys };
}

export function succeeded({ receipt, skipped }: Ran): boolean {
  assert.equal(skipped, undefined);
  return receipt?.succeeded === true;
}

/** @returns the code of the reason why it did not run. */
export function refused(ran: Ran): string | undefined {
  assert.equal(ran.receipt, undefined);
  return ran.skipped?.reason.code;
}
