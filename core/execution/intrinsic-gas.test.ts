import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, EMPTY_BYTES, ZERO_ADDRESS, ZERO_HASH } from "@ostrom/base";
import { callDataFloorGas, intrinsicGas, upfrontGas } from "./intrinsic-gas.ts";
import { signAuthorization } from "./signature.ts";

const call = (data: Bytes) => ({ to: ZERO_ADDRESS, data, accessList: [], authorizations: [] });
const create = (data: Bytes) => ({ ...call(data), to: undefined });

test("a transfer needs 21000", () => {
  assert.equal(intrinsicGas(call(EMPTY_BYTES), "cancun"), 21_000n);
  assert.equal(intrinsicGas(call(EMPTY_BYTES), "osaka"), 21_000n);
});

test("data costs 4 for a zero byte and 16 for another (EIP-2028)", () => {
  assert.equal(intrinsicGas(call(Uint8Array.of(0, 1, 0)), "cancun"), 21_000n + 2n * 4n + 16n);
});

test("from Prague on, data costs at least 10 for a zero byte and 40 for another in the end (EIP-7623)", () => {
  const data = Uint8Array.of(0, 1, 0);
  assert.equal(callDataFloorGas({ data }, "cancun"), 0n);
  assert.equal(callDataFloorGas({ data }, "prague"), 21_000n + 2n * 10n + 40n);
  assert.equal(intrinsicGas(call(data), "prague"), 21_000n + 2n * 10n + 40n);
  assert.equal(upfrontGas(call(data)), 21_000n + 2n * 4n + 16n);
});

test("a creation costs 32000 more, and 2 for each word of init code (EIP-3860)", () => {
  assert.equal(intrinsicGas(create(new Uint8Array(33)), "osaka"), 21_000n + 33n * 4n + 32_000n + 2n * 2n);
});

test("an access list costs 2400 for an address and 1900 for a slot (EIP-2930)", () => {
  const accessList = [
    { address: ZERO_ADDRESS, storageKeys: [ZERO_HASH, ZERO_HASH] },
    { address: ZERO_ADDRESS, storageKeys: [] },
  ];
  assert.equal(
    intrinsicGas({ ...call(EMPTY_BYTES), accessList }, "osaka"),
    21_000n + 2n * 2400n + 2n * 1900n,
  );
});

test("an authorization costs 25000 (EIP-7702)", () => {
  const fields = { chainId: 1n, address: ZERO_ADDRESS, nonce: 0n };
  const authorizations = [signAuthorization(fields, new Uint8Array(32).fill(1))];
  assert.equal(intrinsicGas({ ...call(EMPTY_BYTES), authorizations }, "prague"), 46_000n);
});
