import { addressFromHex, hashFromHex, hex, must, unwrap } from "@ostrom/base";
import { createLightClient, type LightClient } from "../light-client.ts";
import type { LightServer, RpcCall } from "../server.ts";
import type { Forgery, ForgeryGround } from "./forgeries.ts";
import {
  type AccountAnswer,
  type BodyAnswer,
  bendList,
  extend,
  flipBit,
  HONEST,
  onField,
  onMethod,
  type PlaceAnswer,
  type Tamper,
  truncate,
} from "./tampering.ts";

type Question = (client: LightClient) => ReturnType<Forgery["ask"]>;

const PROOF = "eth_getProof";
const RECEIPT = "ostrom_getReceiptProof";
const TRANSACTION = "ostrom_getTransactionProof";
const BODY = "ostrom_getBlockBody";
const HEADERS = "ostrom_getHeaders";
const TOTAL_SELECTOR = hex("2ddbd13a");
const FIRST_SLOT = `0x${"0".repeat(64)}`;
/** What a client has verified it does not ask for again. */
const IS_FRESH = true;
const NOBODY = addressFromHex("00000000000000000000000000000000deadbeef");

/** Lies about state, code, transactions, receipts, logs and old headers, told to a client whose head is good. */
export async function* proofForgeries(ground: ForgeryGround): AsyncGenerator<Forgery> {
  yield* proofLies(ground);
  yield* valueLies(ground);
  yield* placeLies(ground);
  yield* bodyLies(ground);
  yield* headerLies(ground);
}

/** What a client of a world has stored: the next one need not verify the way there again. */
const stored = new WeakMap<object, string>();
const clients = new WeakMap<object, LightClient>();

/** A client that knows the head, and that no server tells a newer one. */
async function syncedClient({ world, server }: ForgeryGround): Promise<LightClient> {
  server.tamper = HONEST;
  const { checkpoint, nowMs } = world;
  const storage = {
    load: async () => stored.get(world),
    save: async (text: string) => void stored.set(world, text),
  };
  const client = createLightClient({ servers: [server], checkpoint, nowMs: () => nowMs, storage });
  unwrap(await client.sync());
  clients.set(world, client);
  return client;
}

function lie(
  ground: ForgeryGround,
  name: string,
  tamper: Tamper,
  question: Question,
  isFresh = false,
): Forgery {
  return {
    name,
    ask: async () => {
      const client = (isFresh ? undefined : clients.get(ground.world)) ?? (await syncedClient(ground));
      ground.server.tamper = tamper;
      return question(client);
    },
  };
}

async function honest<Answer>(server: LightServer & { tamper: Tamper }, call: RpcCall): Promise<Answer> {
  server.tamper = HONEST;
  const [answer] = await server.ask([call]);
  return unwrap(must(answer, "an answer comes")) as Answer;
}

function questions({
  world,
}: ForgeryGround): Readonly<Record<"account" | "absent" | "slot" | "call" | "code", Question>> {
  const till = addressFromHex(world.till);
  const account = addressFromHex(must(world.accounts[0], "there are accounts"));
  return {
    account: (client) => client.account(account),
    absent: (client) => client.account(NOBODY),
    slot: (client) => client.storage(till, 0n),
    call: (client) => client.call({ request: { to: till, data: TOTAL_SELECTOR } }),
    code: (client) => client.code(till),
  };
}

function* proofLies(ground: ForgeryGround): Generator<Forgery> {
  const { random } = ground;
  const { account, absent, slot, call } = questions(ground);
  const bendAccount: Tamper = onMethod<AccountAnswer>(PROOF, (answer) => ({
    ...answer,
    accountProof: bendList(random, answer.accountProof),
  }));
  const bendSlot: Tamper = onMethod<AccountAnswer>(PROOF, (answer) => ({
    ...answer,
    storageProof: answer.storageProof.map((entry) => ({
      ...entry,
      proof: bendList(random, entry.proof),
    })),
  }));
  for (let i = 0; i < 40; i++) {
    yield lie(ground, `account proof: ${i}`, bendAccount, account);
    yield lie(ground, `absence proof: ${i}`, bendAccount, absent);
    yield lie(ground, `proof for a call: ${i}`, bendAccount, call);
    yield lie(ground, `slot proof: ${i}`, bendSlot, slot);
  }
}

