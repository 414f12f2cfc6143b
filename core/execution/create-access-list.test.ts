import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Address, addressFromHex, type Bytes, hex, toHex, unwrap, wordToBytes } from "@ostrom/base";
import { createAddress, delegationDesignator } from "@ostrom/vm";
import { assemble } from "../vm/testing/assemble.ts";
import { createAccessList } from "./create-access-list.ts";
import { addressOfSecretKey, signAuthorization } from "./signature.ts";
import { type CallRequest, type Simulation, simulateCall } from "./simulate.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, PROPOSER, TEST_CHAIN_ID, TestChain, testGenesis } from "./testing/test-chain.ts";

const SENDER = addressOfSecretKey(testKey(0));
const AUTHORITY_KEY = testKey(5);
const AUTHORITY = addressOfSecretKey(AUTHORITY_KEY);
const at = (digits: string): Address => addressFromHex(digits.padStart(40, "0"));
const STRANGER = at("bb");
const CALLED = at("cc");
const RECIPIENT = at("dd");

const chain = new TestChain(testGenesis({ accounts: [funded(SENDER), funded(AUTHORITY)] }));
chain.execute([]);

const TO_RECIPIENT: CallRequest = { to: RECIPIENT };

type Listed = {
  readonly list: readonly (readonly [address: string, slots: readonly string[]])[];
  readonly gasUsed: bigint;
  readonly status: string;
  /** Of the same message without a list. */
  readonly gasWithout: bigint;
};

/** @param code of the recipient. */
function list(
  code: Bytes,
  request: CallRequest = TO_RECIPIENT,
  others: readonly (readonly [Address, Bytes])[] = [],
): Listed {
  const { header } = chain.head;
  const contracts = [[RECIPIENT, code] as const, ...others];
  const simulation: Simulation = {
    rules: chain.genesis.rules,
    header,
    state: chain.state,
    blockHash: chain.blockHash,
    request: { from: SENDER, ...request },
    gasCap: 10_000_000n,
    accountOverrides: contracts.map(([address, bytes]) => ({ address, code: bytes })),
  };
  const { accessList, outcome } = unwrap(createAccessList(simulation));
  const run = (request: CallRequest) => unwrap(simulateCall({ ...simulation, request }));
  const again = run({ ...simulation.request, accessList });
  assert.equal(again.gasUsed, outcome.gasUsed, "the list costs what its answer says");
  return {
    list: accessList.map(({ address, storageKeys }) => [toHex(address), storageKeys.map(toHex)]),
    gasUsed: outcome.gasUsed,
    status: outcome.status,
    gasWithout: run(simulation.request).gasUsed,
  };
}

const word = (address: Address): bigint => BigInt(toHex(address));
const slot = (number: bigint): string => toHex(wordToBytes(number));
const calling = (address: Address): readonly (string | bigint)[] => [
  ...[0n, 0n, 0n, 0n, 0n, word(address), "GAS", "CALL", "POP"],
];

test("the sender, the recipient, the coinbase and precompiles are warm anyway and are not listed", () => {
  const asked = [SENDER, RECIPIENT, PROPOSER, at("01"), at("09"), at("0100")];
  const { list: listed, gasUsed } = list(assemble(...asked.flatMap((who) => [word(who), "BALANCE", "POP"])));
  assert.deepEqual(listed, []);
  assert.equal(gasUsed, 21_000n + 6n * (3n + 100n + 2n));
});

test("all instructions that reach an account list it", () => {
  const reaching: readonly (readonly (string | bigint)[])[] = [
    [word(STRANGER), "BALANCE"],
    [word(STRANGER), "EXTCODESIZE"],
    [word(STRANGER), "EXTCODEHASH"],
    [0n, 0n, 0n, word(STRANGER), "EXTCODECOPY"],
    [0n, 0n, 0n, 0n, 0n, word(STRANGER), 0n, "CALL"],
    [0n, 0n, 0n, 0n, 0n, word(STRANGER), 0n, "CALLCODE"],
    [0n, 0n, 0n, 0n, word(STRANGER), 0n, "DELEGATECALL"],
    [0n, 0n, 0n, 0n, word(STRANGER), 0n, "STATICCALL"],
    [word(STRANGER), "SELFDESTRUCT"],
  ];
  for (const parts of reaching) {
    const { list: listed, gasUsed, gasWithout } = list(assemble(...parts));
    assert.deepEqual(listed, [[toHex(STRANGER), []]], String(parts.at(-1)));
    // An account saves 2,500 where it is reached, 2,600 for SELFDESTRUCT, and costs 2,400.
    assert.equal(gasWithout - gasUsed, parts.at(-1) === "SELFDESTRUCT" ? 200n : 100n, String(parts.at(-1)));
  }
});

test("slots are listed with the contract whose storage they are in, the recipient's too", () => {
  const called = assemble(7n, "SLOAD", 1n, 8n, "SSTORE");
  const listed = list(assemble(5n, "SLOAD", 5n, "SLOAD", ...calling(CALLED)), TO_RECIPIENT, [
    [CALLED, called],
  ]);
  assert.deepEqual(listed.list, [
    [toHex(RECIPIENT), [slot(5n)]],
    [toHex(CALLED), [slot(7n), slot(8n)]],
  ]);
  const delegated = list(assemble(0n, 0n, 0n, 0n, word(CALLED), "GAS", "DELEGATECALL"), TO_RECIPIENT, [
    [CALLED, called],
  ]);
  assert.deepEqual(Object.fromEntries(delegated.list), {
    [toHex(RECIPIENT)]: [slot(7n), slot(8n)],
    [toHex(CALLED)]: [],
  });
});

