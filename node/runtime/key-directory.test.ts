import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  type Bytes,
  equalBytes,
  Hash,
  must,
  toHexDigits,
  ZERO_HASH,
} from "@ostrom/base";
import { keccak256, SCHEME_ED25519, SCHEME_ML_DSA_44, SCHEME_SECP256K1 } from "@ostrom/crypto";
import {
  addressOfKeys,
  encodePayload,
  encodeTransaction,
  type Genesis,
  KEY_SETS_ADDRESS,
  KEYED_CODE_HASH,
  type SignedTransaction,
} from "@ostrom/execution";
import { storeReader } from "@ostrom/state";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { DEFAULT_POOL_LIMITS, type PoolAccount, TransactionPool } from "@ostrom/txpool";
import {
  abiSet,
  callData,
  heldKey,
  type KeySetRequest,
  possessions,
  type Signer,
  senderOf,
  signAs,
} from "../../core/execution/testing/key-chain.ts";
import { funded, testGenesis } from "../../core/execution/testing/test-chain.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { Intake } from "./intake.ts";
import { KeyDirectory } from "./key-directory.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { checkPayload } from "./payload-check.ts";
import { packSenderEntries, unpackSenderEntries } from "./sender-entries.ts";
import {
  checkSenders,
  packSenders,
  type SignatureChecker,
  senderOf as senderIn,
} from "./signature-checker.ts";
import { createManualClock } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";

installNativeCrypto();

const HISTORY_BLOCKS = 4;
const TO = addressFromHex("00000000000000000000000000000000000000aa");
const elliptic = heldKey(SCHEME_SECP256K1, 1);
const edwards = heldKey(SCHEME_ED25519, 2);
const lattice = heldKey(SCHEME_ML_DSA_44, 3);
const ethereum: Signer = { kind: "ethereum", secretKey: elliptic.secretKey };
const owner = senderOf(ethereum);
const HYBRID: KeySetRequest = { threshold: 2, keys: [edwards, lattice] };
const hybrid: Signer = {
  kind: "keys",
  sender: owner,
  version: 1,
  keys: [
    [0, edwards],
    [1, lattice],
  ],
};

const checker: SignatureChecker = {
  check: async (raws, keys) => checkSenders(raws, keys),
  stop: async () => undefined,
};

class Node {
  readonly genesis: Genesis;
  readonly chain: OrderedChain;
  readonly store: Store;
  readonly keys: KeyDirectory;
  readonly executor: Executor;
  #height = 0;

  private constructor(genesis: Genesis, store: Store, executor: Executor) {
    this.genesis = genesis;
    this.store = store;
    this.executor = executor;
    this.chain = new OrderedChain(genesis, { isSigned: false });
    this.keys = new KeyDirectory(store, genesis.rules);
  }

  static async open(): Promise<Node> {
    const store = createMemoryStore();
    const genesis = testGenesis({ accounts: [funded(owner)] });
    return new Node(genesis, store, await Executor.open(store, genesis, HISTORY_BLOCKS));
  }

