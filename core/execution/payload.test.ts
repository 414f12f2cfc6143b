import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, concatBytes, createRandom, hex, unwrap } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { hasMoreItems } from "./item-count.ts";
import {
  checkPayload,
  checkPayloadBeforeSignatures,
  decodePayload,
  EMPTY_PAYLOAD,
  encodePayload,
  MAX_PAYLOAD_TRANSACTIONS,
} from "./payload.ts";
import { addressOfSecretKey } from "./signature.ts";
import { randomTransaction, testKey } from "./testing/random-transactions.ts";
import { GENESIS_TIME_MS, TEST_CHAIN_ID, testGenesis } from "./testing/test-chain.ts";
import { decodeTransaction, signTransaction, type TransactionFields } from "./transaction.ts";
import { encodeTransaction } from "./transaction-encoding.ts";

const { rules, consensus } = testGenesis({ accounts: [] });
const KEY = testKey(0);
const FIELDS = {
  chainId: TEST_CHAIN_ID,
  gasLimit: 21_000n,
  maxFeePerGas: 1n,
  to: addressFromHex("00000000000000000000000000000000000000aa"),
};

function raw(fields: Partial<TransactionFields> = {}): Uint8Array {
  return signTransaction({ ...FIELDS, ...fields }, KEY).raw;
}

function check(transactions: readonly Uint8Array[], more: Partial<Parameters<typeof checkPayload>[0]> = {}) {
  const { maxPayloadBytes } = consensus;
  const payload = encodePayload(transactions);
  return checkPayload({ payload, rules, timestampMs: GENESIS_TIME_MS, maxPayloadBytes, ...more });
}

function codeOf(
  transactions: readonly Uint8Array[],
  more: Partial<Parameters<typeof checkPayload>[0]> = {},
): string {
  const checked = check(transactions, more);
  return checked.ok ? "valid" : checked.error.code;
}

test("a payload comes back as it was, the empty one too", () => {
  const random = createRandom(1);
  for (const length of [0, 1, 5, 100]) {
    const transactions = Array.from({ length }, () => random.bytes(random.below(300)));
    assert.deepEqual(unwrap(decodePayload(encodePayload(transactions))), transactions);
  }
  assert.deepEqual(unwrap(decodePayload(EMPTY_PAYLOAD)), []);
});

test("a payload without bytes, of another format, with bytes after it or of another shape is refused", () => {
  const code = (payload: Uint8Array): string | undefined => {
    const decoded = decodePayload(payload);
    return decoded.ok ? undefined : decoded.error.code;
  };
  assert.equal(code(hex("")), "payload/malformed");
  assert.equal(code(hex("02c0")), "payload/unsupported-format");
  assert.equal(code(concatBytes(EMPTY_PAYLOAD, hex("80"))), "payload/malformed");
  assert.equal(code(hex("0180")), "payload/malformed");
  assert.equal(code(hex("01c1c0")), "payload/malformed");
  assert.equal(code(hex("01f800")), "payload/malformed");
});

test("megabytes of tiny items are refused before they are decoded", () => {
  const tiny = encodeRlp(Array.from({ length: MAX_PAYLOAD_TRANSACTIONS + 1 }, () => hex("")));
  const refused = decodePayload(concatBytes(hex("01"), tiny));
  assert.equal(!refused.ok && refused.error.code, "payload/malformed");
  const most = Array.from({ length: MAX_PAYLOAD_TRANSACTIONS }, () => hex(""));
  assert.equal(unwrap(decodePayload(encodePayload(most))).length, MAX_PAYLOAD_TRANSACTIONS);
  const transaction = decodeTransaction(concatBytes(hex("02"), tiny));
  assert.match(transaction.ok ? "" : transaction.error.message, /more list entries/);
  for (const bytes of ["", "bf", "bfffffffffffffffff", "f8", "ffff"])
    assert.equal(hasMoreItems(hex(bytes), 1), false);
});

test("a valid payload answers its senders and the sum of its gas limits", () => {
  const checked = unwrap(check([raw(), raw({ nonce: 1n, gasLimit: 50_000n })]));
  assert.equal(checked.gasLimit, 71_000n);
  assert.deepEqual(
    checked.transactions.map(({ sender }) => sender),
    [addressOfSecretKey(KEY), addressOfSecretKey(KEY)],
  );
});

test("nonces, balances and fees below the base fee are not a vote's business", () => {
  assert.equal(codeOf([raw({ nonce: 10n ** 15n, maxFeePerGas: 0n, value: 2n ** 255n })]), "valid");
});

test("a legacy transaction without a chain id may be in a payload", () => {
  const { chainId: _, ...unprotected } = FIELDS;
  assert.equal(codeOf([signTransaction({ ...unprotected, type: 0 }, KEY).raw]), "valid");
});

