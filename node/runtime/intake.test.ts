import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, type Failure, type Hash, type Result, toHexDigits } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";
import { DEFAULT_POOL_LIMITS, TransactionPool } from "@ostrom/txpool";
import { Intake, MAX_WAITING_BYTES, MAX_WAITING_TRANSACTIONS } from "./intake.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { type CheckedSender, checkSenders } from "./signature-checker.ts";
import { createManualClock, endOfTurn } from "./testing/manual-clock.ts";
import { CLIENT_BALANCE, simulatedGenesis, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const genesis = simulatedGenesis({ validators: 4, clients: 4 });

type Batch = {
  readonly raws: readonly Bytes[];
  readonly answer: (senders?: readonly CheckedSender[]) => void;
  readonly fail: (error: Error) => void;
};

function setUp({ clientRoom }: { readonly clientRoom?: () => number } = {}) {
  const batches: Batch[] = [];
  const admitted: { readonly all: readonly SignedTransaction[]; readonly fromClients: number }[] = [];
  const failures: unknown[] = [];
  const pool = new TransactionPool(genesis.rules, DEFAULT_POOL_LIMITS, genesis.initialBaseFeePerGas);
  const intake = new Intake({
    pool,
    clock: createManualClock(genesis.timestampMs),
    checker: {
      check: (raws) =>
        new Promise((resolve, reject) => {
          const answer = (senders = checkSenders(raws)): void => resolve(senders);
          batches.push({ raws, answer, fail: reject });
        }),
      stop: async () => undefined,
    },
    accountOf: () => ({ nonce: 0n, balance: CLIENT_BALANCE }),
    clientRoom,
    admitted: (all, fromClients) => admitted.push({ all, fromClients: fromClients.length }),
    failed: (error) => failures.push(error),
  });
  return { intake, pool, batches, admitted, failures };
}

function transfers(count: number, client = 0): readonly SignedTransaction[] {
  return Array.from({ length: count }, (_, nonce) => simulatedTransfer(client, nonce));
}

const rawsOf = (transactions: readonly SignedTransaction[]): readonly Bytes[] =>
  transactions.map(({ raw }) => raw);
const codeOf = (result: Result<Hash, Failure>): string => (result.ok ? "ok" : result.error.code);
/** Junk of a length that no two calls share. */
const junk = (length: number, seed: number): Bytes => {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, seed);
  return bytes;
};

test("what is submitted in one turn is checked together, and answered in order", async () => {
  const { intake, batches, admitted } = setUp();
  const [first, second, third] = transfers(3);
  const broken = first!.raw.slice(0, -1);
  const one = intake.submit([first!.raw, broken], "client");
  const two = intake.submit([second!.raw, third!.raw], "peer");
  await endOfTurn();
  assert.equal(batches.length, 1);
  batches[0]!.answer();
  assert.deepEqual((await one).map(codeOf), ["ok", "transaction/malformed"]);
  assert.deepEqual((await two).map(codeOf), ["ok", "ok"]);
  assert.deepEqual(
    admitted.map(({ all, fromClients }) => [all.length, fromClients]),
    [[3, 1]],
  );
});

test("at most a few batches are at the checker; the next goes when one comes back", async () => {
  const { intake, batches } = setUp();
  const done = intake.submit(rawsOf(transfers(700)), "client");
  await endOfTurn();
  assert.deepEqual(
    batches.map(({ raws }) => raws.length),
    [128, 128, 128, 128],
  );
  batches[0]!.answer();
  await endOfTurn();
  assert.equal(batches.length, 5);
  for (let next = 1; next < batches.length; next++) {
    batches[next]!.answer();
    await endOfTurn();
  }
  assert.ok((await done).every(({ ok }) => ok));
});

test("a transaction that is under way or in the pool costs no second check", async () => {
  const { intake, batches } = setUp();
  const [transfer] = transfers(1);
  const first = intake.submit([transfer!.raw, transfer!.raw], "peer");
  await endOfTurn();
  const second = intake.submit([transfer!.raw], "client");
  await endOfTurn();
  assert.equal(batches.length, 1);
  assert.equal(batches[0]!.raws.length, 1);
  batches[0]!.answer();
  assert.deepEqual((await first).map(codeOf), ["ok", "txpool/already-known"]);
  assert.deepEqual((await second).map(codeOf), ["txpool/already-known"]);
  assert.deepEqual((await intake.submit([transfer!.raw], "peer")).map(codeOf), ["txpool/already-known"]);
  assert.equal(batches.length, 1);
});

