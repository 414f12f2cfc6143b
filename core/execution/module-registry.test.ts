import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, createRandom, type Random, toHex } from "@ostrom/base";
import type { InstalledModules } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { missingActivations } from "./module-plan.ts";
import {
  activeVersion,
  MAX_MODULES,
  MAX_SCHEDULED_FORKS,
  MAX_SETTINGS_BYTES,
  MIN_NOTICE_BLOCKS,
  type ModuleRegistry,
  moduleNameBytes,
  readModuleRegistry,
  readModuleSettings,
} from "./module-registry.ts";
import { addressOfSecretKey } from "./signature.ts";
import { ContractChain, REGISTRY_ABI } from "./testing/contract-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, testGenesis } from "./testing/test-chain.ts";
import { counter, foreignHash, installed } from "./testing/test-modules.ts";

const KEYS = [testKey(1), testKey(2)];
const FAR = 1_000_000n;

/** A program that has whatever is asked for. */
const HAS_ALL: InstalledModules = { all: [], find: (wanted) => ({ ...wanted, contracts: [] }) };

function registryChain(modules: InstalledModules = HAS_ALL): ContractChain {
  const accounts = KEYS.map((key) => funded(addressOfSecretKey(key)));
  const genesis = testGenesis({ accounts, modules: { authority: addressOfSecretKey(KEYS[0]!), active: [] } });
  return new ContractChain(genesis, REGISTRY_ABI, MODULE_REGISTRY_ADDRESS, { modules });
}

function name(text: string): string {
  return toHex(moduleNameBytes(text));
}

function registryOf(chain: ContractChain): ModuleRegistry {
  const registry = readModuleRegistry(chain.state);
  assert.ok(registry !== undefined);
  return registry;
}

type Planned = { version: number; height: number; settings: string };

/** The rules of the registry once more, without Solidity. */
type Model = {
  authority: number;
  modules: Map<string, { current: Planned | undefined; scheduled: Planned | undefined }>;
  forks: Map<string, number>;
  next: [string, number] | undefined;
};

type Act = { readonly functionName: string; readonly args: readonly unknown[]; readonly by: number };

/** @returns what the contract should answer. */
function actOnModel(model: Model, { functionName, args, by }: Act, height: number): string {
  if (by !== model.authority) return "NotAuthority";
  const text = String(args[0]);
  const number = Number(args[1]);
  const module = model.modules.get(text);
  const isNoticed = number >= height + MIN_NOTICE_BLOCKS;
  switch (functionName) {
    case "schedule": {
      const [, , , from, settings] = args as [string, number, string, number, string];
      if (from < height + MIN_NOTICE_BLOCKS) return "TooSoon";
      const { current, scheduled } = module ?? { current: undefined, scheduled: undefined };
      const isPast = scheduled !== undefined && scheduled.height <= height;
      if (scheduled !== undefined && !isPast) return "AlreadyScheduled";
      const active = isPast ? scheduled : current;
      if (number <= (active?.version ?? 0)) return "NotALaterVersion";
      model.modules.set(text, { current: active, scheduled: { version: number, height: from, settings } });
      return "done";
    }
    case "cancel":
      if (module === undefined) return "UnknownModule";
      if (module.scheduled?.height !== number || number <= height) return "NothingScheduled";
      module.scheduled = undefined;
      return "done";
    case "scheduleFork":
      if (!isNoticed) return "TooSoon";
      if ((model.forks.get(text) ?? Infinity) <= height) return "AlreadyScheduled";
      model.forks.set(text, number);
      return "done";
    case "cancelFork":
      if ((model.forks.get(text) ?? 0) <= height) return "NothingScheduled";
      model.forks.delete(text);
      return "done";
    case "handOver":
      if (module?.current === undefined && module?.scheduled === undefined) return "UnknownModule";
      model.next = [text, number];
      return "done";
    case "cancelHandOver":
      if (model.next === undefined) return "NothingScheduled";
      model.next = undefined;
      return "done";
    default:
      model.authority = KEYS.findIndex((key) => toHex(addressOfSecretKey(key)) === text);
      return "done";
  }
}