async function* valueLies(ground: ForgeryGround): AsyncGenerator<Forgery> {
  const { random, world, server } = ground;
  const { account, slot, call, code } = questions(ground);
  const change = (field: string, bend: (value: string) => string): Tamper => onField(PROOF, field, bend);
  const changeSlot = (field: "key" | "value", by: number): Tamper =>
    onMethod<AccountAnswer>(PROOF, (answer) => ({
      ...answer,
      storageProof: answer.storageProof.map((entry) => ({ ...entry, [field]: plus(entry[field], by) })),
    }));
  for (let i = 0; i < 8; i++) {
    for (const field of ["balance", "nonce"]) {
      yield lie(
        ground,
        `value: ${field} ${i}`,
        change(field, (value) => plus(value, 1 + i)),
        account,
      );
    }
    for (const field of ["codeHash", "storageHash", "address"]) {
      yield lie(
        ground,
        `value: ${field} ${i}`,
        change(field, (value) => flipBit(random, value)),
        account,
      );
    }
    yield lie(ground, `value: slot ${i}`, changeSlot("value", 1 + i), slot);
    yield lie(ground, `value: key ${i}`, changeSlot("key", 1 + i), slot);
    yield lie(
      ground,
      `value: no slot ${i}`,
      onMethod(PROOF, (answer) => ({ ...answer, storageProof: [] })),
      slot,
    );
    const older = quantity(world.height - 3 - 3 * i);
    const oldState = await honest<AccountAnswer>(server, {
      method: PROOF,
      params: [world.till, [FIRST_SLOT], older],
    });
    yield lie(
      ground,
      `old state: ${i}`,
      onMethod(PROOF, () => oldState),
      slot,
    );
    const others = { method: PROOF, params: [world.accounts[1 + (i % 3)], [], quantity(world.height)] };
    const other = await honest<AccountAnswer>(server, others);
    yield lie(
      ground,
      `another's account: ${i}`,
      onMethod(PROOF, () => other),
      account,
    );
    yield lie(
      ground,
      `another's account, renamed: ${i}`,
      onMethod(PROOF, (answer) => ({ ...other, address: answer.address })),
      account,
    );
  }
  const bends = { flipBit, truncate, extend };
  for (let i = 0; i < 12; i++) {
    for (const [name, bend] of Object.entries(bends)) {
      const bent = onMethod<string>("eth_getCode", (answer) => bend(random, answer));
      yield lie(ground, `code: ${name} ${i}`, bent, i % 2 === 0 ? code : call);
    }
  }
}

/** Where transactions are, and what came of them. */
async function* placeLies(ground: ForgeryGround): AsyncGenerator<Forgery> {
  const { random, world, server } = ground;
  const hashes = world.transactionHashes;
  const wanted: {
    readonly hash: string;
    readonly transaction: PlaceAnswer;
    readonly receipt: PlaceAnswer;
  }[] = [];
  for (const hash of hashes) {
    const transaction = await honest<PlaceAnswer>(server, { method: TRANSACTION, params: [hash] });
    const receipt = await honest<PlaceAnswer>(server, { method: RECEIPT, params: [hash] });
    // One that is not the first of its block: then the receipt before it counts too.
    if (Number(receipt.transactionIndex) > 0) wanted.push({ hash, transaction, receipt });
  }
  const pick = () => must(wanted[random.below(wanted.length)], "some blocks have several transactions");
  for (let i = 0; i < 24; i++) {
    const { hash, transaction, receipt } = pick();
    const other = pick();
    const ofTransaction: Question = (client) => client.transaction(hashFromHex(hash));
    const ofReceipt: Question = (client) => client.receipt(hashFromHex(hash));
    const lower = { blockNumber: quantity(Number(receipt.blockNumber) - 1 - random.below(3)) };
    const nextIndex = { transactionIndex: quantity(Number(receipt.transactionIndex) + 1 + random.below(4)) };
    const proof = bendList(random, transaction.proof);
    for (const [name, bent] of Object.entries({ lower, nextIndex, proof: { proof } })) {
      yield lie(
        ground,
        `transaction: ${name} ${i}`,
        onMethod(TRANSACTION, (answer) => ({ ...answer, ...bent })),
        ofTransaction,
      );
      yield lie(
        ground,
        `receipt: ${name} ${i}`,
        onMethod(RECEIPT, (answer) => ({ ...answer, ...bent })),
        ofReceipt,
      );
    }
    if (other.hash !== hash) {
      yield lie(
        ground,
        `transaction: another's ${i}`,
        onMethod(TRANSACTION, () => other.transaction),
        ofTransaction,
      );
      yield lie(
        ground,
        `receipt: another's ${i}`,
        onMethod(RECEIPT, () => other.receipt),
        ofReceipt,
      );
    }
    for (const field of ["receiptProof", "previousReceiptProof"] as const) {
      const bent = bendList(random, receipt[field]);
      yield lie(
        ground,
        `receipt: ${field} ${i}`,
        onMethod(RECEIPT, (answer) => ({ ...answer, [field]: bent })),
        ofReceipt,
      );
    }
    const exchanged = {
      receiptProof: receipt.previousReceiptProof,
      previousReceiptProof: receipt.receiptProof,
    };
    yield lie(
      ground,
      `receipt: exchanged ${i}`,
      onMethod(RECEIPT, (answer) => ({ ...answer, ...exchanged })),
      ofReceipt,
    );
  }
}

