import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { toHex } from "@ostrom/base";
import { blockNumberOrTag, blockParameter } from "./block-parameter.ts";
import {
  address,
  count,
  countOrNumber,
  type Decoder,
  data,
  hash,
  listOf,
  quantity64,
  quantity256,
  storageKey,
  ValueError,
} from "./decode.ts";
import { blockOverride, callRequest, stateOverrides } from "./decode-call.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { logFilter } from "./log-search.ts";
import { RpcError } from "./rpc-error.ts";

const ADDRESS = `0x${"ab".repeat(20)}`;
const HASH = `0x${"cd".repeat(32)}`;

function refuses(decoder: Decoder<unknown>, value: unknown, message: RegExp): void {
  assert.throws(
    () => decoder.decode(value),
    (error: unknown) => {
      assert.ok(error instanceof ValueError || error instanceof RpcError, String(error));
      assert.match(error.message, message);
      return true;
    },
    String(value),
  );
}

describe("parameters", () => {
  test("a quantity has a prefix, digits, no leading zeros and a bounded size", () => {
    assert.equal(quantity256.decode("0x0"), 0n);
    assert.equal(quantity256.decode("0xfF"), 255n);
    assert.equal(quantity256.decode(`0x${"f".repeat(64)}`), 2n ** 256n - 1n);
    assert.equal(quantity64.decode("0xffffffffffffffff"), 2n ** 64n - 1n);
    refuses(quantity256, "1", /without 0x prefix/);
    refuses(quantity256, "", /empty hex string/);
    refuses(quantity256, "0x", /hex string "0x"/);
    refuses(quantity256, "0x00", /leading zero digits/);
    refuses(quantity256, "0x01", /leading zero digits/);
    refuses(quantity256, "0xg", /invalid hex string/);
    refuses(quantity256, "-0x1", /without 0x prefix/);
    refuses(quantity256, `0x1${"0".repeat(64)}`, /> 256 bits/);
    refuses(quantity64, "0x10000000000000000", /> 64 bits/);
    for (const value of [1, null, undefined, {}, [], true, 1e308])
      refuses(quantity256, value, /expected a hex string/);
  });

  test("a count is a safe integer; where clients send plain numbers they are read", () => {
    assert.equal(count.decode("0x1fffffffffffff"), 2 ** 53 - 1);
    refuses(count, "0x20000000000000", /2\^53/);
    assert.equal(countOrNumber.decode(5), 5);
    assert.equal(countOrNumber.decode("0x5"), 5);
    for (const value of [-1, 1.5, Number.NaN, 2 ** 53]) refuses(countOrNumber, value, /no count/);
  });

  test("data has two digits a byte; addresses and hashes have their length", () => {
    assert.equal(toHex(data.decode("0x")), "0x");
    assert.equal(toHex(data.decode("0x00FF")), "0x00ff");
    refuses(data, "0x0", /odd length/);
    refuses(data, "0xzz", /invalid hex/);
    refuses(data, "00", /without 0x/);
    assert.equal(toHex(address.decode(ADDRESS)), ADDRESS);
    refuses(address, HASH, /length 64, want 40/);
    assert.equal(toHex(hash.decode(HASH)), HASH);
    refuses(hash, ADDRESS, /length 40, want 64/);
  });

  test("a storage key may be short or long, but not longer than a word", () => {
    assert.equal(storageKey.decode("0x"), 0n);
    assert.equal(storageKey.decode("0x00"), 0n);
    assert.equal(storageKey.decode("0x1"), 1n);
    assert.equal(storageKey.decode(`0x${"f".repeat(64)}`), 2n ** 256n - 1n);
    refuses(storageKey, "0xasdf", /^invalid hex in storage key: "0xasdf"$/);
    refuses(storageKey, `0x${"0".repeat(65)}`, /^storage key too long \(want at most 32 bytes\): "0x0+"$/);
  });

  test("a block is a tag, a number, a hash, or EIP-1898's object", () => {
    assert.deepEqual(blockParameter.decode("latest"), { kind: "tag", tag: "latest" });
    assert.deepEqual(blockParameter.decode("0x10"), { kind: "number", number: 16 });
    assert.equal(blockParameter.decode(HASH).kind, "hash");
    assert.deepEqual(blockParameter.decode({ blockNumber: "0x1" }), { kind: "number", number: 1 });
    assert.deepEqual(blockParameter.decode({ blockNumber: "safe" }), { kind: "tag", tag: "safe" });
    assert.equal(blockParameter.decode({ blockHash: HASH, requireCanonical: true }).kind, "hash");
    refuses(blockParameter, "Latest", /without 0x prefix/);
    refuses(blockParameter, 1, /expected a hex string/);
    refuses(blockParameter, {}, /blockNumber or blockHash/);
    refuses(blockParameter, { blockHash: HASH, blockNumber: "0x1" }, /choose one/);
    refuses(
      blockParameter,
      { blockHash: HASH, requireCanonical: 1 },
      /requireCanonical: expected true or false/,
    );
    refuses(blockNumberOrTag, HASH, /> 64 bits|leading/);
    refuses(blockParameter, "__proto__", /without 0x prefix/);
  });

  test("a list says which entry is wrong, and is bounded", () => {
    refuses(listOf(address, 5), [ADDRESS, "0x1"], /^\[1\]: hex string of odd length/);
    refuses(listOf(address, 1), [ADDRESS, ADDRESS], /the limit is 1/);
    refuses(listOf(address, 1), "x", /expected an array/);
  });

  test("a call takes data or input, one fee style, and lists", () => {
    const request = callRequest.decode({
      from: ADDRESS,
      to: null,
      data: "0x01",
      input: "0x01",
      gas: "0x5208",
      maxFeePerGas: "0x2",
      maxPriorityFeePerGas: "0x1",
      type: "0x2",
      accessList: [{ address: ADDRESS, storageKeys: [HASH, "0x0"] }],
      authorizationList: [
        { chainId: "0x1", address: ADDRESS, nonce: "0x0", yParity: "0x0", r: HASH, s: "0x1" },
      ],
    });
    assert.equal("to" in request, false);
    assert.equal(request.accessList?.[0]?.storageKeys.length, 2);
    assert.equal(request.authorizations?.[0]?.s, 1n);
    refuses(callRequest, { data: "0x01", input: "0x02" }, /both "data" and "input"/);
    refuses(callRequest, { gasPrice: "0x1", maxFeePerGas: "0x1" }, /both gasPrice and/);
    refuses(callRequest, { maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" }, /maxFeePerGas \(1\) < /);
    refuses(callRequest, { to: "0x1" }, /^to: /);
    refuses(callRequest, { accessList: [{ address: "x" }] }, /^accessList: \[0\]: address: /);
    refuses(callRequest, { accessList: [{}] }, /^accessList: \[0\]: missing "address"/);
  });

  test("override sets are read strictly and counted", () => {
    const decoder = stateOverrides(3);
    const [account] = decoder.decode({ [ADDRESS]: { balance: "0x1", stateDiff: { "0x1": HASH } } });
    assert.deepEqual(account?.storageDiff, [[1n, BigInt(HASH)]]);
    refuses(decoder, { [ADDRESS]: { state: {}, stateDiff: {} } }, /both 'state' and 'stateDiff'/);
    refuses(decoder, { [ADDRESS]: { state: { "0x1": "0x", "0x2": "0x", "0x3": "0x" } } }, /more than 3/);
    refuses(decoder, { nope: {} }, /^key: /);
    refuses(decoder, { [ADDRESS]: { balance: "x" } }, /balance: /);
    assert.deepEqual(blockOverride.decode({ time: "0x5", baseFee: "0x1" }), {
      timestamp: 5n,
      baseFeePerGas: 1n,
    });
  });

  test("a log filter takes one or many addresses and topics, and a range or a hash", () => {
    const decoder = logFilter(DEFAULT_LIMITS);
    const filter = decoder.decode({
      address: ADDRESS,
      topics: [null, HASH, [HASH, HASH], []],
      fromBlock: "0x1",
    });
    assert.deepEqual(
      filter.criteria.topics.map((alternatives) => alternatives?.size),
      [undefined, 1, 1, undefined],
    );
    assert.equal(filter.criteria.addresses?.size, 1);
    assert.equal(decoder.decode({ address: [], topics: null }).criteria.addresses, undefined);
    refuses(
      decoder,
      { blockHash: HASH, toBlock: "0x1" },
      /cannot specify both BlockHash and FromBlock\/ToBlock/,
    );
    refuses(decoder, { topics: [HASH, HASH, HASH, HASH, HASH] }, /the limit is 4/);
    refuses(decoder, { topics: [7] }, /^topics: \[0\]: expected hash/);
    refuses(decoder, { address: {} }, /^address: expected address/);
    refuses(decoder, [], /expected an object/);
  });
});
