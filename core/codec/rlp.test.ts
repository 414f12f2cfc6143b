import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  type Bytes,
  bigintToMinimalBytes,
  concatBytes,
  hex,
  type Result,
  toHex,
  unwrap,
  utf8,
} from "@ostrom/base";
import fc from "fast-check";
import {
  decodeRlp,
  decodeRlpWith,
  encodeRlp,
  encodeRlpListOfEncoded,
  MAX_RLP_DEPTH,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpUint,
  rlpUint,
} from "./index.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/ethereum/RLPTests");
const withVectors = existsSync(VECTORS) ? {} : { skip: "../shared/vectors is not there" };

type Vector = { readonly in: unknown; readonly out: string };

function readVectors(pattern: string): [string, Vector][] {
  return globSync(pattern, { cwd: VECTORS }).flatMap((file) =>
    Object.entries(JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as Record<string, Vector>),
  );
}

/** The vectors write a number as itself, or with many digits as text after `#`. */
function itemOf(input: unknown): RlpItem {
  if (Array.isArray(input)) return input.map(itemOf);
  if (typeof input === "number") return rlpUint(input);
  assert.ok(typeof input === "string");
  return input.startsWith("#") ? rlpUint(BigInt(input.slice(1))) : utf8(input);
}

function code(result: Result<unknown, { readonly code: string }>): string {
  return result.ok ? "ok" : result.error.code;
}

function plain(item: RlpItem): unknown {
  return item instanceof Uint8Array ? toHex(item) : item.map(plain);
}

test("RLPTests/rlptest.json: items are encoded as given, and decoded back", withVectors, (context) => {
  const vectors = readVectors("rlptest.json");
  for (const [name, { in: input, out }] of vectors) {
    const item = itemOf(input);
    assert.equal(toHex(encodeRlp(item)), out.toLowerCase(), name);
    assert.deepEqual(plain(unwrap(decodeRlp(hex(out)))), plain(item), name);
  }
  context.diagnostic(`${vectors.length} vectors`);
});

test("RLPTests: invalid and random encodings are refused or accepted as given", withVectors, (context) => {
  const vectors = [...readVectors("invalidRLPTest.json"), ...readVectors("RandomRLPTests/*.json")];
  for (const [name, { in: expected, out }] of vectors) {
    const decoded = decodeRlp(hex(out));
    assert.equal(decoded.ok, expected === "VALID", name);
    if (decoded.ok) assert.equal(toHex(encodeRlp(decoded.value)), out, name);
  }
  context.diagnostic(`${vectors.length} vectors`);
});

/** Examples of the Yellow Paper's rules, so that the suite means something without the vectors. */
const EXAMPLES: readonly [RlpItem, string][] = [
  [utf8(""), "0x80"],
  [Uint8Array.of(0), "0x00"],
  [Uint8Array.of(0x7f), "0x7f"],
  [Uint8Array.of(0x80), "0x8180"],
  [utf8("dog"), "0x83646f67"],
  [[utf8("cat"), utf8("dog")], "0xc88363617483646f67"],
  [[], "0xc0"],
  [[[], [[]], [[], [[]]]], "0xc7c0c1c0c3c0c1c0"],
  [new Uint8Array(55).fill(1), `0xb7${"01".repeat(55)}`],
  [new Uint8Array(56).fill(1), `0xb838${"01".repeat(56)}`],
  [new Uint8Array(256).fill(1), `0xb90100${"01".repeat(256)}`],
  [[new Uint8Array(54).fill(1)], `0xf7b6${"01".repeat(54)}`],
  [[new Uint8Array(55).fill(1)], `0xf838b7${"01".repeat(55)}`],
];

test("RLP encodes the Yellow Paper's examples", () => {
  for (const [item, encoded] of EXAMPLES) {
    assert.equal(toHex(encodeRlp(item)), encoded);
    assert.deepEqual(plain(unwrap(decodeRlp(hex(encoded)))), plain(item));
  }
});

test("RLP refuses what is cut off, trailing, or not canonical, each with its code", () => {
  const refused: readonly [string, string][] = [
    ["", "rlp/truncated"],
    ["81", "rlp/truncated"],
    ["83646f", "rlp/truncated"],
    ["b8", "rlp/truncated"],
    ["b838", "rlp/truncated"],
    ["c2", "rlp/truncated"],
    ["c28200", "rlp/truncated"],
    ["f8", "rlp/truncated"],
    ["bfffffffffffffffff", "rlp/truncated"],
    ["ffffffffffffffffff", "rlp/truncated"],
    ["0000", "rlp/trailing-bytes"],
    ["c000", "rlp/trailing-bytes"],
    ["8100", "rlp/non-canonical"],
    ["817f", "rlp/non-canonical"],
    ["c2817f", "rlp/non-canonical"],
    [`b837${"01".repeat(55)}`, "rlp/non-canonical"],
    [`f837${"01".repeat(55)}`, "rlp/non-canonical"],
    [`b90038${"01".repeat(56)}`, "rlp/non-canonical"],
    ["b800", "rlp/non-canonical"],
  ];
  for (const [bytes, expected] of refused) assert.equal(code(decodeRlp(hex(bytes))), expected, bytes);
});

test("a length inside a list does not reach beyond the list", () => {
  assert.equal(code(decodeRlp(hex("c482c10001"))), "ok");
  assert.equal(code(decodeRlp(hex("c3c382aaaa"))), "rlp/truncated");
  assert.equal(code(decodeRlp(hex("c4c182aaaa"))), "rlp/truncated");
});

