// One contract in five languages and machines: whoever calls it, and whoever reads its state, must not see a difference.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, must, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { encodeAbiParameters } from "viem";
import { CONTRACT_KINDS, ENGINES, REFERENCE, SOLIDITY } from "./contract-kinds.ts";
import { Ledger } from "./ledger.ts";
import { constructorInput, DEPLOYER, observe, randomSteps, SCENARIO, SUPPLY } from "./token-scenario.ts";

const RANDOM_SCENARIO = randomSteps(300);
const expected = observe(SOLIDITY, REFERENCE.execute, SCENARIO).seen;
const expectedOfRandom = observe(SOLIDITY, REFERENCE.execute, RANDOM_SCENARIO).seen;

test("the scenario reaches every way in which Solidity's ERC-20 can end", () => {
  const ends = new Set(
    expected.map(({ effects: { status, output } }) => (status === "revert" ? output.slice(0, 10) : status)),
  );
  const errors = ["0xe450d38c", "0x96c6fd1e", "0xec442f05", "0xfb8f41b2", "0xe602df05", "0x94280d62"];
  assert.deepEqual([...ends].sort(), [...errors, "0x", "success"].sort());
});

test("balances stand in Solidity's slots", () => {
  const { storage } = must(expected[0], "the deployment");
  const slot = keccak256(
    hex(encodeAbiParameters([{ type: "address" }, { type: "uint256" }], [toHex(DEPLOYER), 0n])),
  );
  assert.deepEqual(
    new Map(storage),
    new Map([
      [2n, SUPPLY],
      [BigInt(toHex(slot)), SUPPLY],
    ]),
  );
});

for (const kind of CONTRACT_KINDS) {
  let gasInReference: readonly bigint[] | undefined;
  for (const { name, execute } of ENGINES) {
    test(`${name}: the ERC-20 in ${kind.name} does what Solidity's does, byte for byte`, () => {
      const { seen, gas } = observe(kind, execute, SCENARIO);
      for (const [index, observed] of seen.entries()) assert.deepEqual(observed, expected[index]);
      gasInReference ??= gas;
      assert.deepEqual(gas, gasInReference, "gas is the same in every tier");
    });

    test(`${name}: the ERC-20 in ${kind.name} and Solidity's agree on random calls, well-formed or not`, () => {
      const { seen } = observe(kind, execute, RANDOM_SCENARIO);
      for (const [index, observed] of seen.entries()) assert.deepEqual(observed, expectedOfRandom[index]);
    });

    test(`${name}: the constructor in ${kind.name} refuses missing arguments and value, with no data`, () => {
      const cases = [
        { input: hex(""), value: 0n },
        { input: constructorInput(1n).slice(1), value: 0n },
        { input: constructorInput(1n), value: 1n },
      ];
      for (const { input, value } of cases) {
        const { effects } = new Ledger(execute).send({ from: DEPLOYER, data: kind.token(input), value });
        assert.deepEqual(effects, { status: "revert", output: "0x", logs: [] });
      }
    });
  }
}

test("the tiers ran all of it themselves, without a fault of the node", () => {
  for (const { name, counts } of ENGINES) {
    if (counts === undefined) continue;
    assert.equal(counts.frames.reference, 0, name);
    assert.equal(counts.nodeFaults, 0, name);
    assert.ok(counts.frames.program > 0, name);
  }
});