const NAMES = ["one", "two", "three"].map(name);
const FORK_NAMES = ["cancun", "prague", "osaka"].map(name);

function randomAct(random: Random, model: Model, height: number): Act {
  const by = random.chance(1, 10) ? 1 - model.authority : model.authority;
  const pick = (from: readonly string[]) => from[random.below(from.length)]!;
  const from = height + MIN_NOTICE_BLOCKS - 1 + random.below(5);
  const wanted = pick(NAMES);
  const settings = toHex(random.bytes(random.below(80)));
  const act = (functionName: string, ...args: readonly unknown[]): Act => ({ functionName, args, by });
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return act(
        "schedule",
        wanted,
        1 + random.below(6),
        toHex(foreignHash(random.below(9))),
        from,
        settings,
      );
    case 3:
      return act("cancel", wanted, model.modules.get(wanted)?.scheduled?.height ?? from);
    case 4:
      return act("scheduleFork", pick(FORK_NAMES), from);
    case 5:
      return act("cancelFork", pick(FORK_NAMES));
    case 6:
      return act("handOver", wanted, random.below(1_000));
    case 7:
      return act("cancelHandOver");
    default:
      return act("transferAuthority", toHex(addressOfSecretKey(KEYS[random.below(2)]!)));
  }
}

function assertSame(chain: ContractChain, model: Model): void {
  const { height } = { height: chain.head.header.number };
  const registry = registryOf(chain);
  assert.deepEqual(registry.authority, addressOfSecretKey(KEYS[model.authority]!));
  const forks = registry.forks.map(({ fork, height }) => [name(fork), height]);
  assert.deepEqual(new Map(forks as [string, number][]), model.forks);
  const { handOver } = registry.port;
  assert.deepEqual(
    handOver === undefined ? undefined : [name(handOver.to), Number(handOver.fromEpoch)],
    model.next,
  );
  assert.deepEqual(
    registry.modules.map((module) => name(module.name)),
    [...model.modules.keys()],
  );
  for (const module of registry.modules) {
    const { current, scheduled } = model.modules.get(name(module.name))!;
    for (const at of [height, height + MIN_NOTICE_BLOCKS, Number(FAR)]) {
      const expected = scheduled !== undefined && scheduled.height <= at ? scheduled : current;
      const active = activeVersion(module, at);
      const told = active && {
        version: active.version,
        height: active.height,
        settings: toHex(readModuleSettings(chain.state, active)),
      };
      assert.deepEqual(told, expected);
      // The contract says the same of the block that runs.
      if (at !== height) continue;
      const inNext = scheduled !== undefined && scheduled.height <= height + 1 ? scheduled : current;
      const asked = chain.ask("activeVersion", [name(module.name)]) as { version: number };
      assert.equal(asked.version, inNext?.version ?? 0);
    }
  }
}

