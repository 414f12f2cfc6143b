import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromWord,
  concatBytes,
  fromHex,
  Hash,
  hashFromWord,
  toHex,
  unwrap,
} from "@ostrom/base";
import { bls, keccak256 } from "@ostrom/crypto";
import { epochOfHeight, frozenHeight } from "./epochs.ts";
import { MAX_WORK_MINERS, MAX_WORK_VALIDATORS, type WorkValidatorSets } from "./genesis-validator-sets.ts";
import { readNextValidatorSet } from "./next-validator-set.ts";
import { addressOfSecretKey } from "./signature.ts";
import { simulateCall } from "./simulate.ts";
import { SEAL_EPOCH_SELECTOR, SYSTEM_ADDRESS, SYSTEM_CALL_GAS } from "./system-contracts.ts";
import { ContractChain, WORK_ABI } from "./testing/contract-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, TEST_CHAIN_ID, testGenesis, testValidator } from "./testing/test-chain.ts";
import type { ChainRules } from "./types.ts";
import { readValidatorSet, VALIDATOR_SET_ADDRESS } from "./validator-set.ts";
import { findTicket, isTicket, ticketHash, type WorkTask, workPreimage } from "./work-ticket.ts";

const EASIEST = 2n ** 256n - 1n;
/** Every second hash wins. */
const EASY = 2n ** 255n;
const LENGTH = 16;
/** As the contract has it. */
const FORGOTTEN_AT_ONCE = 32;
const MINERS = [0, 1, 2, 3].map((index) => ({
  key: testKey(300 + index),
  address: addressOfSecretKey(testKey(300 + index)),
  validator: testValidator(20 + index),
}));
type Miner = (typeof MINERS)[number];

function workChain(
  sets: Partial<WorkValidatorSets> = {},
  accounts: readonly Address[] = MINERS.map(({ address }) => address),
  rules: Partial<ChainRules> = {},
): ContractChain {
  const genesis = testGenesis({
    accounts: accounts.map((address) => funded(address)),
    rules,
    validators: 2,
    epochLength: LENGTH,
    validatorSets: {
      kind: "work",
      initialTarget: EASIEST,
      ticketsPerEpoch: 8,
      windowEpochs: 2,
      minValidators: 1,
      maxValidators: 3,
      ...sets,
    },
  });
  return new ContractChain(genesis, WORK_ABI);
}

const miner = (index: number): Miner => MINERS[index]!;

function submission({ validator }: Pick<Miner, "validator">, nonce: number | bigint): readonly unknown[] {
  const { consensusKey, proofOfPossession, transportKey, host, port } = validator;
  return [toHex(consensusKey), toHex(proofOfPossession), toHex(transportKey), host, port, BigInt(nonce)];
}

function task(chain: ContractChain, { address, validator }: Miner): WorkTask {
  const challenge = Hash(unwrap(fromHex(String(chain.ask("challenge")))));
  return { chainId: TEST_CHAIN_ID, challenge, miner: address, keys: validator };
}

/** Up to the block that decides the next set. */
function seal(chain: ContractChain): void {
  const next = chain.head.header.number + 1;
  const epoch = epochOfHeight(chain.genesis, next);
  const height = frozenHeight(chain.genesis, epoch);
  chain.advance(next > height ? frozenHeight(chain.genesis, epoch + 1) : height);
}

/** Who would validate next, as [name, weight]. */
function elected(chain: ContractChain): readonly (readonly [string, number])[] {
  const { set, refused, leftOut } = readNextValidatorSet(
    chain.state,
    chain.genesis.validatorSet,
    bls().verifyPossession,
  );
  assert.deepEqual([refused, leftOut], [undefined, []]);
  return set.validators.map(({ name, weight }) => [name, weight]);
}

const nameOf = ({ address }: Miner): string => `miner-${toHex(address).slice(2, 18)}`;
const GENESIS_SET = [
  ["validator-0", 1],
  ["validator-1", 2],
];

/** Hands in some tickets of an open chain, each in a block of its own. */
function work(chain: ContractChain, who: Miner, tickets: number): void {
  const { key, address } = who;
  const [, last, hasWorked] = chain.ask("minerOf", [toHex(address)]) as [bigint, bigint, boolean];
  const first = hasWorked ? last + 1n : 0n;
  const calls = Array.from({ length: tickets }, (_, i) =>
    chain.call(key, "submitWork", submission(who, first + BigInt(i))),
  );
  const { receipts } = chain.execute(calls);
  assert.deepEqual(
    receipts.map(({ succeeded }) => succeeded),
    calls.map(() => true),
  );
}

