import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex } from "@ostrom/base";
import { viewOfJournal } from "@ostrom/execution";
import {
  isReportable,
  readAnnounced,
  readDelegation,
  readReportsDue,
  readStakingSettings,
  readUnbondings,
  stakerOfKey,
  stakerOfOperator,
} from "./account-views.ts";
import { fakeEvidence, initialValidator, keyOf, person } from "./testing/played-keys.ts";
import { COIN, StakingChain } from "./testing/staking-chain.ts";

const MOST = 2n ** 256n - 1n;

function stakedChain(): StakingChain {
  const initial = [0, 1, 2].map((index) => initialValidator(index, 100n * COIN, true));
  return new StakingChain({ initial });
}

/** What the contract's own views answer, in the shape of the readers. */
function compare(chain: StakingChain, people: readonly number[]): void {
  const state = viewOfJournal(chain.state);
  for (const index of people) {
    const { address } = person(index);
    for (const staker of [1, 2, 3]) {
      const told = chain.ask("delegationOf", [BigInt(staker), toHex(address)]) as readonly [bigint, bigint];
      const read = readDelegation(state, staker, address);
      const isOperator = stakerOfOperator(state, address) === staker;
      assert.equal(read?.amount ?? 0n, told[0], `${index} behind ${staker}`);
      if (!isOperator) assert.equal(read?.due ?? 0n, told[1], `${index} is due from ${staker}`);
      else assert.ok((read?.due ?? 0n) >= told[1], "the operator's commission is due besides");
    }
    const [queue, amounts, payable] = chain.ask("unbondingsOf", [toHex(address)]) as readonly [
      readonly { readonly staker: number }[],
      readonly bigint[],
      readonly bigint[],
    ];
    assert.deepEqual(
      readUnbondings(state, address),
      queue.map(({ staker }, at) => ({
        staker,
        amount: amounts[at],
        payableFromEpoch: payable[at] === MOST ? undefined : Number(payable[at]),
      })),
    );
    assert.equal(readReportsDue(state, address), chain.ask("reportsDue", [toHex(address)]));
    assert.equal(
      BigInt(stakerOfOperator(state, address) ?? 0),
      chain.ask("stakerOfOperator", [toHex(address)]),
    );
  }
}

test("readers answer what the contract's views answer: delegations, rewards, slashes, unbonding, reports", () => {
  const chain = stakedChain();
  const [delegator, reporter] = [person(20), person(21)];
  chain.fund(delegator, 1_000n * COIN);
  chain.fund(reporter, COIN);
  assert.equal(chain.send(delegator, "delegate", [1n], 60n * COIN), "done");
  assert.equal(chain.send(delegator, "delegate", [2n], 40n * COIN), "done");
  compare(chain, [0, 1, 2, 20, 21]);
  for (let epoch = 0; epoch < 3; epoch++) {
    chain.revealAll();
    chain.nextEpoch();
  }
  assert.ok((readDelegation(viewOfJournal(chain.state), 1, delegator.address)?.due ?? 0n) > 0n);
  assert.equal(chain.send(delegator, "undelegate", [1n, 25n * COIN]), "done");
  compare(chain, [0, 1, 2, 20, 21]);
  const evidence = fakeEvidence(chain.epoch);
  const key = keyOf("consensus", 0, 48);
  assert.ok(isReportable(viewOfJournal(chain.state), 1, chain.epoch));
  assert.equal(chain.send(reporter, "report", [toHex(evidence), toHex(key)]), "done");
  assert.ok(!isReportable(viewOfJournal(chain.state), 1, chain.epoch), "once an epoch");
  compare(chain, [0, 1, 2, 20, 21]);
  assert.equal(
    readDelegation(viewOfJournal(chain.state), 1, delegator.address)?.amount,
    (35n * COIN * 9n) / 10n,
  );
  for (let epoch = 0; epoch < 3; epoch++) {
    chain.revealAll();
    chain.nextEpoch();
  }
  compare(chain, [0, 1, 2, 20, 21]);
});

test("a contradiction can be reported from its own epoch on until it is too old", () => {
  const chain = stakedChain();
  const at = (epoch: number): boolean => isReportable(viewOfJournal(chain.state), 2, epoch);
  assert.deepEqual([at(0), at(1)], [true, false]);
  for (let epoch = 0; epoch < chain.settings.evidenceEpochs; epoch++) chain.nextEpoch();
  assert.ok(at(0));
  chain.nextEpoch();
  assert.deepEqual([at(0), at(1)], [false, true]);
});

test("keys, announcements and settings are found where the contract has them", () => {
  const chain = stakedChain();
  const state = viewOfJournal(chain.state);
  assert.equal(stakerOfKey(state, keyOf("consensus", 1, 48)), 2);
  assert.equal(stakerOfKey(state, keyOf("transport", 2, 32)), 3);
  assert.equal(stakerOfKey(state, keyOf("consensus", 9, 48)), undefined);
  const commitment = hex("11".repeat(32)) as Parameters<typeof readAnnounced>[1];
  assert.equal(readAnnounced(state, commitment), 0);
  assert.equal(chain.send(person(30), "announce", [toHex(commitment)]), "done");
  assert.equal(readAnnounced(viewOfJournal(chain.state), commitment), chain.height);
  const { genesisHash, ...settings } = readStakingSettings(state)!;
  assert.deepEqual(settings, chain.settings);
  assert.ok(genesisHash !== undefined);
});