test("the contract, the rules written down naively and the reader of its storage agree over random histories", () => {
  const outcomes = new Map<string, number>();
  for (let seed = 1; seed <= 6; seed++) {
    const random = createRandom(seed);
    const chain = registryChain();
    const model: Model = { authority: 0, modules: new Map(), forks: new Map(), next: undefined };
    for (let step = 0; step < 40; step++) {
      const height = chain.head.header.number + 1;
      const act = randomAct(random, model, height);
      const expected = actOnModel(model, act, height);
      assert.equal(
        chain.send(KEYS[act.by]!, act.functionName, act.args),
        expected,
        `seed ${seed} step ${step}`,
      );
      const key = `${act.functionName} ${expected}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      assertSame(chain, model);
      if (random.chance(1, 3)) chain.advance(height + random.below(14));
    }
  }
  for (const wanted of [
    "schedule done",
    "schedule AlreadyScheduled",
    "cancel done",
    "cancelFork done",
    "handOver done",
  ])
    assert.ok((outcomes.get(wanted) ?? 0) > 0, `${wanted} happens: ${JSON.stringify([...outcomes])}`);
});

test("only names of small letters, digits and hyphens, a letter first, are taken", () => {
  const chain = registryChain();
  const scheduled = (word: string) =>
    chain.ask("schedule", [word, 1, toHex(foreignHash(1)), FAR, "0x"], addressOfSecretKey(KEYS[0]!));
  const word = (text: string) => `0x${Buffer.from(text).toString("hex").padEnd(64, "0")}`;
  for (const good of ["a", "membership", "a-b", "x2", "z".repeat(31)])
    assert.equal(scheduled(word(good)), undefined);
  for (const bad of ["", "A", "-a", "2a", "a b", "a\0b", "z".repeat(32), "é", "a\u007f"])
    assert.equal(scheduled(word(bad)), "WrongName", JSON.stringify(bad));
});

test("heights and epochs beyond 2^53, settings too long and more modules or forks than there is room for are refused", () => {
  const chain = registryChain();
  const [key] = KEYS as [Bytes];
  const from = addressOfSecretKey(key);
  const hash = toHex(foreignHash(1));
  assert.equal(chain.ask("schedule", [name("a"), 1, hash, 2n ** 53n, "0x"], from), "TooFar");
  assert.equal(chain.ask("schedule", [name("a"), 1, hash, 2n ** 53n - 1n, "0x"], from), undefined);
  assert.equal(chain.ask("scheduleFork", [name("a"), 2n ** 64n - 1n], from), "TooFar");
  const tooLong = `0x${"00".repeat(MAX_SETTINGS_BYTES + 1)}`;
  assert.equal(chain.ask("schedule", [name("a"), 1, hash, FAR, tooLong], from), "SettingsTooLong");
  const letters = (index: number) =>
    `m${String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26))}`;
  for (let index = 0; index < MAX_MODULES; index++)
    assert.equal(chain.send(key, "schedule", [name(letters(index)), 1, hash, FAR, "0x"]), "done");
  assert.equal(chain.send(key, "schedule", [name("late"), 1, hash, FAR, "0x"]), "NoRoom");
  for (let index = 0; index < MAX_SCHEDULED_FORKS; index++)
    assert.equal(chain.send(key, "scheduleFork", [name(letters(index)), FAR]), "done");
  assert.equal(chain.send(key, "scheduleFork", [name("late"), FAR]), "NoRoom");
  assert.equal(chain.send(key, "handOver", [name(letters(0)), 2n ** 53n]), "TooFar");
  assert.equal(chain.send(key, "transferAuthority", [`0x${"00".repeat(20)}`]), "ZeroAddress");
  assert.equal(registryOf(chain).modules.length, MAX_MODULES);
});

test("a program learns what it lacks when it is scheduled, the soonest first, and no sooner than it matters", () => {
  const has = installed([counter(1)]);
  const chain = registryChain(has);
  const [key] = KEYS as [Bytes];
  const { codeHash } = counter(1);
  chain.send(key, "schedule", [name("counter"), 1, toHex(codeHash), 20, "0x"]);
  assert.deepEqual(missingActivations(registryOf(chain), has, 2), []);
  chain.send(key, "schedule", [name("other"), 7, toHex(codeHash), 40, "0x"]);
  chain.send(key, "scheduleFork", [name("vienna"), 30]);
  chain.send(key, "scheduleFork", [name("osaka"), 25]);
  const missing = missingActivations(registryOf(chain), has, chain.head.header.number + 1);
  assert.deepEqual(
    missing.map(({ code, height }) => [code, height]),
    [
      ["chain/fork-missing", 30],
      ["chain/module-missing", 40],
    ],
  );
  assert.match(missing[1]!.message, /from block 40 on .* module other in version 7 .* no such module/);
  chain.advance(20);
  chain.send(key, "schedule", [name("counter"), 2, toHex(codeHash), 50, "0x"]);
  const later = missingActivations(registryOf(chain), has, 45);
  assert.deepEqual(
    later.map(({ height }) => height),
    [30, 40, 50],
  );
  assert.match(later[2]!.message, /counter in version 2 .* this program has version 1/);
  assert.equal(
    missingActivations(registryOf(chain), undefined, 21).length,
    4,
    "a program without modules lacks all",
  );
  assert.deepEqual(missingActivations(undefined, has, 1), []);
});
