import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { bigintToBytes, bytesToBigint, concatBytes, createRandom, hex, toHex } from "@ostrom/base";
import { sha256 } from "@ostrom/crypto";
import { runPrecompile } from "./index.ts";

const WYCHEPROOF = resolve(
  import.meta.dirname,
  "../../../../shared/vectors/crypto/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
);
const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const VALID = `0x${"1".padStart(64, "0")}`;

function call(input: Uint8Array): string {
  const result = runPrecompile("osaka", 0x100, input, 6900n);
  assert.ok(result.ok);
  assert.equal(result.gasUsed, 6900n);
  return toHex(result.output);
}

test("a signature by OpenSSL is valid, with either s, and for its hash alone", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x, y } = publicKey.export({ format: "jwk" }) as { x: string; y: string };
  const key = concatBytes(Buffer.from(x, "base64url"), Buffer.from(y, "base64url"));
  const message = new Uint8Array(40).fill(7);
  const signature = new Uint8Array(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
  const otherS = GROUP_ORDER - bytesToBigint(signature.subarray(32));
  const mirrored = concatBytes(signature.subarray(0, 32), bigintToBytes(otherS, 32));
  assert.equal(call(concatBytes(sha256(message), signature, key)), VALID);
  assert.equal(call(concatBytes(sha256(message), mirrored, key)), VALID);
  assert.equal(call(concatBytes(sha256(key), signature, key)), "0x");
});

test("any other length than 160 bytes gives nothing, and no failure", () => {
  const random = createRandom(1);
  for (const length of [0, 1, 159, 161, 320]) assert.equal(call(random.bytes(length)), "0x");
});

test("a key at infinity, off the curve, or with coordinates out of the field gives nothing", () => {
  const fieldOrder = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  const signed = concatBytes(new Uint8Array(32).fill(1), bigintToBytes(1n, 32), bigintToBytes(1n, 32));
  const keys: [bigint, bigint][] = [
    [0n, 0n],
    [1n, 1n],
    [fieldOrder, 0n],
    [2n ** 256n - 1n, 2n ** 256n - 1n],
  ];
  for (const [x, y] of keys)
    assert.equal(call(concatBytes(signed, bigintToBytes(x, 32), bigintToBytes(y, 32))), "0x");
});

type Wycheproof = {
  readonly testGroups: readonly {
    readonly publicKey: { readonly uncompressed: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
};

const skip = existsSync(WYCHEPROOF) ? false : "../shared/vectors is not here";

test("Wycheproof's P-256 signatures are decided as it says", { skip }, () => {
  const vectors = JSON.parse(readFileSync(WYCHEPROOF, "utf8")) as Wycheproof;
  let decided = 0;
  for (const group of vectors.testGroups) {
    const key = hex(group.publicKey.uncompressed.slice(2));
    for (const { tcId, comment, msg, sig, result } of group.tests) {
      // A signature of another length makes an input of another length.
      const output = call(concatBytes(sha256(hex(msg)), hex(sig), key));
      assert.equal(output, result === "valid" ? VALID : "0x", `case ${tcId}: ${comment}`);
      decided++;
    }
  }
  assert.ok(decided > 200);
});
