import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, must, toHex, toHexDigits } from "@ostrom/base";
import { addressOfSecretKey, STAKING_ADDRESS } from "@ostrom/execution";
import { installNativeCrypto, type Json } from "@ostrom/runtime";
import { readStakers, readStakingState, sortitionInput } from "@ostrom/staking-chain";
import { stakingCall } from "./act-calls.ts";
import { stakingMethods } from "./methods.ts";
import { COIN, StakedChain } from "./testing/staked-chain.ts";

installNativeCrypto();

type Told = { readonly [name: string]: Told } & readonly Told[] & string;

async function ask(chain: StakedChain, name: string, params: readonly unknown[] = []): Promise<Told> {
  const method = must(
    stakingMethods.find((one) => one.name === name),
    "the method is there",
  );
  return JSON.parse(JSON.stringify((await method.call(chain.reads(), params)) as Json));
}

function held(chain: StakedChain, account: Bytes = STAKING_ADDRESS): bigint {
  return chain.state.account(account as typeof STAKING_ADDRESS)?.balance ?? 0n;
}

function sums(chain: StakedChain): bigint {
  const { bonded, unbonding, unclaimed, burned } = must(readStakingState(chain.state), "staking is active");
  return bonded + unbonding + unclaimed + burned;
}

test("validators reveal once a round with valid proofs; committees are drawn, leaders by the new seed, rewards made", async () => {
  const chain = new StakedChain(4, 4);
  await chain.start();
  const first = await chain.serveUntil(1);
  // Round 0 begins with the chain, round 1 at height 6, where epoch 1 is decided.
  assert.equal(first.filter((one) => one.startsWith("reveal")).length, 8, first.join("; "));
  const sent = [...first, ...(await chain.serveUntil(4))];
  assert.ok(
    sent.every((one) => /^reveal by \d: done$/.test(one)),
    sent.join("; "),
  );
  assert.equal(sent.length, 4 * 5, "one reveal a round each");
  assert.deepEqual(
    chain.reports.flatMap(({ frozen }) => (frozen === undefined ? [] : [frozen.refused])),
    [undefined, undefined, undefined, undefined],
  );
  const sets = [1, 2, 3].map((epoch) => must(chain.setOf(epoch), "decided"));
  const seeds = new Set(
    sets.map(({ leaderSeed }) => toHexDigits(must(leaderSeed, "each has a seed of its own"))),
  );
  assert.equal(seeds.size, 3);
  const weights = sets.map(({ validators }) => validators.map(({ weight }) => weight).join());
  assert.equal(new Set(weights).size, 3, `weights are drawn anew: ${weights.join(" ")}`);
  for (const { validators } of sets) {
    const total = validators.reduce((sum, { weight }) => sum + weight, 0);
    assert.ok(validators.length === 4 && total > 1_800 && total < 2_200, `${total} seats`);
  }
  assert.equal(held(chain), sums(chain));
  assert.ok(must(readStakingState(chain.state), "active").unclaimed > 0n, "rewards were made");
});

test("who contradicts itself is announced, reported by another's service and slashed, once, and is in no further set", async () => {
  const chain = new StakedChain(4, 4, { "min-validators": "3" });
  await chain.start();
  await chain.serveUntil(2);
  const [culprit, ...others] = chain.actors as [(typeof chain.actors)[0]];
  const before = readStakers(chain.state, 1, 4).find(({ name }) => name === "validator-0")!;
  chain.equivocate(culprit, 2);
  chain.equivocate(culprit, 2, 4);
  const sent = await chain.serveUntil(5, chain.actors);
  const reports = sent.filter((one) => /report/.test(one));
  assert.equal(reports.filter((one) => one.endsWith("done")).length, 1, sent.join("; "));
  assert.ok(sent.some((one) => /^announce by [1-3]: done$/.test(one)));
  assert.ok(
    sent.every((one) => !/(report|announce) by 0/.test(one)),
    "nobody reports itself",
  );
  const after = readStakers(chain.state, 1, 4).find(({ name }) => name === "validator-0")!;
  assert.deepEqual([after.isTombstoned, after.slashes], [true, 1]);
  assert.equal(after.bonded, before.bonded - (before.bonded * 5n) / 100n);
  // Whose turn it is to report depends on the contradiction: at most 28 blocks after it is seen.
  const names = must(chain.setOf(5), "decided").validators.map(({ name }) => name);
  assert.ok(!names.includes("validator-0"), names.join());
  const paid = await Promise.all(
    others.map(({ secret }) => ask(chain, "staking_getDelegations", [toHex(addressOfSecretKey(secret))])),
  );
  assert.equal(paid.filter((told) => BigInt(told["reportsDue"]!) > 0n).length, 1);
  assert.equal(held(chain), sums(chain));
});

