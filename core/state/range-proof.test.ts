import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, compareBytes, concatBytes, createRandom, type Random, toHex } from "@ostrom/base";
import fc from "fast-check";
import {
  EMPTY_TRIE_ROOT,
  nextTrieKey,
  proveRange,
  type RangeAnswer,
  type RangeLimits,
  type TrieRange,
  trieEntries,
  verifyRange,
} from "./index.ts";
import { StoredTrie } from "./testing/stored-trie.ts";

const NO_LIMITS: RangeLimits = { maxEntries: 10_000, maxBytes: 10_000_000 };
const WHOLE: TrieRange = { start: new Uint8Array(32), end: new Uint8Array(32).fill(0xff) };

/** Few symbols at first, so that extensions and deep branches occur; now and then the very first and last keys. */
function randomKey(random: Random): Bytes {
  if (random.chance(1, 40)) return random.chance(1, 2) ? WHOLE.start : WHOLE.end;
  if (random.chance(1, 3)) return random.bytes(32);
  const key = new Uint8Array(32);
  for (let i = 0; i < 4; i++) key[i] = [0x00, 0x01, 0x10, 0x11, 0xff][random.below(5)]!;
  if (random.chance(1, 2)) key.set(random.bytes(4), 28);
  return key;
}

/** Short values under keys that differ late: leaves are inlined. */
function randomTrie(random: Random, count: number): StoredTrie {
  const trie = new StoredTrie();
  trie.update(
    Array.from({ length: count }, () => [randomKey(random), random.bytes(1 + random.below(40))] as const),
  );
  if (random.chance(1, 3))
    trie.update(
      Array.from({ length: 8 }, () => {
        const key = new Uint8Array(32).fill(7);
        key[31] = random.below(64);
        return [key, random.bytes(1)] as const;
      }),
    );
  return trie;
}

function randomRange(random: Random, keys: readonly Bytes[]): TrieRange {
  const one = (): Bytes => {
    const known = keys[random.below(Math.max(1, keys.length))];
    if (known === undefined || random.chance(1, 3)) return randomKey(random);
    return random.chance(1, 2) ? known : (nextTrieKey(known) ?? known);
  };
  const [a, b] = [one(), one()];
  if (random.chance(1, 8)) return WHOLE;
  return compareBytes(a, b) <= 0 ? { start: a, end: b } : { start: b, end: a };
}

function code(result: ReturnType<typeof verifyRange>): string {
  return result.ok ? "ok" : result.error.code;
}

test("a range has the entries that lie in it, and its proof verifies", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 80 }), (seed, count) => {
      const random = createRandom(seed);
      const trie = randomTrie(random, count);
      const all = [...trieEntries(trie, trie.root)];
      const range = randomRange(
        random,
        all.map(({ key }) => key),
      );
      const answer = proveRange(trie, trie.root, range, NO_LIMITS);
      const within = all.filter(
        ({ key }) => compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) <= 0,
      );
      assert.deepEqual(answer.entries, within);
      assert.equal(code(verifyRange(trie.root, range, answer)), "ok");
    }),
    { numRuns: 300 },
  );
});

test("parts that follow one another give exactly the nodes of the trie, by their paths", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 90 }), (seed, count) => {
      const random = createRandom(seed);
      const trie = randomTrie(random, count);
      const nodes = new Map<string, string>();
      let entries = 0;
      for (let start: Bytes | undefined = WHOLE.start; start !== undefined; ) {
        const range: TrieRange = { start, end: WHOLE.end };
        const limits = { maxEntries: 1 + random.below(20), maxBytes: 1 + random.below(2_000) };
        const answer = proveRange(trie, trie.root, range, limits);
        const verified = verifyRange(trie.root, range, answer);
        assert.ok(verified.ok, code(verified));
        for (const { path, node } of verified.value) nodes.set(toHex(path), toHex(node!));
        entries += answer.entries.length;
        start = answer.isComplete ? undefined : nextTrieKey(answer.entries.at(-1)!.key);
      }
      assert.equal(entries, [...trieEntries(trie, trie.root)].length);
      assert.deepEqual(
        new Map([...nodes].sort()),
        new Map([...trie.nodes].map(([path, node]) => [`0x${path}`, toHex(node)] as const).sort()),
      );
    }),
    { numRuns: 200 },
  );
});

