import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import { MAX_SETTINGS_BYTES, viewOfJournal } from "@ostrom/execution";
import { MAX_CANDIDATES, MAX_COMMITTEE, MAX_INITIAL_VALIDATORS } from "./layout.ts";
import { encodeStakingSettings } from "./settings.ts";
import { stakingValidatorSet } from "./staking-set.ts";
import { readStakers } from "./staking-views.ts";
import { FAKE_PROOF, fakeEvidence, initialValidator, keyOf, person } from "./testing/played-keys.ts";
import { COIN, StakingChain, TEST_SETTINGS } from "./testing/staking-chain.ts";

/** As many candidates as there may be, of different stakes: number i has 10 + i % 90 coins. */
function fullChain(): StakingChain {
  const chain = new StakingChain({ settings: { maxValidators: MAX_COMMITTEE, expectedSeats: 4096 } });
  for (let index = 0; index < MAX_CANDIDATES; index++) {
    assert.equal(chain.register(index, BigInt(10 + (index % 90)) * COIN), "done");
  }
  return chain;
}

const stakerOf = (chain: StakingChain, id: number) => readStakers(chain.state, id, 1)[0]!;

test("with as many candidates as there may be, epochs end, the largest committee is drawn, and places go to those with more", () => {
  const chain = fullChain();
  const newcomer = MAX_CANDIDATES;
  assert.equal(chain.register(newcomer, 100n * COIN), "UnknownStaker", "somebody must be displaced");
  // Number 41 has 50 coins, number 42 has 51.
  assert.equal(stakerOf(chain, 41).bonded, 50n * COIN);
  assert.equal(chain.register(newcomer, 100n * COIN, {}, 42n), "NoRoom", "51 is more than half of 100");
  assert.equal(chain.register(newcomer, 100n * COIN, {}, 41n), "done");
  assert.deepEqual(
    [stakerOf(chain, 41).isCandidate, stakerOf(chain, newcomer + 1).isCandidate],
    [false, true],
  );
  assert.equal(
    chain.register(newcomer + 1, 200n * COIN, {}, 41n),
    "NoRoom",
    "it has no place to take any more",
  );
  for (let epoch = 0; epoch < 2; epoch++) chain.nextEpoch();
  assert.equal(chain.send(person(40), "reveal", [41n, toHex(FAKE_PROOF)]), "NothingAtStake");
  chain.revealAll();
  const { validators } = chain.nextEpoch();
  assert.equal(validators?.length, MAX_COMMITTEE);
  // The displaced one comes back with more than twice what another has.
  assert.equal(chain.send(person(40), "rejoin", [1n]), "done");
  assert.equal(chain.send(person(40), "rejoin", [2n]), "IsCandidate");
  assert.equal(stakerOf(chain, 1).isCandidate, false);
  // Places of those who are out for good are free after the next decision.
  assert.equal(
    chain.send(person(60), "report", [toHex(fakeEvidence(chain.epoch)), toHex(keyOf("consensus", 7, 48))]),
    "done",
  );
  chain.send(person(9), "exit");
  chain.nextEpoch();
  assert.deepEqual([stakerOf(chain, 8).isCandidate, stakerOf(chain, 10).isCandidate], [false, false]);
  for (const index of [newcomer + 2, newcomer + 3]) assert.equal(chain.register(index, 10n * COIN), "done");
  assert.equal(chain.register(newcomer + 4, 10n * COIN), "UnknownStaker");
  const list = chain.ask("candidateList") as readonly number[];
  assert.deepEqual([list.length, new Set(list).size], [MAX_CANDIDATES, MAX_CANDIDATES]);
  assert.equal(
    stakingValidatorSet(viewOfJournal(chain.state), chain.epoch + 5),
    undefined,
    "nothing is decided so far ahead",
  );
});

test("as many initial validators as there may be fit into settings and into what activation may cost", () => {
  const initial = Array.from({ length: MAX_INITIAL_VALIDATORS }, (_, index) => ({
    ...initialValidator(index, 100n * COIN, index % 2 === 0),
    name: `validator-${index}`.padEnd(32, "x"),
    host: `host-${index}`.padEnd(64, "x"),
  }));
  assert.ok(encodeStakingSettings(TEST_SETTINGS, initial).length <= MAX_SETTINGS_BYTES);
  const chain = new StakingChain({ initial });
  assert.equal(chain.held(), 100n * COIN * BigInt(MAX_INITIAL_VALIDATORS));
  assert.equal(chain.validators[59]!.host, "host-59".padEnd(64, "x"));
  chain.revealAll();
  const { validators } = chain.nextEpoch();
  assert.ok(validators !== undefined && validators.length === TEST_SETTINGS.maxValidators);
  const tooMany = [...initial, initialValidator(99, 100n * COIN, true)];
  assert.throws(() => new StakingChain({ initial: tooMany }), /WrongSettings/);
});
