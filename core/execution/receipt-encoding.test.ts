import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, EMPTY_BYTES, hashFromWord, toHex, ZERO_ADDRESS } from "@ostrom/base";
import { encodeRlp, type RlpItem, rlpUint } from "@ostrom/codec";
import { logsBloom } from "./bloom.ts";
import { decodeStoredReceipts } from "./receipt.ts";
import { encodeReceipt, encodeStoredReceipts } from "./receipt-encoding.ts";
import type { Receipt } from "./types.ts";

const LOGS = [0, 1, 4].map((topics) => ({
  address: ZERO_ADDRESS,
  topics: Array.from({ length: topics }, (_, index) => hashFromWord(BigInt(index))),
  data: new Uint8Array(topics * 40).fill(topics),
}));

const RECEIPTS: readonly Receipt[] = [[], LOGS.slice(0, 1), LOGS].flatMap((logs) =>
  ([0, 2, 0x60] as const).map((type) => ({
    type,
    succeeded: logs.length > 0,
    cumulativeGasUsed: 21_000n * BigInt(type + 1),
    bloom: logsBloom(logs),
    logs,
    gasUsed: 127n,
    effectiveGasPrice: 10n ** 20n,
    contractAddress: type === 2 ? ZERO_ADDRESS : undefined,
  })),
);

const logItems = ({ logs }: Receipt): RlpItem =>
  logs.map(({ address, topics, data }) => [address, topics, data]);

test("a receipt is written as the general encoder writes its items", () => {
  for (const receipt of RECEIPTS) {
    const items = [
      rlpUint(receipt.succeeded ? 1 : 0),
      rlpUint(receipt.cumulativeGasUsed),
      receipt.bloom,
      logItems(receipt),
    ];
    const type = receipt.type === 0 ? EMPTY_BYTES : Uint8Array.of(receipt.type);
    assert.equal(toHex(encodeReceipt(receipt)), toHex(concatBytes(type, encodeRlp(items))));
  }
});

test("stored receipts are read as they were written", () => {
  const read = decodeStoredReceipts(encodeStoredReceipts(RECEIPTS));
  assert.deepEqual(read, { ok: true, value: RECEIPTS });
  assert.deepEqual(decodeStoredReceipts(encodeStoredReceipts([])), { ok: true, value: [] });
});
