import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  type Bytes,
  EMPTY_BYTES,
  Hash,
  hashFromWord,
  hex,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@ostrom/base";
import { commitState, type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, delegationDesignator, type Fork, GAS_PER_BLOB } from "@ostrom/vm";
import { type AppliedTransaction, applyTransaction } from "./apply-transaction.ts";
import { addressOfSecretKey, signAuthorization } from "./signature.ts";
import { signTransaction, type TransactionFields } from "./transaction.ts";
import { maxCost } from "./transaction-validity.ts";
import type { ChainRules } from "./types.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER_KEY = new Uint8Array(32).fill(2);
const SENDER = addressOfSecretKey(KEY);
const AUTHORITY = addressOfSecretKey(OTHER_KEY);
const COINBASE = addressFromHex(`0x${"cb".repeat(20)}`);
const CONTRACT = addressFromHex(`0x${"c0".repeat(20)}`);
const RECIPIENT = addressFromHex(`0x${"07".repeat(20)}`);
const FUNDS = 10n ** 18n;
const CHAIN_ID = 1337n;
const BLOB = Hash(hex(`0x01${"00".repeat(31)}`));

const BLOCK: BlockContext = {
  number: 1n,
  timestamp: 1000n,
  coinbase: COINBASE,
  gasLimit: 30_000_000n,
  baseFeePerGas: 100n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 5n,
  chainId: CHAIN_ID,
  blockHash: () => undefined,
};

type Setting = {
  readonly fork?: Fork;
  readonly gasCharge?: ChainRules["gasCharge"];
  readonly sender?: Partial<GenesisAccount>;
  readonly accounts?: readonly GenesisAccount[];
  readonly room?: { readonly gas: bigint; readonly blobGas: bigint };
};

function account(address: Address, fields: Partial<GenesisAccount> = {}): GenesisAccount {
  return { address, nonce: 0n, balance: 0n, code: EMPTY_BYTES, storage: [], ...fields };
}

function apply(fields: Partial<TransactionFields>, setting: Setting = {}) {
  const before = MemoryState.of([
    account(SENDER, { balance: FUNDS, ...setting.sender }),
    ...(setting.accounts ?? []),
  ]);
  const state = new StateOverlay(before);
  const transaction = signTransaction(
    {
      chainId: CHAIN_ID,
      to: RECIPIENT,
      gasLimit: 100_000n,
      maxFeePerGas: 200n,
      ...fields,
    } as TransactionFields,
    KEY,
  );
  const result = applyTransaction(
    {
      fork: setting.fork ?? "osaka",
      block: BLOCK,
      state,
      gasCharge: setting.gasCharge ?? "used",
      room: setting.room ?? { gas: BLOCK.gasLimit, blobGas: 9n * GAS_PER_BLOB },
    },
    transaction,
  );
  return { result, state, before, transaction };
}

function applied(
  fields: Partial<TransactionFields>,
  setting?: Setting,
): AppliedTransaction & { state: StateOverlay } {
  const { result, state } = apply(fields, setting);
  assert.ok(result.ok, result.ok ? "" : result.error.message);
  return { ...result.value, state };
}

/** The reason why a transaction does not run; asserts that it left the state as it was. */
function reasonOf(fields: Partial<TransactionFields>, setting?: Setting): string {
  const { result, state, before } = apply(fields, setting);
  assert.ok(!result.ok, "the transaction must not run");
  assert.equal(toHex(commitState(before, state.changes()).stateRoot), toHex(before.stateRoot));
  return `${result.error.code}${result.error.retry ? ", retry" : ""}`;
}

test("a transfer moves value, pays the tip to the coinbase and burns the base fee", () => {
  const { state, ...outcome } = applied({ value: 5n, maxPriorityFeePerGas: 3n });
  assert.equal(outcome.succeeded, true);
  assert.equal(outcome.gasUsed, 21_000n);
  assert.equal(outcome.effectiveGasPrice, 103n);
  assert.equal(outcome.contractAddress, undefined);
  assert.equal(state.balance(RECIPIENT), 5n);
  assert.equal(state.balance(COINBASE), 21_000n * 3n);
  assert.equal(state.balance(SENDER), FUNDS - 5n - 21_000n * 103n);
  assert.equal(state.nonce(SENDER), 1n);
});

test("a transaction that fails is paid for, and its nonce is used", () => {
  const accounts = [account(CONTRACT, { nonce: 1n, code: hex("0xfe") })];
  const { state, ...outcome } = applied({ to: CONTRACT, value: 5n }, { accounts });
  assert.deepEqual(
    [outcome.succeeded, outcome.fault, outcome.gasUsed],
    [false, "vm/invalid-opcode", 100_000n],
  );
  assert.equal(state.balance(SENDER), FUNDS - 100_000n * 100n);
  assert.equal(state.nonce(SENDER), 1n);
});