test("no ticket counts before the first set is read: the challenge is not known yet", () => {
  const chain = workChain();
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), 0)), "NotOpenYet");
  assert.equal(chain.ask("period"), 0);
  seal(chain);
  assert.equal(chain.ask("period"), 1);
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), 0)), "done");
  assert.deepEqual(elected(chain), GENESIS_SET);
});

test("the miners with the most tickets are the next set, weighted by them; of equals, the lower address first", () => {
  const chain = workChain();
  seal(chain);
  for (const [index, tickets] of [1, 3, 2, 2].entries()) work(chain, miner(index), tickets);
  assert.deepEqual(elected(chain), GENESIS_SET, "until it is read");
  seal(chain);
  const [equal, other] = [miner(2), miner(3)].sort((a, b) => (toHex(a.address) < toHex(b.address) ? -1 : 1));
  assert.deepEqual(elected(chain), [
    [nameOf(miner(1)), 3],
    [nameOf(equal!), 2],
    [nameOf(other!), 2],
  ]);
  const { set } = readNextValidatorSet(chain.state, chain.genesis.validatorSet, bls().verifyPossession);
  const { name, weight, address, ...rest } = set.validators[0]!;
  const { name: _name, weight: _weight, address: _address, ...expected } = miner(1).validator;
  assert.deepEqual(rest, expected);
  assert.deepEqual(address, miner(1).address);
});

test("tickets count for the window's epochs and no longer; without enough miners the set stays", () => {
  const chain = workChain({ windowEpochs: 2, minValidators: 2 });
  seal(chain);
  work(chain, miner(0), 2);
  seal(chain);
  assert.deepEqual(elected(chain), GENESIS_SET, "one miner is not enough");
  work(chain, miner(1), 1);
  seal(chain);
  const both = [
    [nameOf(miner(0)), 2],
    [nameOf(miner(1)), 1],
  ];
  assert.deepEqual(elected(chain), both);
  work(chain, miner(2), 4);
  seal(chain);
  assert.deepEqual(elected(chain), [
    [nameOf(miner(2)), 4],
    [nameOf(miner(1)), 1],
  ]);
  assert.equal(chain.ask("minerCount"), 2n, "who has no recent ticket is forgotten");
  seal(chain);
  seal(chain);
  assert.equal(chain.ask("minerCount"), 0n);
  assert.equal(elected(chain).length, 2, "the last set goes on");
  work(chain, miner(0), 1);
  work(chain, miner(3), 1);
  seal(chain);
  assert.deepEqual(new Set(elected(chain).map(([name]) => name)), new Set([miner(0), miner(3)].map(nameOf)));
});

test("work-ticket.ts finds the tickets that the contract takes, and no others", () => {
  const chain = workChain({ initialTarget: EASY });
  seal(chain);
  const preimage = workPreimage(task(chain, miner(0)));
  const nonce = findTicket(preimage, EASY, 0n, 100)!;
  assert.ok(isTicket(ticketHash(preimage, nonce), EASY));
  for (let losing = 0n; losing < nonce; losing++) {
    assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), losing)), "TargetMissed");
  }
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), nonce)), "done");
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), nonce)), "NonceUsed");
  assert.equal(findTicket(preimage, 1n, 0n, 50), undefined);
});

test("a ticket is of one sender, one set of keys and one challenge", () => {
  const chain = workChain({ initialTarget: EASY });
  seal(chain);
  const mine = task(chain, miner(0));
  const preimage = workPreimage(mine);
  const others = [
    { ...mine, miner: miner(1).address },
    { ...mine, keys: miner(1).validator },
    { ...mine, keys: { ...mine.keys, proofOfPossession: miner(1).validator.proofOfPossession } },
    { ...mine, chainId: 1n },
    { ...mine, challenge: hashFromWord(1n) },
  ].map(workPreimage);
  for (const other of others) assert.notDeepEqual(ticketHash(other, 1n), ticketHash(preimage, 1n));
  const before = chain.ask("challenge");
  seal(chain);
  assert.notEqual(chain.ask("challenge"), before);
});

