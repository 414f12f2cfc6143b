import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import { type Abi, type AbiFunction, toFunctionSelector } from "viem";
import { type BuiltContract, buildValidatorSets } from "../../languages/solidity/build.ts";
import { SEAL_EPOCH_SELECTOR } from "./system-contracts.ts";
import { MANAGED_ABI, WORK_ABI } from "./testing/contract-chain.ts";
import { MANAGED_VALIDATOR_SET_CODE, WORK_VALIDATOR_SET_CODE } from "./validator-set-code.ts";

const built: readonly BuiltContract[] = buildValidatorSets();
const { code: managedCode, abi: managedAbi } = built.find(({ name }) => name === "ManagedValidatorSet")!;
const { code: workCode, abi: workAbi } = built.find(({ name }) => name === "WorkValidatorSet")!;

test("the code in genesis is what the Solidity sources compile to (else run languages/solidity/build.ts)", () => {
  assert.equal(toHexDigits(MANAGED_VALIDATOR_SET_CODE), managedCode);
  assert.equal(toHexDigits(WORK_VALIDATOR_SET_CODE), workCode);
});

/** Functions and errors of an ABI by selector, with what they return. */
function surface(abi: readonly unknown[]): readonly string[] {
  return (abi as Abi)
    .filter(({ type }) => type === "function" || type === "error")
    .map((item) => {
      const signature = { ...item, type: "function", outputs: [], stateMutability: "view" } as AbiFunction;
      const outputs = item.type === "function" ? item.outputs.map(({ type }) => type).join() : "";
      return `${toFunctionSelector(signature)} ${item.type} ${"name" in item ? item.name : ""} ${outputs}`;
    })
    .sort();
}

test("the contracts have the functions and errors that the tests name", () => {
  assert.deepEqual(surface(MANAGED_ABI), surface(managedAbi));
  assert.deepEqual(surface(WORK_ABI), surface(workAbi));
});

test("nodes call sealEpoch by its selector", () => {
  assert.equal(`0x${toHexDigits(SEAL_EPOCH_SELECTOR)}`, toFunctionSelector("sealEpoch(uint64)"));
});