/** What a server may try. Each changes the answer; undefined where it has nothing to change. */
const LIES: Readonly<Record<string, (answer: RangeAnswer, random: Random) => RangeAnswer | undefined>> = {
  "an entry left out": (answer, random) => {
    // A shorter answer that says that it is cut is no lie.
    const count = answer.entries.length - (answer.isComplete ? 0 : 1);
    if (count === 0) return undefined;
    const at = random.below(count);
    return { ...answer, entries: answer.entries.filter((_, index) => index !== at) };
  },
  "the last entries left out": (answer, random) =>
    answer.entries.length === 0
      ? undefined
      : {
          ...answer,
          entries: answer.entries.slice(0, random.below(answer.entries.length)),
          isComplete: true,
        },
  "an entry added": (answer, random) => {
    const key = random.bytes(32);
    if (random.chance(1, 2)) key.set((answer.entries[0]?.key ?? key).subarray(0, 31));
    if (answer.entries.some((entry) => compareBytes(entry.key, key) === 0)) return undefined;
    const entries = [...answer.entries, { key, value: random.bytes(3) }];
    return { ...answer, entries: entries.sort((a, b) => compareBytes(a.key, b.key)) };
  },
  "a value changed": (answer, random) => {
    if (answer.entries.length === 0) return undefined;
    const at = random.below(answer.entries.length);
    const entries = answer.entries.map((entry, index) =>
      index === at ? { ...entry, value: concatBytes(entry.value, Uint8Array.of(1)) } : entry,
    );
    return { ...answer, entries };
  },
  "a key changed": (answer, random) => {
    if (answer.entries.length === 0) return undefined;
    const at = random.below(answer.entries.length);
    const entries = answer.entries.map((entry, index) => {
      if (index !== at) return entry;
      const key = entry.key.slice();
      key[random.below(32)]! ^= 1 + random.below(255);
      return { ...entry, key };
    });
    return { ...answer, entries: entries.sort((a, b) => compareBytes(a.key, b.key)) };
  },
  "two entries in the wrong order": (answer) =>
    answer.entries.length < 2 ? undefined : { ...answer, entries: [...answer.entries].reverse() },
  "an entry twice": (answer) =>
    answer.entries.length === 0 ? undefined : { ...answer, entries: [answer.entries[0]!, ...answer.entries] },
  "a node of the proof left out": (answer, random) => {
    if (answer.proof.length === 0) return undefined;
    const at = random.below(answer.proof.length);
    return { ...answer, proof: answer.proof.filter((_, index) => index !== at) };
  },
  "a node of the proof changed": (answer, random) => {
    if (answer.proof.length === 0) return undefined;
    const at = random.below(answer.proof.length);
    const proof = answer.proof.map((node, index) => {
      if (index !== at) return node;
      const changed = node.slice();
      changed[random.below(changed.length)]! ^= 1 + random.below(255);
      return changed;
    });
    return { ...answer, proof };
  },
  "a node more than needed": (answer, random) => ({
    ...answer,
    proof: [...answer.proof, answer.proof[0] ?? random.bytes(40)],
  }),
  "a cut answer called complete": (answer) =>
    answer.isComplete ? undefined : { ...answer, isComplete: true },
};

for (const [lie, tell] of Object.entries(LIES)) {
  test(`a server is found out: ${lie}`, () => {
    let told = 0;
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, count) => {
        const random = createRandom(seed);
        const trie = randomTrie(random, count);
        const keys = [...trieEntries(trie, trie.root)].map(({ key }) => key);
        const range = randomRange(random, keys);
        const maxEntries = 1 + random.below(30);
        const answer = proveRange(trie, trie.root, range, { maxEntries, maxBytes: 10_000 });
        const lied = tell(answer, random);
        if (lied === undefined) return;
        told += 1;
        const verified = verifyRange(trie.root, range, lied);
        assert.notEqual(code(verified), "ok");
      }),
      { numRuns: 250 },
    );
    assert.ok(told > 20, `${told} lies were told`);
  });
}

test("the proof of one range proves no other, and that of one state no other state", () => {
  const random = createRandom(11);
  const trie = randomTrie(random, 60);
  const keys = [...trieEntries(trie, trie.root)].map(({ key }) => key);
  const range = { start: keys[10]!, end: keys[30]! };
  const answer = proveRange(trie, trie.root, range, NO_LIMITS);
  assert.notEqual(code(verifyRange(trie.root, { start: keys[9]!, end: keys[30]! }, answer)), "ok");
  assert.notEqual(code(verifyRange(trie.root, { start: keys[10]!, end: keys[31]! }, answer)), "ok");
  assert.notEqual(code(verifyRange(trie.root, WHOLE, answer)), "ok");
  const older = trie.root;
  trie.update([[keys[5]!, Uint8Array.of(9)]]);
  assert.equal(code(verifyRange(trie.root, range, answer)), "range/wrong-node");
  assert.equal(code(verifyRange(older, range, answer)), "ok");
});