test("a miner may change its keys with a ticket; nobody takes keys that another miner has", () => {
  const chain = workChain();
  seal(chain);
  work(chain, miner(0), 1);
  assert.equal(chain.send(miner(1).key, "submitWork", submission(miner(0), 0)), "KeyTaken");
  const transportOnly = {
    validator: { ...miner(1).validator, transportKey: miner(0).validator.transportKey },
  };
  assert.equal(chain.send(miner(1).key, "submitWork", submission(transportOnly, 0)), "KeyTaken");
  const changed = { validator: { ...testValidator(30), host: "moved.example" } };
  assert.equal(chain.send(miner(0).key, "submitWork", submission(changed, 5)), "done");
  assert.equal(
    chain.send(miner(1).key, "submitWork", submission(miner(0), 0)),
    "done",
    "its old keys are free",
  );
  seal(chain);
  const { set } = readNextValidatorSet(chain.state, chain.genesis.validatorSet, bls().verifyPossession);
  assert.deepEqual(set.validators[0]?.consensusKey, testValidator(30).consensusKey);
  assert.equal(set.validators[0]?.host, "moved.example");
  assert.deepEqual(set.validators[1]?.consensusKey, miner(0).validator.consensusKey);
});

test("the target follows the tickets of the epoch before, by a factor of 4 at most", () => {
  const target = 2n ** 255n;
  const adjusted = (tickets: number, from = target): unknown => {
    const chain = workChain({ initialTarget: from, ticketsPerEpoch: 8 });
    seal(chain);
    if (tickets > 0) {
      const preimage = workPreimage(task(chain, miner(0)));
      let nonce = -1n;
      const calls = Array.from({ length: tickets }, () => {
        nonce = findTicket(preimage, from, nonce + 1n, 1_000)!;
        return chain.call(miner(0).key, "submitWork", submission(miner(0), nonce));
      });
      for (let i = 0; i < calls.length; i += 10) chain.execute(calls.slice(i, i + 10));
    }
    assert.equal(chain.ask("ticketsInPeriod"), tickets);
    seal(chain);
    return chain.ask("target");
  };
  assert.equal(adjusted(8), target);
  assert.equal(adjusted(16), target / 2n);
  assert.equal(adjusted(40), target / 4n);
  assert.equal(adjusted(5), (target / 5n) * 8n);
  assert.equal(adjusted(4), 2n ** 256n - 1n, "twice as much is more than there is");
  assert.equal(adjusted(0, 2n ** 250n), 2n ** 252n);
  assert.equal(adjusted(1, 2n ** 252n), 2n ** 254n);
});

test("nobody but the system seals an epoch", () => {
  const chain = workChain();
  assert.equal(chain.send(miner(0).key, "sealEpoch", [1n]), "NotTheSystem");
});

test("the contract refuses what every node would refuse to read", () => {
  const chain = workChain();
  seal(chain);
  const wrong: readonly (readonly [Readonly<Partial<Miner["validator"]>>, string])[] = [
    [{ consensusKey: new Uint8Array(47) }, "WrongKeyLength"],
    [{ proofOfPossession: new Uint8Array(95) }, "WrongKeyLength"],
    [{ transportKey: new Uint8Array(33) }, "WrongKeyLength"],
    [{ host: "" }, "WrongHost"],
    [{ host: "h".repeat(65) }, "WrongHost"],
    [{ host: "h/" }, "WrongHost"],
    [{ port: 0 }, "WrongPort"],
  ];
  for (const [changes, error] of wrong) {
    const args = submission({ validator: { ...miner(0).validator, ...changes } }, 1);
    assert.equal(chain.send(miner(0).key, "submitWork", args), error);
  }
});

/** Gas that the system call takes of what it may. */
function sealingGas(chain: ContractChain, nextEpoch: bigint): bigint {
  const data = concatBytes(SEAL_EPOCH_SELECTOR, hashFromWord(nextEpoch));
  const outcome = unwrap(
    simulateCall({
      rules: chain.genesis.rules,
      header: chain.head.header,
      state: chain.state,
      blockHash: chain.blockHash,
      request: { from: SYSTEM_ADDRESS, to: VALIDATOR_SET_ADDRESS, data },
      gasCap: SYSTEM_CALL_GAS,
    }),
  );
  assert.equal(outcome.status, "success", outcome.fault ?? "");
  return outcome.gasUsed;
}

