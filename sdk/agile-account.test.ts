import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, type Bytes, hex, must, toHex } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_FALCON_512,
  SCHEME_ML_DSA_44,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  signatureEngine,
  verifySignature,
} from "@ostrom/crypto";
import {
  addressOfKey,
  decodeSignedTransaction,
  decodeTransaction,
  intrinsicGas,
  type SignedTransaction,
  signingHash,
  type Transaction,
  transactionContext,
} from "@ostrom/execution";
import { createWalletClient, custom, defineChain, type Hex, parseGwei } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { type AccountSigner, keyPairSigner } from "./account-signer.ts";
import { AgileAccountError, type AgileAccountOptions, toAgileAccount } from "./agile-account.ts";
import { keyPairOf } from "./key-pair.ts";

const TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const REQUEST = {
  chainId: 1337,
  nonce: 4,
  gas: 21_000n,
  maxFeePerGas: 100n,
  maxPriorityFeePerGas: 2n,
  to: TO,
  value: 5n,
} as const;

function signerOf(schemeId: number, seed = 1): AccountSigner {
  const engine = must(signatureEngine(schemeId), "the scheme must sign");
  const lengths: Readonly<Record<number, number>> = {
    [SCHEME_SLH_DSA_SHA2_128S]: 48,
    [SCHEME_FALCON_512]: 48,
  };
  const secretKey = new Uint8Array(lengths[schemeId] ?? 32).fill(seed);
  return {
    schemeId,
    publicKey: engine.publicKey(secretKey),
    sign: async (message, context) => engine.sign(secretKey, message, context),
  };
}

function readSigned(raw: Hex): SignedTransaction {
  const decoded = decodeSignedTransaction(hex(raw));
  assert.ok(decoded.ok, decoded.ok ? "" : decoded.error.message);
  return decoded.value;
}

function read(raw: Hex): Transaction {
  const decoded = decodeTransaction(hex(raw));
  assert.ok(decoded.ok, decoded.ok ? "" : decoded.error.message);
  return decoded.value;
}

async function refusal(options: AgileAccountOptions, request: object = REQUEST): Promise<string> {
  try {
    await toAgileAccount(options).signTransaction(request as typeof REQUEST);
    return "signed";
  } catch (error) {
    assert.ok(error instanceof AgileAccountError, String(error));
    return error.code;
  }
}

test("a key of any scheme signs a transaction that the chain takes, from the key's own address", async () => {
  const schemes = [
    SCHEME_SECP256K1,
    SCHEME_P256,
    SCHEME_ED25519,
    SCHEME_SM2,
    SCHEME_ML_DSA_44,
    SCHEME_FALCON_512,
    SCHEME_WEBAUTHN_P256,
  ];
  for (const schemeId of schemes) {
    const signer = signerOf(schemeId);
    const account = toAgileAccount({ signers: [signer] });
    const transaction = readSigned(await account.signTransaction(REQUEST));
    assert.equal(toHex(transaction.sender), account.address);
    assert.equal(account.address, toHex(addressOfKey(signer)));
    assert.deepEqual(
      [transaction.type, transaction.chainId, transaction.nonce, transaction.value, transaction.to],
      [0x60, 1337n, 4n, 5n, addressFromHex(TO)],
    );
    assert.equal(transaction.agile?.validUntil, 0n);
  }
});

test("an account of one secp256k1 key has Ethereum's address", () => {
  const secret = `0x${"11".repeat(32)}` as const;
  const pair = keyPairOf("secp256k1", hex(secret));
  assert.ok(pair.ok);
  const account = toAgileAccount({ signers: [keyPairSigner(pair.value)] });
  assert.equal(account.address, privateKeyToAccount(secret).address.toLowerCase());
});

test("a hybrid account's transaction has both signatures, on one message", async () => {
  const signers = [signerOf(SCHEME_SECP256K1), signerOf(SCHEME_ML_DSA_44)];
  const account = toAgileAccount({ signers });
  const transaction = readSigned(await account.signTransaction(REQUEST));
  assert.equal(toHex(transaction.sender), account.address);
  assert.equal(transaction.agile?.threshold, 2);
  const message = signingHash(transaction);
  for (const [index, { schemeId, signature }] of (transaction.agile?.authorizations ?? []).entries()) {
    const { publicKey } = must(signers[index], "each signer signs");
    assert.ok(verifySignature(schemeId, publicKey, message, signature, transactionContext(schemeId)));
  }
  assert.notEqual(
    toAgileAccount({ signers, threshold: 1 }).address,
    account.address,
    "the threshold is in the address",
  );
});

test("what signatures cost is added to the gas of the call, so that the whole is enough and not more", async () => {
  for (const schemeIds of [[SCHEME_SECP256K1], [SCHEME_ML_DSA_44], [SCHEME_SECP256K1, SCHEME_ED25519]]) {
    const account = toAgileAccount({ signers: schemeIds.map((schemeId) => signerOf(schemeId)) });
    const transaction = read(await account.signTransaction(REQUEST));
    assert.equal(transaction.gasLimit, intrinsicGas(transaction, "osaka"));
  }
  const passkey = toAgileAccount({ signers: [signerOf(SCHEME_WEBAUTHN_P256)] });
  const transaction = read(await passkey.signTransaction(REQUEST));
  const surplus = transaction.gasLimit - intrinsicGas(transaction, "osaka");
  assert.ok(surplus > 0n && surplus < 4n * 1024n, "assertions are priced as the longest");
});

