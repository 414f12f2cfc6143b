import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  addressToWord,
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  hex,
  toHex,
  unwrap,
  wordToBytes,
} from "@ostrom/base";
import { createContractEngine, installMessageEngine } from "@ostrom/vm";
import { createAccessList } from "./create-access-list.ts";
import { estimateGas } from "./estimate-gas.ts";
import { forkAt } from "./fees.ts";
import { checkPayload, encodePayload } from "./payload.ts";
import { permissionAsOf } from "./permission.ts";
import { addressOfSecretKey } from "./signature.ts";
import { type Simulation, simulateCall } from "./simulate.ts";
import type { ContractChain } from "./testing/contract-chain.ts";
import {
  ALICE,
  AUTHORITY,
  BOB,
  moduleChain,
  nameWord,
  schedule,
  transactionOf,
} from "./testing/module-chain.ts";
import { contractAt } from "./testing/test-chain.ts";
import { DOUBLER, doubler, GATE, gate, writeData } from "./testing/test-modules.ts";
import type { Header } from "./types.ts";

const alice = addressOfSecretKey(ALICE);
const bob = addressOfSecretKey(BOB);

function simulation(chain: ContractChain, request: Simulation["request"]): Simulation {
  return {
    rules: chain.genesis.rules,
    header: chain.head.header as Header,
    state: chain.state,
    blockHash: chain.blockHash,
    modules: chain.modules,
    request,
    gasCap: 30_000_000n,
  };
}

function suspend(nonce: number, who: Address): Bytes {
  return transactionOf(AUTHORITY, nonce, GATE, writeData(addressToWord(who), 1n));
}

test("a transaction that a module refuses is skipped for good, with the module's reason, and pays nothing", () => {
  const chain = moduleChain({ active: [[gate(), EMPTY_BYTES]] });
  chain.execute([suspend(0, alice)]);
  const balance = chain.state.account(alice)?.balance;
  const { skipped, transactions } = chain.execute([
    transactionOf(ALICE, 0, bob),
    transactionOf(BOB, 0, alice),
  ]);
  assert.equal(transactions.length, 1);
  assert.deepEqual(
    skipped.map(({ reason }) => reason),
    [{ code: "execution/not-permitted", message: "gate: suspended", retry: false }],
  );
  assert.equal(chain.state.account(alice)?.balance, balance);
  assert.equal(chain.state.account(alice)?.nonce ?? 0n, 0n);
});

test("permission is asked as of the state that the block begins with: what the block itself changes counts from the next on", () => {
  const chain = moduleChain({ active: [[gate(), EMPTY_BYTES]] });
  chain.execute([]);
  const same = chain.execute([suspend(0, alice), transactionOf(ALICE, 0, bob)]);
  assert.deepEqual(same.skipped, []);
  assert.equal(chain.execute([transactionOf(ALICE, 1, bob)]).skipped.length, 1);
  const readmit = transactionOf(AUTHORITY, 1, GATE, writeData(addressToWord(alice), 0n));
  assert.equal(chain.execute([readmit, transactionOf(ALICE, 1, bob)]).skipped.length, 1);
  assert.equal(chain.execute([transactionOf(ALICE, 1, bob)]).skipped.length, 0);
});

test("a module that begins in a block is asked for its transactions already, and so is a later version", () => {
  const chain = moduleChain({ has: [gate(1), gate(2)] });
  const creation = (nonce: number) => transactionOf(ALICE, nonce, undefined, hex("00"), 100_000n);
  schedule(chain, gate(2), 12);
  chain.advance(10);
  assert.deepEqual(chain.execute([creation(0)]).skipped, []);
  assert.equal(chain.execute([creation(1)]).skipped[0]?.reason.message, "gate: no contracts");
});

test("estimates and access lists of a forbidden sender say so; reading by eth_call is free to all", () => {
  const chain = moduleChain({ active: [[gate(), EMPTY_BYTES]] });
  chain.execute([suspend(0, alice)]);
  const forbidden = simulation(chain, { from: alice, to: bob });
  for (const answer of [estimateGas(forbidden), createAccessList(forbidden)])
    assert.equal(answer.ok ? "ok" : answer.error.code, "execution/not-permitted");
  assert.ok(simulateCall(forbidden).ok);
  assert.ok(estimateGas(simulation(chain, { from: bob, to: alice })).ok);
  assert.ok(estimateGas(simulation(chain, { to: alice })).ok, "one without a sender is no transaction");
  const check = permissionAsOf(chain.state, chain.modules, 1);
  assert.deepEqual(check?.({ sender: alice, to: undefined, value: 0n }), { reason: "gate: suspended" });
  assert.equal(
    permissionAsOf(chain.state, chain.modules, 0),
    undefined,
    "before a module begins nobody is asked",
  );
});

