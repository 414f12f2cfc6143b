import { test } from "node:test";
import fc from "fast-check";
import { type RandomAct, StakingModel } from "./testing/staking-model.ts";

const RUNS = 12;
const ACTS_IN_A_RUN = 250;
const rules = fc.record({
  minValidators: fc.integer({ min: 1, max: 5 }),
  slashPercent: fc.oneof(fc.constantFrom(5, 100), fc.integer({ min: 1, max: 99 })),
});

const anAct: fc.Arbitrary<RandomAct> = fc.tuple(fc.nat(15), fc.nat(1000), fc.nat(1_000_000));

test("whatever people do, stake is conserved, claims are covered, the honest lose nothing, and no stake votes that has left", () => {
  const acts = fc.array(anAct, { minLength: ACTS_IN_A_RUN, maxLength: ACTS_IN_A_RUN });
  fc.assert(
    fc.property(rules, acts, (chosen, list) => {
      const model = new StakingModel(chosen);
      for (const act of list) model.act(act);
      model.settle();
    }),
    // What is left of a shorter list of acts tells less than the list itself.
    { numRuns: RUNS, endOnFailure: true },
  );
});
