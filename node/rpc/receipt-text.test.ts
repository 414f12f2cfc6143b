import assert from "node:assert/strict";
import { test } from "node:test";
import { Address, bytesToBigint, createRandom, Hash, hex, type Random, unwrap } from "@ostrom/base";
import { decodeSignedTransaction, type Receipt } from "@ostrom/execution";
import { inclusionOf, receiptToJson } from "@ostrom/rpc-schema";
import { receiptTextAt, receiptTexts } from "./receipt-text.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { transfer } from "./testing/raw-transactions.ts";

const TYPES = [0, 1, 2, 3, 4, 0x60] as const;

const list = <T>(random: Random, below: number, make: () => T): T[] =>
  Array.from({ length: random.below(below) }, make);
const maybeAddress = (random: Random): Address | undefined =>
  random.below(2) === 0 ? undefined : Address(random.bytes(20));

function randomReceipt(random: Random): Receipt {
  const logs = list(random, 4, () => ({
    address: Address(random.bytes(20)),
    topics: list(random, 5, () => Hash(random.bytes(32))),
    data: random.bytes(random.below(70)),
  }));
  return {
    type: TYPES[random.below(TYPES.length)]!,
    succeeded: random.below(2) === 0,
    cumulativeGasUsed: bytesToBigint(random.bytes(8)),
    gasUsed: bytesToBigint(random.bytes(random.below(8))),
    effectiveGasPrice: bytesToBigint(random.bytes(12)),
    contractAddress: maybeAddress(random),
    logs,
    // Without logs the bloom is empty: execution never makes another.
    bloom: logs.length === 0 ? new Uint8Array(256) : random.bytes(256),
  };
}

test("receipts' text is what their JSON is, alone and in their block's array", () => {
  const random = createRandom(7);
  const { hash, header } = createFakeBackend().chain.header(0)!;
  const inclusion = inclusionOf(hash, header);
  const signed = unwrap(decodeSignedTransaction(hex(transfer(0).raw)));
  for (let round = 0; round < 200; round++) {
    const receipts = list(random, 6, () => randomReceipt(random));
    const transactions = receipts.map(({ type }) => ({ ...signed, type, to: maybeAddress(random) }));
    let logs = 0;
    const first = receipts.map((one) => {
      logs += one.logs.length;
      return logs - one.logs.length;
    });
    const expected = receipts.map((one, i) => receiptToJson(one, transactions[i]!, inclusion, i, first[i]!));
    const texts = receiptTexts(receipts, transactions, inclusion, first);
    assert.equal(texts.all, JSON.stringify(expected));
    for (const [i, one] of expected.entries()) assert.equal(receiptTextAt(texts, i), JSON.stringify(one));
    assert.equal(receiptTextAt(texts, expected.length), undefined);
  }
});
