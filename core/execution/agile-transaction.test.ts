import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, EMPTY_BYTES, equalBytes, toHex, unwrap, ZERO_ADDRESS } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import {
  SCHEME_BLS12381,
  SCHEME_ED25519,
  SCHEME_FALCON_512,
  SCHEME_ML_DSA_44,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  SECP256K1_ORDER,
} from "@ostrom/crypto";
import { RECOVERY_GAS, SIGNATURE_BYTE_GAS, signatureGas } from "@ostrom/vm";
import { addressOfKey, addressOfKeys, keyItems, MAX_KEYS } from "./account-keys.ts";
import { intrinsicGas } from "./intrinsic-gas.ts";
import { addressOfSecretKey } from "./signature.ts";
import { checkStaticValidity } from "./static-validity.ts";
import { agileOf, type HeldKey, heldKey, KeyChain, type Signer, signAs } from "./testing/key-chain.ts";
import { edwards, elliptic, lattice, TO } from "./testing/key-owner.ts";
import { TEST_CHAIN_ID, testGenesis } from "./testing/test-chain.ts";
import {
  decodeSignedTransaction,
  decodeTransaction,
  signAgileTransaction,
  signTransaction,
} from "./transaction.ts";
import { encodeTransaction, signingHash } from "./transaction-encoding.ts";
import type { AccountKey, AgileFields, KeyAuthorization, SignedTransaction } from "./types.ts";

const SCHEMES = [
  SCHEME_SECP256K1,
  SCHEME_P256,
  SCHEME_ED25519,
  SCHEME_SM2,
  SCHEME_ML_DSA_44,
  SCHEME_WEBAUTHN_P256,
];
const rules = testGenesis({ accounts: [] }).rules;

function inline(keys: readonly HeldKey[], threshold = keys.length, signs?: readonly number[]): Signer {
  const sender = addressOfKeys(threshold, keys);
  return { kind: "inline", sender, threshold, keys, ...(signs === undefined ? {} : { signs }) };
}

function signed(signer: Signer): SignedTransaction {
  return signAs(signer, { to: TO, value: 1n });
}

/** The transaction with other agile fields, and the signatures that it had. */
function altered(transaction: SignedTransaction, changes: Partial<AgileFields>): Bytes {
  assert.ok(transaction.agile !== undefined);
  return encodeTransaction(
    { ...transaction, agile: { ...transaction.agile, ...changes } },
    { yParity: 0, r: 0n, s: 0n },
  );
}

function codeOf(raw: Bytes): string | undefined {
  const decoded = decodeSignedTransaction(raw);
  return decoded.ok ? undefined : decoded.error.code;
}

function bare({ schemeId, publicKey }: AccountKey): AccountKey {
  return { schemeId, publicKey };
}

test("a transaction of one key of each algorithm, and of all of them together, is read as it was made", () => {
  const keys = SCHEMES.map((schemeId) => heldKey(schemeId, 10 + schemeId));
  for (const signer of [...keys.map((key) => inline([key])), inline(keys), inline(keys, 2, [1, 4])]) {
    const transaction = signed(signer);
    const read = unwrap(decodeSignedTransaction(transaction.raw));
    assert.deepEqual(read, transaction);
    assert.equal(toHex(read.sender), toHex(transaction.agile!.sender));
    assert.ok(checkStaticValidity(read, rules, "osaka").ok);
  }
});

test("the address of one secp256k1 key is Ethereum's, and no two policies share one", () => {
  assert.equal(toHex(addressOfKey(elliptic)), toHex(addressOfSecretKey(elliptic.secretKey)));
  const policies = [
    addressOfKeys(1, [elliptic]),
    addressOfKeys(1, [lattice]),
    addressOfKeys(1, [elliptic, lattice]),
    addressOfKeys(2, [elliptic, lattice]),
    addressOfKeys(2, [lattice, elliptic]),
  ];
  assert.equal(new Set(policies.map(toHex)).size, policies.length);
});

test("attack: no signature can be taken off a hybrid, and no algorithm be exchanged", () => {
  const hybrid = signed(inline([elliptic, lattice]));
  const [first, second] = hybrid.agile!.authorizations as [KeyAuthorization, KeyAuthorization];
  assert.equal(codeOf(altered(hybrid, { authorizations: [first] })), "transaction/invalid-authorizations");
  assert.equal(codeOf(altered(hybrid, { authorizations: [second] })), "transaction/invalid-authorizations");
  // With the threshold lowered the policy is another account's.
  assert.equal(
    codeOf(altered(hybrid, { authorizations: [first], threshold: 1 })),
    "transaction/invalid-keys",
  );
  // One-of-two: both have signed that both sign, so one alone proves nothing.
  const either = signed(inline([elliptic, lattice], 1));
  const [one] = either.agile!.authorizations as [KeyAuthorization];
  assert.equal(codeOf(altered(either, { authorizations: [one] })), "transaction/invalid-signature");
  const other = { ...second, schemeId: SCHEME_FALCON_512 };
  assert.equal(
    codeOf(altered(hybrid, { authorizations: [first, other] })),
    "transaction/invalid-authorizations",
  );
});

