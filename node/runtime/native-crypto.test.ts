import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { secp256k1 as curve } from "@noble/curves/secp256k1.js";
import {
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  createRandom,
  Hash,
  hex,
  toHexDigits,
} from "@ostrom/base";
import {
  BLS_ORDER,
  deriveBlsSecretKey,
  engineNames,
  nobleBls,
  nobleSecp256k1,
  REFERENCE_ENGINES,
  SECP256K1_ORDER,
  sha256,
} from "@ostrom/crypto";
import { installNativeCrypto, loadNativeBinding, loadNativeCrypto } from "./native-crypto.ts";

const VECTORS = resolve(import.meta.dirname, "../../../shared/vectors/crypto");
const WYCHEPROOF = resolve(VECTORS, "wycheproof/ecdsa_secp256k1_sha256_p1363_test.json");

const native = loadNativeCrypto();

function describe(value: Bytes | undefined): string {
  return value === undefined ? "none" : toHexDigits(value);
}

test("installing puts every native engine into its slot, and says which", () => {
  const names = {
    hash: "openssl+wasm",
    secp256k1: "libsecp256k1",
    bls: "blst",
    bn254: "mcl",
    bls12381: "mcl+blst",
    p256: "openssl",
    modular: "wasm",
    blake2: "wasm",
    ecvrf: "openssl",
  };
  assert.deepEqual(installNativeCrypto(), names);
  assert.deepEqual(engineNames(), names);
});

test("a native part that is missing stops the start, with what to do", () => {
  assert.throws(
    () => loadNativeBinding("secp256k1/absent"),
    /"secp256k1\/absent" does not load .* install again/,
  );
});

test("hash engines agree on every length through several blocks, and give plain arrays of their own", () => {
  const random = createRandom(1);
  for (let length = 0; length <= 700; length++) {
    const data = random.bytes(length + 3).subarray(3);
    for (const name of ["keccak256", "sha256", "ripemd160", "sm3"] as const) {
      const digest = native.hash[name](data);
      assert.equal(toHexDigits(digest), toHexDigits(REFERENCE_ENGINES.hash[name](data)));
      assert.equal(Object.getPrototypeOf(digest), Uint8Array.prototype);
      assert.equal(digest.buffer.byteLength, digest.length);
    }
  }
});

test("secp256k1 engines make the same keys and signatures", () => {
  const random = createRandom(2);
  const extremes = [1n, 2n, SECP256K1_ORDER - 1n].map((value) => bigintToBytes(value, 32));
  const hashes = [0n, 1n, SECP256K1_ORDER - 1n, SECP256K1_ORDER, SECP256K1_ORDER + 5n, 2n ** 256n - 1n];
  for (let i = 0; i < 300; i++) {
    const secret = extremes[i] ?? random.bytes(32);
    const hash = Hash(i < 30 ? bigintToBytes(hashes[i % hashes.length]!, 32) : random.bytes(32));
    assert.equal(describe(native.secp256k1.publicKey(secret)), describe(nobleSecp256k1.publicKey(secret)));
    assert.deepEqual(native.secp256k1.sign(hash, secret), nobleSecp256k1.sign(hash, secret));
  }
});

function assertRecoverAlike(hash: Bytes, signature: Bytes): string[] {
  return ([0, 1] as const).map((yParity) => {
    const expected = describe(nobleSecp256k1.recover(Hash(hash), signature, yParity));
    assert.equal(describe(native.secp256k1.recover(Hash(hash), signature, yParity)), expected);
    return expected;
  });
}

test("secp256k1 engines recover alike from edge values of r, s and the hash", () => {
  const n = SECP256K1_ORDER;
  const fieldOrder = 2n ** 256n - 2n ** 32n - 977n;
  const values = [
    0n,
    1n,
    2n,
    5n,
    n >> 1n,
    (n >> 1n) + 1n,
    n - 1n,
    n,
    n + 1n,
    fieldOrder - 1n,
    fieldOrder,
    2n ** 256n - 1n,
  ];
  for (const r of values) {
    for (const s of values) {
      const signature = concatBytes(bigintToBytes(r, 32), bigintToBytes(s, 32));
      const outcomes = [0n, n, 2n ** 256n - 1n].flatMap((hash) =>
        assertRecoverAlike(bigintToBytes(hash, 32), signature),
      );
      const inRange = r > 0n && r < n && s > 0n && s < n;
      if (!inRange) assert.deepEqual(new Set(outcomes), new Set(["none"]));
    }
  }
});

