import assert from "node:assert/strict";
import { test } from "node:test";
import { toHexDigits } from "@ostrom/base";
import { type Abi, type AbiFunction, toFunctionSelector } from "viem";
import { type BuiltContract, buildModuleContracts } from "../../languages/solidity/build.ts";
import { genesisModule } from "./installed-modules.ts";
import { MODULE_REGISTRY_ADDRESS } from "./module-addresses.ts";
import { ACTIVATE_SELECTOR } from "./module-hooks.ts";
import {
  MAX_MODULES,
  MAX_SCHEDULED_FORKS,
  MAX_SETTINGS_BYTES,
  MIN_NOTICE_BLOCKS,
} from "./module-registry.ts";
import { MODULE_REGISTRY_CODE } from "./module-registry-code.ts";
import { ContractChain, REGISTRY_ABI } from "./testing/contract-chain.ts";
import { testGenesis } from "./testing/test-chain.ts";
import { counter, installed } from "./testing/test-modules.ts";

const built: readonly BuiltContract[] = buildModuleContracts();
const { code, abi } = built.find(({ name }) => name === "ModuleRegistry")!;

test("the code in genesis is what the Solidity source compiles to (else run languages/solidity/build.ts)", () => {
  assert.equal(toHexDigits(MODULE_REGISTRY_CODE), code);
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

test("the contract has the functions and errors that the tests name", () => {
  assert.deepEqual(surface(REGISTRY_ABI), surface(abi));
});

test("the contract and the nodes have the same limits", () => {
  const modules = { authority: undefined, active: [genesisModule(counter(1), new Uint8Array(0))] };
  const chain = new ContractChain(
    testGenesis({ accounts: [], modules }),
    REGISTRY_ABI,
    MODULE_REGISTRY_ADDRESS,
    {
      modules: installed([counter(1)]),
    },
  );
  assert.equal(chain.ask("MIN_NOTICE"), BigInt(MIN_NOTICE_BLOCKS));
  assert.equal(chain.ask("MAX_MODULES"), BigInt(MAX_MODULES));
  assert.equal(chain.ask("MAX_FORKS"), BigInt(MAX_SCHEDULED_FORKS));
  assert.equal(chain.ask("MAX_SETTINGS_BYTES"), BigInt(MAX_SETTINGS_BYTES));
});

test("nodes call activate by its selector", () => {
  assert.equal(`0x${toHexDigits(ACTIVATE_SELECTOR)}`, toFunctionSelector("activate(bytes)"));
});
