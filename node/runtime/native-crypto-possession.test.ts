import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { type Bytes, bigintToBytes, createRandom } from "@ostrom/base";
import { BLS_ORDER, deriveBlsSecretKey, nobleBls } from "@ostrom/crypto";
import { type BlstBinding, loadMclBls12381 } from "./native-crypto-bls12381.ts";
import { createPossessionCheck } from "./native-crypto-possession.ts";

const blst = createRequire(import.meta.url)("@chainsafe/blst") as BlstBinding;
const verifyPossession = createPossessionCheck(blst, loadMclBls12381(blst));

/** What both engines answer. */
function agreed(key: Bytes, proof: Bytes, note: string): boolean {
  const answer = verifyPossession(key, proof);
  assert.equal(answer, nobleBls.verifyPossession(key, proof), note);
  return answer;
}

test("proofs that the reference makes are taken, and those of other keys are not", () => {
  const random = createRandom(31);
  const secrets = [bigintToBytes(1n, 32), bigintToBytes(BLS_ORDER - 1n, 32)];
  for (let i = 0; i < 3; i++) secrets.push(deriveBlsSecretKey(random.bytes(32)));
  const keys = secrets.map((secret) => nobleBls.publicKey(secret));
  const proofs = secrets.map((secret) => nobleBls.provePossession(secret));
  keys.forEach((key, index) => {
    assert.ok(agreed(key, proofs[index]!, `key ${index}`));
    assert.ok(!agreed(key, proofs[(index + 1) % proofs.length]!, `another's proof for ${index}`));
  });
});

test("a signature on the key as an ordinary message is no proof", () => {
  const secret = deriveBlsSecretKey(new Uint8Array(32).fill(3));
  const key = nobleBls.publicKey(secret);
  assert.ok(!agreed(key, nobleBls.sign(secret, key), "message"));
});

test("keys and proofs that are malformed, infinite, or outside the subgroup are refused by both", () => {
  const random = createRandom(32);
  const secret = deriveBlsSecretKey(new Uint8Array(32).fill(4));
  const key = nobleBls.publicKey(secret);
  const proof = nobleBls.provePossession(secret);
  const infinity = (length: number): Bytes => {
    const bytes = new Uint8Array(length);
    bytes[0] = 0xc0;
    return bytes;
  };
  assert.ok(!agreed(infinity(48), proof, "infinite key"));
  assert.ok(!agreed(key, infinity(96), "infinite proof"));
  assert.ok(!agreed(infinity(48), infinity(96), "both infinite"));
  for (const length of [0, 47, 49, 95, 97]) {
    assert.ok(!agreed(new Uint8Array(length), proof, `key of ${length}`));
    assert.ok(!agreed(key, new Uint8Array(length), `proof of ${length}`));
  }
  for (let i = 0; i < 60; i++) {
    const [badKey, badProof] = [key.slice(), proof.slice()];
    const part = i % 2 === 0 ? badKey : badProof;
    part[random.below(part.length)]! ^= 1 << random.below(8);
    assert.ok(!agreed(badKey, badProof, `mutation ${i}`));
  }
});