test("a creation tells its address, also if it failed", () => {
  const deployed = applied({ to: undefined, data: hex("0x60015ff3") });
  assert.equal(toHex(deployed.state.code(deployed.contractAddress!)), "0x00");
  const failed = applied({ to: undefined, data: hex("0xfe") });
  assert.deepEqual(failed.contractAddress, deployed.contractAddress);
  assert.equal(failed.state.exists(failed.contractAddress!), false);
});

test("a refund is at most a fifth of the gas used (EIP-3529)", () => {
  // Clears slot 0: 2 + 2 + 5000 and the transaction's 21000, of which 4800 come back.
  const accounts = [
    account(CONTRACT, { nonce: 1n, code: hex("0x5f5f55"), storage: [{ slot: 0n, value: 1n }] }),
  ];
  assert.equal(applied({ to: CONTRACT }, { accounts }).gasUsed, 26_004n - 4800n);
  // Twice that refund would be more than a fifth.
  const storage = [0n, 1n, 2n].map((slot) => ({ slot, value: 1n }));
  const clearing = [account(CONTRACT, { nonce: 1n, code: hex("0x5f5f555f6001555f600255"), storage })];
  const used = 21_000n + 3n * 5000n + 4n * 2n + 2n * 3n;
  assert.equal(applied({ to: CONTRACT }, { accounts: clearing }).gasUsed, used - used / 5n);
});

test("call data is paid for at least at the floor price, from Prague on (EIP-7623)", () => {
  const data = new Uint8Array(1000).fill(1);
  assert.equal(applied({ data }, { fork: "cancun" }).gasUsed, 21_000n + 16_000n);
  assert.equal(applied({ data }, { fork: "prague" }).gasUsed, 21_000n + 40_000n);
});

test("where the rule says so, at least half the gas limit is paid for", () => {
  const { state, gasUsed } = applied({ gasLimit: 100_001n }, { gasCharge: "used-or-half-limit" });
  assert.equal(gasUsed, 50_000n);
  assert.equal(state.balance(SENDER), FUNDS - 50_000n * 100n);
  assert.equal(applied({ gasLimit: 30_000n }, { gasCharge: "used-or-half-limit" }).gasUsed, 21_000n);
});

test("what cannot run now is told from what never can, and neither changes anything", () => {
  const cases: readonly (readonly [string, Partial<TransactionFields>, Setting?])[] = [
    ["execution/nonce-too-high, retry", { nonce: 1n }],
    ["execution/nonce-too-low", { nonce: 0n }, { sender: { nonce: 1n } }],
    ["execution/fee-below-base-fee, retry", { maxFeePerGas: 99n }],
    ["execution/insufficient-funds", { value: FUNDS }],
    ["execution/sender-has-code", {}, { sender: { code: hex("0x00") } }],
    ["execution/block-gas-exceeded, retry", {}, { room: { gas: 99_999n, blobGas: 0n } }],
    ["execution/invalid", { gasLimit: 20_999n }],
    ["execution/invalid", { gasLimit: 2n ** 24n + 1n }],
    ["execution/invalid", { chainId: 1n }],
    ["execution/invalid", { nonce: 2n ** 64n - 1n }],
    ["execution/invalid", { maxFeePerGas: 200n, maxPriorityFeePerGas: 201n }],
    ["execution/invalid", { to: undefined, data: new Uint8Array(49_153), gasLimit: 10_000_000n }],
  ];
  for (const [reason, fields, setting] of cases) assert.equal(reasonOf(fields, setting), reason);
  assert.equal(applied({ gasLimit: 2n ** 24n + 1n }, { fork: "prague" }).succeeded, true);
});

test("a delegated account may send (EIP-7702), another with code not (EIP-3607)", () => {
  const sender = { code: delegationDesignator(CONTRACT) };
  assert.equal(applied({}, { sender }).succeeded, true);
  assert.equal(reasonOf({}, { sender, fork: "cancun" }), "execution/sender-has-code");
});

test("the sender must have the most that the transaction can cost", () => {
  const { transaction } = apply({ value: 7n });
  assert.equal(maxCost(transaction), 100_000n * 200n + 7n);
  assert.equal(
    reasonOf({ value: 7n }, { sender: { balance: maxCost(transaction) - 1n } }),
    "execution/insufficient-funds",
  );
  assert.equal(applied({ value: 7n }, { sender: { balance: maxCost(transaction) } }).succeeded, true);
});