const CALLER = addressFromHex("00000000000000000000000000000000000c0dc0");
/** CALLDATACOPY; SSTORE(0, success of a CALL of DOUBLER with 5,000 gas and all data); SSTORE(1, its output); SSTORE(2, gas of the CALL). */
const CALLER_CODE = concatBytes(
  hex("365f5f37" + "5a" + "60205f365f5f73"),
  DOUBLER,
  hex("611388f1" + "5a91905f5503600255" + "5f51600155" + "00"),
);

test("contracts and transactions reach a module's precompile while it is active, warm, and simulation does alike", () => {
  const chain = moduleChain({ has: [doubler()], accounts: [contractAt(CALLER, CALLER_CODE)] });
  schedule(chain, doubler(), 12);
  const data = wordToBytes(21n);
  chain.advance(10);
  const output = () => unwrap(simulateCall(simulation(chain, { to: DOUBLER, data }))).output;
  assert.equal(output().length, 0);
  chain.execute([transactionOf(ALICE, 0, CALLER, data)]);
  assert.deepEqual(
    [0n, 1n].map((slot) => chain.state.storage(CALLER, slot)),
    [1n, 21n],
    "an account without code",
  );
  const coldGas = chain.state.storage(CALLER, 2n);
  const [receipt] = chain.execute([transactionOf(ALICE, 1, CALLER, data)]).receipts;
  assert.equal(receipt?.succeeded, true);
  assert.deepEqual(
    [0n, 1n].map((slot) => chain.state.storage(CALLER, slot)),
    [1n, 42n],
  );
  assert.equal(
    coldGas - chain.state.storage(CALLER, 2n),
    2_600n - 100n - 100n,
    "cold before; warm, and 100 gas of its own",
  );
  assert.deepEqual(output(), wordToBytes(42n));
  const direct = chain.execute([transactionOf(ALICE, 2, DOUBLER, data)]).receipts[0];
  const estimate = unwrap(estimateGas(simulation(chain, { from: alice, to: DOUBLER, data })));
  assert.equal(estimate.kind, "estimated");
  assert.equal(estimate.kind === "estimated" ? estimate.gas : 0n, direct?.gasUsed);
  const listed = unwrap(createAccessList(simulation(chain, { from: alice, to: CALLER, data }))).accessList;
  assert.ok(
    listed.every(({ address }) => address.join() !== DOUBLER.join()),
    "warm anyway",
  );
});

test("a precompile that refuses its input, or has too little gas, takes all gas of its call; one that throws is a fault of the node", () => {
  const chain = moduleChain({
    active: [[doubler(), EMPTY_BYTES]],
    accounts: [contractAt(CALLER, CALLER_CODE)],
  });
  chain.execute([transactionOf(ALICE, 0, CALLER, new Uint8Array(31))]);
  assert.equal(chain.state.storage(CALLER, 0n), 0n);
  assert.ok(chain.state.storage(CALLER, 2n) > 5_000n);
  const [short] = chain.execute([transactionOf(ALICE, 1, DOUBLER, EMPTY_BYTES, 21_000n + 99n)]).receipts;
  assert.equal(short?.succeeded, false);
  const throwing = doubler({
    precompiles: [
      {
        address: DOUBLER,
        gas: () => 1n,
        run: () => {
          throw new Error("broken");
        },
      },
    ],
  });
  const broken = moduleChain({ active: [[throwing, EMPTY_BYTES]] });
  assert.throws(() => broken.execute([transactionOf(ALICE, 0, DOUBLER)]), /broken/);
});

