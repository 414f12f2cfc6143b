// Times a block's worth of updates on a trie of 100,000 accounts and prints one JSON line. Run: node core/state/trie.bench.ts
import { type Bytes, compareBytes, createRandom, type Hash, type Random, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, encodeAccount, updateTrie } from "./index.ts";

const ACCOUNTS = 100_000;
const UPDATES = 1_000;
const ROUNDS = 51;

installNativeCrypto();

function randomAccount(random: Random): Bytes {
  const nonce = BigInt(random.below(1_000));
  const balance = BigInt(random.nextUint32()) * 10n ** 12n;
  return encodeAccount({ nonce, balance, storageRoot: EMPTY_TRIE_ROOT, codeHash: EMPTY_CODE_HASH });
}

const random = createRandom(1);
const keys = Array.from({ length: ACCOUNTS }, (_, index) =>
  keccak256(Uint8Array.of(index, index >> 8, index >> 16)),
);
const nodes = new Map<string, Bytes>();
let nodesRead = 0;
const reader = {
  node: (path: Bytes): Bytes | undefined => {
    nodesRead++;
    return nodes.get(toHexDigits(path));
  },
};
let root: Hash = EMPTY_TRIE_ROOT;

/** @returns milliseconds that the update took, without storing. */
function update(chosen: readonly Hash[]): { readonly ms: number; readonly nodesChanged: number } {
  const updates = chosen.map((key) => ({ key, value: randomAccount(random) }));
  updates.sort((a, b) => compareBytes(a.key, b.key));
  const start = performance.now();
  const result = updateTrie(reader, root, updates);
  const ms = performance.now() - start;
  for (const { path, node } of result.nodeChanges) {
    if (node === undefined) nodes.delete(toHexDigits(path));
    else nodes.set(toHexDigits(path), node);
  }
  root = result.root;
  return { ms, nodesChanged: result.nodeChanges.length };
}

const build = update(keys);
const times: number[] = [];
let nodesChanged = 0;
for (let round = 0; round < ROUNDS; round++) {
  const chosen = new Set(Array.from({ length: UPDATES }, () => keys[random.below(ACCOUNTS)]!));
  nodesRead = 0;
  const result = update([...chosen]);
  times.push(result.ms);
  nodesChanged = result.nodesChanged;
}
times.sort((a, b) => a - b);
const round1 = (ms: number): number => Math.round(ms * 10) / 10;
console.log(
  JSON.stringify({
    bench: "trie-update",
    accounts: ACCOUNTS,
    updates: UPDATES,
    buildMs: round1(build.ms),
    medianMs: round1(times[ROUNDS >> 1]!),
    worstMs: round1(times[ROUNDS - 1]!),
    nodesRead,
    nodesChanged,
  }),
);
