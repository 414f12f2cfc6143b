import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { toHex, toHexDigits } from "@ostrom/base";
import { moduleCodeHash } from "@ostrom/execution";
import {
  type Abi,
  type AbiEvent,
  type AbiFunction,
  parseAbi,
  toEventSelector,
  toFunctionSelector,
} from "viem";
import { chainModules } from "./index.ts";
import { COUNTERS, SLOTS } from "./layout.ts";
import { MEMBERSHIP_ABI } from "./membership-abi.ts";
import { MEMBERSHIP_CODE } from "./membership-code.ts";
import { buildMembership, generatedSource } from "./testing/build-contract.ts";

const built = buildMembership();

/** EIP-170: what a transaction could deploy. The module could place more, but other tools could not follow. */
const MAX_CODE_BYTES = 24_576;

/** What of each version state names. A changed one is another version: those of chains that run must stay as they are. */
const PINNED: readonly (readonly [number, string])[] = [
  [1, "0x3ca8dbed6d881814759b43f4b191e5f06c355eecef6f35001aee28fd7e3d1f42"],
];

test("the code is what the Solidity sources compile to (else run testing/build-contract.ts)", () => {
  assert.equal(toHexDigits(MEMBERSHIP_CODE), built.code);
  assert.equal(readFileSync(join(import.meta.dirname, "membership-code.ts"), "utf8"), generatedSource(built));
  assert.ok(MEMBERSHIP_CODE.length <= MAX_CODE_BYTES, `${MEMBERSHIP_CODE.length} bytes`);
});

test("the code hash of each version is the one that chains have in their state", () => {
  assert.deepEqual(
    chainModules.map(({ version, codeHash }) => [version, toHex(codeHash)]),
    PINNED,
  );
  for (const module of chainModules) assert.deepEqual(module.codeHash, moduleCodeHash(module));
});

/** Functions, errors and events of an ABI by selector, with what they return and what is indexed. */
function surface(abi: readonly unknown[]): readonly string[] {
  return (abi as Abi)
    .filter((item) => item.type === "function" || item.type === "error" || item.type === "event")
    .map((item) => {
      const { name, inputs } = item;
      if (item.type === "event") {
        const indexed = inputs.map((input) => ("indexed" in input && input.indexed === true ? "i" : "-"));
        return `event ${name} ${toEventSelector(item as AbiEvent)} ${indexed.join("")}`;
      }
      const signature = {
        type: "function",
        name,
        inputs,
        outputs: [],
        stateMutability: "view",
      } as AbiFunction;
      const outputs = item.type === "function" ? item.outputs.map(({ type }) => type).join() : "";
      const mutability = item.type === "function" ? item.stateMutability : "";
      return `${item.type} ${name} ${toFunctionSelector(signature)} ${mutability} ${outputs}`;
    })
    .sort();
}

test("the interface that commands and tests use is the compiler's", () => {
  const abi = parseAbi(MEMBERSHIP_ABI) as Abi;
  assert.deepEqual(surface(abi), surface(built.abi));
});

test("nodes read the slots where the compiler puts the variables", () => {
  const { storage, types } = built.layout;
  const slotOf = new Map(storage.map(({ label, slot }) => [label, BigInt(slot)]));
  const { counters, ...mappings } = SLOTS;
  for (const [name, slot] of Object.entries(mappings)) assert.equal(slotOf.get(name), slot, name);
  for (const [name, [bits]] of Object.entries(COUNTERS)) {
    const variable = storage.find(({ label }) => label === name);
    assert.deepEqual([BigInt(variable?.slot ?? -1), variable?.offset], [counters, bits / 8], name);
  }
  const members = (name: string): readonly string[] => {
    const found = Object.entries(types).find(([key]) => key.startsWith(`t_struct(${name})`));
    return (found?.[1].members ?? []).map(({ label, slot, offset }) => `${label}@${slot}+${offset}`);
  };
  assert.deepEqual(members("Organisation"), [
    "admin@0+0",
    "standing@0+20",
    "validators@0+21",
    "observers@0+23",
    "limits@1+0",
    "weight@2+0",
    "pendingAdmin@2+8",
    "name@3+0",
    "filter@4+0",
    "certificates@5+0",
    "nodes@6+0",
    "accounts@7+0",
  ]);
  assert.deepEqual(members("Node"), [
    "keys@0+0",
    "organisation@6+0",
    "role@6+4",
    "position@6+5",
    "filter@7+0",
  ]);
  assert.deepEqual(members("Proposal"), [
    "organisation@0+0",
    "openedAt@0+4",
    "expiresAt@0+12",
    "needed@0+20",
    "state@0+22",
    "title@1+0",
    "calls@2+0",
    "supporters@3+0",
  ]);
});