/** A miner of its own address and keys for each number; the hosts are as long as they may be. */
function manyMiners(count: number): readonly Pick<Miner, "address" | "validator">[] {
  const base = testValidator(0);
  return Array.from({ length: count }, (_, index) => {
    const seed = keccak256(hashFromWord(BigInt(index)));
    const validator = {
      ...base,
      consensusKey: concatBytes(seed, seed.subarray(0, 16)),
      proofOfPossession: concatBytes(seed, seed, seed),
      transportKey: seed,
      host: "h".repeat(64),
    };
    return { address: addressFromWord(BigInt(index + 1) << 100n), validator };
  });
}

/** Lets each miner hand in a ticket, all in one block, whoever has signed. */
function workAll(chain: ContractChain, miners: ReturnType<typeof manyMiners>): void {
  const senders = new Map<string, { readonly sender: Address }>();
  const calls = miners.map(({ address, validator }) => {
    const raw = chain.callUnsigned("submitWork", submission({ validator }, 1));
    // The same bytes would be the same transaction for all.
    assert.ok(!senders.has(toHex(keccak256(raw))));
    senders.set(toHex(keccak256(raw)), { sender: address });
    return raw;
  });
  const { receipts } = chain.execute(calls, 250, (hash) => senders.get(toHex(hash)));
  assert.equal(receipts.filter(({ succeeded }) => succeeded).length, miners.length);
}

test("with as many miners, new validators and forgotten ones as can be, a set is sealed within the gas of a system call", (t) => {
  const miners = manyMiners(MAX_WORK_MINERS);
  const accounts = miners.map(({ address }) => address);
  const sets = { windowEpochs: 1, ticketsPerEpoch: MAX_WORK_MINERS };
  const most = { minValidators: MAX_WORK_VALIDATORS, maxValidators: MAX_WORK_VALIDATORS };
  const chain = workChain({ ...sets, ...most }, [...accounts, miner(0).address], {
    blockGasLimit: 100n * SYSTEM_CALL_GAS,
  });
  seal(chain);
  // Too few for a set; and they are where the contract, which begins with the last, has most to do.
  workAll(chain, miners.slice(0, FORGOTTEN_AT_ONCE));
  seal(chain);
  workAll(chain, miners.slice(FORGOTTEN_AT_ONCE));
  assert.equal(chain.ask("minerCount"), BigInt(MAX_WORK_MINERS));
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), 1)), "NoRoomForMiners");

  const gas = sealingGas(chain, 3n);
  t.diagnostic(`${gas} gas of ${SYSTEM_CALL_GAS}`);
  seal(chain);
  assert.equal(chain.ask("validatorCount"), BigInt(MAX_WORK_VALIDATORS));
  assert.equal(chain.ask("minerCount"), BigInt(MAX_WORK_MINERS - FORGOTTEN_AT_ONCE));
  const set = unwrap(readValidatorSet(chain.state)).validators;
  const lowest = accounts.slice(FORGOTTEN_AT_ONCE, FORGOTTEN_AT_ONCE + MAX_WORK_VALIDATORS);
  assert.deepEqual(
    set.map(({ address }) => address),
    lowest,
  );
  assert.equal(chain.send(miner(0).key, "submitWork", submission(miner(0), 1)), "done");
});

test("the keys of a genesis validator are its own: nobody else's ticket takes them over", () => {
  const owner = miner(0);
  const thief = miner(1);
  const genesisKeys = testValidator(0);
  const rightful = { key: testKey(900), address: genesisKeys.address, validator: genesisKeys };
  const chain = workChain(
    {},
    [owner, thief, rightful].map(({ address }) => address),
  );
  seal(chain);
  const stolen = chain.call(thief.key, "submitWork", submission({ validator: genesisKeys }, 0));
  const mixed = { ...owner.validator, transportKey: genesisKeys.transportKey };
  const half = chain.call(owner.key, "submitWork", submission({ validator: mixed }, 0));
  const { receipts } = chain.execute([stolen, half]);
  assert.deepEqual(
    receipts.map(({ succeeded }) => succeeded),
    [false, false],
  );
  work(chain, thief, 1);
  work(chain, rightful, 2);
  seal(chain);
  assert.deepEqual(elected(chain), [
    [nameOf(rightful), 2],
    [nameOf(thief), 1],
  ]);
});