test("keys of a key set sign by their index, in its order, for its version", async () => {
  const [first, second, third] = [signerOf(SCHEME_P256), signerOf(SCHEME_ML_DSA_44), signerOf(SCHEME_SM2)];
  const address = `0x${"ab".repeat(20)}` as const;
  const keySet = async (account: Hex) => {
    assert.equal(account, address);
    return { version: 7, threshold: 2, keys: [first, second, third] };
  };
  const account = toAgileAccount({ address, signers: [third, first], keySet });
  const transaction = read(await account.signTransaction(REQUEST));
  assert.equal(toHex(transaction.agile?.sender ?? new Uint8Array()), address);
  assert.deepEqual(
    [transaction.agile?.keySetVersion, transaction.agile?.threshold, transaction.agile?.inlineKeys.length],
    [7, 0, 0],
  );
  assert.deepEqual(
    transaction.agile?.authorizations.map(({ keyIndex, schemeId }) => [keyIndex, schemeId]),
    [
      [0, SCHEME_P256],
      [2, SCHEME_SM2],
    ],
  );
  assert.equal(await refusal({ address, signers: [first], keySet }), "agile/too-few-keys");
  assert.equal(
    await refusal({ address, signers: [first, signerOf(SCHEME_SM2, 2)], keySet }),
    "agile/foreign-key",
  );
});

test("an account without a key set yet carries its keys", async () => {
  const account = toAgileAccount({ signers: [signerOf(SCHEME_ED25519)], keySet: async () => undefined });
  const transaction = readSigned(await account.signTransaction(REQUEST));
  assert.equal(transaction.agile?.inlineKeys.length, 1);
});

test("a key that an account has committed to signs for the account's address", async () => {
  const address = `0x${"ab".repeat(20)}` as const;
  const account = toAgileAccount({ address, signers: [signerOf(SCHEME_ML_DSA_44)] });
  assert.equal(toHex(readSigned(await account.signTransaction(REQUEST)).sender), address);
});

test("a transaction is void after the time that the account or the request says", async () => {
  const signers = [signerOf(SCHEME_ED25519)];
  const brief = toAgileAccount({ signers, validForSeconds: 60, nowMs: () => 5_999 });
  assert.equal(read(await brief.signTransaction(REQUEST)).agile?.validUntil, 65n);
  assert.equal(
    read(await brief.signTransaction({ ...REQUEST, validUntil: 9n } as typeof REQUEST)).agile?.validUntil,
    9n,
  );
});

test("types 3 and 4, missing fields and impossible thresholds are refused", async () => {
  const signers = [signerOf(SCHEME_ED25519)];
  assert.equal(await refusal({ signers }, { ...REQUEST, type: "eip4844" }), "agile/unsupported");
  assert.equal(await refusal({ signers }, { ...REQUEST, type: "eip7702" }), "agile/unsupported");
  for (const field of ["chainId", "nonce", "gas", "maxFeePerGas"])
    assert.equal(await refusal({ signers }, { ...REQUEST, [field]: undefined }), "agile/incomplete", field);
  assert.equal(await refusal({ signers: [] }), "agile/too-few-keys");
  assert.equal(await refusal({ signers, threshold: 2 }), "agile/too-few-keys");
  assert.equal(await refusal({ signers, threshold: 0 }), "agile/too-few-keys");
});

test("viem's sendTransaction fills in what is missing and sends what the account has signed", async () => {
  const sent: Bytes[] = [];
  const answers: Readonly<Record<string, unknown>> = {
    eth_chainId: "0x539",
    eth_getTransactionCount: "0x2",
    eth_estimateGas: "0x5208",
    eth_maxPriorityFeePerGas: "0x1",
    eth_getBlockByNumber: { baseFeePerGas: "0x7", number: "0x1", timestamp: "0x1", transactions: [] },
  };
  const chain = defineChain({
    id: 1337,
    name: "Test",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [] } },
  });
  const request = async ({
    method,
    params,
  }: {
    method: string;
    params?: readonly unknown[];
  }): Promise<unknown> => {
    if (method !== "eth_sendRawTransaction") {
      if (!Object.hasOwn(answers, method)) throw Object.assign(new Error(method), { code: -32601 });
      return answers[method];
    }
    const raw = String(params?.[0]) as Hex;
    sent.push(hex(raw));
    return toHex(readSigned(raw).hash);
  };
  const account = toAgileAccount({ signers: [signerOf(SCHEME_SM2), signerOf(SCHEME_ML_DSA_44)] });
  const wallet = createWalletClient({ account, chain, transport: custom({ request }) });
  const hash = await wallet.sendTransaction({ to: TO, value: parseGwei("3"), data: "0x00ff" });
  const transaction = readSigned(toHex(must(sent[0], "it was sent")));
  assert.equal(toHex(transaction.hash), hash);
  assert.deepEqual(
    [transaction.nonce, transaction.value, toHex(transaction.data), toHex(transaction.sender)],
    [2n, 3_000_000_000n, "0x00ff", account.address],
  );
});
