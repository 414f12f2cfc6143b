import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, unwrap } from "@ostrom/base";
import { encodeAbiParameters, toFunctionSelector } from "viem";
import {
  createDevelopmentLog,
  type DevelopmentActivity,
  type DevelopmentLog,
  describeActivity,
  formatWei,
} from "./development-log.ts";

const FROM = `0x${"f3".repeat(20)}`;
const TO = `0x${"70".repeat(20)}`;
const HASH = `0x${"ab".repeat(32)}`;

const TRANSFER: DevelopmentActivity = {
  kind: "transaction",
  from: FROM,
  to: TO,
  subject: "Token#transfer",
  value: 0n,
  hash: HASH,
  gasUsed: 51_000n,
  gasLimit: 60_000n,
  block: { number: 7n, hash: HASH },
  printed: [],
};

function spoken(text: string): Uint8Array {
  const body = encodeAbiParameters([{ type: "string" }], [text]).slice(2);
  return unwrap(fromHex(`${toFunctionSelector("function log(string)")}${body}`));
}

function logTo(lines: string[], isTerminal = false): DevelopmentLog {
  return createDevelopmentLog({
    write: (text) => lines.push(text),
    style: (style, text) => `<${style}>${text}`,
    isTerminal,
  });
}

test("a transaction is told as Hardhat's node tells it, titles in one column", () => {
  assert.deepEqual(describeActivity(TRANSFER), [
    "Contract call: Token#transfer",
    `Transaction:   ${HASH}`,
    `From:          ${FROM}`,
    `To:            ${TO}`,
    "Value:         0 ETH",
    "Gas used:      51000 of 60000",
    `Block #7:      ${HASH}`,
  ]);
});

test("what a contract printed comes below, then why it failed, with its stack", () => {
  const lines = describeActivity({
    ...TRANSFER,
    printed: [spoken("first"), spoken("two\nlines"), Uint8Array.of(1, 2, 3, 4)],
    failure: { message: "it failed", stack: ["Token.transfer (contracts/Token.sol:3:5)"] },
  });
  assert.deepEqual(lines.slice(7), [
    "",
    "console.log:",
    "  first",
    "  two",
    "  lines",
    "",
    "Error: it failed",
    "    at Token.transfer (contracts/Token.sol:3:5)",
  ]);
});

test("a call of an account without code is warned of; a creation names the contract", () => {
  const call: DevelopmentActivity = {
    kind: "call",
    from: FROM,
    to: TO,
    subject: undefined,
    value: 0n,
    printed: [],
  };
  assert.equal(describeActivity(call)[0], "WARNING: Calling an account which is not a contract");
  const creation = describeActivity({ ...TRANSFER, to: undefined, created: TO, subject: undefined });
  assert.deepEqual(creation.slice(0, 2), [
    "Contract deployment: <UnrecognizedContract>",
    `Contract address:    ${TO}`,
  ]);
});

test("a method that is asked again and again takes one line of a terminal, and one each of a file", () => {
  const terminal: string[] = [];
  const toTerminal = logTo(terminal, true);
  for (let count = 0; count < 3; count++) toTerminal.request("eth_blockNumber");
  assert.match(terminal.at(-1) ?? "", /<good>eth_blockNumber \(3\)\n$/);
  const file: string[] = [];
  const toFile = logTo(file);
  for (let count = 0; count < 2; count++) toFile.request("eth_blockNumber");
  assert.deepEqual(file, ["<good>eth_blockNumber\n", "<good>eth_blockNumber\n"]);
});

test("an error is told below its method, once", () => {
  const lines: string[] = [];
  const log = logTo(lines);
  log.request("eth_sign", [], "unknown account");
  assert.deepEqual(lines, ["<bad>eth_sign\n", "\n  <bad>unknown account\n\n"]);
  const failure = { message: "it failed", stack: [] };
  log.request("eth_call", [{ ...TRANSFER, failure }], "it failed");
  assert.equal(lines[2], "<bad>eth_call\n");
  assert.equal(lines.join("").match(/it failed/g)?.length, 1);
});

test("amounts are in the unit that needs few digits", () => {
  assert.equal(formatWei(0n), "0 ETH");
  assert.equal(formatWei(99_999n), "99999 wei");
  assert.equal(formatWei(1_500_000_000n), "1.5 gwei");
  assert.equal(formatWei(10n ** 14n), "0.0001 ETH");
  assert.equal(formatWei(2n * 10n ** 18n), "2 ETH");
});
