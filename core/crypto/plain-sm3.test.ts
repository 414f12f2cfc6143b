import assert from "node:assert/strict";
import { createHash, scryptSync } from "node:crypto";
import { test } from "node:test";
import { createRandom, toHexDigits, utf8 } from "@ostrom/base";
import { sha256, sm3 } from "./engine.ts";
import { plainSm3 } from "./plain-sm3.ts";
import { REFERENCE_WORK_HASHES, WORK_SCRYPT, workHash } from "./work-hash.ts";

test("SM3 gives the standard's digests (GB/T 32905-2016, appendix A; draft-sca-cfrg-sm3-02, appendix A)", () => {
  const vectors: readonly (readonly [string, string])[] = [
    ["abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"],
    ["abcd".repeat(16), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"],
  ];
  for (const [message, digest] of vectors) assert.equal(toHexDigits(plainSm3(utf8(message))), digest);
});

test("SM3 agrees with OpenSSL at every length through several blocks, and on views into longer arrays", () => {
  const random = createRandom(7);
  for (let length = 0; length <= 400; length++) {
    const data = random.bytes(length + 5).subarray(5);
    assert.equal(toHexDigits(plainSm3(data)), createHash("sm3").update(data).digest("hex"));
  }
});

test("the memory-hard work hash is scrypt of RFC 7914, as OpenSSL has it", () => {
  const { N, r, p, dkLen } = WORK_SCRYPT;
  for (const text of ["", "a", "header ".repeat(40)]) {
    const data = utf8(text);
    const expected = scryptSync(data, data, dkLen, { N, r, p });
    assert.equal(toHexDigits(REFERENCE_WORK_HASHES.scrypt(data)), expected.toString("hex"));
  }
});

test("each name gives its own function", () => {
  const data = utf8("block");
  assert.deepEqual(workHash("sha256")(data), sha256(data));
  assert.deepEqual(workHash("sm3")(data), sm3(data));
  assert.deepEqual(workHash("scrypt")(data), REFERENCE_WORK_HASHES.scrypt(data));
});
