import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, EMPTY_BYTES, hashFromWord, toHex, unwrap } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  frozenHeight,
  genesisModule,
  installModules,
  MEMBERSHIP_ADDRESS,
  MODULE_REGISTRY_ADDRESS,
  readModuleRegistry,
  readValidatorSet,
} from "@ostrom/execution";
import { encodeFunctionData, parseAbi } from "viem";
import { ContractChain } from "../../../core/execution/testing/contract-chain.ts";
import { transactionOf } from "../../../core/execution/testing/module-chain.ts";
import { testKey } from "../../../core/execution/testing/random-transactions.ts";
import { funded, testGenesis, testValidator } from "../../../core/execution/testing/test-chain.ts";
import { readRoles } from "./accounts.ts";
import { chainModules } from "./index.ts";
import { readNodes } from "./nodes.ts";
import { readRules } from "./organisations.ts";
import { encodeSettings, type MembershipSettings } from "./settings.ts";
import {
  LIMITS_ARGUMENT,
  nodeArguments,
  testAlliance,
  testNode,
  testOrganisation,
} from "./testing/alliance.ts";
import { ABI, type ContractCall, decided } from "./testing/membership-ledger.ts";

const [MEMBERSHIP] = chainModules;
const EPOCH_LENGTH = 16;
const TARGET = addressOfSecretKey(testKey(77));

/** Keys of the administrators of organisations 1 to 4, of a newcomer, and of two others. */
const adminKey = (organisation: number): Bytes => testKey(organisation);
const USER = testKey(20);
const STRANGER = testKey(21);

/** A node with the keys of core's test validator: its proof is one. */
function provedNode(index: number) {
  const { name, address, weight, consensusKey, proofOfPossession, transportKey, host, port } =
    testValidator(index);
  return testNode(name, {
    account: address,
    weight,
    consensusKey,
    proofOfPossession,
    transportKey,
    host,
    port,
  });
}

function settings(changes: Partial<MembershipSettings> = {}): MembershipSettings {
  return testAlliance(0, {
    organisations: [1, 2, 3, 4].map((id) =>
      testOrganisation(id, {
        admin: addressOfSecretKey(adminKey(id)),
        nodes: [provedNode(id - 1)],
        accounts: id === 1 ? [{ address: addressOfSecretKey(USER), roles: ["sender"] }] : [],
      }),
    ),
    ...changes,
  });
}

/** A chain on which membership decides on everything from block 1 on. */
function allianceChain(changes: Partial<MembershipSettings> = {}): ContractChain {
  assert.ok(MEMBERSHIP);
  const people = [1, 2, 3, 4, 5].map(adminKey).concat([USER, STRANGER]);
  const genesis = testGenesis({
    accounts: people.map((key) => funded(addressOfSecretKey(key))),
    validators: 4,
    epochLength: EPOCH_LENGTH,
    validatorSets: { kind: "module", name: "membership" },
    modules: {
      authority: MEMBERSHIP_ADDRESS,
      active: [genesisModule(MEMBERSHIP, encodeSettings(settings(changes)))],
    },
  });
  const chain = new ContractChain(genesis, ABI, MEMBERSHIP_ADDRESS, {
    modules: installModules(chainModules),
  });
  chain.execute([]);
  return chain;
}

/** In a block of its own. @returns "done", or the name of the error that the contract reverts with. */
function send(chain: ContractChain, key: Bytes, functionName: string, args: readonly unknown[]): string {
  const outcome = chain.send(key, functionName, args);
  return typeof outcome === "string" ? outcome : "done";
}

/** Organisations 1 to 3 are for it; the first carries it out. */
function decide(chain: ContractChain, ...calls: readonly ContractCall[]): unknown {
  assert.equal(send(chain, adminKey(1), "propose", ["", calls]), "done");
  const id = chain.ask("lastProposal");
  for (const organisation of [2, 3])
    assert.equal(send(chain, adminKey(organisation), "vote", [id, true]), "done");
  return send(chain, adminKey(1), "execute", [id]);
}

const namesOfSet = (chain: ContractChain): readonly string[] =>
  unwrap(readValidatorSet(chain.state)).validators.map(({ name }) => name);

/** Goes on to the next height at which a set is decided. */
function nextEpoch(chain: ContractChain): void {
  const { number } = chain.head.header;
  const epoch = Math.floor((number - 1) / EPOCH_LENGTH);
  const frozen = frozenHeight(chain.genesis, epoch);
  chain.advance(frozen > number ? frozen : frozenHeight(chain.genesis, epoch + 1));
}

test("block 1 activates the contract with genesis' settings, and asks it from its first transaction on", () => {
  const chain = allianceChain();
  assert.equal(readRules(chain.state).activeOrganisations, 4);
  assert.equal(readNodes(chain.state).length, 4);
  const { transactions, skipped } = chain.execute([
    transactionOf(USER, 0, TARGET),
    transactionOf(USER, 1, undefined, Uint8Array.of(0)),
    transactionOf(STRANGER, 0, TARGET),
  ]);
  assert.equal(transactions.length, 1);
  assert.deepEqual(
    skipped.map(({ reason }) => [reason.code, reason.retry]),
    [
      ["execution/not-permitted", false],
      ["execution/not-permitted", false],
    ],
  );
  assert.match(skipped[0]?.reason.message ?? "", /create contracts/);
  assert.match(skipped[1]?.reason.message ?? "", /send transactions/);
});

