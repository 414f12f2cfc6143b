import assert from "node:assert/strict";
import { test } from "node:test";
import { createMerkleProof, MerklePatriciaTrie, verifyMerkleProof } from "@ethereumjs/mpt";
import { type Bytes, createRandom, Hash, hashFromHex, type Random, toHex, utf8 } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import fc from "fast-check";
import { EMPTY_TRIE_ROOT, proveTrie, verifyTrieProof } from "./index.ts";
import { StoredTrie } from "./testing/stored-trie.ts";

/** Few symbols at first, so that extensions and deep branches occur. */
function randomKey(random: Random): Bytes {
  const key = new Uint8Array(32);
  for (let i = 0; i < 4; i++) key[i] = [0x00, 0x01, 0x10, 0x11][random.below(4)]!;
  if (random.chance(1, 2)) key.set(random.bytes(4), 28);
  return key;
}

/** 2-byte keys and short values: most nodes are inlined. */
function shortKey(random: Random): Bytes {
  return Uint8Array.of(random.below(3), random.below(256));
}

function randomTrie(
  seed: number,
  count: number,
  makeKey: (random: Random) => Bytes,
): [StoredTrie, Bytes[], Random] {
  const random = createRandom(seed);
  const keys = Array.from({ length: count }, () => makeKey(random));
  const trie = new StoredTrie();
  trie.update(keys.map((key) => [key, random.bytes(1 + random.below(50))]));
  return [trie, keys, random];
}

function code(result: ReturnType<typeof verifyTrieProof>): string {
  return result.ok ? "ok" : result.error.code;
}

function asHex(value: Bytes | null | undefined): string | undefined {
  return value === null || value === undefined ? undefined : toHex(value);
}