test("every tier of the engine reaches a module's precompile alike", (context) => {
  context.after(() => installMessageEngine());
  const hashes = (["reference", "tier0", "tier1", "mixed"] as const).map((tiers) => {
    const engine = createContractEngine({ tiers });
    installMessageEngine(engine.execute);
    const chain = moduleChain({
      active: [
        [doubler(), EMPTY_BYTES],
        [gate(), EMPTY_BYTES],
      ],
      accounts: [contractAt(CALLER, CALLER_CODE)],
    });
    for (const [nonce, length] of [32, 31, 32].entries()) {
      chain.execute([transactionOf(ALICE, nonce, CALLER, new Uint8Array(length).fill(1))]);
    }
    assert.notEqual(chain.state.storage(CALLER, 1n), 0n);
    return toHex(chain.head.hash);
  });
  assert.equal(new Set(hashes).size, 1);
});

test("a rule set that state names holds from its height on, in blocks and simulations", () => {
  const chain = moduleChain({ fork: "prague" });
  assert.equal(chain.send(AUTHORITY, "scheduleFork", [nameWord("osaka"), 14]), "done");
  const large = (nonce: number) => transactionOf(ALICE, nonce, bob, EMPTY_BYTES, 2n ** 24n + 1n);
  /** CLZ of 1, returned: an instruction of Osaka (EIP-7939). */
  const leadingZeros = () =>
    unwrap(
      simulateCall({
        ...simulation(chain, { to: CALLER }),
        accountOverrides: [{ address: CALLER, code: hex("60011e5f5260205ff3") }],
      }),
    ).status;
  chain.advance(12);
  assert.deepEqual(chain.execute([large(0)]).skipped, []);
  assert.equal(leadingZeros(), "fault");
  const [skip] = chain.execute([large(1)]).skipped;
  assert.match(skip?.reason.message ?? "", /gas-limit-above-cap/);
  assert.equal(leadingZeros(), "success");
});

test("rule sets never go back, whatever state names and when", () => {
  const rules = {
    forks: [
      { fork: "prague", fromTimestamp: 0 },
      { fork: "osaka", fromTimestamp: 100 },
    ],
  } as const;
  const at = (timestamp: number, height: number, forks: readonly { fork: string; height: number }[]) =>
    forkAt(rules, timestamp, { forks, height });
  assert.equal(at(99, 10, []), "prague");
  assert.equal(at(99, 10, [{ fork: "osaka", height: 10 }]), "osaka");
  assert.equal(at(99, 9, [{ fork: "osaka", height: 10 }]), "prague");
  assert.equal(at(100, 9, [{ fork: "osaka", height: 10 }]), "osaka", "genesis' time is enough");
  assert.equal(at(100, 10, [{ fork: "cancun", height: 1 }]), "osaka");
  assert.equal(at(99, 10, [{ fork: "vienna", height: 1 }]), "prague");
});

test("votes take what any rule set allows that may hold, because voters may not know the state; without a registry they do not", () => {
  const chain = moduleChain({ fork: "prague" });
  const largest = transactionOf(ALICE, 0, bob, EMPTY_BYTES, 2n ** 24n + 1n);
  const codeUnder = (rules: typeof chain.genesis.rules) => {
    const request = { payload: encodePayload([largest]), rules, timestampMs: 0, maxPayloadBytes: 1_000_000 };
    const checked = checkPayload(request);
    return checked.ok ? "ok" : checked.error.code;
  };
  assert.equal(chain.genesis.rules.schedulesForks, true);
  const osaka = [{ fork: "osaka", fromTimestamp: 0 }] as const;
  assert.equal(codeUnder(chain.genesis.rules), "ok");
  assert.equal(codeUnder({ ...chain.genesis.rules, forks: osaka }), "payload/invalid-transaction");
  const authorizing = transactionOf(ALICE, 0, bob, EMPTY_BYTES, 30_000_001n);
  const tooLarge = { payload: encodePayload([authorizing]), timestampMs: 0, maxPayloadBytes: 1_000_000 };
  assert.equal(checkPayload({ ...tooLarge, rules: chain.genesis.rules }).ok, false);
});

test("a simulation by a program that lacks a module of the block answers so", () => {
  const chain = moduleChain({ active: [[gate(), EMPTY_BYTES]] });
  chain.execute([]);
  const answer = simulateCall({ ...simulation(chain, { to: bob }), modules: undefined });
  assert.equal(answer.ok ? "ok" : answer.error.code, "execution/module-missing");
});