/** Logs left out, added, changed. */
async function* bodyLies(ground: ForgeryGround): AsyncGenerator<Forgery> {
  const { random, world, server } = ground;
  // Blocks with four transactions, two of which have logs.
  const heights = Array.from({ length: Math.floor(world.height / 12) }, (_, index) => 12 * (index + 1));
  for (let i = 0; i < 36; i++) {
    const height = must(heights[i % heights.length], "there are such blocks");
    const elsewhere = must(heights[(i + 1) % heights.length], "there are such blocks");
    const other = await honest<BodyAnswer>(server, { method: BODY, params: [quantity(elsewhere)] });
    const logs: Question = (client) => client.logs(height, height);
    const bend = (name: string, change: (answer: BodyAnswer) => unknown): Forgery =>
      lie(ground, `logs: ${name} ${i}`, onMethod(BODY, change), logs);
    const at = random.below(4);
    const without = (list: readonly string[]): readonly string[] => list.filter((_, index) => index !== at);
    yield bend("receipt left out", (answer) => ({ ...answer, receipts: without(answer.receipts) }));
    yield bend("transaction left out", (answer) => ({
      transactions: without(answer.transactions),
      receipts: without(answer.receipts),
    }));
    yield bend("receipts bent", (answer) => ({ ...answer, receipts: bendList(random, answer.receipts) }));
    yield bend("transactions bent", (answer) => ({
      ...answer,
      transactions: bendList(random, answer.transactions),
    }));
    yield bend("nothing there", () => ({ transactions: [], receipts: [] }));
    if (elsewhere !== height) yield bend("another block's", () => other);
  }
}

/** Blocks below the head. */
async function* headerLies(ground: ForgeryGround): AsyncGenerator<Forgery> {
  const { random, world, other } = ground;
  for (let i = 0; i < 24; i++) {
    const height = 1 + random.below(world.height - 20);
    const ofHeader: Question = (client) => client.header(height);
    const [foreign] = await other.ask([{ method: HEADERS, params: [quantity(height), 1] }]);
    const bend = (name: string, change: (answer: readonly string[]) => unknown): Forgery =>
      lie(ground, `header: ${name} ${i}`, onMethod(HEADERS, change), ofHeader, IS_FRESH);
    yield bend("bit", (headers) => headers.map((header) => flipBit(random, header)));
    yield bend("truncated", (headers) => headers.map((header) => truncate(random, header)));
    yield bend("extended", (headers) => headers.map((header) => extend(random, header)));
    yield bend("none", () => []);
    yield bend("another chain's", () => unwrap(must(foreign, "an answer comes")));
    const bent = onMethod<AccountAnswer>(PROOF, (answer) => ({
      ...answer,
      accountProof: bendList(random, answer.accountProof),
    }));
    yield lie(ground, `header: its proof ${i}`, bent, ofHeader, IS_FRESH);
  }
}

function plus(value: string, by: number): string {
  return quantity(BigInt(value) + BigInt(by));
}

function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