test("blobs: version, count for each transaction (EIP-7594) and room, fee burnt (EIP-4844)", () => {
  const blobs = (count: number): Partial<TransactionFields> => ({
    type: 3,
    maxFeePerBlobGas: 5n,
    blobVersionedHashes: new Array<Hash>(count).fill(BLOB),
  });
  const { state, blobGasUsed } = applied(blobs(6));
  assert.equal(blobGasUsed, 6n * GAS_PER_BLOB);
  assert.equal(state.balance(SENDER), FUNDS - 21_000n * 100n - 6n * GAS_PER_BLOB * 5n);
  assert.equal(reasonOf(blobs(0)), "execution/invalid");
  assert.equal(reasonOf(blobs(7)), "execution/invalid");
  assert.equal(applied(blobs(9), { fork: "prague" }).succeeded, true);
  assert.equal(reasonOf(blobs(10), { fork: "prague" }), "execution/invalid");
  assert.equal(reasonOf({ ...blobs(1), to: undefined }), "execution/invalid");
  assert.equal(reasonOf({ ...blobs(1), blobVersionedHashes: [ZERO_HASH] }), "execution/invalid");
  assert.equal(reasonOf({ ...blobs(1), maxFeePerBlobGas: 4n }), "execution/fee-below-base-fee, retry");
  const room = { gas: 30_000_000n, blobGas: GAS_PER_BLOB };
  assert.equal(reasonOf(blobs(2), { room }), "execution/block-gas-exceeded, retry");
});

/** A transaction that sets AUTHORITY's delegation to CONTRACT, unless told otherwise. */
function delegating(fields: {
  readonly chainId?: bigint;
  readonly nonce?: bigint;
  readonly address?: Address;
}): Partial<TransactionFields> {
  const authorization = { chainId: CHAIN_ID, nonce: 0n, address: CONTRACT, ...fields };
  return { type: 4, authorizations: [signAuthorization(authorization, OTHER_KEY)] };
}

test("an authorization delegates its signer's account, which stays so if the message fails (EIP-7702)", () => {
  const accounts = [account(RECIPIENT, { nonce: 1n, code: hex("0xfe") })];
  const { state, succeeded } = applied(delegating({}), { accounts });
  assert.equal(succeeded, false);
  assert.deepEqual(state.code(AUTHORITY), delegationDesignator(CONTRACT));
  assert.equal(state.nonce(AUTHORITY), 1n);
});

test("an authorization that does not hold is passed over, and paid for", () => {
  for (const wrong of [{ chainId: 1n }, { nonce: 1n }, { nonce: 2n ** 64n - 1n }]) {
    const { state, gasUsed } = applied(delegating(wrong));
    assert.equal(state.exists(AUTHORITY), false);
    assert.equal(gasUsed, 46_000n);
  }
  const contract = [account(AUTHORITY, { code: hex("0x00") })];
  assert.equal(applied(delegating({}), { accounts: contract }).state.nonce(AUTHORITY), 0n);
});

test("an authorization of an account that is there gets 12500 back, within a fifth of the gas used", () => {
  const accounts = [account(AUTHORITY, { balance: 1n })];
  assert.equal(applied(delegating({}), { accounts }).gasUsed, 46_000n - 46_000n / 5n);
});

test("the zero address ends a delegation, chain id 0 holds everywhere", () => {
  const accounts = [account(AUTHORITY, { code: delegationDesignator(CONTRACT) })];
  const { state } = applied(delegating({ address: ZERO_ADDRESS, chainId: 0n }), { accounts });
  assert.equal(state.code(AUTHORITY).length, 0);
});

test("type 4 needs Prague, a recipient and an authorization", () => {
  assert.equal(reasonOf(delegating({}), { fork: "cancun" }), "execution/invalid");
  assert.equal(reasonOf({ ...delegating({}), to: undefined }), "execution/invalid");
  assert.equal(reasonOf({ type: 4, authorizations: [] }), "execution/invalid");
});

test("what an access list names is warm, and so is the coinbase (EIP-2930, EIP-3651)", () => {
  const run = (code: Bytes, fields: Partial<TransactionFields> = {}): bigint =>
    applied({ type: 1, to: CONTRACT, ...fields }, { accounts: [account(CONTRACT, { nonce: 1n, code })] })
      .gasUsed;
  const load = hex("0x600154");
  const accessList = [{ address: CONTRACT, storageKeys: [hashFromWord(1n)] }];
  assert.equal(run(load), 21_000n + 3n + 2100n);
  assert.equal(run(load, { accessList }), 21_000n + 2400n + 1900n + 3n + 100n);
  assert.equal(run(hex("0x4131")), 21_000n + 2n + 100n);
});
