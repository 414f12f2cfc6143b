// Contracts of every kind call contracts of every kind with the Solidity ABI, and cannot tell which kind it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, type Bytes, hex, toHex } from "@ostrom/base";
import type { MessageEngine } from "@ostrom/vm";
import { type Abi, encodeAbiParameters, encodeFunctionData, erc20Abi } from "viem";
import { contractIn } from "./compile-solidity.ts";
import {
  CONTRACT_KINDS,
  type ContractKind,
  ENGINES,
  FORWARDER_SOURCE,
  REFERENCE,
  SOLIDITY,
} from "./contract-kinds.ts";
import { accounts, Ledger } from "./ledger.ts";

const [DEPLOYER, ALICE, BOB] = accounts() as [Address, Address, Address];
const SUPPLY = 10n ** 24n;
const FORWARDER = contractIn(FORWARDER_SOURCE, "Forwarder");
const CASHIER = contractIn(FORWARDER_SOURCE, "Cashier");

function encode(abi: Abi, functionName: string, ...args: readonly (Address | Bytes | bigint)[]): Bytes {
  return hex(
    encodeFunctionData({
      abi,
      functionName,
      args: args.map((arg) => (typeof arg === "bigint" ? arg : toHex(arg))),
    }),
  );
}

const token = (functionName: string, ...args: readonly (Address | bigint)[]): Bytes =>
  encode(erc20Abi, functionName, ...args);
const forward = (target: Address, data: Bytes): Bytes => encode(FORWARDER.abi, "forward", target, data);
const query = (target: Address, data: Bytes): Bytes => encode(FORWARDER.abi, "query", target, data);

type World = {
  readonly ledger: Ledger;
  readonly tokenAddress: Address;
  readonly outer: Address;
  readonly inner: Address;
  readonly cashier: Address;
};

/** The addresses are the same whatever the kinds are. */
function createWorld(execute: MessageEngine, callee: ContractKind, caller: ContractKind): World {
  const ledger = new Ledger(execute);
  const supply = hex(encodeAbiParameters([{ type: "uint256" }], [SUPPLY]));
  const { address: tokenAddress } = ledger.deploy(DEPLOYER, callee.token(supply));
  const { address: outer } = ledger.deploy(DEPLOYER, caller.forwarder);
  const { address: inner } = ledger.deploy(DEPLOYER, callee.forwarder);
  const { address: cashier } = ledger.deploy(DEPLOYER, CASHIER.initCode);
  return { ledger, tokenAddress, outer, inner, cashier };
}

type Call = {
  readonly says: string;
  readonly to: Address;
  readonly data: Bytes;
  readonly value?: bigint;
  readonly fails?: true;
};

