import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { epochReward, isAbsent, memberRewards, type Participation, splitReward } from "./rewards.ts";

const member = (id: number, weight: bigint) => ({ id, weight, bonded: 1n });

test("members share by weight, half of the certificates are enough for all, fewer earn in proportion", () => {
  const members = [member(1, 50n), member(2, 30n), member(3, 20n)];
  const participation: Participation = { certificates: 40, proposals: [0, 0, 0], signatures: [40, 20, 5] };
  assert.deepEqual(memberRewards(members, participation, 1000n), [500n, 300n, 50n]);
});

test("who proposed a block has half at least, who did nothing has nothing, and no certificate is no reward", () => {
  const members = [member(1, 1n), member(2, 1n)];
  assert.deepEqual(
    memberRewards(members, { certificates: 40, proposals: [1, 0], signatures: [2, 0] }, 1000n),
    [250n, 0n],
  );
  assert.deepEqual(
    memberRewards(members, { certificates: 0, proposals: [5, 5], signatures: [0, 0] }, 1000n),
    [0n, 0n],
  );
});

test("no epoch makes more than its reward, and nobody more than its weight's part", () => {
  const aMember = fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 6n }), fc.nat(100), fc.nat(100));
  fc.assert(
    fc.property(
      fc.array(aMember, { minLength: 1, maxLength: 20 }),
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      (list, reward) => {
        const members = list.map(([weight], index) => member(index + 1, weight));
        const total = members.reduce((sum, { weight }) => sum + weight, 0n);
        const participation = {
          certificates: 100,
          proposals: list.map((entry) => entry[1]),
          signatures: list.map((entry) => entry[2]),
        };
        const rewards = memberRewards(members, participation, reward);
        assert.ok(rewards.reduce((sum, part) => sum + part, 0n) <= reward);
        rewards.forEach((part, index) => {
          assert.ok(part * total <= reward * members[index]!.weight);
        });
      },
    ),
  );
});

test("absent is who proposed nothing and signed less than a twentieth, once there is enough to tell", () => {
  const absent = (certificates: number, proposals: number, signatures: number): boolean =>
    isAbsent({ certificates, proposals: [proposals], signatures: [signatures] }, 0);
  assert.deepEqual([absent(10, 0, 0), absent(9, 0, 0), absent(10, 1, 0)], [true, false, false]);
  assert.deepEqual([absent(100, 0, 4), absent(100, 0, 5)], [true, false]);
});

test("short epochs earn in proportion to their time", () => {
  assert.deepEqual(
    [epochReward(100n, 30, 60), epochReward(100n, 60, 60), epochReward(100n, 600, 60)],
    [50n, 100n, 100n],
  );
  assert.deepEqual(
    [epochReward(100n, 1, 0), epochReward(100n, 0, 60), epochReward(100n, -5, 60)],
    [100n, 0n, 0n],
  );
});

test("a reward is never split into more than it is", () => {
  const amount = fc.bigInt({ min: 1n, max: 2n ** 96n - 1n });
  fc.assert(
    fc.property(amount, fc.bigInt({ min: 0n, max: 5000n }), amount, (reward, parts, bonded) => {
      const { commission, perWei } = splitReward(reward, parts, bonded);
      assert.ok(commission + ((perWei * bonded) >> 64n) <= reward);
      assert.equal(commission, (reward * parts) / 10_000n);
    }),
  );
});
