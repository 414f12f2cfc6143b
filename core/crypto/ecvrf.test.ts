import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  createRandom,
  hex,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { type EcvrfEngine, ecvrfOutput, nobleEcvrf, P256_ORDER } from "./index.ts";

type Example = {
  readonly secretKey: string;
  readonly publicKey: string;
  readonly alpha: string;
  readonly proof: string;
  readonly output: string;
};

const FIRST_KEY = {
  secretKey: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  publicKey: "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
};

/** RFC 9381, Appendix B.1, examples 10, 11 and 12. */
const EXAMPLES: readonly Example[] = [
  {
    ...FIRST_KEY,
    alpha: "sample",
    proof:
      "035b5c726e8c0e2c488a107c600578ee75cb702343c153cb1eb8dec77f4b5071b4a53f0a46f018bc2c56e58d383f2305e0" +
      "975972c26feea0eb122fe7893c15af376b33edf7de17c6ea056d4d82de6bc02f",
    output: "a3ad7b0ef73d8fc6655053ea22f9bede8c743f08bbed3d38821f0e16474b505e",
  },
  {
    ...FIRST_KEY,
    alpha: "test",
    proof:
      "034dac60aba508ba0c01aa9be80377ebd7562c4a52d74722e0abae7dc3080ddb56c19e067b15a8a8174905b13617804534" +
      "214f935b94c2287f797e393eb0816969d864f37625b443f30f1a5a33f2b3c854",
    output: "a284f94ceec2ff4b3794629da7cbafa49121972671b466cab4ce170aa365f26d",
  },
  {
    secretKey: "2ca1411a41b17b24cc8c3b089cfd033f1920202a6c0de8abb97df1498d50d2c8",
    publicKey: "03596375e6ce57e0f20294fc46bdfcfd19a39f8161b58695b3ec5b3d16427c274d",
    alpha: "Example using ECDSA key from Appendix L.4.2 of ANSI.X9-62-2005",
    proof:
      "03d03398bf53aa23831d7d1b2937e005fb0062cbefa06796579f2a1fc7e7b8c667d091c00b0f5c3619d10ecea44363b5a5" +
      "99cadc5b2957e223fec62e81f7b4825fc799a771a3d7334b9186bdbee87316b1",
    output: "90871e06da5caa39a3c61578ebb844de8635e27ac0b13e829997d0d95dd98c19",
  },
];

function verified(engine: EcvrfEngine, publicKey: Uint8Array, proof: Uint8Array, alpha: Uint8Array): string {
  const output = engine.verify(publicKey, proof, alpha);
  return output === undefined ? "refused" : toHexDigits(output);
}

for (const [index, example] of EXAMPLES.entries()) {
  test(`RFC 9381, B.1, example ${index + 10}`, () => {
    const alpha = utf8(example.alpha);
    const [secretKey, publicKey, proof] = [example.secretKey, example.publicKey, example.proof].map(hex);
    assert.equal(toHexDigits(nobleEcvrf.publicKey(secretKey!)), example.publicKey);
    assert.equal(toHexDigits(nobleEcvrf.prove(secretKey!, alpha)), example.proof);
    assert.equal(verified(nobleEcvrf, publicKey!, proof!, alpha), example.output);
    assert.equal(toHexDigits(ecvrfOutput(proof!)), example.output);
  });
}

const [EXAMPLE] = EXAMPLES as [Example];
const PUBLIC_KEY = hex(EXAMPLE.publicKey);
const PROOF = hex(EXAMPLE.proof);
const ALPHA = utf8(EXAMPLE.alpha);

test("a proof is refused for another input, another key, and with any bit of any byte turned", () => {
  assert.equal(nobleEcvrf.verify(PUBLIC_KEY, PROOF, utf8("Sample")), undefined);
  assert.equal(nobleEcvrf.verify(PUBLIC_KEY, PROOF, new Uint8Array()), undefined);
  assert.equal(nobleEcvrf.verify(hex(EXAMPLES[2]!.publicKey), PROOF, ALPHA), undefined);
  const random = createRandom(9381);
  for (let at = 0; at < PROOF.length; at++) {
    const turned = PROOF.slice();
    turned[at]! ^= 1 << random.below(8);
    assert.equal(nobleEcvrf.verify(PUBLIC_KEY, turned, ALPHA), undefined, `byte ${at}`);
  }
});

test("keys and proofs of other lengths or forms are refused", () => {
  for (const length of [0, 1, 32, 34, 64, 65]) {
    assert.equal(nobleEcvrf.verify(new Uint8Array(length).fill(2), PROOF, ALPHA), undefined);
  }
  for (const length of [0, 80, 82, 97, 162]) {
    const proof = new Uint8Array(length);
    proof.set(PROOF.subarray(0, length));
    assert.equal(nobleEcvrf.verify(PUBLIC_KEY, proof, ALPHA), undefined);
  }
  const uncompressedLike = PUBLIC_KEY.slice();
  for (const first of [0, 1, 4, 5, 6, 7, 0x82, 0xff]) {
    uncompressedLike[0] = first;
    assert.equal(nobleEcvrf.verify(uncompressedLike, PROOF, ALPHA), undefined);
  }
});

test("a second way to write the response or a coordinate is refused", () => {
  const s = bytesToBigint(PROOF.subarray(49));
  for (const value of [P256_ORDER, P256_ORDER + 1n, 2n ** 256n - 1n, s + P256_ORDER]) {
    if (value >= 2n ** 256n) continue;
    const proof = concatBytes(PROOF.subarray(0, 49), bigintToBytes(value, 32));
    assert.equal(nobleEcvrf.verify(PUBLIC_KEY, proof, ALPHA), undefined);
  }
  // x = 5 is on the curve, and so would be 5 + p if it were read modulo p.
  const fieldOrder = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const high = concatBytes(Uint8Array.of(2), bigintToBytes(fieldOrder + 5n, 32));
  assert.equal(nobleEcvrf.verify(high, PROOF, ALPHA), undefined);
  assert.equal(nobleEcvrf.verify(PUBLIC_KEY, concatBytes(high, PROOF.subarray(33)), ALPHA), undefined);
});

test("a secret key out of range is the caller's bug", () => {
  for (const bad of [
    new Uint8Array(32),
    bigintToBytes(P256_ORDER, 32),
    new Uint8Array(31),
    new Uint8Array(33),
  ]) {
    assert.throws(() => nobleEcvrf.publicKey(bad), { name: "InvariantError" });
    assert.throws(() => nobleEcvrf.prove(bad, ALPHA), { name: "InvariantError" });
  }
  const greatest = bigintToBytes(P256_ORDER - 1n, 32);
  const proof = nobleEcvrf.prove(greatest, ALPHA);
  assert.ok(nobleEcvrf.verify(nobleEcvrf.publicKey(greatest), proof, ALPHA) !== undefined);
});