function calls({ tokenAddress, outer, inner, cashier }: World): readonly Call[] {
  const damaged = forward(tokenAddress, token("totalSupply"));
  const withOffset = (offset: bigint): Bytes => {
    const data = damaged.slice();
    data.set(hex(offset.toString(16).padStart(64, "0")), 4 + 32);
    return data;
  };
  const withLength = (length: bigint): Bytes => {
    const data = damaged.slice();
    data.set(hex(length.toString(16).padStart(64, "0")), 4 + 64);
    return data;
  };
  return [
    { says: "to the token itself", to: tokenAddress, data: token("transfer", outer, 500n) },
    { says: "reads", to: outer, data: query(tokenAddress, token("balanceOf", outer)) },
    { says: "reads a string", to: outer, data: query(tokenAddress, token("name")) },
    { says: "transfers", to: outer, data: forward(tokenAddress, token("transfer", ALICE, 100n)) },
    {
      says: "bubbles a custom error",
      to: outer,
      data: forward(tokenAddress, token("transfer", ALICE, 10n ** 6n)),
      fails: true,
    },
    { says: "bubbles nothing", to: outer, data: forward(tokenAddress, hex("deadbeef")), fails: true },
    {
      says: "must not write in a static call",
      to: outer,
      data: query(tokenAddress, token("transfer", ALICE, 1n)),
      fails: true,
    },
    { says: "approves", to: outer, data: forward(tokenAddress, token("approve", cashier, 250n)) },
    { says: "is paid from", to: cashier, data: encode(CASHIER.abi, "collect", tokenAddress, outer, 200n) },
    {
      says: "is not paid from",
      to: cashier,
      data: encode(CASHIER.abi, "collect", tokenAddress, outer, 51n),
      fails: true,
    },
    {
      says: "through two",
      to: outer,
      data: forward(inner, query(tokenAddress, token("balanceOf", cashier))),
    },
    {
      says: "re-enters",
      to: outer,
      data: forward(inner, forward(outer, forward(tokenAddress, token("transfer", BOB, 1n)))),
    },
    {
      says: "re-enters and fails",
      to: outer,
      data: forward(inner, forward(outer, forward(tokenAddress, token("transfer", BOB, SUPPLY)))),
      fails: true,
    },
    {
      says: "static goes down",
      to: outer,
      data: query(inner, forward(tokenAddress, token("transfer", BOB, 1n))),
      fails: true,
    },
    { says: "passes value on", to: outer, data: forward(ALICE, hex("")), value: 77n },
    {
      says: "passes value to who refuses",
      to: outer,
      data: forward(tokenAddress, token("totalSupply")),
      value: 1n,
      fails: true,
    },
    {
      says: "value to a view",
      to: outer,
      data: query(tokenAddress, token("totalSupply")),
      value: 1n,
      fails: true,
    },
    { says: "calls an account without code", to: outer, data: forward(BOB, hex("1234")) },
    {
      says: "calls the identity precompile",
      to: outer,
      data: forward(hex(`${"00".repeat(19)}04`) as Address, hex("c0ffee")),
    },
    { says: "an offset beyond the input", to: outer, data: withOffset(4096n), fails: true },
    { says: "an offset beyond 64 bits", to: outer, data: withOffset(2n ** 64n + 64n), fails: true },
    { says: "an offset into itself", to: outer, data: withOffset(0n), fails: true },
    { says: "a length beyond the input", to: outer, data: withLength(65n), fails: true },
    { says: "a length of the padded input", to: outer, data: withLength(32n) },
    { says: "a length beyond 32 bits", to: outer, data: withLength(2n ** 32n + 4n), fails: true },
    { says: "cut short", to: outer, data: damaged.slice(0, 4 + 63), fails: true },
  ];
}

function observe(world: World): { readonly seen: readonly unknown[]; readonly gas: readonly bigint[] } {
  const gas: bigint[] = [];
  const { ledger, tokenAddress } = world;
  const seen = calls(world).map(({ says, to, data, value = 0n, fails = false }): unknown => {
    const { effects, gasUsed } = ledger.send({ from: DEPLOYER, to, data, value });
    assert.equal(effects.status, fails ? "revert" : "success", says);
    gas.push(gasUsed);
    return { says, effects, storage: ledger.storageOf(tokenAddress), paid: ledger.balanceOf(ALICE) };
  });
  return { seen, gas };
}

const expected = observe(createWorld(REFERENCE.execute, SOLIDITY, SOLIDITY)).seen;

for (const caller of CONTRACT_KINDS) {
  for (const callee of CONTRACT_KINDS) {
    test(`${caller.name} calls ${callee.name} as Solidity calls Solidity, in every tier with the same gas`, () => {
      let gasInReference: readonly bigint[] | undefined;
      for (const { name, execute } of ENGINES) {
        const { seen, gas } = observe(createWorld(execute, callee, caller));
        for (const [index, observed] of seen.entries()) assert.deepEqual(observed, expected[index], name);
        gasInReference ??= gas;
        assert.deepEqual(gas, gasInReference, name);
      }
    });
  }
}
