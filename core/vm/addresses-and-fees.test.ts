import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, hex, toHex } from "@ostrom/base";
import { create2Address, createAddress } from "./contract-address.ts";
import { delegationDesignator, delegationTarget } from "./delegation.ts";
import { blobBaseFee, FORKS, forkRules, hasFork } from "./fork-rules.ts";

test("CREATE addresses derive from creator and nonce", () => {
  const creator = addressFromHex("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
  assert.equal(toHex(createAddress(creator, 0n)), "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
  assert.equal(toHex(createAddress(creator, 1n)), "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8");
  assert.equal(toHex(createAddress(creator, 2n)), "0xf778b86fa74e846c4f0a1fbd1335fe81c00a0c91");
});

/** Creator, salt, init code, address. Source: EIP-1014, "Examples". */
const CREATE2: readonly (readonly [string, string, string, string])[] = [
  ["00".repeat(20), "00".repeat(32), "00", "0x4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"],
  [
    "deadbeef00000000000000000000000000000000",
    "00".repeat(32),
    "00",
    "0xb928f69bb1d91cd65274e3c79d8986362984fda3",
  ],
  [
    "00000000000000000000000000000000deadbeef",
    `${"00".repeat(28)}cafebabe`,
    "deadbeef",
    "0x60f3f640a8508fc6a86d45df051962668e1e8ac7",
  ],
  ["00".repeat(20), "00".repeat(32), "", "0xe33c0c7f7df4809055c3eba6c09cfe4baf1bd9e0"],
];

test("CREATE2 addresses are those of EIP-1014's examples", () => {
  for (const [creator, salt, initCode, address] of CREATE2) {
    assert.equal(toHex(create2Address(addressFromHex(creator), hex(salt), hex(initCode))), address);
  }
});

test("a delegation designator is 0xef0100 and an address, nothing else", () => {
  const target = addressFromHex(`0x${"12".repeat(20)}`);
  assert.deepEqual(delegationTarget(delegationDesignator(target)), target);
  assert.equal(delegationTarget(hex(`0xef0100${"12".repeat(19)}`)), undefined);
  assert.equal(delegationTarget(hex(`0xef0101${"12".repeat(20)}`)), undefined);
});

test("the blob base fee grows by e for each update fraction of excess blob gas", () => {
  assert.equal(blobBaseFee("cancun", 0n), 1n);
  assert.equal(blobBaseFee("cancun", 2_314_057n), 1n);
  assert.equal(blobBaseFee("cancun", 2_314_058n), 2n);
  assert.equal(blobBaseFee("cancun", 10n * 1024n * 1024n), 23n);
  assert.equal(blobBaseFee("prague", 3n * 5_007_716n), 20n);
});

test("forks are in order, and each has what came before it", () => {
  assert.deepEqual(FORKS, ["cancun", "prague", "osaka"]);
  assert.equal(hasFork("osaka", "cancun"), true);
  assert.equal(hasFork("cancun", "prague"), false);
  assert.deepEqual(
    FORKS.map((fork) => forkRules(fork).maxTransactionGas),
    [undefined, undefined, 16_777_216n],
  );
});