test("who vanishes is jailed, is not drawn, and reveals again only when it is out of jail", async () => {
  const chain = new StakedChain(5, 5, { "min-validators": "3", "jail-epochs": "1" }, 20);
  await chain.start();
  const present = chain.actors.slice(0, 4);
  const vanishing = must(chain.actors[4], "there are five");
  await chain.serveUntil(1);
  chain.absent.add(4);
  await chain.serveUntil(3, present);
  const isJailed = (): boolean => readStakers(chain.state, 5, 1)[0]!.isJailed;
  assert.ok(isJailed());
  const namesOf = (epoch: number): readonly string[] =>
    must(chain.setOf(epoch), "decided").validators.map(({ name }) => name);
  assert.ok(!namesOf(3).includes("validator-4"));
  assert.deepEqual(await chain.serve([vanishing]), [], "a jailed validator has nothing to reveal");
  chain.absent.delete(4);
  assert.deepEqual(await chain.block([[vanishing, stakingCall("unjail")]]), [true]);
  assert.ok(!isJailed());
  const sent = await chain.serveUntil(6);
  assert.ok(sent.includes("reveal by 4: done"), sent.join("; "));
  assert.ok(namesOf(6).includes("validator-4"));
  assert.equal(held(chain), sums(chain));
});

test("RPC tells what is at stake, what is due, what unbonds, what was drawn and how far power is spread", async () => {
  const chain = new StakedChain(6, 4);
  await chain.start();
  await chain.serveUntil(1);
  const [, , , , delegator] = chain.actors;
  assert.deepEqual(await chain.block([[delegator!, stakingCall("delegate", [2n], 500n * COIN)]]), [true]);
  await chain.serveUntil(3);
  const account = toHex(addressOfSecretKey(delegator!.secret));
  const status = await ask(chain, "staking_getStatus");
  assert.equal(Number(status["epoch"]), 3);
  assert.equal(BigInt(status["settings"]!["expectedSeats"]!), 2_000n);
  const validators = await ask(chain, "staking_getValidators");
  assert.deepEqual(
    validators.map((one) => [one["name"], one["state"], BigInt(one["bonded"]!) / COIN]),
    [
      ["validator-0", "active", 10_000n],
      ["validator-1", "active", 20_500n],
      ["validator-2", "active", 30_000n],
      ["validator-3", "active", 10_000n],
    ],
  );
  assert.ok(validators.every((one) => BigInt(one["weight"]!) > 0n));
  const delegations = await ask(chain, "staking_getDelegations", [account]);
  assert.equal(delegations["staker"], null);
  const [first] = delegations["delegations"]!;
  assert.deepEqual([first!["name"], BigInt(first!["amount"]!)], ["validator-1", 500n * COIN]);
  assert.ok(BigInt(first!["due"]!) > 0n);
  const balance = held(chain, addressOfSecretKey(delegator!.secret));
  await chain.block([
    [delegator!, stakingCall("claim", [2n])],
    [delegator!, stakingCall("undelegate", [2n, 100n * COIN])],
  ]);
  assert.ok(held(chain, addressOfSecretKey(delegator!.secret)) > balance, "what was told is what is paid");
  const [unbonding] = await ask(chain, "staking_getUnbonding", [account]);
  assert.deepEqual([BigInt(unbonding!["amount"]!), unbonding!["isPayable"]], [100n * COIN, false]);
  const spread = await ask(chain, "staking_getDecentralization");
  assert.deepEqual(
    ["operators", "nakamotoToStop", "nakamotoToControl", "largestShare"].map((name) =>
      Number(spread["stake"]![name]),
    ),
    [4, 1, 2, 4_261],
  );
  await chain.serve(chain.actors);
  const draw = await ask(chain, "staking_getSortition");
  const { round, seed } = must(readStakingState(chain.state), "active");
  assert.equal(draw["input"], toHex(sortitionInput(4_711n, round + 1, seed)));
  assert.ok(draw["validators"]!.every((one) => one["output"] !== null && Number(one["seats"]) > 0));
  assert.equal(draw["revealedStake"], draw["totalStake"]);
  const duties = await ask(chain, "staking_getDuties", [account]);
  assert.deepEqual([duties["isActive"], duties["own"]], [true, null]);
});