test("an empty trie has an empty range, and nothing else", () => {
  const empty: RangeAnswer = { entries: [], proof: [], isComplete: true };
  assert.deepEqual(proveRange(new StoredTrie(), EMPTY_TRIE_ROOT, WHOLE, NO_LIMITS), empty);
  assert.equal(code(verifyRange(EMPTY_TRIE_ROOT, WHOLE, empty)), "ok");
  const entries = [{ key: WHOLE.start, value: Uint8Array.of(1) }];
  assert.equal(code(verifyRange(EMPTY_TRIE_ROOT, WHOLE, { ...empty, entries })), "range/wrong-entries");
  const other = randomTrie(createRandom(1), 5);
  assert.equal(code(verifyRange(other.root, WHOLE, empty)), "range/wrong-entries");
});

test("what is no range is refused: backwards, short keys, incomplete without entries", () => {
  const trie = randomTrie(createRandom(2), 20);
  const answer = proveRange(trie, trie.root, WHOLE, NO_LIMITS);
  const short = new Uint8Array(31);
  assert.equal(
    code(verifyRange(trie.root, { start: WHOLE.end, end: WHOLE.start }, answer)),
    "range/malformed",
  );
  assert.equal(code(verifyRange(trie.root, { start: short, end: WHOLE.end }, answer)), "range/malformed");
  const none = { entries: [], proof: answer.proof, isComplete: false };
  assert.equal(code(verifyRange(trie.root, WHOLE, none)), "range/malformed");
  const bare = { ...answer, entries: answer.entries.map(({ key }) => ({ key, value: new Uint8Array(0) })) };
  assert.equal(code(verifyRange(trie.root, WHOLE, bare)), "range/malformed");
  const shortKeys = { ...answer, entries: [{ key: short, value: Uint8Array.of(1) }] };
  assert.equal(code(verifyRange(trie.root, WHOLE, shortKeys)), "range/malformed");
});

/** A trie in which an extension leads to two leaves whose keys differ in the last byte alone. */
function deepTrie(): { readonly trie: StoredTrie; readonly keys: readonly Bytes[] } {
  const trie = new StoredTrie();
  const shared = new Uint8Array(32).fill(0x11);
  shared[3] = 0xff;
  const keys = [0x01, 0x20].map((last) => {
    const key = shared.slice();
    key[31] = last;
    return key;
  });
  trie.update([...keys, WHOLE.end].map((key, index) => [key, new Uint8Array(40).fill(index + 1)] as const));
  return { trie, keys };
}

function withKey(answer: RangeAnswer, at: number, change: (key: Bytes) => void): RangeAnswer {
  const entries = answer.entries.map((entry, index) => {
    if (index !== at) return entry;
    const key = entry.key.slice();
    change(key);
    return { ...entry, key };
  });
  return { ...answer, entries };
}

test("a key that differs only in what an extension across the border stands for is found out", () => {
  const { trie, keys } = deepTrie();
  // The range ends below the extension, so that its first leaf is built from an entry, the extension comes with the proof.
  const range = { start: WHOLE.start, end: keys[1]! };
  const answer = proveRange(trie, trie.root, range, NO_LIMITS);
  assert.equal(code(verifyRange(trie.root, range, answer)), "ok");
  for (const byte of [3, 10, 30]) {
    const lied = withKey(answer, 0, (key) => {
      key[byte] = key[byte]! - 1;
    });
    assert.equal(code(verifyRange(trie.root, range, lied)), "range/wrong-entries", `byte ${byte}`);
  }
  // The same from the other side: the range begins at the first leaf.
  const after = { start: keys[0]!, end: WHOLE.end };
  const rest = proveRange(trie, trie.root, after, NO_LIMITS);
  const lied = withKey(rest, 1, (key) => {
    key[20] = 0x12;
  });
  assert.equal(code(verifyRange(trie.root, after, lied)), "range/wrong-entries");
});

test("fast-check's counterexample: a key changed above an extension", () => {
  const random = createRandom(208_289_248);
  const trie = randomTrie(random, 36);
  const keys = [...trieEntries(trie, trie.root)].map(({ key }) => key);
  const range = randomRange(random, keys);
  const answer = proveRange(trie, trie.root, range, {
    maxEntries: 1 + random.below(30),
    maxBytes: 10_000,
  });
  const lied = LIES["a key changed"]!(answer, random);
  assert.ok(lied !== undefined);
  assert.equal(code(verifyRange(trie.root, range, lied)), "range/wrong-entries");
});