test("lists may be nested to the limit and no deeper", () => {
  const nested = (depth: number): Bytes => {
    let encoded: Bytes = encodeRlp([]);
    for (let level = 1; level < depth; level++) encoded = encodeRlpListOfEncoded([encoded]);
    return encoded;
  };
  assert.equal(code(decodeRlp(nested(MAX_RLP_DEPTH))), "ok");
  assert.equal(code(decodeRlp(nested(MAX_RLP_DEPTH + 1))), "rlp/too-deep");
});

test("the decoder of a Result lets errors through that are not its own", () => {
  const bug = new TypeError("a bug in the reader");
  assert.throws(
    () =>
      decodeRlpWith(encodeRlp([]), () => {
        throw bug;
      }),
    bug,
  );
});

test("the readers refuse the wrong shape, size and form", () => {
  const read = <T>(item: RlpItem, reader: (item: RlpItem) => T): string =>
    code(decodeRlpWith(encodeRlp(item), reader));
  const bytes = Uint8Array.of(1, 2);
  assert.equal(
    read(bytes, (item) => readRlpList(item, "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read([bytes], (item) => readRlpList(item, "x", 2)),
    "rlp/wrong-shape",
  );
  assert.equal(
    read([bytes], (item) => readRlpList(item, "x", 1)),
    "ok",
  );
  assert.equal(
    read([bytes], (item) => readRlpBytes(item, "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(bytes, (item) => readRlpBytes(item, "x", 3)),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(bytes, (item) => readRlpBytes(item, "x", 2)),
    "ok",
  );
  assert.equal(
    read([], (item) => readRlpBytes((item as RlpItem[])[0], "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read([], (item) => readRlpList((item as RlpItem[])[0], "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(Uint8Array.of(0), (item) => readRlpUint(item, "x")),
    "rlp/non-canonical",
  );
  assert.equal(
    read(Uint8Array.of(0, 1), (item) => readRlpUint(item, "x")),
    "rlp/non-canonical",
  );
  assert.equal(
    read(new Uint8Array(33).fill(1), (item) => readRlpUint(item, "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(bytes, (item) => readRlpUint(item, "x", 1)),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(rlpUint(2n ** 53n), (item) => readRlpCount(item, "x")),
    "rlp/wrong-shape",
  );
  assert.equal(
    read(rlpUint(2n ** 64n), (item) => readRlpCount(item, "x")),
    "rlp/wrong-shape",
  );
});

test("the readers read integers up to their limits", () => {
  const uint = (value: bigint): bigint =>
    unwrap(decodeRlpWith(encodeRlp(rlpUint(value)), (item) => readRlpUint(item, "x")));
  for (const value of [0n, 1n, 127n, 128n, 255n, 256n, (1n << 256n) - 1n]) assert.equal(uint(value), value);
  const max = Number.MAX_SAFE_INTEGER;
  assert.equal(unwrap(decodeRlpWith(encodeRlp(rlpUint(max)), (item) => readRlpCount(item, "x"))), max);
  assert.throws(() => rlpUint(-1n), /negative/);
});

const item: fc.Arbitrary<RlpItem> = fc.letrec<{ item: RlpItem; bytes: Bytes; list: RlpItem[] }>((tie) => ({
  item: fc.oneof({ maxDepth: 5, depthSize: "small" }, tie("bytes"), tie("list")),
  bytes: fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 70 })),
  list: fc.array(tie("item"), { maxLength: 6 }),
})).item;

test("decoding what was encoded gives the same item", () => {
  fc.assert(
    fc.property(item, (value) => assert.deepEqual(plain(unwrap(decodeRlp(encodeRlp(value)))), plain(value))),
  );
});

test("whatever is decoded is encoded to the same bytes: each item has one encoding", () => {
  const mutated = fc.tuple(item, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([value, at, byte]) => {
    const bytes = encodeRlp(value);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      const decoded = decodeRlp(bytes);
      if (decoded.ok) assert.equal(toHex(encodeRlp(decoded.value)), toHex(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("no proper part of an encoding from its beginning decodes, nor one with more after it", () => {
  fc.assert(
    fc.property(item, fc.nat(), (value, at) => {
      const bytes = encodeRlp(value);
      assert.equal(code(decodeRlp(bytes.subarray(0, at % bytes.length))), "rlp/truncated");
      assert.equal(code(decodeRlp(concatBytes(bytes, Uint8Array.of(0)))), "rlp/trailing-bytes");
    }),
  );
});

test("a list of encoded items is the list of the items", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), (items) => {
      assert.equal(toHex(encodeRlpListOfEncoded(items.map(encodeRlp))), toHex(encodeRlp(items)));
    }),
  );
});

test("integers have no leading zeros", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (value) => {
      assert.equal(toHex(rlpUint(value)), toHex(bigintToMinimalBytes(value)));
      assert.notEqual(rlpUint(value)[0], 0);
    }),
  );
});

test("RLP refuses more items than the caller allows", () => {
  const list = encodeRlp([new Uint8Array(1), [new Uint8Array(0)], new Uint8Array(0)]);
  const read = (maxItems: number) => decodeRlpWith(list, (item) => item, maxItems);
  assert.equal(read(5).ok, true);
  const refused = read(4);
  assert.equal(refused.ok ? "accepted" : refused.error.code, "rlp/too-many-items");
});
