import assert from "node:assert/strict";
import { test } from "node:test";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTxFromRLP } from "@ethereumjs/tx";
import {
  Address,
  addressFromHex,
  bigintToMinimalBytes,
  concatBytes,
  createRandom,
  EMPTY_BYTES,
  hex,
  toHex,
  unwrap,
} from "@ostrom/base";
import { decodeRlp, encodeRlp, type RlpItem } from "@ostrom/codec";
import { SECP256K1_ORDER } from "@ostrom/crypto";
import { parseTransaction, recoverTransactionAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { addressOfSecretKey, recoverAuthority, signAuthorization } from "./signature.ts";
import { randomTransaction, testKey } from "./testing/random-transactions.ts";
import { decodeSignedTransaction, decodeTransaction, recoverSender, signTransaction } from "./transaction.ts";
import { encodeTransaction, signingHash } from "./transaction-encoding.ts";
import type { TransactionType } from "./types.ts";

const TYPES: readonly TransactionType[] = [0, 1, 2, 3, 4];
const KEY = testKey(0);
const TO = addressFromHex("00000000000000000000000000000000000000aa");
const FIELDS = {
  chainId: 1n,
  nonce: 3n,
  maxFeePerGas: 100n,
  maxPriorityFeePerGas: 2n,
  gasLimit: 21_000n,
  to: TO,
};

function errorOf(bytes: Uint8Array): string | undefined {
  const decoded = decodeTransaction(bytes);
  return decoded.ok ? undefined : decoded.error.code;
}

/** Decodes, lets `change` alter the list of fields, encodes again. */
function altered(raw: Uint8Array, change: (items: RlpItem[]) => void): Uint8Array {
  const isLegacy = raw[0]! >= 0xc0;
  const items = [...(unwrap(decodeRlp(isLegacy ? raw : raw.subarray(1))) as readonly RlpItem[])];
  change(items);
  return isLegacy ? encodeRlp(items) : concatBytes(raw.subarray(0, 1), encodeRlp(items));
}

test("a transaction of each type survives signing, encoding and decoding, and its sender is recovered", () => {
  const random = createRandom(1);
  for (const type of TYPES) {
    for (let i = 0; i < 20; i++) {
      const made = randomTransaction(random, type);
      const { sender, ...transaction } = made;
      const decoded = unwrap(decodeTransaction(made.raw));
      assert.deepEqual(decoded, transaction);
      assert.deepEqual(unwrap(recoverSender(decoded)), sender);
      assert.deepEqual(encodeTransaction(decoded, decoded), made.raw);
    }
  }
});

test("@ethereumjs/tx reads our transactions of each type to the same hash, signing hash and sender", () => {
  // It wants a KZG library to be there for type 3, and calls it for blobs only.
  const customCrypto = { kzg: {} as never };
  const commonOf = (chainId: bigint) =>
    new Common({ chain: { ...Mainnet, chainId: Number(chainId) }, hardfork: Hardfork.Prague, customCrypto });
  const random = createRandom(2);
  for (const type of TYPES) {
    for (let i = 0; i < 8; i++) {
      const made = randomTransaction(random, type);
      const common = commonOf(made.chainId ?? 1n);
      const theirs = createTxFromRLP(made.raw, { common, allowUnlimitedInitCodeSize: true });
      assert.deepEqual(theirs.serialize(), made.raw);
      assert.deepEqual(theirs.hash(), made.hash);
      assert.deepEqual(theirs.getHashedMessageToSign(), signingHash(made));
      assert.deepEqual(theirs.getSenderAddress().bytes, made.sender);
    }
  }
});

test("viem's signed transactions of types 0, 1, 2 and 4 decode to what was signed, and ours to viem's view", async () => {
  const account = privateKeyToAccount(toHex(KEY));
  const to = toHex(TO);
  const authorization = await account.signAuthorization({ chainId: 7, contractAddress: to, nonce: 5 });
  const common = { chainId: 7, nonce: 9, gas: 50_000n, to, value: 5n, data: "0x1234" } as const;
  const fees = { maxFeePerGas: 300n, maxPriorityFeePerGas: 20n } as const;
  const accessList = [{ address: to, storageKeys: [toHex(new Uint8Array(32).fill(7))] }];
  const requests = [
    { ...common, type: "legacy", gasPrice: 11n },
    { ...common, type: "eip2930", gasPrice: 12n, accessList },
    { ...common, ...fees, type: "eip1559", accessList },
    { ...common, ...fees, type: "eip7702", authorizationList: [authorization] },
  ] as const;
  for (const [index, request] of requests.entries()) {
    const raw = await account.signTransaction(request);
    const decoded = unwrap(decodeSignedTransaction(hex(raw)));
    assert.equal(decoded.type, [0, 1, 2, 4][index]);
    assert.equal(toHex(decoded.sender), account.address.toLowerCase());
    assert.equal(decoded.chainId, 7n);
    assert.equal(decoded.nonce, 9n);
    assert.equal(decoded.gasLimit, 50_000n);
    assert.equal(toHex(decoded.data), "0x1234");
    const { type: _, ...again } = signTransaction(decoded, KEY);
    assert.equal(toHex(again.raw), raw);
    assert.equal(await recoverTransactionAddress({ serializedTransaction: raw as never }), account.address);
    assert.equal(parseTransaction(toHex(again.raw)).nonce, 9);
  }
  const set = unwrap(decodeTransaction(hex(await account.signTransaction(requests[3]))));
  assert.equal(toHex(recoverAuthority(set.authorizations[0]!)!), account.address.toLowerCase());
});

test("a transaction's bytes are copied: changing the buffer it came in changes nothing", () => {
  const buffer = signTransaction({ ...FIELDS, data: Uint8Array.of(1, 2, 3) }, KEY).raw.slice();
  const decoded = unwrap(decodeTransaction(buffer));
  buffer.fill(0);
  assert.deepEqual(decoded.data, Uint8Array.of(1, 2, 3));
  assert.equal(decoded.raw[0], 2);
});

test("a transaction with bytes after it, cut off, or without any is refused", () => {
  for (const type of TYPES) {
    const { raw } = randomTransaction(createRandom(3), type);
    assert.equal(errorOf(concatBytes(raw, Uint8Array.of(0))), "transaction/malformed");
    for (let length = 1; length < raw.length; length += 7) {
      assert.equal(errorOf(raw.subarray(0, length)), "transaction/malformed");
    }
  }
  assert.equal(errorOf(EMPTY_BYTES), "transaction/malformed");
});

test("unknown types, and type 0 in an envelope, are refused", () => {
  const body = signTransaction(FIELDS, KEY).raw.subarray(1);
  for (const type of [0, 5, 0x7f, 0x80, 0xbf]) {
    assert.equal(errorOf(concatBytes(Uint8Array.of(type), body)), "transaction/unsupported-type");
  }
});

test("an integer with a leading zero is refused in every integer field", () => {
  for (const type of TYPES) {
    const { raw } = signTransaction(
      {
        ...FIELDS,
        type,
        value: 1n,
        ...(type === 3 ? { maxFeePerBlobGas: 1n, blobVersionedHashes: [blobHash()] } : {}),
        ...(type === 4
          ? { authorizations: [signAuthorization({ chainId: 1n, address: TO, nonce: 1n }, KEY)] }
          : {}),
      },
      KEY,
    );
    const items = unwrap(decodeRlp(type === 0 ? raw : raw.subarray(1))) as readonly RlpItem[];
    items.forEach((item, index) => {
      if (!(item instanceof Uint8Array) || item.length === 20) return;
      const isData = index === (type === 0 ? 5 : type === 1 ? 6 : 7);
      if (isData) return;
      const padded = altered(raw, (list) => {
        list[index] = concatBytes(Uint8Array.of(0), item);
      });
      assert.equal(errorOf(padded), "transaction/malformed", `type ${type}, field ${index}`);
    });
  }
});

test("a nonce of 2^64 - 1 is refused (EIP-2681), 2^64 - 2 is not", () => {
  const nonceOf = (nonce: bigint) => signTransaction({ ...FIELDS, nonce }, KEY).raw;
  assert.equal(errorOf(nonceOf(2n ** 64n - 1n)), "transaction/nonce-too-big");
  assert.equal(errorOf(nonceOf(2n ** 64n - 2n)), undefined);
});

test("a priority fee above the maximal fee, and a fee that overflows 256 bits, are refused", () => {
  assert.equal(
    errorOf(signTransaction({ ...FIELDS, maxPriorityFeePerGas: 101n }, KEY).raw),
    "transaction/priority-fee-above-max-fee",
  );
  assert.equal(
    errorOf(signTransaction({ ...FIELDS, maxFeePerGas: 2n ** 255n, gasLimit: 2n }, KEY).raw),
    "transaction/gas-overflow",
  );
});

test("a signature with s in the upper half is refused (EIP-2), though it recovers the same key", () => {
  for (const type of TYPES) {
    const made = randomTransaction(createRandom(4), type);
    const malleated = {
      yParity: made.yParity === 0 ? 1 : 0,
      r: made.r,
      s: SECP256K1_ORDER - made.s,
    } as const;
    assert.equal(errorOf(encodeTransaction(made, malleated)), "transaction/invalid-signature");
  }
});

test("a signature out of range is refused", () => {
  const made = signTransaction(FIELDS, KEY);
  for (const change of [{ r: 0n }, { s: 0n }, { r: SECP256K1_ORDER }]) {
    assert.equal(errorOf(encodeTransaction(made, { ...made, ...change })), "transaction/invalid-signature");
  }
  const parity2 = altered(made.raw, (items) => {
    items[9] = Uint8Array.of(2);
  });
  assert.equal(errorOf(parity2), "transaction/malformed");
});

test("a signature that no key can have made recovers no sender", () => {
  // 5 is the x coordinate of no point of secp256k1.
  const made = signTransaction(FIELDS, KEY);
  const decoded = unwrap(decodeTransaction(encodeTransaction(made, { yParity: 0, r: 5n, s: 1n })));
  const sender = recoverSender(decoded);
  assert.equal(!sender.ok && sender.error.code, "transaction/invalid-signature");
});

test("a legacy v must be 27, 28 or name a chain id above 0 (EIP-155)", () => {
  const { raw } = signTransaction({ ...FIELDS, type: 0 }, KEY);
  for (const v of [0n, 1n, 26n, 29n, 34n, 35n, 36n]) {
    const changed = altered(raw, (items) => {
      items[6] = bigintToMinimalBytes(v);
    });
    assert.equal(errorOf(changed), "transaction/invalid-chain-id", `v of ${v}`);
  }
  assert.equal(unwrap(decodeTransaction(raw)).chainId, 1n);
  const { chainId: _, ...unprotected } = FIELDS;
  const decoded = unwrap(decodeSignedTransaction(signTransaction({ ...unprotected, type: 0 }, KEY).raw));
  assert.equal(decoded.chainId, undefined);
  assert.deepEqual(decoded.sender, addressOfSecretKey(KEY));
});

test("types 3 and 4 must have a recipient; type 4 authorizations; type 3 blobs of version 1 (EIP-4844, EIP-7702)", () => {
  const authorizations = [signAuthorization({ chainId: 1n, address: TO, nonce: 1n }, KEY)];
  const { to: _, ...creates } = FIELDS;
  assert.equal(
    errorOf(signTransaction({ ...creates, type: 4, authorizations }, KEY).raw),
    "transaction/malformed",
  );
  assert.equal(
    errorOf(signTransaction({ ...creates, type: 3, blobVersionedHashes: [blobHash()] }, KEY).raw),
    "transaction/malformed",
  );
  assert.equal(errorOf(signTransaction({ ...FIELDS, type: 4 }, KEY).raw), "transaction/authorizations-empty");
  assert.equal(errorOf(signTransaction({ ...FIELDS, type: 3 }, KEY).raw), "transaction/blobs-empty");
  const wrongVersion = blobHash().map((byte, i) => (i === 0 ? 2 : byte));
  assert.equal(
    errorOf(signTransaction({ ...FIELDS, type: 3, blobVersionedHashes: [wrongVersion as never] }, KEY).raw),
    "transaction/blob-version",
  );
});

test("a blob transaction with its blobs around it (network form) is refused", () => {
  const { raw } = signTransaction({ ...FIELDS, type: 3, blobVersionedHashes: [blobHash()] }, KEY);
  const body = unwrap(decodeRlp(raw.subarray(1)));
  const wrapped = concatBytes(Uint8Array.of(3), encodeRlp([body, [], [], []]));
  assert.equal(errorOf(wrapped), "transaction/blobs-in-network-form");
});

test("an authorization with a bad parity, a high s or an impossible r has no authority, and the transaction decodes", () => {
  const good = signAuthorization({ chainId: 1n, address: TO, nonce: 1n }, KEY);
  assert.deepEqual(recoverAuthority(good), addressOfSecretKey(KEY));
  const bad = [
    { ...good, yParity: 2n },
    { ...good, yParity: 255n },
    { ...good, s: SECP256K1_ORDER - good.s },
    { ...good, r: 0n },
    { ...good, r: 2n ** 256n - 1n },
    { ...good, r: 5n },
  ];
  for (const authorization of bad) {
    assert.equal(recoverAuthority(authorization), undefined);
    assert.equal(
      errorOf(signTransaction({ ...FIELDS, type: 4, authorizations: [authorization] }, KEY).raw),
      undefined,
    );
  }
});

test("the longest lists that authorizations and access lists can have for their bytes decode", () => {
  const smallest = { chainId: 0n, address: TO, nonce: 0n, yParity: 0n, r: 0n, s: 0n };
  const authorizations = Array.from({ length: 500 }, () => smallest);
  const accessList = Array.from({ length: 500 }, () => ({ address: TO, storageKeys: [] }));
  const made = signTransaction({ ...FIELDS, type: 4, authorizations, accessList }, KEY);
  assert.equal(unwrap(decodeTransaction(made.raw)).authorizations.length, 500);
  assert.equal(errorOf(signTransaction({ ...FIELDS, type: 1, accessList }, KEY).raw), undefined);
});

test("no garbage makes the decoder throw", () => {
  const random = createRandom(5);
  const valid = TYPES.map((type) => randomTransaction(random, type).raw);
  for (let i = 0; i < 3000; i++) {
    const bytes = random.chance(1, 2) ? random.bytes(random.below(200)) : valid[random.below(5)]!.slice();
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
    const decoded = decodeTransaction(bytes);
    // Where it decodes, it must be the one encoding of what it says.
    if (decoded.ok) assert.deepEqual(encodeTransaction(decoded.value, decoded.value), bytes);
  }
});

function blobHash(): ReturnType<typeof signingHash> {
  return signingHash(signTransaction(FIELDS, KEY)).map((byte, i) => (i === 0 ? 1 : byte)) as ReturnType<
    typeof signingHash
  >;
}

test("an address in a transaction must have 20 bytes", () => {
  const { raw } = signTransaction(FIELDS, KEY);
  for (const length of [1, 19, 21, 32]) {
    const changed = altered(raw, (items) => {
      items[5] = new Uint8Array(length).fill(1);
    });
    assert.equal(errorOf(changed), "transaction/malformed");
  }
  assert.equal(Address(TO).length, 20);
});