  async execute(
    transactions: readonly SignedTransaction[],
    checked = transactions,
  ): Promise<ExecutionReport> {
    this.chain.append(transactions);
    this.#height++;
    const report = await this.executor.execute({
      ...this.chain.inputOf(this.#height),
      senders: packSenderEntries(checked),
    });
    this.keys.executed(report);
    return report;
  }

  async enroll(): Promise<ExecutionReport> {
    const data = callData("enroll", [abiSet(HYBRID), possessions(owner, 1, HYBRID)]);
    return this.execute([signAs(ethereum, { to: KEY_SETS_ADDRESS, data, gasLimit: 8_000_000n })]);
  }

  account(address: Address): PoolAccount {
    const account = storeReader(this.store).account(address);
    if (account === undefined) return { nonce: 0n, balance: 0n };
    return { ...account, isKeyed: equalBytes(account.codeHash, KEYED_CODE_HASH) };
  }

  pool(by = checker): { readonly pool: TransactionPool; readonly intake: Intake } {
    const { rules, initialBaseFeePerGas, timestampMs } = this.genesis;
    const pool = new TransactionPool(rules, DEFAULT_POOL_LIMITS, initialBaseFeePerGas);
    const intake = new Intake({
      pool,
      checker: by,
      clock: createManualClock(timestampMs),
      accountOf: (address) => this.account(address),
      keys: this.keys,
      admitted: () => undefined,
      failed: (error) => assert.fail(String(error)),
    });
    return { pool, intake };
  }
}

/** The transaction with signatures of zeros. */
function forged(transaction: SignedTransaction): SignedTransaction {
  const agile = must(transaction.agile, "it is agile");
  const authorizations = agile.authorizations.map((one) => ({
    ...one,
    signature: new Uint8Array(one.signature.length),
  }));
  const raw = encodeTransaction(
    { ...transaction, agile: { ...agile, authorizations } },
    { yParity: 0, r: 0n, s: 0n },
  );
  return { ...transaction, raw, hash: keccak256(raw), agile: { ...agile, authorizations } };
}

function digestOf(node: Node, transaction: SignedTransaction): Hash {
  const [checked] = checkSenders([transaction.raw], [node.keys.keysOf(transaction)]);
  const signer = senderIn(must(checked, "one was asked"));
  assert.ok(signer.ok);
  return must(signer.value.verifiedKeys, "the keys of state have signed");
}

test("the keys that an account's transaction is signed by are read from state, and their signatures checked by them", async () => {
  const node = await Node.open();
  const transaction = signAs(hybrid, { to: TO, nonce: 1n });
  assert.equal(node.keys.keysOf(transaction), undefined, "there is no key set yet");
  const report = await node.enroll();
  assert.deepEqual(report.rekeyed, [toHexDigits(owner)]);
  const keys = must(node.keys.keysOf(transaction), "there is a key set");
  assert.deepEqual(
    keys.map(({ schemeId }) => schemeId),
    [SCHEME_ED25519, SCHEME_ML_DSA_44],
  );
  assert.equal(digestOf(node, transaction).length, 32);
  const bad = checkSenders([forged(transaction).raw], [keys]);
  assert.equal(
    (bad[0] as Bytes).length,
    20,
    "wrong signatures are no failure: who votes does not look at state",
  );
});

test("what a worker found out reaches execution, which verifies what it was not told, and nothing twice", async () => {
  const node = await Node.open();
  await node.enroll();
  const transaction = signAs(hybrid, { to: TO, nonce: 1n });
  const verifiedKeys = digestOf(node, transaction);
  // Signatures of zeros run if the node has said of them that they were checked, which shows that they are not looked at again.
  const told = await node.execute([forged(transaction)], [{ ...forged(transaction), verifiedKeys }]);
  assert.equal(told.included.length, 1);
  const next = signAs(hybrid, { to: TO, nonce: 2n });
  for (const keys of [undefined, Hash(ZERO_HASH.map(() => 1))]) {
    const lie = forged(next);
    const report = await node.execute(
      [lie],
      [{ ...lie, ...(keys === undefined ? {} : { verifiedKeys: keys }) }],
    );
    assert.deepEqual(
      report.skipped.map(({ reason }) => reason.code),
      ["execution/not-authorized"],
    );
  }
  assert.equal((await node.execute([next], [])).included.length, 1);
});

test("the pool takes in what the keys of state have signed, and drops it when they are replaced", async () => {
  const node = await Node.open();
  const { pool, intake } = node.pool();
  const early = await intake.submit([signAs(hybrid, { to: TO, nonce: 0n }).raw], "client");
  assert.deepEqual(codes(early), ["txpool/not-authorized"]);
  const pending = signAs(ethereum, { to: TO, nonce: 1n });
  assert.deepEqual(codes(await intake.submit([pending.raw], "client")), ["ok"]);
  const report = await node.enroll();
  const { authority, rekeyed } = node.keys.executed(report);
  pool.onExecuted({
    block: "1",
    included: [],
    skipped: [],
    changed: report.changed,
    account: (address) => node.account(address),
    baseFeePerGas: report.nextBaseFee,
    nowMs: node.genesis.timestampMs,
    authority,
    rekeyed,
  });
  assert.equal(pool.get(pending.hash), undefined);
  assert.equal(pool.dropReason(pending.hash)?.code, "txpool/not-authorized");
  const good = signAs(hybrid, { to: TO, nonce: 1n });
  const submitted = [good.raw, forged(signAs(hybrid, { to: TO, nonce: 2n })).raw, pending.raw];
  assert.deepEqual(codes(await intake.submit(submitted, "client")), [
    "ok",
    "txpool/not-authorized",
    "txpool/not-authorized",
  ]);
  assert.ok(pool.get(good.hash)?.verifiedKeys !== undefined);
});

function codes(
  results: readonly { readonly ok: boolean; readonly error?: { readonly code: string } }[],
): readonly string[] {
  return results.map((result) => (result.ok ? "ok" : (result.error?.code ?? "")));
}

test("a vote takes a payload whatever the keys of state say of it, and remembers those that have signed", async () => {
  const node = await Node.open();
  await node.enroll();
  const good = signAs(hybrid, { to: TO, nonce: 1n });
  const bad = forged(signAs(hybrid, { to: TO, nonce: 2n }));
  const checked = await checkPayload(checker, {
    payload: encodePayload([good.raw, bad.raw]),
    rules: node.genesis.rules,
    timestampMs: node.genesis.timestampMs,
    maxPayloadBytes: 100_000,
    known: () => undefined,
    keysOf: (transaction) => node.keys.keysOf(transaction),
  });
  assert.ok(checked.ok);
  assert.deepEqual(
    checked.value.transactions.map(({ verifiedKeys }) => verifiedKeys !== undefined),
    [true, false],
  );
});

test("what is known of signers crosses threads whole", () => {
  const transaction = signAs(ethereum, { to: TO, nonce: 0n });
  const verifiedKeys = Hash(new Uint8Array(32).fill(7));
  const read = unpackSenderEntries(
    packSenderEntries([transaction, { ...transaction, hash: verifiedKeys, verifiedKeys }]),
  );
  assert.deepEqual(read.get(toHexDigits(transaction.hash)), { sender: owner });
  assert.deepEqual(read.get(toHexDigits(verifiedKeys)), { sender: owner, verifiedKeys });
  const failure = { code: "transaction/malformed", message: "" };
  const packed = packSenders([owner, failure, new Uint8Array(52).fill(9)]);
  assert.deepEqual([packed.senders.length, packed.failures.length], [3 * 52, 1]);
});

test("attack: signatures of agile transactions that would be refused anyway are not checked", async () => {
  const node = await Node.open();
  const asked: Bytes[] = [];
  const { intake } = node.pool({
    check: async (raws, keys) => {
      asked.push(...raws.filter(({ length }) => length > 0));
      return checkSenders(raws, keys);
    },
    stop: async () => undefined,
  });
  const inline = (sender: Address, fields: Parameters<typeof signAs>[1] = {}): Bytes =>
    signAs({ kind: "inline", sender, threshold: 1, keys: [lattice] }, { to: TO, nonce: 0n, ...fields }).raw;
  const poor = addressOfKeys(1, [lattice]);
  const submitted = [
    inline(poor),
    inline(owner),
    inline(poor, { chainId: 7n }),
    inline(poor, { gasLimit: 21_000n }),
    Uint8Array.of(0x60, 0xc0),
  ];
  assert.deepEqual(codes(await intake.submit(submitted, "client")), [
    "txpool/insufficient-funds",
    "txpool/not-authorized",
    "transaction/wrong-chain-id",
    "transaction/intrinsic-gas",
    "transaction/malformed",
  ]);
  assert.equal(asked.length, 0);
});