test("secp256k1 engines recover alike from mutated signatures, high s and wrong lengths", () => {
  const random = createRandom(3);
  for (let i = 0; i < 400; i++) {
    const hash = random.bytes(32);
    const { signature } = nobleSecp256k1.sign(Hash(hash), random.bytes(32));
    const mutated = signature.slice();
    if (i % 4 === 0) mutated[random.below(64)]! ^= 1 << random.below(8);
    if (i % 4 === 1)
      mutated.set(bigintToBytes(SECP256K1_ORDER - bytesToBigint(signature.subarray(32)), 32), 32);
    if (i % 4 === 2) hash[random.below(32)]! ^= 1 << random.below(8);
    if (i % 4 === 3) mutated.set(random.bytes(32), 32);
    assertRecoverAlike(hash, mutated);
  }
  for (const length of [0, 1, 63, 65, 128]) {
    assert.deepEqual(assertRecoverAlike(random.bytes(32), random.bytes(length)), ["none", "none"]);
  }
});

test("secp256k1 engines find no key where the recovered point is infinity", () => {
  const random = createRandom(4);
  for (let i = 0; i < 10; i++) {
    // R = kG and s = hash / k give s R - hash G = infinity.
    const k = bytesToBigint(random.bytes(32)) % SECP256K1_ORDER;
    const hash = random.bytes(32);
    const point = curve.Point.BASE.multiply(k).toAffine();
    const s = curve.Point.Fn.div(bytesToBigint(hash) % SECP256K1_ORDER, k);
    const signature = concatBytes(bigintToBytes(point.x, 32), bigintToBytes(s, 32));
    assert.equal(assertRecoverAlike(hash, signature)[point.y % 2n === 0n ? 0 : 1], "none");
  }
});

type Wycheproof = {
  readonly testGroups: readonly {
    readonly publicKey: { readonly uncompressed: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: "valid" | "invalid" | "acceptable";
    }[];
  }[];
};

const withoutVectors = existsSync(WYCHEPROOF) ? false : "../shared/vectors is not here";

test("both secp256k1 engines decide Wycheproof's signatures by recovery", { skip: withoutVectors }, () => {
  const vectors = JSON.parse(readFileSync(WYCHEPROOF, "utf8")) as Wycheproof;
  let decided = 0;
  for (const group of vectors.testGroups) {
    const key = group.publicKey.uncompressed.slice(2);
    for (const { tcId, comment, msg, sig, result } of group.tests) {
      const recovered = assertRecoverAlike(sha256(hex(msg)), hex(sig));
      // Its x coordinate is r + n, which only a recovery id of 2 or 3 could say: no transaction can carry it.
      const beyondOrder =
        comment.includes("k*G has a large x-coordinate") || comment.includes("with a reduction");
      assert.equal(recovered.includes(key), result === "valid" && !beyondOrder, `case ${tcId}: ${comment}`);
      decided++;
    }
  }
  assert.ok(decided > 200);
});

const message = new Uint8Array(32).fill(9);
const secret = deriveBlsSecretKey(message);
const validKey = nobleBls.publicKey(secret);
const validSignature = nobleBls.sign(secret, message);