/** Whatever a server makes of an answer, it is refused or proves what is there. */
test("no answer is taken that names other entries than the range has", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 0, max: 40 }), (seed, count) => {
      const random = createRandom(seed);
      const trie = randomTrie(random, count);
      const all = [...trieEntries(trie, trie.root)];
      const keys = all.map(({ key }) => key);
      const range = randomRange(random, keys);
      // The proof of another range, or of this one; entries of the range, of its neighbourhood, or invented.
      const other = random.chance(1, 3) ? randomRange(random, keys) : range;
      const maxEntries = 1 + random.below(30);
      const { proof } = proveRange(trie, trie.root, other, { maxEntries, maxBytes: 10_000 });
      const honest = proveRange(trie, trie.root, range, { maxEntries, maxBytes: 10_000 });
      let forged: RangeAnswer = random.chance(1, 2) ? honest : { ...honest, proof };
      for (let lies = random.below(3); lies >= 0; lies--) {
        const named = Object.values(LIES);
        forged = named[random.below(named.length)]!(forged, random) ?? forged;
      }
      if (random.chance(1, 4)) forged = { ...forged, isComplete: !forged.isComplete };
      if (random.chance(1, 3)) {
        const nodes = [...trie.nodes.values()];
        forged = { ...forged, proof: [...forged.proof, ...nodes.slice(0, random.below(3))] };
      }
      const verified = verifyRange(trie.root, range, forged);
      if (!verified.ok) return;
      taken += 1;
      const end = forged.isComplete ? range.end : forged.entries.at(-1)!.key;
      const within = all.filter(
        ({ key }) => compareBytes(key, range.start) >= 0 && compareBytes(key, end) <= 0,
      );
      assert.deepEqual(forged.entries, within);
      for (const { path, node } of verified.value)
        assert.equal(toHex(node!), toHex(trie.nodes.get(toHex(path).slice(2))!));
    }),
    { numRuns: 1_500 },
  );
  assert.ok(taken > 20, `${taken} answers were right in the end`);
});

test("ranges at the ends: below the first key, above the last, of one key, and between two neighbours", () => {
  const { trie, keys } = deepTrie();
  const [first, second] = [keys[0]!, keys[1]!];
  const between = { start: nextTrieKey(first)!, end: first.slice() };
  between.end[31] = 0x1f;
  const below = { start: WHOLE.start, end: new Uint8Array(32).fill(0x10) };
  for (const range of [below, between]) {
    const answer = proveRange(trie, trie.root, range, NO_LIMITS);
    assert.deepEqual(answer.entries, []);
    assert.equal(code(verifyRange(trie.root, range, answer)), "ok");
    // It is not empty because somebody says so: without the proof, or with an entry, it is refused.
    assert.equal(code(verifyRange(trie.root, range, { ...answer, proof: [] })), "range/truncated");
    const added = { ...answer, entries: [{ key: range.end, value: Uint8Array.of(1) }] };
    assert.notEqual(code(verifyRange(trie.root, range, added)), "ok");
  }
  for (const key of [first, second, WHOLE.end]) {
    const range = { start: key, end: key };
    const answer = proveRange(trie, trie.root, range, NO_LIMITS);
    assert.equal(answer.entries.length, 1);
    assert.equal(code(verifyRange(trie.root, range, answer)), "ok");
    assert.notEqual(code(verifyRange(trie.root, range, { ...answer, entries: [] })), "ok");
  }
});

test("tries of one entry, and of few whose leaves are inlined, as storage has them", () => {
  for (const count of [1, 2, 3]) {
    const trie = new StoredTrie();
    const keys = Array.from({ length: count }, (_, index) => {
      const key = new Uint8Array(32).fill(0x44);
      key[31] = index;
      return key;
    });
    trie.update(keys.map((key) => [key, Uint8Array.of(7)] as const));
    const whole = proveRange(trie, trie.root, WHOLE, NO_LIMITS);
    assert.deepEqual(whole.proof, []);
    assert.equal(code(verifyRange(trie.root, WHOLE, whole)), "ok");
    for (const [at, key] of keys.entries()) {
      const range = { start: key, end: WHOLE.end };
      const answer = proveRange(trie, trie.root, range, NO_LIMITS);
      assert.equal(answer.entries.length, count - at);
      assert.equal(code(verifyRange(trie.root, range, answer)), "ok");
      for (let byte = 0; byte < 31; byte++) {
        const lied = withKey(answer, answer.entries.length - 1, (changed) => {
          changed[byte] = 0x45;
        });
        assert.notEqual(code(verifyRange(trie.root, range, lied)), "ok", `${count}, ${at}, byte ${byte}`);
      }
    }
  }
});