test("attack: what was signed for one chain, sender, nonce, key set or time is void for another", () => {
  const transaction = signed(inline([edwards]));
  const {
    agile,
    raw: _raw,
    hash: _hash,
    sender: _sender,
    yParity: _y,
    r: _r,
    s: _s,
    ...fields
  } = transaction;
  const none = { yParity: 0, r: 0n, s: 0n } as const;
  const changes = [
    { chainId: 2n },
    { nonce: 1n },
    { value: 2n },
    { to: ZERO_ADDRESS },
    { data: Uint8Array.of(1) },
  ];
  for (const change of changes) {
    const raw = encodeTransaction({ ...fields, ...change, agile: agile! }, none);
    assert.equal(codeOf(raw), "transaction/invalid-signature");
  }
  assert.equal(codeOf(altered(transaction, { validUntil: 5n })), "transaction/invalid-signature");
  assert.equal(codeOf(altered(transaction, { sender: TO })), "transaction/invalid-keys");
  const wrongChain = { ...rules, chainId: TEST_CHAIN_ID + 1n };
  const checked = checkStaticValidity(transaction, wrongChain, "osaka");
  assert.equal(checked.ok ? undefined : checked.error.code, "transaction/wrong-chain-id");
  const versions = new Set([1, 2].map((keySetVersion) => hashOf({ keySetVersion })));
  assert.equal(versions.size, 2);
});

function hashOf(fields: Partial<AgileFields>): string {
  const authorizations = [{ keyIndex: 0, schemeId: SCHEME_ED25519, signature: EMPTY_BYTES }];
  const agile = { ...agileOf(TO, fields), authorizations };
  return toHex(
    signingHash({
      ...signTransaction({ gasLimit: 0n, maxFeePerGas: 0n }, elliptic.secretKey),
      type: 0x60,
      agile,
    }),
  );
}

test("attack: a malleated signature makes no second transaction", () => {
  const wordAt = (bytes: Bytes, offset: number): bigint => BigInt(toHex(bytes.subarray(offset, offset + 32)));
  const ecdsa = signed(inline([elliptic]));
  const { signature } = ecdsa.agile!.authorizations[0]!;
  const highS = SECP256K1_ORDER - wordAt(signature, 32);
  const malleated = concatBytes(
    signature.subarray(0, 32),
    Uint8Array.from(Buffer.from(highS.toString(16).padStart(64, "0"), "hex")),
    Uint8Array.of(signature[64]! ^ 1),
  );
  assert.equal(codeOf(withSignature(ecdsa, malleated)), "transaction/invalid-signature");
  // s + L of Ed25519.
  const eddsa = signed(inline([edwards]));
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const bytes = eddsa.agile!.authorizations[0]!.signature;
  let s = order + BigInt(toHex(bytes.slice(32).reverse()));
  const larger = bytes.slice();
  for (let i = 32; i < 64; i++, s >>= 8n) larger[i] = Number(s & 0xffn);
  assert.equal(codeOf(withSignature(eddsa, larger)), "transaction/invalid-signature");
  for (const scheme of SCHEMES) {
    const transaction = signed(inline([heldKey(scheme, 40)]));
    const own = transaction.agile!.authorizations[0]!.signature;
    for (const offset of [0, own.length >> 1, own.length - 1]) {
      const flipped = own.slice();
      flipped[offset] = flipped[offset]! ^ 1;
      assert.equal(codeOf(withSignature(transaction, flipped)), "transaction/invalid-signature");
    }
  }
});

function withSignature(transaction: SignedTransaction, signature: Bytes): Bytes {
  const [authorization] = transaction.agile!.authorizations;
  return altered(transaction, { authorizations: [{ ...authorization!, signature }] });
}