/** Compressed points that hostile peers may send in a point's place: flags, ranges, subgroups. */
function hostilePoints(valid: Bytes, seed: number, count: number): Bytes[] {
  const random = createRandom(seed);
  const points: Bytes[] = [];
  for (let flags = 0; flags < 8; flags++) {
    const zeros = new Uint8Array(valid.length);
    zeros[0] = flags << 5;
    const flagged = valid.slice();
    flagged[0] = (flagged[0]! & 0x1f) | (flags << 5);
    points.push(zeros, flagged);
  }
  const nearInfinity = new Uint8Array(valid.length);
  nearInfinity[0] = 0xc0;
  nearInfinity[valid.length - 1] = 1;
  points.push(nearInfinity);
  const { ORDER } = bls12_381.fields.Fp;
  for (const coordinate of [ORDER - 1n, ORDER, ORDER + 1n, 2n ** 381n - 1n]) {
    for (let at = 0; at < valid.length; at += 48) {
      const ranged = valid.slice();
      ranged.set(bigintToBytes(coordinate, 48), at);
      ranged[0]! |= 0x80;
      points.push(ranged);
    }
  }
  for (const length of [0, 1, valid.length - 1, valid.length + 1, 2 * valid.length])
    points.push(random.bytes(length));
  for (let i = 0; i < count; i++) {
    // A random x coordinate: off the curve half the time, on it but outside the subgroup nearly always else.
    const stray = random.bytes(valid.length);
    stray[0] = 0x80 | (stray[0]! & 0x2f);
    points.push(stray);
    const mutated = valid.slice();
    mutated[random.below(valid.length)]! ^= 1 << random.below(8);
    points.push(mutated);
  }
  return points;
}

/** A point's uncompressed encoding, which some decoders would take too. */
const uncompressedKey = bls12_381.G1.Point.fromBytes(validKey).toBytes(false);
const uncompressedSignature = bls12_381.G2.Point.fromBytes(validSignature).toBytes(false);

test("BLS engines make the same keys and signatures", () => {
  const random = createRandom(5);
  const extremes = [1n, 2n, BLS_ORDER - 1n].map((value) => bigintToBytes(value, 32));
  for (let i = 0; i < 40; i++) {
    const key = extremes[i] ?? deriveBlsSecretKey(random.bytes(32));
    const text = random.bytes(i === 0 ? 0 : random.below(200));
    assert.equal(describe(native.bls.publicKey(key)), describe(nobleBls.publicKey(key)));
    assert.equal(describe(native.bls.sign(key, text)), describe(nobleBls.sign(key, text)));
  }
});

test("BLS keys derive as blst derives them", () => {
  type Binding = typeof import("@chainsafe/blst");
  const { SecretKey } = loadNativeBinding<Binding>("@chainsafe/blst");
  const random = createRandom(6);
  for (let i = 0; i < 20; i++) {
    const entropy = random.bytes(32 + i);
    assert.equal(describe(deriveBlsSecretKey(entropy)), describe(SecretKey.fromKeygen(entropy).toBytes()));
  }
});

test("BLS engines refuse the same hostile signatures, alone and in aggregates", () => {
  let refused = 0;
  for (const hostile of [...hostilePoints(validSignature, 7, 60), uncompressedSignature]) {
    const accepted = nobleBls.aggregate([hostile]);
    assert.equal(describe(native.bls.aggregate([hostile])), describe(accepted));
    if (accepted !== undefined) continue;
    refused++;
    assert.equal(native.bls.verify(validKey, message, hostile), false);
    assert.equal(nobleBls.verify(validKey, message, hostile), false);
    assert.equal(native.bls.aggregate([validSignature, hostile]), undefined);
    assert.equal(nobleBls.aggregate([validSignature, hostile]), undefined);
  }
  assert.ok(refused > 140);
});

test("BLS engines refuse the same hostile public keys, alone and among honest ones", () => {
  for (const hostile of [...hostilePoints(validKey, 8, 60), uncompressedKey]) {
    const expected = nobleBls.verify(hostile, message, validSignature);
    assert.equal(native.bls.verify(hostile, message, validSignature), expected);
    if (!expected) {
      const keys = [validKey, hostile];
      assert.equal(nobleBls.verifyAggregate(keys, message, validSignature), false);
      assert.equal(native.bls.verifyAggregate(keys, message, validSignature), false);
    }
  }
});