for (const [name, makeKey] of [
  ["long keys", randomKey],
  ["short keys with inlined nodes", shortKey],
] as const) {
  test(`proofs of values and of absence verify here and with @ethereumjs/mpt: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 60 }), async (seed, count) => {
        const [trie, keys, random] = randomTrie(seed, count, makeKey);
        const values = new Map<string, Bytes>();
        for (const key of [...keys.slice(0, 5), ...Array.from({ length: 5 }, () => makeKey(random))]) {
          const proof = proveTrie(trie, trie.root, key);
          const verified = verifyTrieProof(trie.root, key, proof);
          assert.ok(verified.ok);
          if (verified.value !== undefined) values.set(toHex(key), verified.value);
          assert.equal(
            asHex(await verifyMerkleProof(key, proof, { root: trie.root })),
            asHex(verified.value),
          );
        }
        for (const key of keys.slice(0, 5)) assert.ok(values.has(toHex(key)));
      }),
      { numRuns: 60 },
    );
  });

  test(`proofs made by @ethereumjs/mpt verify here: ${name}`, async () => {
    for (let seed = 0; seed < 20; seed++) {
      const [trie, keys, random] = randomTrie(seed, 1 + seed * 3, makeKey);
      const reference = new MerklePatriciaTrie();
      for (const key of keys) {
        const verified = verifyTrieProof(trie.root, key, proveTrie(trie, trie.root, key));
        assert.ok(verified.ok && verified.value !== undefined);
        await reference.put(key, verified.value);
      }
      for (const key of [...keys, ...Array.from({ length: 10 }, () => makeKey(random))]) {
        // It lists inlined nodes a second time, besides their parents; geth does not, and neither do we.
        const listed = await createMerkleProof(reference, key);
        const proof = listed.filter((node, index) => index === 0 || node.length >= 32);
        assert.deepEqual(proof.map(toHex), proveTrie(trie, trie.root, key).map(toHex));
        assert.ok(verifyTrieProof(Hash(reference.root()), key, proof).ok);
      }
    }
  });
}

test("an empty trie proves the absence of every key without nodes", () => {
  const trie = new StoredTrie();
  assert.deepEqual(proveTrie(trie, trie.root, utf8("key")), []);
  assert.deepEqual(verifyTrieProof(EMPTY_TRIE_ROOT, utf8("key"), []), { ok: true, value: undefined });
  assert.equal(
    code(verifyTrieProof(EMPTY_TRIE_ROOT, utf8("key"), [Uint8Array.of(0x80)])),
    "proof/surplus-nodes",
  );
});

test("a proof that lacks its end, or any node, is refused", () => {
  const [trie, keys] = randomTrie(1, 100, randomKey);
  for (const key of keys) {
    const proof = proveTrie(trie, trie.root, key);
    for (let length = 0; length < proof.length; length++) {
      assert.equal(code(verifyTrieProof(trie.root, key, proof.slice(0, length))), "proof/truncated");
      const without = proof.filter((_, index) => index !== length);
      assert.notEqual(code(verifyTrieProof(trie.root, key, without)), "ok");
    }
  }
});

test("a proof with nodes beyond the end is refused", () => {
  const [trie, keys] = randomTrie(2, 100, randomKey);
  const proof = proveTrie(trie, trie.root, keys[0]!);
  for (const surplus of [proof[0]!, proof.at(-1)!, new Uint8Array(0), Uint8Array.of(0x80)]) {
    assert.equal(code(verifyTrieProof(trie.root, keys[0]!, [...proof, surplus])), "proof/surplus-nodes");
  }
});

test("a proof with any byte changed is refused", () => {
  const [trie, keys, random] = randomTrie(3, 100, randomKey);
  for (const key of keys) {
    const proof = proveTrie(trie, trie.root, key);
    const index = random.below(proof.length);
    const changed = proof.map((node) => node.slice());
    changed[index]![random.below(changed[index]!.length)]! ^= 1 + random.below(255);
    assert.equal(code(verifyTrieProof(trie.root, key, changed)), "proof/wrong-hash");
  }
});

test("a proof does not hold for another root", () => {
  const [trie, keys] = randomTrie(4, 20, randomKey);
  const proof = proveTrie(trie, trie.root, keys[0]!);
  assert.equal(code(verifyTrieProof(keccak256(trie.root), keys[0]!, proof)), "proof/wrong-hash");
});

test("nodes that hash as they should but are not well formed are refused", () => {
  const key = new Uint8Array(32);
  const value = new Uint8Array(40).fill(1);
  const list = new Array<Uint8Array>(17).fill(new Uint8Array(0));
  const with32 = (index: number): Uint8Array[] =>
    list.map((item, at) => (at <= index ? new Uint8Array(32) : item));
  const cases: readonly [string, Bytes][] = [
    ["no list", encodeRlp(value)],
    ["no bytes", new Uint8Array(0)],
    ["an empty list", encodeRlp([])],
    ["three entries", encodeRlp([value, value, value])],
    ["trailing bytes", Uint8Array.from([...encodeRlp([Uint8Array.of(0x20), value]), 0])],
    ["a path that is a list", encodeRlp([[], value])],
    ["an empty path", encodeRlp([new Uint8Array(0), value])],
    ["unknown flags", encodeRlp([Uint8Array.of(0x40), value])],
    ["padding that is not zero", encodeRlp([Uint8Array.of(0x21, 0x00), value])],
    ["a leaf without value", encodeRlp([Uint8Array.of(0x20), new Uint8Array(0)])],
    ["a leaf whose value is a list", encodeRlp([Uint8Array.of(0x20), [value]])],
    ["an extension without path", encodeRlp([Uint8Array.of(0x00), new Uint8Array(32)])],
    ["an extension to 31 bytes", encodeRlp([Uint8Array.of(0x10), new Uint8Array(31)])],
    ["an extension to a long inlined node", encodeRlp([Uint8Array.of(0x10), [Uint8Array.of(0x20), value]])],
    ["a branch without entries", encodeRlp(list)],
    ["a branch with one entry", encodeRlp(with32(0))],
    ["a branch with a child of 31 bytes", encodeRlp([new Uint8Array(31), ...with32(1).slice(1)])],
    ["a branch whose value is a list", encodeRlp([...with32(1).slice(0, 16), [value]])],
  ];
  for (const [name, node] of cases) {
    assert.equal(code(verifyTrieProof(keccak256(node), key, [node])), "proof/malformed-node", name);
  }
});

test("a short node that its parent names by hash instead of inlining it is refused", () => {
  const leaf = encodeRlp([Uint8Array.of(0x30), Uint8Array.of(1)]);
  const branch = encodeRlp([
    keccak256(leaf),
    keccak256(leaf),
    ...new Array<Uint8Array>(15).fill(new Uint8Array(0)),
  ]);
  const result = verifyTrieProof(keccak256(branch), Uint8Array.of(0x00), [branch, leaf]);
  assert.equal(code(result), "proof/malformed-node");
});

test("random bytes as a proof never throw and never verify", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 4 }),
      fc.uint8Array({ maxLength: 8 }),
      (proof, key) => {
        const root = proof.length === 0 ? hashFromHex("11".repeat(32)) : keccak256(proof[0]!);
        const result = verifyTrieProof(root, key, proof);
        assert.ok(!result.ok || proof.length === 1);
      },
    ),
  );
});