test("attack: keys and signatures of any other length than their algorithm's are refused", () => {
  for (const schemeId of SCHEMES) {
    const key = heldKey(schemeId, 50);
    const transaction = signed(inline([key]));
    const { signature } = transaction.agile!.authorizations[0]!;
    const longer =
      schemeId === SCHEME_WEBAUTHN_P256
        ? new Uint8Array(1025)
        : concatBytes(signature, EMPTY_BYTES, Uint8Array.of(0));
    assert.equal(codeOf(withSignature(transaction, longer)), "transaction/invalid-authorizations");
    if (schemeId !== SCHEME_WEBAUTHN_P256)
      assert.equal(
        codeOf(withSignature(transaction, signature.subarray(1))),
        "transaction/invalid-authorizations",
      );
    for (const publicKey of [
      concatBytes(key.publicKey, Uint8Array.of(0)),
      key.publicKey.subarray(1),
      EMPTY_BYTES,
    ]) {
      const inlineKeys = [{ schemeId, publicKey }];
      assert.equal(codeOf(altered(transaction, { inlineKeys })), "transaction/invalid-keys");
    }
  }
});

test("attack: unknown algorithms, and those of validators, are refused", () => {
  const transaction = signed(inline([edwards]));
  const { signature } = transaction.agile!.authorizations[0]!;
  for (const schemeId of [0, SCHEME_BLS12381, 12, 0x60, 255, 2 ** 40]) {
    const inlineKeys = [{ schemeId, publicKey: edwards.publicKey }];
    const authorizations = [{ keyIndex: 0, schemeId, signature }];
    assert.equal(codeOf(altered(transaction, { inlineKeys, authorizations })), "transaction/invalid-keys");
    const byIndex = { inlineKeys: [], threshold: 0, keySetVersion: 1, authorizations };
    assert.equal(codeOf(altered(transaction, byIndex)), "transaction/invalid-authorizations");
  }
});

test("an algorithm that genesis leaves out is refused, secp256k1 of Ethereum's types too", () => {
  const only = { ...rules, accountSchemes: [SCHEME_ED25519] };
  const codes = [
    signed(inline([edwards])),
    signed(inline([edwards, lattice])),
    signTransaction(
      { chainId: TEST_CHAIN_ID, gasLimit: 21_000n, maxFeePerGas: 1n, to: TO },
      elliptic.secretKey,
    ),
  ].map((transaction) => {
    const valid = checkStaticValidity(transaction, only, "osaka");
    return valid.ok ? undefined : valid.error.code;
  });
  const refused = "transaction/algorithm-not-allowed";
  assert.deepEqual(codes, [undefined, refused, refused]);
});

test("a chain without key sets takes no agile transaction", () => {
  const without = testGenesis({ accounts: [], keys: null }).rules;
  const valid = checkStaticValidity(signed(inline([edwards])), without, "osaka");
  assert.equal(valid.ok ? undefined : valid.error.code, "transaction/type-not-active");
});

test("keys must be distinct, thresholds reachable, indices ascending, and the sender theirs", () => {
  const transaction = signed(inline([elliptic, edwards]));
  const [first, second] = transaction.agile!.authorizations as [KeyAuthorization, KeyAuthorization];
  const keys = "transaction/invalid-keys";
  const authorizations = "transaction/invalid-authorizations";
  const cases: readonly (readonly [Partial<AgileFields>, string])[] = [
    [{ inlineKeys: [bare(elliptic), bare(elliptic)] }, keys],
    [{ threshold: 0 }, keys],
    [{ threshold: 3 }, keys],
    [{ keySetVersion: 1 }, keys],
    [{ inlineKeys: [], threshold: 2, keySetVersion: 1 }, keys],
    [{ inlineKeys: [], threshold: 0, keySetVersion: 0 }, keys],
    [{ inlineKeys: [], threshold: 0, keySetVersion: 2 ** 32 }, keys],
    [{ inlineKeys: [bare(edwards), bare(elliptic)] }, keys],
    [{ sender: TO }, keys],
    [{ authorizations: [second, first] }, authorizations],
    [{ authorizations: [first, first] }, authorizations],
    [{ authorizations: [] }, authorizations],
    [{ authorizations: [first, { ...second, keyIndex: 2 }] }, authorizations],
    [
      { inlineKeys: [], threshold: 0, keySetVersion: 1, authorizations: [{ ...first, keyIndex: MAX_KEYS }] },
      authorizations,
    ],
    [{ inlineKeys: [], threshold: 0, keySetVersion: 1, authorizations: [] }, authorizations],
  ];
  for (const [change, code] of cases)
    assert.equal(codeOf(altered(transaction, change)), code, JSON.stringify(change, text));
});

function text(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Uint8Array ? toHex(value).slice(0, 10) : value;
}