test("BLS engines refuse points on the curve outside the subgroup", () => {
  const { G1, G2 } = bls12_381;
  // Neither curve's point with the least x coordinate that has one lies in its subgroup.
  const keys = strayPoints((x) => G1.Point.fromHex(x), 48);
  const signatures = strayPoints((x) => G2.Point.fromHex(x), 96);
  assert.ok(keys.length >= 5 && signatures.length >= 5);
  for (const key of keys) {
    for (const engine of [nobleBls, native.bls]) {
      assert.equal(engine.verify(key, message, validSignature), false);
      assert.equal(engine.verifyPossession(key, validSignature), false);
    }
  }
  for (const signature of signatures) {
    for (const engine of [nobleBls, native.bls]) {
      assert.equal(engine.aggregate([signature]), undefined);
      assert.equal(engine.verify(validKey, message, signature), false);
    }
  }
});

function strayPoints(decode: (digits: string) => unknown, length: number): Bytes[] {
  const found: Bytes[] = [];
  for (let x = 1n; x < 40n; x++) {
    const bytes = bigintToBytes(x, length);
    bytes[0] = 0x80;
    let reason = "";
    try {
      decode(toHexDigits(bytes));
    } catch (error) {
      reason = String(error);
    }
    if (reason.includes("subgroup")) found.push(bytes);
  }
  return found;
}

test("BLS engines agree on aggregates of random subsets, honest and not", () => {
  const random = createRandom(9);
  const secrets = Array.from({ length: 8 }, () => deriveBlsSecretKey(random.bytes(32)));
  const keys = secrets.map((key) => nobleBls.publicKey(key));
  const signatures = secrets.map((key) => nobleBls.sign(key, message));
  for (let i = 0; i < 30; i++) {
    const signers = Array.from({ length: random.below(9) }, () => random.below(8));
    const sum = nobleBls.aggregate(signers.map((signer) => signatures[signer]!));
    assert.equal(describe(native.bls.aggregate(signers.map((signer) => signatures[signer]!))), describe(sum));
    // Every third time somebody is missing or one too many.
    const claimed = i % 3 === 0 ? [...signers.slice(1), random.below(8)] : signers;
    const claimedKeys = claimed.map((signer) => keys[signer]!);
    const signature = sum ?? validSignature;
    assert.equal(
      native.bls.verifyAggregate(claimedKeys, message, signature),
      nobleBls.verifyAggregate(claimedKeys, message, signature),
    );
  }
});

test("BLS engines refuse sums at infinity, of signatures and of keys", () => {
  const opposite = bigintToBytes(BLS_ORDER - bytesToBigint(secret), 32);
  const keys = [validKey, nobleBls.publicKey(opposite)];
  const infinity = new Uint8Array(96);
  infinity[0] = 0xc0;
  for (const engine of [nobleBls, native.bls]) {
    assert.equal(engine.aggregate([validSignature, engine.sign(opposite, message)]), undefined);
    assert.equal(engine.aggregate([]), undefined);
    assert.equal(engine.verifyAggregate(keys, message, infinity), false);
    assert.equal(engine.verifyAggregate(keys, message, validSignature), false);
    assert.equal(engine.verifyAggregate([], message, infinity), false);
  }
});

test("engines refuse the same secret keys", () => {
  const bad = [0n, SECP256K1_ORDER, BLS_ORDER, 2n ** 256n - 1n].map((value) => bigintToBytes(value, 32));
  for (const key of [...bad, new Uint8Array(0), new Uint8Array(31).fill(1), new Uint8Array(33).fill(1)]) {
    const outcome = (action: () => Bytes): string => {
      try {
        return describe(action());
      } catch (error) {
        return (error as Error).name;
      }
    };
    const onCurve = [native.secp256k1, nobleSecp256k1].map((engine) => outcome(() => engine.publicKey(key)));
    const onPairing = [native.bls, nobleBls].map((engine) => outcome(() => engine.publicKey(key)));
    assert.equal(onCurve[0], onCurve[1]);
    assert.equal(onPairing[0], onPairing[1]);
    assert.equal(onPairing[0], "InvariantError");
  }
});
