import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MerklePatriciaTrie } from "@ethereumjs/mpt";
import {
  type Bytes,
  bytesToBigint,
  compareBytes,
  createRandom,
  Hash,
  hex,
  toHex,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import fc from "fast-check";
import {
  EMPTY_TRIE_ROOT,
  emptyTrieRoot,
  MAX_TRIE_KEY_BYTES,
  orderedTrieRoot,
  readTrie,
  trieEntries,
  updateTrie,
} from "./index.ts";
import { StoredTrie } from "./testing/stored-trie.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/ethereum/TrieTests");
const withVectors = existsSync(VECTORS) ? {} : { skip: "../shared/vectors is not there" };

type Update = readonly [string, string | null];
type Case = {
  readonly in: readonly Update[] | Readonly<Record<string, string | null>>;
  readonly root: string;
};

function readCases(file: string): [string, Case][] {
  return Object.entries(JSON.parse(readFileSync(join(VECTORS, file), "utf8")) as Record<string, Case>);
}

function bytesOf(text: string): Bytes {
  return text.startsWith("0x") ? hex(text) : utf8(text);
}

function toUpdate([key, value]: Update, secure: boolean): readonly [Bytes, Bytes | undefined] {
  const bytes = bytesOf(key);
  return [secure ? keccak256(bytes) : bytes, value === null || value === "" ? undefined : bytesOf(value)];
}

function rootOf(batches: Iterable<Iterable<readonly [Bytes, Bytes | undefined]>>): string {
  const trie = new StoredTrie();
  for (const batch of batches) trie.update(batch);
  assert.deepEqual(
    trie.reachablePaths(),
    new Set(trie.nodes.keys()),
    "exactly the reachable nodes are stored",
  );
  return toHex(trie.root);
}

const FILES: readonly { readonly file: string; readonly secure: boolean; readonly anyOrder: boolean }[] = [
  { file: "trietest.json", secure: false, anyOrder: false },
  { file: "trietest_secureTrie.json", secure: true, anyOrder: false },
  { file: "trieanyorder.json", secure: false, anyOrder: true },
  { file: "trieanyorder_secureTrie.json", secure: true, anyOrder: true },
  { file: "hex_encoded_securetrie_test.json", secure: true, anyOrder: true },
];

for (const { file, secure, anyOrder } of FILES) {
  test(`TrieTests/${file}: the roots are as given, one by one and in one batch`, withVectors, (context) => {
    const cases = readCases(file);
    for (const [name, { in: input, root }] of cases) {
      const updates = (Array.isArray(input) ? (input as Update[]) : Object.entries(input)).map((entry) =>
        toUpdate(entry, secure),
      );
      assert.equal(rootOf(updates.map((update) => [update])), root, `${name}, one by one`);
      assert.equal(rootOf([updates]), root, `${name}, in one batch`);
      if (anyOrder) {
        for (const permutation of permutations(updates)) {
          assert.equal(rootOf(permutation.map((update) => [update])), root, `${name}, in another order`);
        }
      }
    }
    context.diagnostic(`${cases.length} cases`);
  });
}

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  yield [...items].reverse();
  const random = createRandom(1);
  for (let round = 0; round < 20; round++) {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    yield order;
  }
}

test(
  "TrieTests/trietestnextprev.json: the walk over a trie gives each key its neighbours",
  withVectors,
  () => {
    const cases = JSON.parse(readFileSync(join(VECTORS, "trietestnextprev.json"), "utf8")) as Record<
      string,
      { in: string[]; tests: [string, string, string][] }
    >;
    for (const { in: keys, tests } of Object.values(cases)) {
      const trie = new StoredTrie();
      trie.update(keys.map((key) => [bytesOf(key), utf8("value")]));
      const walked = [...trieEntries(trie, trie.root)].map(({ key }) => key);
      for (const [at, previous, next] of tests) {
        const position = bytesOf(at);
        const before = walked.filter((key) => compareBytes(key, position) < 0).at(-1);
        const after = walked.find((key) => compareBytes(key, position) > 0);
        assert.equal(toHexDigits(before ?? new Uint8Array(0)), toHexDigits(bytesOf(previous)));
        assert.equal(toHexDigits(after ?? new Uint8Array(0)), toHexDigits(bytesOf(next)));
      }
    }
  },
);

