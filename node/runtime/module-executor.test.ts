import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, type Hash, toHex, unwrap } from "@ostrom/base";
import {
  addressOfSecretKey,
  type ChainModule,
  defineModule,
  type Genesis,
  genesisModule,
  installModules,
  MODULE_REGISTRY_ADDRESS,
  moduleNameBytes,
  type SignedTransaction,
} from "@ostrom/execution";
import { storeReader } from "@ostrom/state";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { FORKS } from "@ostrom/vm";
import { encodeFunctionData, parseAbi } from "viem";
import type { Installed } from "./chain-needs.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { PROBE, probe } from "./testing/probe-module.ts";
import { clientKey, simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const HISTORY_BLOCKS = 64;
const UPGRADE_HEIGHT = 14;
const ABI = parseAbi([
  "function schedule(bytes32 name, uint32 version, bytes32 codeHash, uint64 height, bytes settings)",
  "function scheduleFork(bytes32 name, uint64 height)",
]);

const program = (modules: readonly ChainModule[], forks: readonly string[] = FORKS): Installed => ({
  modules: installModules(modules),
  forks,
});
const OLD = program([probe(1)]);
const NEW = program([probe(1), probe(2)]);

/** A chain with version 1 of the probe, on which client 0 decides. */
function probeGenesis(): Genesis {
  return simulatedGenesis({
    validators: 4,
    clients: 4,
    modules: {
      authority: addressOfSecretKey(clientKey(0)),
      active: [genesisModule(probe(1), new Uint8Array())],
    },
    rules: { forks: [{ fork: "prague", fromTimestamp: 0 }], schedulesForks: true },
  });
}

function decision(functionName: "schedule" | "scheduleFork", args: readonly unknown[]): SignedTransaction {
  const data = encodeFunctionData({ abi: ABI, functionName, args } as Parameters<
    typeof encodeFunctionData
  >[0]);
  return simulatedTransfer(0, 0, {
    to: MODULE_REGISTRY_ADDRESS,
    value: 0n,
    gasLimit: 1_000_000n,
    data: unwrap(fromHex(data)),
  });
}

function upgrade(to: ChainModule, height: number): SignedTransaction {
  const { name, version, codeHash } = to;
  return decision("schedule", [toHex(moduleNameBytes(name)), version, toHex(codeHash), BigInt(height), "0x"]);
}

/** Executes the chain's blocks from the one after the head, through a height. */
async function executeThrough(
  executor: Executor,
  chain: OrderedChain,
  height: number,
): Promise<readonly ExecutionReport[]> {
  const reports: ExecutionReport[] = [];
  for (let next = executor.head().height + 1; next <= height; next++)
    reports.push(await executor.execute(chain.inputOf(next)));
  return reports;
}

async function upgradedChain(decided: SignedTransaction): Promise<{ readonly chain: OrderedChain }> {
  const chain = new OrderedChain(probeGenesis(), { isSigned: false });
  chain.append([decided]);
  for (let height = 2; height <= UPGRADE_HEIGHT + 2; height++) chain.append();
  return { chain };
}

const open = (store: Store, chain: OrderedChain, installed: Installed): Promise<Executor> =>
  Executor.open(store, chain.genesis, HISTORY_BLOCKS, undefined, installed);

test("a chain's modules run from genesis on; a program without them refuses to start, and leaves the store as it is", async () => {
  const { chain } = await upgradedChain(simulatedTransfer(0, 0));
  const store = createMemoryStore();
  await assert.rejects(open(store, chain, program([])), {
    code: "chain/module-missing",
    message:
      /from block 1 on the chain uses the module probe in version 1.*no such module.*install a release/,
  });
  const executor = await open(store, chain, OLD);
  assert.deepEqual(executor.head().registry, { modules: ["probe"], missing: [] });
  const [first] = await executeThrough(executor, chain, 3);
  assert.deepEqual(first?.activations, [{ name: "probe", version: 1, failure: undefined }]);
  assert.equal(storeReader(store).storage(PROBE, 3n), 1n);
});

test("a scheduled version that the program lacks is told of at once, and stops it before the block that needs it", async () => {
  const { chain } = await upgradedChain(upgrade(probe(2), UPGRADE_HEIGHT));
  const store = createMemoryStore();
  const executor = await open(store, chain, OLD);
  const reports = await executeThrough(executor, chain, UPGRADE_HEIGHT - 1);
  const told = reports[0]?.registry?.missing ?? [];
  assert.deepEqual(
    told.map(({ code, height }) => [code, height]),
    [["chain/module-missing", UPGRADE_HEIGHT]],
  );
  const before = executor.head();
  await assert.rejects(executor.execute(chain.inputOf(UPGRADE_HEIGHT)), {
    code: "chain/module-missing",
    message: new RegExp(`from block ${UPGRADE_HEIGHT} on .*All through block ${UPGRADE_HEIGHT - 1} is kept`),
  });
  assert.deepEqual(executor.head(), before);
  await assert.rejects(open(store, chain, OLD), { code: "chain/module-missing" });

  const renewed = await open(store, chain, NEW);
  const after = await executeThrough(renewed, chain, UPGRADE_HEIGHT + 1);
  const always = await open(createMemoryStore(), chain, NEW);
  const same = await executeThrough(always, chain, UPGRADE_HEIGHT + 1);
  assert.equal(hashAt(after, UPGRADE_HEIGHT + 1), hashAt(same, UPGRADE_HEIGHT + 1));
  const versionAt = (height: number): bigint => storeReader(store).storage(PROBE, BigInt(height));
  assert.deepEqual([versionAt(UPGRADE_HEIGHT - 1), versionAt(UPGRADE_HEIGHT)], [1n, 2n]);
});

test("a scheduled rule set that the program lacks stops it likewise", async () => {
  const { chain } = await upgradedChain(
    decision("scheduleFork", [toHex(moduleNameBytes("osaka")), BigInt(UPGRADE_HEIGHT)]),
  );
  const old = program([probe(1)], ["cancun", "prague"]);
  const store = createMemoryStore();
  const executor = await open(store, chain, old);
  await executeThrough(executor, chain, UPGRADE_HEIGHT - 1);
  await assert.rejects(executor.execute(chain.inputOf(UPGRADE_HEIGHT)), {
    code: "chain/fork-missing",
    message: /follows the rule set osaka; this program has cancun, prague/,
  });
  const renewed = await open(store, chain, OLD);
  await executeThrough(renewed, chain, UPGRADE_HEIGHT + 1);
});

test("a module of the right version with other code is another module", async () => {
  const { chain } = await upgradedChain(simulatedTransfer(0, 0));
  const other = { ...probe(1), contracts: probe(2).contracts };
  await assert.rejects(open(createMemoryStore(), chain, program([defineModule(other)])), {
    code: "chain/module-missing",
    message: /in version 1 with the code hash .*this program has version 1 \(0x/,
  });
});

function hashAt(reports: readonly ExecutionReport[], height: number): string {
  const report = reports.find((one) => one.height === height);
  return toHex(report?.executedHash as Hash);
}