test("what can never run makes the payload invalid", () => {
  const blobs = randomTransaction(createRandom(2), 3).blobVersionedHashes;
  const invalid: readonly (readonly [why: string, raw: Uint8Array])[] = [
    ["garbage", hex("1234")],
    ["another chain", raw({ chainId: 1n })],
    ["blobs", raw({ type: 3, blobVersionedHashes: blobs })],
    ["too little gas", raw({ gasLimit: 20_999n })],
    ["more gas than EIP-7825 allows", raw({ gasLimit: 2n ** 24n + 1n })],
    [
      "init code that is too long (EIP-3860)",
      raw({ to: undefined as never, data: new Uint8Array(49_153), gasLimit: 10_000_000n }),
    ],
    ["call data below its floor (EIP-7623)", raw({ data: new Uint8Array(1_000).fill(1), gasLimit: 38_000n })],
  ];
  for (const [why, transaction] of invalid)
    assert.equal(codeOf([raw(), transaction]), "payload/invalid-transaction", why);
  const cancun = { ...rules, forks: [{ fork: "cancun", fromTimestamp: 0 }] } as const;
  assert.equal(codeOf([raw({ gasLimit: 2n ** 24n + 1n })], { rules: cancun }), "valid");
  const setCode = randomTransaction(createRandom(2), 4);
  assert.equal(
    codeOf(
      [
        signTransaction(
          {
            ...setCode,
            ...FIELDS,
            gasLimit: 100_000n,
            data: hex(""),
            value: 0n,
            maxPriorityFeePerGas: 0n,
            accessList: [],
          },
          KEY,
        ).raw,
      ],
      { rules: cancun },
    ),
    "payload/invalid-transaction",
  );
});

test("a signature that recovers nobody makes the payload invalid; what the caller knows is not recovered again", () => {
  const made = signTransaction(FIELDS, KEY);
  const forged = encodeTransaction(made, { yParity: 0, r: 5n, s: 1n });
  assert.equal(codeOf([forged]), "payload/invalid-transaction");
  const someone = addressFromHex("00000000000000000000000000000000000000bb");
  const known = { ...made, sender: someone };
  assert.deepEqual(unwrap(check([made.raw], { known: () => known })).transactions, [known]);
  assert.deepEqual(unwrap(check([made.raw], { known: () => undefined })).transactions, [made]);
});

test("what is known is still checked for its validity on this chain", () => {
  const elsewhere = signTransaction({ ...FIELDS, chainId: 1n }, KEY);
  assert.equal(codeOf([elsewhere.raw], { known: () => elsewhere }), "payload/invalid-transaction");
});

test("all but the signatures can be checked first", () => {
  const forged = encodeTransaction(signTransaction(FIELDS, KEY), { yParity: 0, r: 5n, s: 1n });
  const before = (transactions: readonly Uint8Array[]) =>
    checkPayloadBeforeSignatures({
      payload: encodePayload(transactions),
      rules,
      timestampMs: GENESIS_TIME_MS,
      maxPayloadBytes: consensus.maxPayloadBytes,
    });
  assert.equal(unwrap(before([forged])).gasLimit, 21_000n);
  const twice = before([forged, forged]);
  assert.equal(!twice.ok && twice.error.code, "payload/duplicate-transaction");
  const junk = before([forged, hex("00")]);
  assert.equal(!junk.ok && junk.error.code, "payload/invalid-transaction");
});

test("a transaction twice, gas limits above the block's together, or too many bytes make the payload invalid", () => {
  assert.equal(codeOf([raw(), raw({ nonce: 1n }), raw()]), "payload/duplicate-transaction");
  const small = { ...rules, blockGasLimit: 100_000n };
  assert.equal(
    codeOf([raw({ gasLimit: 50_000n }), raw({ gasLimit: 50_000n, nonce: 1n })], { rules: small }),
    "valid",
  );
  assert.equal(
    codeOf([raw({ gasLimit: 50_000n }), raw({ gasLimit: 50_001n, nonce: 1n })], { rules: small }),
    "payload/too-much-gas",
  );
  const size = encodePayload([raw()]).length;
  assert.equal(codeOf([raw()], { maxPayloadBytes: size }), "valid");
  assert.equal(codeOf([raw()], { maxPayloadBytes: size - 1 }), "payload/too-long");
});

test("no payload of any bytes makes the check throw", () => {
  const random = createRandom(3);
  const valid = encodePayload([raw(), raw({ nonce: 1n })]);
  for (let i = 0; i < 1_000; i++) {
    const payload = random.chance(1, 2) ? random.bytes(random.below(100)) : valid.slice();
    for (let n = random.below(4); n > 0 && payload.length > 0; n--)
      payload[random.below(payload.length)] = random.below(256);
    const checked = checkPayload({
      payload,
      rules,
      timestampMs: 0,
      maxPayloadBytes: 10_000,
    });
    if (checked.ok)
      assert.deepEqual(encodePayload(checked.value.transactions.map((each) => each.raw)), payload);
  }
});
