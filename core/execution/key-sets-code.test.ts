import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  addressToWord,
  type Bytes,
  hex,
  toHex,
  toHexDigits,
  unwrap,
  utf8,
} from "@ostrom/base";
import { SCHEME_BLS12381, SIGNATURE_SCHEMES } from "@ostrom/crypto";
import { decodeErrorResult, parseAbi, toFunctionSelector } from "viem";
import { type BuiltContract, buildKeyContracts } from "../../languages/solidity/build.ts";
import { isPostQuantumScheme, MAX_KEYS } from "./account-keys.ts";
import { MAX_TIMELOCK } from "./genesis-keys.ts";
import { SUITES } from "./genesis-suites.ts";
import { KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import { keyAccount } from "./key-sets.ts";
import { KEY_SETS_CODE, KEYED_ACCOUNT_CODE } from "./key-sets-code.ts";
import { simulateCall } from "./simulate.ts";
import { callData, heldKey, KEY_SETS_ABI, KeyChain, senderOf } from "./testing/key-chain.ts";
import { TestChain, testGenesis } from "./testing/test-chain.ts";

const built: readonly BuiltContract[] = buildKeyContracts();
const ERRORS = parseAbi([
  "error WrongKeyLength(uint8 schemeId)",
  "error WrongSignature(uint256 index)",
  "error SchemeNotAllowed(uint8 schemeId)",
]);
const READ = parseAbi([
  "function MAX_KEYS() view returns (uint256)",
  "function MAX_TIMELOCK() view returns (uint32)",
]);
const OWNER = addressFromHex("00000000000000000000000000000000000000aa");
const falconToo = { ...SUITES.ethereum, accounts: [...SUITES.ethereum.accounts, "falcon-512"] } as const;

function contract(name: string): BuiltContract {
  const found = built.find((one) => one.name === name);
  assert.ok(found !== undefined);
  return found;
}

function outputOf(chain: TestChain, to: Address, data: Bytes): Bytes {
  const outcome = simulateCall({
    rules: chain.genesis.rules,
    header: chain.head.header,
    state: chain.state,
    blockHash: chain.blockHash,
    request: { from: OWNER, to, data },
    gasCap: 30_000_000n,
  });
  return unwrap(outcome).output;
}

test("the code in genesis is what the Solidity sources compile to (else run languages/solidity/build.ts)", () => {
  assert.equal(toHexDigits(KEY_SETS_CODE), contract("KeySets").code);
  assert.equal(toHexDigits(KEYED_ACCOUNT_CODE), contract("KeyedAccount").code);
});

test("the contracts lie at their names in ASCII, and know each other's and the precompiles' addresses", () => {
  const word = (text: string): bigint => BigInt(toHex(utf8(text)));
  assert.equal(addressToWord(KEY_SETS_ADDRESS), word("keysets"));
  assert.equal(addressToWord(KEYED_ACCOUNT_ADDRESS), word("keyacct"));
  assert.ok(contract("KeyedAccount").code.includes(toHexDigits(utf8("keysets"))));
});

test("KeySets has the functions that the tests name", () => {
  const own = new Set(built.flatMap(({ abi }) => abi).map((item) => selectorOf(item)));
  for (const item of KEY_SETS_ABI) assert.ok(own.has(selectorOf(item)), JSON.stringify(item));
});

function selectorOf(item: unknown): string | undefined {
  const { type } = item as { readonly type: string };
  return type === "function"
    ? toFunctionSelector(item as Parameters<typeof toFunctionSelector>[0])
    : undefined;
}

test("the contract and the nodes have the same limits", () => {
  const chain = new TestChain(testGenesis({ accounts: [] }));
  const ask = (name: "MAX_KEYS" | "MAX_TIMELOCK"): bigint =>
    BigInt(
      toHex(
        outputOf(chain, KEY_SETS_ADDRESS, hex(toFunctionSelector(READ.find((one) => one.name === name)!))),
      ),
    );
  assert.equal(ask("MAX_KEYS"), BigInt(MAX_KEYS));
  assert.equal(ask("MAX_TIMELOCK"), BigInt(MAX_TIMELOCK));
});

test("the contract and the nodes know the same algorithms, by the same lengths of keys", () => {
  const chain = new TestChain(testGenesis({ accounts: [], suite: falconToo }));
  const answer = (schemeId: number, length: number): unknown => {
    const key = { schemeId, publicKey: toHex(new Uint8Array(length)) };
    const set = { threshold: 1, keys: [key], timelock: 100, guardian: { schemeId: 0, publicKey: "0x" } };
    const output = outputOf(chain, KEY_SETS_ADDRESS, callData("enroll", [set, ["0x00"]]));
    return decodeErrorResult({ abi: ERRORS, data: toHex(output) as `0x${string}` }).errorName;
  };
  for (const { id, publicKeyLength } of SIGNATURE_SCHEMES) {
    if (id === SCHEME_BLS12381) continue;
    assert.equal(answer(id, publicKeyLength), "WrongSignature", `${id}`);
    assert.equal(answer(id, publicKeyLength - 1), "WrongKeyLength", `${id}`);
    assert.equal(answer(id, publicKeyLength + 1), "WrongKeyLength", `${id}`);
  }
  for (const id of [0, SCHEME_BLS12381, 12, 255]) assert.equal(answer(id, 48), "SchemeNotAllowed", `${id}`);
  const postQuantum = SIGNATURE_SCHEMES.filter(({ isPostQuantum }) => isPostQuantum).map(({ id }) => id);
  assert.deepEqual(postQuantum, [6, 7, 8, 9, 10], "the range that KeySets.sol has");
  assert.ok(postQuantum.every(isPostQuantumScheme));
});

test("a key lies in the code of the account that nodes look for it at", () => {
  const key = heldKey(4, 1);
  const signer = { kind: "ethereum", secretKey: heldKey(2, 2).secretKey } as const;
  const chain = new KeyChain([senderOf(signer)]);
  assert.equal(chain.enroll(signer, { threshold: 1, keys: [key] }).receipt?.succeeded, true);
  const { address, code } = keyAccount(key);
  assert.deepEqual(chain.code(address), code);
});
