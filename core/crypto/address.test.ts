import assert from "node:assert/strict";
import { test } from "node:test";
import { hashFromHex, hex, toHex } from "@ostrom/base";
import { addressOfPublicKey, keccak256, recoverAddress, secp256k1, sha256 } from "@ostrom/crypto";

// Key and address of the example in EIP-155; the signature is that of its transaction.
const SECRET_KEY = hex("4646464646464646464646464646464646464646464646464646464646464646");
const ADDRESS = "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f";
const SIGNING_HASH = hashFromHex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
const SIGNATURE = hex(
  "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276" +
    "67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
);

test("an address is the last twenty bytes of the public key's keccak256", () => {
  assert.equal(toHex(addressOfPublicKey(secp256k1().publicKey(SECRET_KEY))), ADDRESS);
});

test("the signer's address comes back from EIP-155's example, and signing makes that very signature", () => {
  const recovered = recoverAddress(SIGNING_HASH, SIGNATURE, 0);
  assert.equal(recovered && toHex(recovered), ADDRESS);
  assert.deepEqual(secp256k1().sign(SIGNING_HASH, SECRET_KEY), { signature: SIGNATURE, yParity: 0 });
});

test("a signature that no key gives has no address", () => {
  assert.equal(recoverAddress(SIGNING_HASH, new Uint8Array(64), 0), undefined);
  assert.equal(recoverAddress(SIGNING_HASH, SIGNATURE.subarray(1), 0), undefined);
});

test("secret keys out of range stop the caller", () => {
  const order = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  for (const bad of [new Uint8Array(32), order, SECRET_KEY.subarray(1), new Uint8Array(33).fill(1)]) {
    assert.throws(() => secp256k1().publicKey(bad), { name: "InvariantError" });
    assert.throws(() => secp256k1().sign(SIGNING_HASH, bad), { name: "InvariantError" });
  }
});

test("hashes of nothing are the published ones", () => {
  const nothing = new Uint8Array(0);
  assert.equal(
    toHex(keccak256(nothing)),
    "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
  );
  assert.equal(toHex(sha256(nothing)), "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});