test("permission is read as of the state before the block: what changes in a block counts from the next one", () => {
  const chain = allianceChain();
  const revoke = chain.call(adminKey(1), "setAccount", [1, toHex(addressOfSecretKey(USER)), 0]);
  const grant = chain.call(adminKey(2), "setAccount", [2, toHex(addressOfSecretKey(STRANGER)), 1]);
  const block = chain.execute([
    revoke,
    grant,
    transactionOf(USER, 0, TARGET),
    transactionOf(STRANGER, 0, TARGET),
  ]);
  assert.deepEqual([block.transactions.length, block.skipped.length], [3, 1]);
  assert.deepEqual(readRoles(chain.state, addressOfSecretKey(USER)), []);
  const next = chain.execute([transactionOf(USER, 1, TARGET), transactionOf(STRANGER, 0, TARGET)]);
  assert.deepEqual([next.transactions.length, next.skipped.length], [1, 1]);
  const replayed = allianceChain();
  replayed.execute([revoke, grant, transactionOf(USER, 0, TARGET), transactionOf(STRANGER, 0, TARGET)]);
  replayed.execute([transactionOf(USER, 1, TARGET), transactionOf(STRANGER, 0, TARGET)]);
  assert.deepEqual(replayed.head.hash, chain.head.hash, "who replays it later comes to the same");
});

test("an admitted organisation's validator is in the next set, a suspended one's is not", () => {
  const chain = allianceChain();
  const newcomer = addressOfSecretKey(adminKey(5));
  assert.equal(decide(chain, decided("admit", "Fifth", toHex(newcomer), LIMITS_ARGUMENT, [])), "done");
  assert.equal(send(chain, adminKey(5), "addNode", nodeArguments(5, provedNode(4))), "done");
  nextEpoch(chain);
  assert.deepEqual(
    namesOfSet(chain),
    [0, 1, 2, 3, 4].map((index) => `validator-${index}`),
  );
  assert.equal(decide(chain, decided("suspend", 4)), "done");
  assert.deepEqual(namesOfSet(chain).length, 5, "not before the set is decided");
  nextEpoch(chain);
  assert.deepEqual(
    namesOfSet(chain),
    [0, 1, 2, 4].map((index) => `validator-${index}`),
  );
});

test("a validator without a proof is left out and holds up nobody", () => {
  const chain = allianceChain();
  const impostor = testNode("impostor", { consensusKey: bls().publicKey(hashFromWord(5n)) });
  assert.equal(send(chain, adminKey(1), "addNode", nodeArguments(1, impostor)), "done");
  const nonsense = testNode("nonsense");
  assert.equal(send(chain, adminKey(2), "addNode", nodeArguments(2, nonsense)), "done");
  const least = decided("setLimits", 3, { ...LIMITS_ARGUMENT, weight: 9n });
  assert.equal(decide(chain, least), "done");
  nextEpoch(chain);
  assert.deepEqual(
    namesOfSet(chain),
    [0, 1, 2, 3].map((index) => `validator-${index}`),
  );
  assert.equal(unwrap(readValidatorSet(chain.state)).validators[2]?.weight, 9);
});

const REGISTRY_ABI = parseAbi([
  "function scheduleFork(bytes32 fork, uint64 height)",
  "function handOver(bytes32 moduleName, uint64 epoch)",
  "function transferAuthority(address to)",
]);
const registryCall = (
  functionName: "scheduleFork" | "handOver" | "transferAuthority",
  args: readonly unknown[],
): ContractCall => ({
  target: toHex(MODULE_REGISTRY_ADDRESS),
  value: 0n,
  data: encodeFunctionData({ abi: REGISTRY_ABI, functionName, args: args as never }),
});

test("the members are the authority of the registry: they schedule upgrades, and one of them cannot", () => {
  const chain = allianceChain();
  const osaka = `0x${Buffer.from("osaka").toString("hex").padEnd(64, "0")}`;
  const call = registryCall("scheduleFork", [osaka, 500n]);
  chain.execute([
    transactionOf(adminKey(1), 0, MODULE_REGISTRY_ADDRESS, Buffer.from(call.data.slice(2), "hex")),
  ]);
  assert.equal(chain.head.receipts[0]?.succeeded, false);
  assert.deepEqual(readModuleRegistry(chain.state)?.forks, []);
  const again = allianceChain();
  assert.equal(decide(again, call), "done");
  assert.deepEqual(readModuleRegistry(again.state)?.forks, [{ fork: "osaka", height: 500 }]);
});

test("the members hand the port to whom they want, open the chain to all, and stay its authority", () => {
  const chain = allianceChain();
  const name = `0x${Buffer.from("membership").toString("hex").padEnd(64, "0")}`;
  const open = decided("setOpenToAll", true);
  assert.equal(decide(chain, registryCall("handOver", [name, 1n]), open), "done");
  nextEpoch(chain);
  assert.equal(readModuleRegistry(chain.state)?.port.holder, "membership");
  assert.deepEqual(readModuleRegistry(chain.state)?.authority, MEMBERSHIP_ADDRESS);
  const { transactions } = chain.execute([
    transactionOf(STRANGER, 0, TARGET),
    transactionOf(STRANGER, 1, undefined, EMPTY_BYTES),
  ]);
  assert.equal(transactions.length, 2, "open to all");
});

test("settings that cannot be leave the chain as it would be without membership, and block 1 says why", () => {
  const chain = allianceChain({ thresholdPercent: 50 });
  assert.equal(readRules(chain.state).version, 0);
  assert.equal(chain.execute([transactionOf(STRANGER, 0, TARGET)]).transactions.length, 1);
  nextEpoch(chain);
  assert.equal(namesOfSet(chain).length, 4);
});
