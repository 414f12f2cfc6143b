import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, bytesToBigint, Hash, Height, toHexDigits, utf8 } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256, workHash } from "@ostrom/crypto";
import { earliestTimestampMs, genesisPoint, nextTarget, pointAfter } from "./chain-point.ts";
import {
  decodePowHeader,
  encodePowHeader,
  hasWork,
  headerBytes,
  headerId,
  NONCE_BYTES,
  workOfTarget,
} from "./header.ts";
import {
  decodePowBlock,
  decodePowMessage,
  encodePowBlock,
  encodePowMessage,
  POW_MESSAGE_VERSION,
} from "./message-codec.ts";
import { entryOf, shardedMap, valuesOf, withEntry, withoutEntry } from "./sharded-map.ts";
import { simulatedConfig } from "./testing/world.ts";
import {
  MAX_HEADERS_PER_MESSAGE,
  MAX_LOCATOR_ENTRIES,
  type PowDomain,
  type PowHeader,
  type PowMessage,
} from "./types.ts";

const DOMAIN: PowDomain = {
  genesisHash: keccak256(utf8("genesis")),
  hashId: 1,
  hash: keccak256,
  workHash: { name: "sha256", hash: workHash("sha256") },
};

const HEADER: PowHeader = {
  parent: keccak256(utf8("parent")),
  height: Height(77),
  timestampMs: 1_700_000_000_123,
  target: 2n ** 252n - 1n,
  payloadHash: keccak256(utf8("payload")),
  parentExecutedHash: keccak256(utf8("executed")),
  miner: Address(new Uint8Array(20).fill(7)),
  nonce: 0x0102030405060708n,
};

const REF = { height: Height(3), id: Hash(new Uint8Array(32).fill(3)) };
const BLOCK = { header: HEADER, payload: utf8("payload") };

test("the nonce is the last eight bytes of what is hashed, whatever it is (W1)", () => {
  const zero = headerBytes(DOMAIN, { ...HEADER, nonce: 0n });
  const greatest = headerBytes(DOMAIN, { ...HEADER, nonce: 2n ** 64n - 1n });
  assert.deepEqual(zero.slice(0, -NONCE_BYTES), greatest.slice(0, -NONCE_BYTES));
  assert.equal(toHexDigits(headerBytes(DOMAIN, HEADER).slice(-NONCE_BYTES)), "0102030405060708");
});

test("an id binds the chain, both functions and every field (W1)", () => {
  const other = keccak256(utf8("other"));
  const ids = [
    headerId(DOMAIN, HEADER),
    headerId({ ...DOMAIN, genesisHash: other }, HEADER),
    headerId({ ...DOMAIN, hashId: 2 }, HEADER),
    headerId({ ...DOMAIN, workHash: { name: "sm3", hash: workHash("sm3") } }, HEADER),
    headerId(DOMAIN, { ...HEADER, parent: other }),
    headerId(DOMAIN, { ...HEADER, height: Height(78) }),
    headerId(DOMAIN, { ...HEADER, timestampMs: 1 }),
    headerId(DOMAIN, { ...HEADER, target: 5n }),
    headerId(DOMAIN, { ...HEADER, payloadHash: other }),
    headerId(DOMAIN, { ...HEADER, parentExecutedHash: other }),
    headerId(DOMAIN, { ...HEADER, miner: Address(new Uint8Array(20)) }),
    headerId(DOMAIN, { ...HEADER, nonce: 1n }),
  ];
  assert.equal(new Set(ids.map((id) => toHexDigits(id))).size, ids.length);
});

test("a header has work if its work hash is at most its target, with each function (W2)", () => {
  for (const name of ["sha256", "sm3", "scrypt"] as const) {
    const domain = { ...DOMAIN, workHash: { name, hash: workHash(name) } };
    const bytes = headerBytes(domain, HEADER);
    const value = bytesToBigint(domain.workHash.hash(bytes));
    assert.ok(hasWork(domain, bytes, value));
    assert.ok(!hasWork(domain, bytes, value - 1n));
  }
});

test("work is the number of hashes that a block takes on average (W2)", () => {
  assert.equal(workOfTarget(2n ** 256n - 1n), 1n);
  assert.equal(workOfTarget(2n ** 255n - 1n), 2n);
  assert.equal(workOfTarget(1n), 2n ** 255n);
  assert.throws(() => workOfTarget(0n));
});

