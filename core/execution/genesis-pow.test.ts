import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex, unwrap } from "@ostrom/base";
import { genesisHash, genesisOfEngine, type PowGenesis } from "./genesis.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import type { PowParameters } from "./genesis-pow.ts";
import { createPowGenesis } from "./genesis-profiles.ts";
import { GENESIS_TIME_MS, TEST_CHAIN_ID, testValidator } from "./testing/test-chain.ts";

function powGenesis(change: Partial<PowParameters> = {}): PowGenesis {
  return createPowGenesis({
    profile: "dev",
    chainId: TEST_CHAIN_ID,
    timestampMs: GENESIS_TIME_MS,
    validators: [testValidator(0)],
    accounts: [],
    pow: {
      hash: "sm3",
      targetIntervalMs: 2_000,
      halflifeMs: 60_000,
      initialTarget: 2n ** 240n,
      finalityDepth: 12,
      maxReorgDepth: 64,
      blockReward: 2n * 10n ** 18n,
      ...change,
    },
  });
}

function failureOf(change: Readonly<Record<string, unknown>>): readonly [code: string, path: string] {
  const json = formatGenesis(powGenesis());
  const parsed = parseGenesis({ ...json, consensus: { ...json.consensus, ...change } });
  assert.ok(!parsed.ok, "must be refused");
  return [parsed.error.code, parsed.error.path];
}

test("the genesis of a mined chain survives being written and read", () => {
  const genesis = powGenesis();
  const read = unwrap(parseGenesis(JSON.parse(JSON.stringify(formatGenesis(genesis)))));
  assert.deepEqual(read, genesis);
  const known = genesisOfEngine(read);
  assert.ok(known.engine === "pow");
  assert.deepEqual(known.genesis.consensus, genesis.consensus);
});

test("every parameter of work is part of the chain's name", () => {
  const changes: readonly Partial<PowParameters>[] = [
    {},
    { hash: "scrypt" },
    { targetIntervalMs: 2_001 },
    { halflifeMs: 60_001 },
    { initialTarget: 2n ** 240n - 1n },
    { finalityDepth: 11 },
    { maxReorgDepth: 65 },
    { blockReward: 1n },
    { clockToleranceMs: 1 },
  ];
  const names = changes.map((change) => toHex(genesisHash(powGenesis(change))));
  assert.equal(new Set(names).size, changes.length);
});

test("parameters of work that no chain can have are refused with their place", () => {
  const cases: readonly (readonly [Record<string, unknown>, string, string])[] = [
    [{ hash: "md5" }, "genesis/unsupported", "consensus.hash"],
    [{ initialTarget: "0x0" }, "genesis/out-of-range", "consensus.initialTarget"],
    [{ initialTarget: `0x1${"0".repeat(64)}` }, "genesis/out-of-range", "consensus.initialTarget"],
    [{ halflifeMs: 0 }, "genesis/out-of-range", "consensus.halflifeMs"],
    [{ maxReorgDepth: 11 }, "genesis/inconsistent", "consensus.maxReorgDepth"],
    [{ blockReward: -1 }, "genesis/wrong-type", "consensus.blockReward"],
    [{ deltaMs: 5 }, "genesis/unknown-key", "consensus.deltaMs"],
    [{ maxPayloadBytes: 1 }, "genesis/out-of-range", "consensus.maxPayloadBytes"],
  ];
  for (const [change, code, path] of cases) assert.deepEqual(failureOf(change), [code, path]);
});
