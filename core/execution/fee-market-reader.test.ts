import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, hashFromWord, hex } from "@ostrom/base";
import { decodeRlp, encodeRlp } from "@ostrom/codec";
import { readPlainFeeMarket } from "./fee-market-reader.ts";
import { decodeTransaction, signTransaction, type TransactionFields } from "./transaction.ts";

const KEY = hashFromWord(1n);
const TO = hex("00112233445566778899aabbccddeeff00112233");

function signed(change: Partial<TransactionFields>): Bytes {
  const fields = { chainId: 1n, to: TO as never, gasLimit: 21_000n, maxFeePerGas: 10n ** 10n, ...change };
  return signTransaction(fields, KEY).raw;
}

/** The same transaction with an access list, which only the general decoder reads. */
function withAccessList(raw: Bytes): Bytes {
  const decoded = decodeRlp(raw.subarray(1));
  assert.ok(decoded.ok && !(decoded.value instanceof Uint8Array), "only canonical RLP is read");
  const items = [...decoded.value];
  items[8] = [[TO, []]];
  return concatBytes(Uint8Array.of(2), encodeRlp(items));
}

/** What the general decoder says, but for the access list, or the code of its error. */
function generalFields(raw: Bytes): unknown {
  return fieldsOf(withAccessList(raw));
}

function fieldsOf(raw: Bytes): unknown {
  const decoded = decodeTransaction(raw);
  if (!decoded.ok) return decoded.error.code;
  const { raw: _raw, hash: _hash, ...fields } = decoded.value;
  return { ...fields, accessList: [] };
}

test("the one-pass reader reads what the general decoder reads", () => {
  const cases: Partial<TransactionFields>[] = [
    {},
    { nonce: 127n },
    { nonce: 128n, value: 2n ** 255n, maxPriorityFeePerGas: 3n },
    { nonce: 2n ** 64n - 2n, gasLimit: 2n ** 48n, chainId: 2n ** 56n + 5n },
    { data: Uint8Array.of(0) },
    { data: Uint8Array.of(0x80) },
    { data: new Uint8Array(55).fill(7) },
    { data: new Uint8Array(68).fill(7), value: 2n ** 48n - 1n },
    { data: new Uint8Array(255).fill(1), value: 2n ** 48n },
  ];
  for (const change of cases) {
    const raw = signed(change);
    const fields = readPlainFeeMarket(raw);
    assert.ok(fields !== undefined);
    assert.deepEqual(fields, generalFields(raw));
  }
});

test("the one-pass reader leaves what is not the usual form to the general decoder", () => {
  assert.equal(readPlainFeeMarket(signed({ to: undefined, data: Uint8Array.of(0) })), undefined);
  assert.equal(readPlainFeeMarket(signed({ data: new Uint8Array(256) })), undefined);
  assert.equal(
    readPlainFeeMarket(signed({ accessList: [{ address: TO as never, storageKeys: [] }] })),
    undefined,
  );
  const raw = signed({});
  for (let length = 0; length < raw.length; length++) {
    assert.equal(readPlainFeeMarket(raw.slice(0, length)), undefined);
  }
  assert.equal(readPlainFeeMarket(concatBytes(raw, Uint8Array.of(0))), undefined);
});

test("whatever byte is changed, what the reader accepts the general decoder judges alike", () => {
  const random = createRandom(3);
  const raw = signed({ data: new Uint8Array(4).fill(9), nonce: 300n, value: 5n });
  for (let round = 0; round < 4_000; round++) {
    const changed = raw.slice();
    changed[1 + random.below(raw.length - 1)] = random.below(256);
    const fields = readPlainFeeMarket(changed);
    if (fields === undefined) continue;
    assert.deepEqual(fieldsOf(changed), generalFields(changed));
  }
});