test("the empty trie has the root keccak256(0x80), and leaves nothing stored", () => {
  assert.equal(toHex(EMPTY_TRIE_ROOT), toHex(keccak256(Uint8Array.of(0x80))));
  const trie = new StoredTrie();
  trie.update([[utf8("key"), utf8("value")]]);
  trie.update([[utf8("key"), undefined]]);
  assert.equal(toHex(trie.root), toHex(EMPTY_TRIE_ROOT));
  assert.equal(trie.nodes.size, 0);
});

test("another hash function gives another trie, with its own empty root", () => {
  const sha3 = (data: Bytes): Hash => Hash(createHash("sha3-256").update(data).digest());
  assert.deepEqual(emptyTrieRoot(sha3), sha3(Uint8Array.of(0x80)));
  const nodes = { node: () => undefined };
  const value = new Uint8Array(40).fill(1);
  const { root, nodeChanges } = updateTrie(nodes, emptyTrieRoot(sha3), [{ key: utf8("key"), value }], sha3);
  assert.deepEqual(root, sha3(nodeChanges[0]!.node!));
  assert.throws(() => updateTrie(nodes, EMPTY_TRIE_ROOT, [], sha3), /root node/);
});

test("updates must be sorted and without duplicates, values not empty, keys not too long", () => {
  const nodes = { node: () => undefined };
  const value = utf8("value");
  const refuse = (updates: { key: Bytes; value: Bytes | undefined }[], why: RegExp): void => {
    assert.throws(() => updateTrie(nodes, EMPTY_TRIE_ROOT, updates), why);
  };
  refuse(
    [
      { key: utf8("b"), value },
      { key: utf8("a"), value },
    ],
    /sorted/,
  );
  refuse(
    [
      { key: utf8("a"), value },
      { key: utf8("a"), value },
    ],
    /sorted/,
  );
  refuse([{ key: utf8("a"), value: new Uint8Array(0) }], /empty/);
  refuse([{ key: new Uint8Array(MAX_TRIE_KEY_BYTES + 1), value }], /too long/);
});

test("a stored root node that is not the root's is a broken invariant", () => {
  const trie = new StoredTrie();
  trie.update([[utf8("key"), utf8("value")]]);
  trie.nodes.set("", Uint8Array.of(0xc2, 0x20, 0x01));
  assert.throws(() => trie.update([[utf8("other"), utf8("value")]]), /root node/);
  assert.throws(() => readTrie(trie, trie.root, utf8("key")), /root node/);
});

test("the longest keys that are allowed can be nested in one another", () => {
  const trie = new StoredTrie();
  const keys = Array.from({ length: MAX_TRIE_KEY_BYTES + 1 }, (_, length) => new Uint8Array(length));
  trie.update(keys.map((key) => [key, utf8("value")]));
  assert.equal([...trieEntries(trie, trie.root)].length, keys.length);
  trie.update(keys.map((key) => [key, undefined]));
  assert.equal(trie.nodes.size, 0);
});

/** Keys over few symbols, so that they share prefixes and inline nodes abound. */
const symbol: fc.Arbitrary<number> = fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0xff);
const shortKey: fc.Arbitrary<Bytes> = fc
  .array(symbol, { minLength: 3, maxLength: 3 })
  .map((bytes) => Uint8Array.from(bytes));
/** These end inside one another. */
const nestedKey: fc.Arbitrary<Bytes> = fc
  .array(symbol, { maxLength: 4 })
  .map((bytes) => Uint8Array.from(bytes));
const longKey: fc.Arbitrary<Bytes> = fc
  .array(fc.constantFrom(0x00, 0x01, 0x10), { minLength: 3, maxLength: 3 })
  .map((head) => Uint8Array.from({ length: 32 }, (_, index) => head[index] ?? 7));
const anyValue: fc.Arbitrary<Bytes> = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.uint8Array({ minLength: 25, maxLength: 60 }),
);
const batchesOf = (key: fc.Arbitrary<Bytes>): fc.Arbitrary<[Bytes, Bytes | undefined][][]> =>
  fc.array(fc.array(fc.tuple(key, fc.option(anyValue, { nil: undefined, freq: 2 })), { maxLength: 12 }), {
    minLength: 1,
    maxLength: 5,
  });

type Model = Map<string, Bytes>;

/** What @ethereumjs/mpt makes of the entries. It loses entries when a key that ends inside another is deleted (version
 * 10.1.3), so where keys are nested it is built anew, without deletions. */
async function rootByReference(model: Model): Promise<string> {
  const reference = new MerklePatriciaTrie();
  for (const [key, value] of model) await reference.put(hex(key), value);
  return toHex(reference.root());
}

