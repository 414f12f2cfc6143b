import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES, toHex } from "@ostrom/base";
import { MemoryState } from "@ostrom/state";
import { type AnyGenesis, genesisHash, genesisState } from "./genesis.ts";
import { formatGenesis, type GenesisModulesJson } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { createGenesis, createPowGenesis } from "./genesis-profiles.ts";
import { genesisModule } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import {
  MAX_MODULES,
  MAX_SETTINGS_BYTES,
  readModuleRegistry,
  readModuleSettings,
} from "./module-registry.ts";
import { testValidator } from "./testing/test-chain.ts";
import { counter, gate, sets } from "./testing/test-modules.ts";

const AUTHORITY = testValidator(1).address;
const LONG = new Uint8Array(1_000).fill(3);
const REQUEST = {
  profile: "alliance",
  chainId: 5n,
  timestampMs: 1_700_000_000_000,
  validators: [testValidator(0)],
  accounts: [],
  modules: {
    authority: AUTHORITY,
    active: [genesisModule(sets(), LONG), genesisModule(gate(), EMPTY_BYTES)],
  },
} as const;
const GENESIS = createGenesis({ ...REQUEST, validatorSets: { kind: "module", name: "sets" } });

function parsed(genesis: AnyGenesis, modules: unknown, rest: object = {}): readonly string[] {
  const json = { ...formatGenesis(genesis), modules, ...rest };
  const read = parseGenesis(JSON.parse(JSON.stringify(json)));
  return read.ok ? [] : [read.error.code, read.error.path];
}

test("a genesis with modules survives being written and read, and names the same chain", () => {
  const read = parseGenesis(JSON.parse(JSON.stringify(formatGenesis(GENESIS))));
  assert.ok(read.ok);
  assert.deepEqual(read.value, GENESIS);
  assert.equal(toHex(genesisHash(read.value)), toHex(genesisHash(GENESIS)));
  assert.equal(read.value.rules.schedulesForks, true);
});

test("the registry of a new chain says what genesis does: active from block 1, in that order, with these settings", () => {
  const state = new MemoryState();
  state.commit(genesisState(GENESIS));
  const registry = readModuleRegistry(state);
  assert.deepEqual(registry?.authority, AUTHORITY);
  assert.deepEqual(registry?.forks, []);
  assert.deepEqual(registry?.port, { holder: "sets", handOver: undefined });
  assert.deepEqual(
    registry?.modules.map(({ name, current, scheduled }) => [
      name,
      current?.height,
      current?.version,
      scheduled,
    ]),
    [
      ["sets", 1, 1, undefined],
      ["gate", 1, 1, undefined],
    ],
  );
  const [first, second] = registry?.modules.map(({ current }) => current!) ?? [];
  assert.deepEqual(first?.codeHash, sets().codeHash);
  assert.deepEqual(readModuleSettings(state, first!), LONG);
  assert.deepEqual(readModuleSettings(state, second!), EMPTY_BYTES);
});

test("a chain without modules and without an authority has no registry, and says both in genesis.json", () => {
  const genesis = createGenesis({ ...REQUEST, modules: undefined });
  assert.deepEqual(formatGenesis(genesis).modules, { authority: null, active: [] });
  const state = new MemoryState();
  state.commit(genesisState(genesis));
  assert.equal(readModuleRegistry(state), undefined);
  assert.equal(genesis.rules.schedulesForks, undefined);
  const json: Record<string, unknown> = { ...formatGenesis(genesis) };
  delete json["modules"];
  const read = parseGenesis(json);
  assert.deepEqual(read.ok ? [] : [read.error.code, read.error.path], ["genesis/missing", "modules"]);
});

test("each wrong entry is told with its code and its place", () => {
  const good: GenesisModulesJson = formatGenesis(GENESIS).modules;
  const [entry] = good.active as [GenesisModulesJson["active"][number]];
  const withEntry = (change: object) => ({ ...good, active: [{ ...entry, ...change }] });
  const of = (modules: unknown) => parsed(GENESIS, modules);
  assert.deepEqual(of(good), []);
  assert.deepEqual(of({ ...good, authority: "0x00" }), ["genesis/out-of-range", "modules.authority"]);
  assert.deepEqual(of({ ...good, active: {} }), ["genesis/wrong-type", "modules.active"]);
  assert.deepEqual(of({ ...good, active: [entry, entry] }), ["genesis/duplicate", "modules.active[1]"]);
  assert.deepEqual(of(withEntry({ name: "Sets" })), ["genesis/out-of-range", "modules.active[0].name"]);
  assert.deepEqual(of(withEntry({ version: 0 })), ["genesis/out-of-range", "modules.active[0].version"]);
  assert.deepEqual(of(withEntry({ codeHash: "0x" })), ["genesis/out-of-range", "modules.active[0].codeHash"]);
  const tooLong = `0x${"00".repeat(MAX_SETTINGS_BYTES + 1)}`;
  assert.deepEqual(of(withEntry({ settings: tooLong })), [
    "genesis/out-of-range",
    "modules.active[0].settings",
  ]);
  assert.deepEqual(of(withEntry({ hash: "0x" })), ["genesis/unknown-key", "modules.active[0].hash"]);
  const many = Array.from({ length: MAX_MODULES + 1 }, () => entry);
  assert.deepEqual(of({ ...good, active: many }), ["genesis/inconsistent", "modules.active"]);
});

test("the module that decides who validates must be among the active ones, and a mined chain has none", () => {
  const modules = { authority: null, active: [] };
  assert.deepEqual(parsed(GENESIS, modules), ["genesis/inconsistent", "validatorSets"]);
  const named = (name: string) =>
    parsed(GENESIS, formatGenesis(GENESIS).modules, { validatorSets: { kind: "module", name } });
  assert.deepEqual(named("gate"), []);
  assert.deepEqual(named("counter"), ["genesis/inconsistent", "validatorSets"]);
  assert.deepEqual(named("NO"), ["genesis/out-of-range", "validatorSets.name"]);
  const pow = createPowGenesis({
    ...REQUEST,
    modules: { authority: undefined, active: [genesisModule(counter(1), EMPTY_BYTES)] },
    pow: {
      hash: "sha256",
      targetIntervalMs: 1_000,
      halflifeMs: 100_000,
      initialTarget: 2n ** 250n,
      finalityDepth: 5,
      maxReorgDepth: 10,
      blockReward: 1n,
    },
  });
  const of = formatGenesis(pow).modules;
  assert.deepEqual(parsed(pow, of), [], "but it may have modules");
  const deciding = { kind: "module", name: "counter" };
  assert.deepEqual(parsed(pow, of, { validatorSets: deciding }), ["genesis/inconsistent", "validatorSets"]);
});

test("the registry's address is reserved", () => {
  const alloc = { [toHex(MODULE_REGISTRY_ADDRESS)]: { balance: "1" } };
  const [code] = parsed(GENESIS, formatGenesis(GENESIS).modules, { alloc });
  assert.equal(code, "genesis/inconsistent");
});
