import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bigintToBytes,
  bigintToMinimalBytes,
  bytesToBigint,
  bytesToUint64,
  compareBytes,
  concatBytes,
  createRandom,
  equalBytes,
  fromHex,
  hex,
  InvariantError,
  padLeft,
  toHex,
  toHexDigits,
  uint64ToBytes,
  unwrap,
  utf8,
} from "./index.ts";

const bytes: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 40 });
const word: fc.Arbitrary<bigint> = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });

test("hex is written in lower case, and read in either, with or without 0x", () => {
  assert.equal(toHex(Uint8Array.of(0, 0xab, 0xff)), "0x00abff");
  assert.equal(toHexDigits(Uint8Array.of(0, 0xab, 0xff)), "00abff");
  assert.equal(toHex(new Uint8Array(0)), "0x");
  for (const text of ["00abff", "0x00ABff", "0X00abFF"])
    assert.deepEqual(unwrap(fromHex(text)), Uint8Array.of(0, 0xab, 0xff));
  for (const text of ["", "0x"]) assert.equal(unwrap(fromHex(text)).length, 0);
});

test("what is not hex is refused", () => {
  for (const text of ["0", "0x0", "0xg0", "zz", "0x0x00", " 00", "00 ", "0x-1", "００", "0x0\n"]) {
    const read = fromHex(text);
    assert.equal(read.ok ? "ok" : read.error.code, "bytes/not-hex", JSON.stringify(text));
  }
  assert.throws(() => hex("0x0"), InvariantError);
});

test("hex, integers and their bytes are read back as they were", () => {
  fc.assert(fc.property(bytes, (value) => assert.deepEqual(unwrap(fromHex(toHex(value))), value)));
  fc.assert(fc.property(word, (value) => assert.equal(bytesToBigint(bigintToBytes(value, 32)), value)));
  fc.assert(fc.property(word, (value) => assert.equal(bytesToBigint(bigintToMinimalBytes(value)), value)));
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => assert.equal(bytesToUint64(uint64ToBytes(value)), value)),
  );
});

test("hex agrees with Node's, with the engine's own functions or without", () => {
  type WithNative = { toHex?: unknown };
  const prototype = Uint8Array.prototype as WithNative;
  const native = prototype.toHex;
  try {
    for (const present of [true, false]) {
      if (!present) delete prototype.toHex;
      fc.assert(
        fc.property(bytes, (value) => assert.equal(toHexDigits(value), Buffer.from(value).toString("hex"))),
      );
    }
  } finally {
    if (native !== undefined)
      Object.defineProperty(Uint8Array.prototype, "toHex", {
        value: native,
        configurable: true,
        writable: true,
      });
  }
});

test("minimal bytes of an integer have no leading zeros, and 0 is no bytes", () => {
  assert.equal(toHex(bigintToMinimalBytes(0n)), "0x");
  assert.equal(toHex(bigintToMinimalBytes(1n)), "0x01");
  assert.equal(toHex(bigintToMinimalBytes(0x100n)), "0x0100");
  assert.equal(bytesToBigint(new Uint8Array(0)), 0n);
});

test("an integer that is negative or does not fit is a broken invariant", () => {
  assert.equal(toHex(bigintToBytes(255n, 1)), "0xff");
  assert.throws(() => bigintToBytes(256n, 1), InvariantError);
  assert.throws(() => bigintToBytes(-1n, 4), InvariantError);
  assert.throws(() => bigintToMinimalBytes(-1n), InvariantError);
  for (const count of [-1, 0.5, 2 ** 53, Number.NaN])
    assert.throws(() => uint64ToBytes(count), InvariantError);
  assert.throws(() => bytesToUint64(new Uint8Array(7)), InvariantError);
  assert.throws(() => bytesToUint64(new Uint8Array(8), 1), InvariantError);
  assert.throws(() => bytesToUint64(hex("0020000000000000")), InvariantError);
  assert.equal(bytesToUint64(hex("ff001fffffffffffff"), 1), Number.MAX_SAFE_INTEGER);
});

test("bytes of counts sort as the counts do", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
      assert.equal(Math.sign(compareBytes(uint64ToBytes(a), uint64ToBytes(b))), Math.sign(a - b));
    }),
  );
});

test("bytes compare as Node's buffers do, and a prefix comes first", () => {
  assert.ok(compareBytes(utf8("do"), utf8("dog")) < 0);
  assert.ok(compareBytes(utf8("dog"), utf8("do")) > 0);
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
      assert.equal(equalBytes(a, a.slice()), true);
    }),
  );
});

test("joined bytes are new memory", () => {
  fc.assert(
    fc.property(fc.array(bytes), (parts) =>
      assert.deepEqual(concatBytes(...parts), new Uint8Array(Buffer.concat(parts))),
    ),
  );
  const part = Uint8Array.of(1);
  concatBytes(part)[0] = 2;
  assert.equal(part[0], 1);
});

test("padding puts zeros on the left and never cuts", () => {
  assert.equal(toHex(padLeft(Uint8Array.of(1, 2), 4)), "0x00000102");
  assert.equal(toHex(padLeft(new Uint8Array(0), 2)), "0x0000");
  assert.throws(() => padLeft(new Uint8Array(3), 2), InvariantError);
});

test("text is encoded as UTF-8", () => {
  assert.equal(toHex(utf8("aé€𐍈")), `0x${Buffer.from("aé€𐍈", "utf8").toString("hex")}`);
});

test("integers and bytes of every length up to two words agree with their text", () => {
  const random = createRandom(5);
  for (let i = 0; i < 3000; i++) {
    const length = random.below(66);
    const bytes = random.bytes(length);
    if (random.chance(1, 3)) bytes.fill(0, 0, random.below(length + 1));
    const value = bytesToBigint(bytes);
    assert.equal(value, length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
    assert.deepEqual(bigintToBytes(value, length), bytes);
    if (value > 0n) {
      const shortest = Math.ceil(value.toString(16).length / 2);
      assert.throws(() => bigintToBytes(value, shortest - 1), /must fit into/);
    }
  }
});