async function compareWithReference(
  batches: [Bytes, Bytes | undefined][][],
  isNested: boolean,
): Promise<void> {
  const trie = new StoredTrie();
  const reference = new MerklePatriciaTrie();
  const model: Model = new Map();
  for (const batch of batches) {
    trie.update(batch);
    for (const [key, value] of batch) {
      if (value === undefined) model.delete(toHexDigits(key));
      else model.set(toHexDigits(key), value);
      if (!isNested) await (value === undefined ? reference.del(key) : reference.put(key, value));
    }
    assert.equal(toHex(trie.root), isNested ? await rootByReference(model) : toHex(reference.root()));
    assert.deepEqual(trie.reachablePaths(), new Set(trie.nodes.keys()));
  }
  const walked = [...trieEntries(trie, trie.root)];
  assert.deepEqual(
    walked.map(({ key, value }) => [toHexDigits(key), toHex(value)]),
    [...model].map(([key, value]) => [key, toHex(value)]).sort(),
  );
  for (const { key, value } of walked) assert.equal(toHex(readTrie(trie, trie.root, key)!), toHex(value));
}

for (const [name, key] of [
  ["short keys", shortKey],
  ["long keys", longKey],
  ["keys that end inside one another", nestedKey],
] as const) {
  test(`random batches agree with @ethereumjs/mpt: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(batchesOf(key), (batches) => compareWithReference(batches, key === nestedKey)),
      { numRuns: 300 },
    );
  });
}

test("the same entries give the same root and nodes, however they came to be", () => {
  fc.assert(
    fc.property(batchesOf(fc.oneof(nestedKey, longKey)), (batches) => {
      const grown = new StoredTrie();
      const model = new Map<string, Bytes | undefined>();
      for (const batch of batches) {
        grown.update(batch);
        for (const [key, value] of batch) model.set(toHexDigits(key), value);
      }
      const fresh = new StoredTrie();
      fresh.update(
        [...model].filter(([, value]) => value !== undefined).map(([key, value]) => [hex(key), value]),
      );
      assert.deepEqual(grown.root, fresh.root);
      assert.deepEqual(new Map([...grown.nodes].sort()), new Map([...fresh.nodes].sort()));
    }),
    { numRuns: 500 },
  );
});

test("an update that changes nothing writes nothing", () => {
  const trie = new StoredTrie();
  const random = createRandom(7);
  const entries = Array.from({ length: 200 }, () => [random.bytes(32), random.bytes(40)] as const);
  trie.update(entries);
  const sorted = [...entries].sort((a, b) => compareBytes(a[0], b[0]));
  const absent = entries.map(([key]) => key.map((byte, index) => (index === 31 ? byte ^ 1 : byte)));
  const same = sorted.map(([key, value]) => ({ key, value }));
  const missing = absent.sort(compareBytes).map((key) => ({ key, value: undefined }));
  assert.deepEqual(updateTrie(trie, trie.root, same), { root: trie.root, nodeChanges: [] });
  assert.deepEqual(updateTrie(trie, trie.root, missing), { root: trie.root, nodeChanges: [] });
});

test("a batch reads each node on its way once", () => {
  const trie = new StoredTrie();
  const random = createRandom(3);
  const keys = Array.from({ length: 500 }, () => random.bytes(32));
  trie.update(keys.map((key) => [key, random.bytes(40)]));
  trie.update(keys.map((key) => [key, random.chance(1, 2) ? random.bytes(40) : undefined]));
  // The root is read once more: its hash is checked first.
  const reads = trie.readsInLastUpdate.filter((path) => path !== "");
  assert.equal(new Set(reads).size, reads.length);
});

test("an ordered trie has its values under RLP of their indices", async () => {
  for (const count of [0, 1, 2, 127, 128, 129, 300]) {
    const random = createRandom(count);
    const values = Array.from({ length: count }, () => random.bytes(1 + random.below(100)));
    const reference = new MerklePatriciaTrie();
    for (const [index, value] of values.entries()) {
      const key = index === 0 ? "80" : index.toString(16).padStart(index > 255 ? 4 : 2, "0");
      const prefix = index < 128 ? "" : index < 256 ? "81" : "82";
      await reference.put(hex(prefix + key), value);
    }
    assert.equal(bytesToBigint(orderedTrieRoot(values)), bytesToBigint(reference.root()), `${count} values`);
  }
});
