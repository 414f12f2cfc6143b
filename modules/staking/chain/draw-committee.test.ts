import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToBigint, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import fc from "fast-check";
import { type Candidate, carryOn, type DrawRules, drawCommittee } from "./draw-committee.ts";

const RULES: DrawRules = { expectedSeats: 100, minValidators: 1, maxValidators: 10, minRevealedPercent: 50 };

function candidate(id: number, changes: Partial<Candidate> = {}): Candidate {
  const output = bytesToBigint(keccak256(utf8(`output ${id}`)));
  return { id, isEligible: true, bonded: 100n, snapshot: 100n, output, ...changes };
}

const ids = (members: readonly { readonly id: number }[] | undefined): readonly number[] | undefined =>
  members?.map(({ id }) => id);

test("members stand in the order of their numbers, with their seats and what is bonded with them now", () => {
  const drawn = drawCommittee([candidate(3), candidate(1), candidate(2, { bonded: 150n })], RULES)!;
  assert.deepEqual(ids(drawn), [1, 2, 3]);
  assert.equal(drawn[1]!.bonded, 150n);
  assert.ok(drawn.every(({ weight }) => weight > 10n && weight < 60n));
});

test("exactly the part that must reveal is too little, one wei more is enough", () => {
  const silent = candidate(2, { output: undefined });
  assert.equal(drawCommittee([candidate(1), silent], RULES), undefined);
  assert.deepEqual(ids(drawCommittee([candidate(1, { snapshot: 101n, bonded: 101n }), silent], RULES)), [1]);
  const twoThirds = { ...RULES, minRevealedPercent: 66 };
  assert.equal(
    drawCommittee([candidate(1), candidate(2), silent, candidate(3, { output: undefined })], twoThirds),
    undefined,
  );
  assert.deepEqual(ids(drawCommittee([candidate(1), candidate(3), silent], twoThirds)), [1, 3]);
});

test("nobody there, nobody eligible, nothing at stake: no committee", () => {
  assert.equal(drawCommittee([], RULES), undefined);
  assert.equal(drawCommittee([candidate(1, { isEligible: false })], RULES), undefined);
  assert.equal(drawCommittee([candidate(1, { snapshot: 0n })], RULES), undefined);
  assert.equal(drawCommittee([candidate(1, { bonded: 0n })], RULES), undefined);
  assert.equal(drawCommittee([candidate(1)], { ...RULES, minValidators: 2 }), undefined);
});

test("who is not eligible has no seat and does not have to reveal, but makes nobody's chance larger", () => {
  const others = [candidate(1), candidate(2)];
  const jailed = candidate(3, { isEligible: false, output: undefined });
  const withIt = drawCommittee([...others, jailed], RULES)!;
  assert.deepEqual(ids(withIt), [1, 2]);
  const slashed = drawCommittee([...others, { ...jailed, bonded: 0n }], RULES)!;
  assert.deepEqual(slashed, withIt);
});

test("the same people in another order are the same committee", () => {
  const people = Array.from({ length: 12 }, (_, index) => candidate(index + 1));
  const expected = drawCommittee(people, RULES);
  assert.equal(expected?.length, RULES.maxValidators);
  fc.assert(
    fc.property(fc.shuffledSubarray(people, { minLength: people.length }), (shuffled) => {
      assert.deepEqual(drawCommittee(shuffled, RULES), expected);
    }),
    { numRuns: 30 },
  );
});

test("where more are drawn than there is room for, each weighs its seats on average, and the largest always sit", () => {
  const rules = { ...RULES, expectedSeats: 1000, maxValidators: 8 };
  const weights = new Map<number, bigint>();
  const rounds = 300;
  for (let round = 0; round < rounds; round++) {
    const people = Array.from({ length: 31 }, (_, index) => {
      const output = bytesToBigint(keccak256(utf8(`output ${index} ${round}`)));
      const stake = index === 0 ? 3_000n : 100n;
      return candidate(index + 1, { output, snapshot: stake, bonded: stake });
    });
    const drawn = drawCommittee(people, rules)!;
    assert.equal(drawn.length, 8);
    assert.equal(drawn[0]!.id, 1);
    for (const { id, weight } of drawn) weights.set(id, (weights.get(id) ?? 0n) + weight);
  }
  const part = Number(weights.get(1)) / Number([...weights.values()].reduce((all, weight) => all + weight));
  assert.ok(Math.abs(part - 0.5) < 0.03, `half of the stake has ${part} of the weight`);
  assert.equal(weights.size, 31, "each of the others sits at some time");
});

test("a set that goes on loses those that may not vote, and weight in proportion to stake that left", () => {
  const members = [1, 2, 3].map((id) => ({ id, weight: 10n, bonded: 100n }));
  const remaining =
    (bonded: readonly bigint[], isEligible = true) =>
    (id: number) => ({
      isEligible: isEligible || id !== 2,
      bonded: bonded[id - 1]!,
    });
  assert.deepEqual(carryOn(members, remaining([100n, 100n, 500n]), 1), members);
  assert.deepEqual(ids(carryOn(members, remaining([100n, 100n, 100n], false), 1)), [1, 3]);
  const halved = carryOn(members, remaining([55n, 9n, 0n]), 1)!;
  assert.deepEqual(halved, [{ id: 1, weight: 5n, bonded: 55n }]);
  assert.equal(
    carryOn(members, remaining([100n, 100n, 0n]), 3),
    undefined,
    "two thirds are not more than two thirds",
  );
  assert.equal(carryOn(members, remaining([0n, 0n, 0n]), 1), undefined);
});

test("those who had more than two thirds of the weight go on without the others, even if they are few", () => {
  const weights = [21n, 20n, 19n, 1n];
  const members = weights.map((weight, index) => ({ id: index + 1, weight, bonded: 100n }));
  const without = (gone: number) => (id: number) => ({ isEligible: id !== gone, bonded: 100n });
  assert.deepEqual(ids(carryOn(members, without(3), 4)), [1, 2, 4]);
  assert.equal(carryOn(members, without(1), 4), undefined);
  assert.deepEqual(ids(carryOn(members, without(1), 3)), [2, 3, 4]);
  // Weights that fall with stake do not make a minority of a majority.
  const thin = (id: number) => ({ isEligible: id !== 4, bonded: 10n });
  assert.deepEqual(
    carryOn(members, thin, 4)?.map(({ weight }) => weight),
    [2n, 2n, 1n],
  );
});