test("more keys or signatures than the caps, other shapes and trailing items are refused before they are looked at", () => {
  const transaction = signed(inline([edwards]));
  const authorization = transaction.agile!.authorizations[0]!;
  const many = Array.from({ length: MAX_KEYS + 1 }, (_, keyIndex) => ({ ...authorization, keyIndex }));
  assert.equal(codeOf(altered(transaction, { authorizations: many })), "transaction/malformed");
  const keys = Array.from({ length: MAX_KEYS + 1 }, (_, seed) => bare(heldKey(SCHEME_ED25519, seed)));
  assert.equal(codeOf(altered(transaction, { inlineKeys: keys })), "transaction/malformed");
  assert.equal(codeOf(concatBytes(transaction.raw, Uint8Array.of(0))), "transaction/malformed");
  assert.equal(codeOf(Uint8Array.of(0x60)), "transaction/malformed");
  assert.equal(
    codeOf(concatBytes(Uint8Array.of(0x60), encodeRlp([rlpUint(1n), keyItems(edwards)]))),
    "transaction/malformed",
  );
});

test("the signatures of keys in state are checked by no one who has no state", () => {
  const transaction = signed({ kind: "keys", sender: TO, version: 3, keys: [[0, edwards]] });
  const forged = withSignature(transaction, new Uint8Array(64));
  assert.equal(toHex(unwrap(decodeSignedTransaction(forged)).sender), toHex(TO));
});

test("each signature is paid by its measured price and its bytes; one of secp256k1 is in the base", () => {
  const base = intrinsicGas({ ...signed(inline([elliptic])), agile: undefined }, "osaka");
  for (const keys of [[elliptic], [edwards], [lattice], [elliptic, lattice], [edwards, lattice]]) {
    const transaction = signed(inline(keys));
    const price = keys.reduce((sum, { schemeId }) => sum + signatureGas(schemeId), 0n);
    const { authorizations, inlineKeys } = transaction.agile!;
    const bytes = [
      ...authorizations.map(({ signature }) => signature),
      ...inlineKeys.map(({ publicKey }) => publicKey),
    ];
    const length = BigInt(bytes.reduce((sum, each) => sum + each.length, 0));
    const discount = keys.includes(elliptic) ? RECOVERY_GAS : 0n;
    assert.equal(intrinsicGas(transaction, "osaka"), base + price - discount + SIGNATURE_BYTE_GAS * length);
  }
});

test("an account of inline keys pays, sends and deploys; its second transaction with the same nonce is skipped", () => {
  const signer = inline([edwards, lattice]);
  const chain = new KeyChain([addressOfKeys(2, [edwards, lattice])]);
  const transaction = chain.sign(signer, { to: TO, value: 5n });
  const { transactions, receipts, skipped } = chain.block([transaction.raw, transaction.raw]);
  assert.equal(transactions.length, 1);
  assert.equal(receipts[0]?.type, 0x60);
  assert.equal(chain.chain.state.account(TO)?.balance, 5n);
  assert.equal(skipped[0]?.reason.code, "execution/nonce-too-low");
  const deployed = chain.send(signer, { data: Uint8Array.of(0x60, 0, 0x60, 0, 0xf3) });
  assert.ok(deployed.receipt?.contractAddress !== undefined);
});

test("what is valid until a time runs in a block of that second, and not later", () => {
  const sender = addressOfKey(edwards);
  const chain = new KeyChain([sender]);
  const until = (validUntil: number, nonce: bigint): SignedTransaction =>
    signAgileTransaction(
      { chainId: TEST_CHAIN_ID, gasLimit: 100_000n, maxFeePerGas: 10n ** 12n, to: TO, nonce },
      agileOf(sender, { validUntil: BigInt(validUntil), threshold: 1, inlineKeys: [bare(edwards)] }),
      [{ keyIndex: 0, ...edwards }],
    );
  chain.wait(5);
  const due = chain.timestamp + 5;
  assert.equal(chain.run(until(due, 0n)).skipped, undefined);
  assert.equal(chain.timestamp, due);
  const late = chain.run(until(due, 1n));
  assert.deepEqual([late.skipped?.reason.code, late.skipped?.reason.retry], ["execution/outdated", false]);
  assert.equal(chain.nonce(sender), 1n);
});

test("what is signed shares no memory with what it was read from", () => {
  const { raw } = signed(inline([edwards]));
  const source = raw.slice();
  const read = unwrap(decodeTransaction(source));
  source.fill(0);
  assert.ok(equalBytes(read.agile!.inlineKeys[0]!.publicKey, edwards.publicKey));
});