test("a contract that is created is listed with its slots alone", () => {
  const without = list(assemble(0n, 0n, 0n, "CREATE", "BALANCE"));
  assert.deepEqual(without.list, []);
  // PUSH0 SLOAD as init code.
  const initCode = assemble(BigInt("0x5f54"), 0n, "MSTORE", 2n, 30n, 0n, "CREATE");
  const created = createAddress(RECIPIENT, 0n);
  assert.deepEqual(list(initCode).list, [[toHex(created), [slot(0n)]]]);
  const creation = list(new Uint8Array(0), { data: hex("5f54") });
  assert.equal(creation.list.length, 1);
});

test("what a failed message touched is listed, and the answer says how it ended", () => {
  const touch = [3n, "SLOAD", word(STRANGER), "BALANCE"] as const;
  const expected = [
    [toHex(RECIPIENT), [slot(3n)]],
    [toHex(STRANGER), []],
  ];
  const reverted = list(assemble(...touch, 0n, 0n, "REVERT"));
  assert.deepEqual([reverted.list, reverted.status], [expected, "revert"]);
  const failed = list(assemble(...touch, "INVALID"), { ...TO_RECIPIENT, gas: 100_000n });
  assert.deepEqual([failed.list, failed.status, failed.gasUsed], [expected, "fault", 100_000n]);
});

test("accounts that give their authorization, and what they delegate to where the message goes there, are not listed (EIP-7702)", () => {
  const authorization = (address: Address, nonce = 0n) =>
    signAuthorization({ chainId: TEST_CHAIN_ID, address, nonce }, AUTHORITY_KEY);
  const asks = assemble(word(AUTHORITY), "BALANCE", word(CALLED), "BALANCE");
  const authorized = list(asks, { to: AUTHORITY, authorizations: [authorization(RECIPIENT)] });
  assert.deepEqual(authorized.list, [[toHex(CALLED), []]]);
  // Its nonce is wrong: nothing is delegated, and the account is warm all the same.
  const refused = list(asks, { ...TO_RECIPIENT, authorizations: [authorization(RECIPIENT, 9n)] });
  assert.deepEqual(refused.list, [[toHex(CALLED), []]]);
  const standing = list(delegationDesignator(CALLED), TO_RECIPIENT, [[CALLED, assemble(4n, "SLOAD")]]);
  assert.deepEqual(standing.list, [[toHex(RECIPIENT), [slot(4n)]]]);
  const inner = list(assemble(...calling(STRANGER)), TO_RECIPIENT, [
    [STRANGER, delegationDesignator(CALLED)],
  ]);
  assert.deepEqual(
    inner.list.map(([address]) => address),
    [toHex(STRANGER), toHex(CALLED)],
  );
});

const GENESIS = join(import.meta.dirname, "../../../shared/vectors/rpc/genesis.json");
const VECTORS = join(import.meta.dirname, "../../../shared/vectors/rpc/eth_createAccessList");
const MISSING = existsSync(GENESIS) ? false : "../shared/vectors/rpc is not there";

test("a contract of execution-apis' chain has the list and the gas that geth answers", {
  skip: MISSING,
}, () => {
  const text = readFileSync(join(VECTORS, "create-al-contract.io"), "utf8");
  const [request, answer] = ["^>> (.*)$", "^<< (.*)$"].map((line) =>
    JSON.parse(new RegExp(line, "m").exec(text)?.[1] ?? ""),
  ) as [
    { readonly params: readonly [{ readonly to: string; readonly input: string }] },
    {
      readonly result: {
        readonly accessList: readonly { readonly address: string; readonly storageKeys: readonly string[] }[];
        readonly gasUsed: string;
      };
    },
  ];
  const [{ to, input }] = request.params;
  const genesis = JSON.parse(readFileSync(GENESIS, "utf8")) as {
    readonly alloc: Readonly<Record<string, { readonly code: string }>>;
  };
  const code = hex(genesis.alloc[to.slice(2)]?.code.slice(2) ?? "");
  const { header } = chain.head;
  const { accessList, outcome } = unwrap(
    createAccessList({
      rules: chain.genesis.rules,
      header,
      state: chain.state,
      blockHash: chain.blockHash,
      request: { from: SENDER, to: addressFromHex(to), gas: 60_000n, data: hex(input.slice(2)) },
      gasCap: 10_000_000n,
      // Earlier transactions have counted there.
      accountOverrides: [{ address: addressFromHex(to), code, storageDiff: [[0n, 1n]] }],
    }),
  );
  assert.deepEqual(
    accessList.map(({ address, storageKeys }) => ({
      address: toHex(address),
      storageKeys: storageKeys.map(toHex),
    })),
    answer.result.accessList,
  );
  assert.equal(outcome.gasUsed, BigInt(answer.result.gasUsed));
});