test("the twin of a transaction that is refused is refused for the same reason", async () => {
  const { intake, batches } = setUp();
  const broken = transfers(1)[0]!.raw.slice(1);
  const both = intake.submit([broken, broken], "client");
  await endOfTurn();
  batches[0]!.answer();
  const codes = (await both).map(codeOf);
  assert.ok(codes[0]!.startsWith("transaction/"));
  assert.equal(codes[1], codes[0]);
});

/** Keeps the checker busy, so that what comes next waits. */
async function occupy(intake: Intake): Promise<void> {
  void intake.submit(
    Array.from({ length: 4 * 128 }, (_, index) => junk(8, 5_000_000 + index)),
    "client",
  );
  await endOfTurn();
}

/** The answer to one more, or "waits". */
async function codeOfOne(intake: Intake, raw: Bytes, origin: "client" | "peer"): Promise<string> {
  const answered = intake.submit([raw], origin).then(([result]) => codeOf(result!));
  return Promise.race([answered, endOfTurn().then(() => "waits")]);
}

test("when too many wait, more are refused as busy; other validators may fill half of the room", async () => {
  const { intake } = setUp();
  await occupy(intake);
  const offer = (count: number, from: number, origin: "client" | "peer"): void => {
    void intake.submit(
      Array.from({ length: count }, (_, index) => junk(8, from + index)),
      origin,
    );
  };
  offer(MAX_WAITING_TRANSACTIONS / 2, 0, "peer");
  assert.equal(await codeOfOne(intake, junk(8, 1_000_000), "peer"), "txpool/busy");
  offer(MAX_WAITING_TRANSACTIONS / 2 - 1, 2_000_000, "client");
  assert.equal(await codeOfOne(intake, junk(8, 3_000_000), "client"), "waits");
  assert.equal(await codeOfOne(intake, junk(8, 3_000_001), "client"), "txpool/busy");
});

test("bytes that wait are bounded as well", async () => {
  const { intake } = setUp();
  await occupy(intake);
  const half = MAX_WAITING_BYTES / 2;
  assert.equal(await codeOfOne(intake, junk(half + 1, 1), "peer"), "txpool/busy");
  assert.equal(await codeOfOne(intake, junk(half, 2), "peer"), "waits");
  assert.equal(await codeOfOne(intake, junk(8, 3), "peer"), "txpool/busy");
  assert.equal(await codeOfOne(intake, junk(half, 4), "client"), "waits");
  assert.equal(await codeOfOne(intake, junk(8, 5), "client"), "txpool/busy");
});

test("if the checker fails, everybody is answered and the node is told", async () => {
  const { intake, batches, failures } = setUp();
  const done = intake.submit(rawsOf(transfers(200)), "client");
  await endOfTurn();
  for (const batch of batches) batch.fail(new Error("the signature worker failed"));
  assert.deepEqual(new Set((await done).map(codeOf)), new Set(["txpool/stopped"]));
  assert.equal(failures.length, 2);
});

test("the sender is the checker's, whatever the transaction says", async () => {
  const { intake, batches, pool } = setUp();
  const [transfer] = transfers(1);
  const done = intake.submit([transfer!.raw], "client");
  await endOfTurn();
  batches[0]!.answer([{ code: "transaction/invalid-signature", message: "no" }]);
  assert.equal(codeOf((await done)[0]!), "transaction/invalid-signature");
  assert.equal(pool.get(transfer!.hash), undefined, toHexDigits(transfer!.hash));
});

test("clients are told to wait where blocks will not soon take more, before any check; what peers pass on is taken", async () => {
  const { intake, batches, pool } = setUp({ clientRoom: () => 3 });
  const sent = rawsOf(transfers(6));
  const answers = intake.submit(sent.slice(0, 5), "client");
  await endOfTurn();
  assert.equal(batches[0]!.raws.length, 3);
  batches[0]!.answer();
  assert.deepEqual((await answers).map(codeOf), ["ok", "ok", "ok", "txpool/busy", "txpool/busy"]);
  assert.equal(pool.status().pending, 3);
  assert.deepEqual((await intake.submit(sent.slice(3, 4), "client")).map(codeOf), ["txpool/busy"]);
  const passedOn = intake.submit(sent.slice(3, 4), "peer");
  await endOfTurn();
  batches[1]!.answer();
  assert.deepEqual((await passedOn).map(codeOf), ["ok"]);
});
