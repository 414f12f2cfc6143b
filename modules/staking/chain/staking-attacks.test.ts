import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint, hashFromWord, toHex, utf8 } from "@ostrom/base";
import { bls, ecvrf, keccak256 } from "@ostrom/crypto";
import { addressOfSecretKey, genesisHash, STAKING_ADDRESS } from "@ostrom/execution";
import { ALICE, moduleChain, schedule } from "../../../core/execution/testing/module-chain.ts";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { type Candidate, drawCommittee } from "./draw-committee.ts";
import { MAX_CANDIDATES, MAX_EXPECTED_SEATS } from "./layout.ts";
import { encodeStakingSettings } from "./settings.ts";
import { nextSeed } from "./sortition.ts";
import { stakingV1 } from "./staking-module.ts";
import { readStakers, readStakingState } from "./staking-views.ts";
import { FAKE_PROOF, fakeEvidence, initialValidator, keyOf, person } from "./testing/played-keys.ts";
import { COIN, StakingChain, TEST_SETTINGS } from "./testing/staking-chain.ts";

installNativeCrypto();

test("who schedules staking on a chain that runs can neither lock up others' coins as stake nor make stake", () => {
  const victim = addressOfSecretKey(ALICE);
  const secret = keccak256(utf8("thief's consensus")).slice();
  secret[0] = 1;
  const initial = {
    operator: victim,
    stake: 1000n * COIN,
    consensusKey: bls().publicKey(secret),
    proofOfPossession: bls().provePossession(secret),
    transportKey: keccak256(secret),
    vrfKey: ecvrf().publicKey(keccak256(utf8("thief's vrf"))),
    name: "thief",
    host: "192.0.2.1",
    port: 30_303,
    commission: 0,
  };
  for (const isGranted of [false, true]) {
    const chain = moduleChain({ has: [stakingV1] });
    const settings = { ...TEST_SETTINGS, genesisHash: genesisHash(chain.genesis) };
    const before = chain.state.account(victim)?.balance;
    schedule(chain, stakingV1, 12, encodeStakingSettings(settings, [{ ...initial, isGranted }]));
    chain.advance(13);
    assert.equal(chain.state.account(victim)?.balance, before);
    assert.equal(chain.state.account(STAKING_ADDRESS)?.balance, 0n);
    assert.equal(readStakingState(chain.state), undefined);
  }
});

const seedOf = (chain: StakingChain): bigint => bytesToBigint(readStakingState(chain.state)!.seed);

/** The seed that follows from all that was revealed in a round. */
function expectedSeed(chain: StakingChain): bigint {
  const { round, seed } = readStakingState(chain.state)!;
  const count = Number(chain.ask("stakerCount"));
  const outputs = readStakers(chain.state, 1, count).flatMap(({ hasRevealed, output }) =>
    hasRevealed ? [bytesToBigint(output)] : [],
  );
  assert.ok(round > 0 && outputs.length > 0);
  return bytesToBigint(nextSeed(seed, outputs));
}

test("whoever takes a place, leaves or is slashed after all have revealed takes nothing out of the next seed", () => {
  const chain = new StakingChain();
  for (let index = 0; index < MAX_CANDIDATES; index++) {
    assert.equal(chain.register(index, BigInt(10 + (index % 5)) * COIN), "done");
  }
  chain.nextEpoch();
  chain.nextEpoch();
  chain.revealAll();
  const expected = expectedSeed(chain);
  assert.equal(chain.register(MAX_CANDIDATES, 40n * COIN, {}, 7n), "done");
  assert.equal(chain.send(person(8), "exit"), "done");
  const report = [toHex(fakeEvidence(chain.epoch)), toHex(keyOf("consensus", 9, 48))];
  assert.equal(chain.send(person(60), "report", report), "done");
  chain.nextEpoch();
  assert.equal(seedOf(chain), expected);
});

test("the same proof twice, or a place taken again, counts an output once", () => {
  const chain = new StakingChain({
    initial: [0, 1].map((index) => initialValidator(index, 50n * COIN, true)),
  });
  chain.revealAll();
  const expected = readStakingState(chain.state)!;
  assert.equal(chain.send(person(5), "reveal", [1n, toHex(FAKE_PROOF)]), "AlreadyRevealed");
  const outputs = readStakers(chain.state, 1, 2).map(({ output }) => bytesToBigint(output));
  chain.nextEpoch();
  assert.equal(seedOf(chain), bytesToBigint(nextSeed(expected.seed, outputs)));
});

test("settings and amounts at their limits: epochs end, and no hook throws", () => {
  const most = 2n ** 96n - 1n;
  for (const settings of [
    { expectedSeats: 1, minValidators: 1, maxValidators: 1, minRevealedPercent: 0, slashPercent: 100 },
    { expectedSeats: MAX_EXPECTED_SEATS, minRevealedPercent: 99, epochReward: most, minStake: 1n },
    { minStake: 1n, minDelegation: 1n, epochReward: most, fullRewardSeconds: 2 ** 32 - 1, slashPercent: 99 },
  ]) {
    const rules = { jailEpochs: 65_535, unbondingEpochs: 65_535, evidenceEpochs: 65_534, ...settings };
    const initial = [most, 10n * COIN, 10n * COIN].map((stake, index) =>
      initialValidator(index, stake, true),
    );
    const chain = new StakingChain({ settings: rules, initial });
    for (let epoch = 0; epoch < 4; epoch++) {
      chain.revealAll(epoch === 2 ? [2, 3] : []);
      chain.nextEpoch(epoch === 1 ? [0] : undefined, epoch === 1 ? 0 : undefined);
      if (epoch < 2) {
        const report = [toHex(fakeEvidence(chain.epoch)), toHex(keyOf("consensus", epoch, 48))];
        assert.equal(chain.send(person(60), "report", report), "done");
      }
      const { bonded, unbonding, unclaimed, burned } = readStakingState(chain.state)!;
      assert.equal(chain.held(), bonded + unbonding + unclaimed + burned);
    }
    assert.ok(chain.validators.length > 0);
  }
});

test("where many more have seats than a set has room for, those with much stake each weigh no more than their part", () => {
  const candidate = (id: number, stake: bigint): Candidate => {
    const output = bytesToBigint(keccak256(hashFromWord(BigInt(id))));
    return { id, isEligible: true, bonded: stake, snapshot: stake, output };
  };
  const large = Array.from({ length: 12 }, (_, index) => candidate(index + 1, 1_000n));
  const small = Array.from({ length: 880 }, (_, index) => candidate(index + 13, 100n));
  const rules = { expectedSeats: 2000, minValidators: 4, maxValidators: 100, minRevealedPercent: 50 };
  const drawn = drawCommittee([...large, ...small], rules)!;
  const weigh = (of: typeof drawn): number => of.reduce((sum, member) => sum + Number(member.weight), 0);
  const part = weigh(drawn.filter(({ id }) => id <= 12)) / weigh(drawn);
  assert.ok(part < 0.18, `12 of 100 parts of the stake have ${part} of the weight`);
});
