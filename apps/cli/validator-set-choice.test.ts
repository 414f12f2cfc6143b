import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "@ostrom/base";
import { type Command, readFlags, UsageError } from "./command.ts";
import { readValidatorSets, VALIDATOR_SET_FLAGS } from "./validator-set-choice.ts";

const OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const COMMAND: Command = {
  name: "init",
  summary: "",
  usage: "",
  flags: VALIDATOR_SET_FLAGS,
  examples: [],
  run: async () => 0,
};

function choose(args: readonly string[], engine: "simplex" | "pow" = "simplex", validators = 4) {
  const input = readFlags(COMMAND, args, () => ({}));
  const consensus = engine === "pow" ? ({ engine, hash: "sha256" } as const) : { engine };
  return readValidatorSets(input, consensus, validators);
}

test("without flags, genesis' validators stay", () => {
  assert.deepEqual(choose([]), { epochLength: undefined, validatorSets: { kind: "fixed" } });
});

test("an owner belongs to managed sets, and to no others", () => {
  const { validatorSets, epochLength } = choose([
    "--validator-sets",
    "managed",
    "--owner",
    OWNER,
    "--epoch-length",
    "50",
  ]);
  assert.ok(validatorSets.kind === "managed");
  assert.deepEqual([toHex(validatorSets.owner), epochLength], [OWNER.toLowerCase(), 50]);
  for (const args of [
    ["--validator-sets", "managed"],
    ["--owner", OWNER],
    ["--validator-sets", "work", "--owner", OWNER],
    ["--validator-sets", "managed", "--owner", "0x12"],
    ["--validator-sets", "elected"],
    ["--epoch-length", "1"],
  ]) {
    assert.throws(() => choose(args), UsageError);
  }
});

test("work elects among voters only, and no more than the contract can write", () => {
  const { validatorSets } = choose(["--validator-sets", "work"], "simplex", 2);
  assert.ok(validatorSets.kind === "work");
  assert.deepEqual([validatorSets.minValidators, validatorSets.maxValidators], [2, 64]);
  assert.throws(() => choose(["--validator-sets", "work"], "pow"), UsageError);
  assert.throws(() => choose(["--validator-sets", "work"], "simplex", 65), UsageError);
});