test("headers, blocks and every message are read as they were written", () => {
  const read = decodePowHeader(encodePowHeader(HEADER));
  assert.deepEqual(read, { ok: true, value: HEADER });
  assert.deepEqual(decodePowBlock(encodePowBlock(BLOCK)), { ok: true, value: BLOCK });
  const messages: readonly PowMessage[] = [
    { kind: "inventory", tip: REF, totalWork: 2n ** 90n },
    { kind: "announce", headers: [HEADER] },
    { kind: "get-headers", locator: [REF, { ...REF, height: Height(0) }] },
    { kind: "headers", headers: [] },
    { kind: "headers", headers: [HEADER, { ...HEADER, nonce: 0n }] },
    { kind: "get-block", block: REF },
    { kind: "block", block: BLOCK },
  ];
  for (const message of messages) {
    assert.deepEqual(decodePowMessage(encodePowMessage(message)), { ok: true, value: message });
  }
});

test("messages beyond their limits, of other versions or kinds, or with more than their fields are refused", () => {
  const codeOf = (bytes: Uint8Array): string => {
    const read = decodePowMessage(bytes);
    return read.ok ? "ok" : read.error.code;
  };
  const tooManyHeaders = Array.from({ length: MAX_HEADERS_PER_MESSAGE + 1 }, () => HEADER);
  const tooLongLocator = Array.from({ length: MAX_LOCATOR_ENTRIES + 1 }, () => REF);
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ["rlp/wrong-shape", encodePowMessage({ kind: "headers", headers: tooManyHeaders })],
    ["rlp/wrong-shape", encodePowMessage({ kind: "get-headers", locator: tooLongLocator })],
    ["rlp/wrong-shape", encodePowMessage({ kind: "announce", headers: [{ ...HEADER, target: 0n }] })],
    ["rlp/wrong-shape", encodeRlp([rlpUint(POW_MESSAGE_VERSION + 1), rlpUint(3), []])],
    ["rlp/wrong-shape", encodeRlp([rlpUint(POW_MESSAGE_VERSION), rlpUint(6), []])],
    ["rlp/wrong-shape", encodeRlp([rlpUint(POW_MESSAGE_VERSION), rlpUint(3), [], []])],
    ["rlp/wrong-shape", encodeRlp([rlpUint(POW_MESSAGE_VERSION)])],
  ];
  for (const [code, bytes] of cases) assert.equal(codeOf(bytes), code);
  const whole = encodePowMessage({ kind: "block", block: BLOCK });
  for (let length = 0; length < whole.length; length += 7)
    assert.notEqual(codeOf(whole.slice(0, length)), "ok");
  assert.notEqual(codeOf(Uint8Array.of(...whole, 0)), "ok");
});

test("the schedule begins with block 1, however old genesis is (W3)", () => {
  const config = simulatedConfig();
  const genesis = genesisPoint(config);
  assert.equal(nextTarget(config, genesis), config.initialTarget);
  const yearLater = {
    ...HEADER,
    height: Height(1),
    timestampMs: 40_000_000_000,
    target: config.initialTarget,
  };
  const first = pointAfter(genesis, yearLater, REF.id);
  assert.equal(nextTarget(config, first), config.initialTarget);
  const soon = { ...yearLater, height: Height(2), timestampMs: 40_000_000_001 };
  assert.ok(nextTarget(config, pointAfter(first, soon, REF.id)) < config.initialTarget);
});

test("a block's time is above the median of the eleven before it (W4)", () => {
  let point = genesisPoint(simulatedConfig({ genesis: { timestampMs: 50, executedHash: REF.id } }));
  const times = [900, 100, 800, 200, 700, 300, 600, 400, 500, 450, 1];
  for (const [index, timestampMs] of times.entries()) {
    point = pointAfter(point, { ...HEADER, height: Height(index + 1), timestampMs }, REF.id);
  }
  assert.equal(earliestTimestampMs(point), 451);
});

test("a sharded map is never changed by what is made of it", () => {
  const keys = Array.from({ length: 600 }, (_, index) =>
    toHexDigits(keccak256(Uint8Array.of(index >> 8, index))),
  );
  let map = shardedMap<number>([]);
  const states = keys.map((key, index) => {
    map = withEntry(map, key, index);
    return map;
  });
  for (const [index, state] of states.entries()) assert.equal(state.size, index + 1);
  const without = withoutEntry(map, keys[5] ?? "");
  assert.equal(entryOf(without, keys[5] ?? ""), undefined);
  assert.equal(entryOf(map, keys[5] ?? ""), 5);
  assert.equal([...valuesOf(without)].length, 599);
  assert.equal(withoutEntry(without, keys[5] ?? ""), without);
});
