import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeErrorResult, encodeFunctionData, parseAbi } from "viem";
import { decodeCall, decodeError, decodeLog } from "./abi.ts";

const TOKEN = parseAbi([
  "function transfer(address to, uint256 amount)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "error TooMuch(uint256 wanted, uint256 had)",
]);
const TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const word = (value: bigint): `0x${string}` => `0x${value.toString(16).padStart(64, "0")}`;

test("a call is decoded by the verified ABI with its parameters' names, else by a well-known signature", async () => {
  const data = encodeFunctionData({ abi: TOKEN, functionName: "transfer", args: [TO, 5n] });
  const verified = await decodeCall(data, TOKEN);
  assert.deepEqual(
    [verified?.signature, verified?.isVerified, verified?.values.map(({ name }) => name)],
    ["transfer(address,uint256)", true, ["to", "amount"]],
  );
  const known = await decodeCall(data, undefined);
  assert.deepEqual([known?.name, known?.isVerified, known?.values[1]?.value], ["transfer", false, 5n]);
});

test("a call that nobody knows is not guessed, one of the index' signatures is", async () => {
  const abi = parseAbi(["function plantTree(uint8 kind)"]);
  const data = encodeFunctionData({ abi, functionName: "plantTree", args: [3] });
  assert.equal(await decodeCall(data, undefined), undefined);
  const found = await decodeCall(data, undefined, ["plantTree(uint8)"]);
  assert.deepEqual([found?.name, found?.values[0]?.value], ["plantTree", 3]);
});

test("a Transfer is an ERC-20's or an ERC-721's by its number of topics", async () => {
  const topics = [TRANSFER_TOPIC, word(1n), word(2n)];
  const fungible = await decodeLog({ topics, data: word(7n) }, undefined);
  assert.equal(fungible?.values[2]?.value, 7n);
  const unique = await decodeLog({ topics: [...topics, word(9n)], data: "0x" }, undefined);
  assert.equal(unique?.values[2]?.value, 9n);
});

test("an error is decoded by the ABI, and Solidity's own without one", async () => {
  const custom = encodeErrorResult({ abi: TOKEN, errorName: "TooMuch", args: [2n, 1n] });
  assert.equal((await decodeError(custom, TOKEN))?.signature, "TooMuch(uint256,uint256)");
  assert.equal(await decodeError(custom, undefined), undefined);
  const reason = encodeErrorResult({
    abi: parseAbi(["error Error(string)"]),
    errorName: "Error",
    args: ["no"],
  });
  assert.equal((await decodeError(reason, undefined))?.values[0]?.value, "no");
});
