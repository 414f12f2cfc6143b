import assert from "node:assert/strict";
import { test } from "node:test";
import { decentralizationOf } from "./decentralization.ts";

const holdings = (weights: readonly number[]) =>
  weights.map((weight, index) => ({ operator: `operator ${index}`, weight: BigInt(weight) }));

test("four equals: two can stop the chain, three can do anything", () => {
  assert.deepEqual(decentralizationOf(holdings([25, 25, 25, 25])), {
    operators: 4,
    nakamotoToStop: 2,
    nakamotoToControl: 3,
    largestShare: 2500,
  });
});

test("exactly a third cannot yet be spared by a quorum of more than two thirds", () => {
  // W = 9: a quorum is 7, so whoever has 3 can stop.
  const { nakamotoToStop, nakamotoToControl } = decentralizationOf(holdings([3, 2, 2, 2]));
  assert.deepEqual([nakamotoToStop, nakamotoToControl], [1, 3]);
  // W = 10: a quorum is 7, so it takes 4.
  assert.equal(decentralizationOf(holdings([3, 3, 2, 2])).nakamotoToStop, 2);
});

test("validators of one operator count as one", () => {
  const spread = decentralizationOf(holdings([30, 30, 20, 20]));
  const same = decentralizationOf(
    holdings([30, 30, 20, 20]).map((holding) => ({ ...holding, operator: "one" })),
  );
  assert.deepEqual([spread.nakamotoToStop, same.nakamotoToStop], [2, 1]);
  assert.deepEqual([same.operators, same.nakamotoToControl, same.largestShare], [1, 1, 10_000]);
});

test("nothing held is nobody's, and stakes beyond any number are counted exactly", () => {
  assert.deepEqual(decentralizationOf([]), {
    operators: 0,
    nakamotoToStop: 0,
    nakamotoToControl: 0,
    largestShare: 0,
  });
  assert.equal(decentralizationOf(holdings([0, 5])).operators, 1);
  const huge = [1n, 1n, 1n].map((extra, index) => ({ operator: `${index}`, weight: 10n ** 40n + extra }));
  assert.equal(decentralizationOf(huge).nakamotoToControl, 3);
});
