import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, toHex, unwrap } from "@ostrom/base";
import { genesisHash } from "./genesis.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { createGenesis, createPowGenesis } from "./genesis-profiles.ts";
import type { ValidatorSets } from "./genesis-validator-sets.ts";
import { funded, testValidator } from "./testing/test-chain.ts";

const OWNER = addressFromHex("00000000000000000000000000000000000000aa");
const OWNER_HEX = toHex(OWNER);
const WORK = {
  kind: "work",
  initialTarget: `0x${"00ff".repeat(16)}`,
  ticketsPerEpoch: 128,
  windowEpochs: 4,
  minValidators: 2,
  maxValidators: 4,
};
const REQUEST = {
  profile: "alliance",
  chainId: 5n,
  timestampMs: 1_700_000_000_000,
  validators: [testValidator(0), testValidator(1)],
  accounts: [funded(OWNER)],
} as const;
const GENESIS = formatGenesis(createGenesis(REQUEST));
const POW = formatGenesis(
  createPowGenesis({
    ...REQUEST,
    validators: [],
    pow: {
      hash: "sha256",
      targetIntervalMs: 1_000,
      halflifeMs: 60_000,
      initialTarget: 2n ** 240n,
      finalityDepth: 10,
      maxReorgDepth: 20,
      blockReward: 0n,
    },
  }),
);

test("each kind survives being written and read", () => {
  const kinds: readonly ValidatorSets[] = [
    { kind: "fixed" },
    { kind: "managed", owner: OWNER },
    {
      kind: "work",
      initialTarget: 2n ** 256n - 1n,
      ticketsPerEpoch: 64,
      windowEpochs: 8,
      minValidators: 1,
      maxValidators: 64,
    },
  ];
  for (const validatorSets of kinds) {
    const genesis = createGenesis({ ...REQUEST, epochLength: 50, epochLead: 7, validatorSets });
    const json: unknown = JSON.parse(JSON.stringify(formatGenesis(genesis)));
    assert.deepEqual(unwrap(parseGenesis(json)), genesis);
  }
});

test("each wrong setting is told with its code and its place", () => {
  const sets = (value: unknown): object => ({ validatorSets: value });
  const wrong: readonly (readonly [changes: object, code: string, at: string])[] = [
    [{ epochLength: 1 }, "genesis/out-of-range", "epochLength"],
    [{ epochLead: undefined }, "genesis/wrong-type", "epochLead"],
    [{ epochLead: 0 }, "genesis/out-of-range", "epochLead"],
    [{ epochLead: 100_000 }, "genesis/inconsistent", "epochLead"],
    [{ epochLead: 99_999 }, "admitted", ""],
    [sets({}), "genesis/missing", "validatorSets.kind"],
    [sets("fixed"), "genesis/wrong-type", "validatorSets"],
    [sets({ kind: "elected" }), "genesis/unsupported", "validatorSets.kind"],
    [sets({ kind: "fixed", owner: OWNER_HEX }), "genesis/unknown-key", "validatorSets.owner"],
    [sets({ kind: "managed" }), "genesis/missing", "validatorSets.owner"],
    [sets({ kind: "managed", owner: "0x12" }), "genesis/out-of-range", "validatorSets.owner"],
    [sets({ kind: "managed", owner: OWNER_HEX, color: 1 }), "genesis/unknown-key", "validatorSets.color"],
    [sets({ kind: "managed", owner: OWNER_HEX }), "admitted", ""],
    [sets(WORK), "admitted", ""],
    [sets({ ...WORK, owner: OWNER_HEX }), "genesis/unknown-key", "validatorSets.owner"],
    [sets({ ...WORK, initialTarget: "0" }), "genesis/out-of-range", "validatorSets.initialTarget"],
    [sets({ ...WORK, windowEpochs: 9 }), "genesis/out-of-range", "validatorSets.windowEpochs"],
    [sets({ ...WORK, maxValidators: 65 }), "genesis/out-of-range", "validatorSets.maxValidators"],
    [sets({ ...WORK, minValidators: 5 }), "genesis/inconsistent", "validatorSets.maxValidators"],
    [sets({ ...WORK, ticketsPerEpoch: 129 }), "genesis/inconsistent", "validatorSets.ticketsPerEpoch"],
    [sets({ ...WORK, minValidators: 1, maxValidators: 1 }), "genesis/inconsistent", "validators"],
    [{ validators: [] }, "genesis/inconsistent", "validators"],
  ];
  for (const [changes, code, at] of wrong) {
    const parsed = parseGenesis({ ...GENESIS, ...changes });
    const outcome = parsed.ok ? ["admitted", ""] : [parsed.error.code, parsed.error.path];
    assert.deepEqual(outcome, [code, at], JSON.stringify(changes));
  }
});

test("a chain that is mined needs no validators, and nobody decides on them", () => {
  assert.equal(unwrap(parseGenesis(POW)).validatorSet.validators.length, 0);
  const managed = parseGenesis({ ...POW, validatorSets: { kind: "managed", owner: OWNER_HEX } });
  assert.equal(!managed.ok && managed.error.path, "validatorSets");
});

test("the genesis hash depends on epochs and on who decides on validators", () => {
  const changes: readonly object[] = [
    {},
    { epochLength: 70_000 },
    { epochLead: 7 },
    { validatorSets: { kind: "managed", owner: OWNER_HEX } },
    { validatorSets: { kind: "managed", owner: toHex(testValidator(0).address) } },
    { validatorSets: WORK },
    { validatorSets: { ...WORK, initialTarget: "77" } },
    { validatorSets: { ...WORK, ticketsPerEpoch: 7 } },
  ];
  const hashes = changes.map((change) => toHex(genesisHash(unwrap(parseGenesis({ ...GENESIS, ...change })))));
  assert.equal(new Set(hashes).size, changes.length);
});
