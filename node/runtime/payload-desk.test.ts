import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, equalBytes, Height, toHexDigits, View, ZERO_HASH } from "@ostrom/base";
import type { BuildPayload, CheckBlock, OrderedBlock, StateCertificate } from "@ostrom/consensus";
import { decodePayload, EMPTY_PAYLOAD, encodePayload, type SignedTransaction } from "@ostrom/execution";
import { DEFAULT_POOL_LIMITS, TransactionPool } from "@ostrom/txpool";
import { installNativeCrypto } from "./native-crypto.ts";
import type { BuiltPayload } from "./ordering.ts";
import { PayloadDesk } from "./payload-desk.ts";
import { type CheckedSender, checkSenders } from "./signature-checker.ts";
import { createManualClock, endOfTurn } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { CLIENT_BALANCE, simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

const TOLERANCE_MS = 500;
const TRANSFER_GAS = 21_000n;
/** Room for three transfers without a state certificate. */
const WINDOW_GAS = 3n * TRANSFER_GAS;

function setUp(
  options: { readonly check?: (raws: readonly Bytes[]) => Promise<readonly CheckedSender[]> } = {},
) {
  const chain = new OrderedChain();
  const { genesis } = chain;
  const clock = createManualClock(genesis.timestampMs);
  const pool = new TransactionPool(genesis.rules, DEFAULT_POOL_LIMITS, genesis.initialBaseFeePerGas);
  const seen = {
    works: [] as boolean[],
    checked: [] as number[],
    failures: [] as unknown[],
    certificate: undefined as StateCertificate | undefined,
    leastCertified: 0,
  };
  const desk = new PayloadDesk(
    genesis.rules,
    { maxPayloadBytes: 4_000, executionWindowGas: WINDOW_GAS, clockToleranceMs: TOLERANCE_MS },
    {
      clock,
      log: () => undefined,
      pool,
      checker: {
        check: async (raws) => {
          seen.checked.push(raws.length);
          return options.check === undefined ? checkSenders(raws) : options.check(raws);
        },
        stop: async () => undefined,
      },
      baseFee: () => genesis.initialBaseFeePerGas,
      newestCertificate: () => seen.certificate,
      leastCertified: () => seen.leastCertified,
      work: (pending) => seen.works.push(pending),
      failed: (error) => seen.failures.push(error),
    },
  );
  const admit = (...transactions: readonly SignedTransaction[]): void => {
    for (const transaction of transactions) {
      const result = pool.admit(transaction, { nonce: 0n, balance: CLIENT_BALANCE }, clock.nowMs());
      assert.ok(result.ok);
    }
    desk.poolChanged();
  };
  return { chain, clock, pool, desk, seen, admit };
}

type SetUp = ReturnType<typeof setUp>;

/** What a quorum would say of a block. */
function certificateOf({ chain }: SetUp, height: number): StateCertificate {
  const nothing = { orderDigest: ZERO_HASH, executedHash: ZERO_HASH, nextSetHash: ZERO_HASH };
  return chain.stateCertificateOf({ epoch: chain.at(1).block.epoch, height: Height(height), ...nothing });
}

/** Asks for the payload of the block after the chain's last `unfinalized` ones. */
function request({ chain }: SetUp, unfinalized = 0, change: Partial<BuildPayload> = {}): BuildPayload {
  const last = chain.blocks.at(-1);
  const parentTimestampMs = last?.block.timestampMs ?? chain.genesis.timestampMs;
  const height = chain.blocks.length;
  return {
    kind: "buildPayload",
    view: View((last?.block.view ?? 0) + 1),
    height: Height(height + 1),
    parent: last?.digest ?? chain.domain.genesisHash,
    parentTimestampMs,
    notBeforeMs: parentTimestampMs + 100,
    emptyNotBeforeMs: parentTimestampMs + 2_000,
    ancestors: chain.blocks.slice(height - unfinalized).map(({ block }) => block),
    parentStateCertificate: last?.block.stateCertificate,
    ...change,
  };
}

/** Builds, and lets time pass until an answer must have come. */
function built(world: SetUp, asked: BuildPayload): BuiltPayload {
  let answer: BuiltPayload | undefined;
  world.desk.build(asked, (payload) => {
    answer = payload;
  });
  world.clock.advance(10_000);
  assert.ok(answer !== undefined);
  return answer;
}

function noncesOf({ payload }: BuiltPayload, all: readonly SignedTransaction[]): readonly bigint[] {
  const raws = decodePayload(payload);
  assert.ok(raws.ok);
  return raws.value.map((raw) => all.find((one) => equalBytes(one.raw, raw))?.nonce ?? -1n);
}

async function verdict(
  world: SetUp,
  block: OrderedBlock,
  ancestors: readonly OrderedBlock[] = [],
): Promise<boolean | undefined> {
  const asked: CheckBlock = {
    kind: "checkBlock",
    digest: world.chain.at(block.height).digest,
    block,
    ancestors,
  };
  let answer: boolean | undefined;
  world.desk.check(asked, (valid) => {
    answer = valid;
  });
  await endOfTurn();
  return answer;
}

const transfers = (count: number, client = 0): readonly SignedTransaction[] =>
  Array.from({ length: count }, (_, nonce) => simulatedTransfer(client, nonce));

test("with work, the payload is made when the clock reaches notBefore, and no sooner", () => {
  const world = setUp();
  const all = transfers(2);
  world.admit(...all);
  const answers: BuiltPayload[] = [];
  world.desk.build(request(world), (payload) => answers.push(payload));
  world.clock.advance(99);
  assert.equal(answers.length, 0);
  world.clock.advance(1);
  assert.deepEqual(noncesOf(answers[0]!, all), [0n, 1n]);
  assert.equal(answers[0]!.timestampMs, world.chain.genesis.timestampMs + 100);
});

test("without work, an empty payload is made at emptyNotBefore", () => {
  const world = setUp();
  const answers: BuiltPayload[] = [];
  world.desk.build(request(world), (payload) => answers.push(payload));
  world.clock.advance(1_999);
  assert.equal(answers.length, 0);
  world.clock.advance(1);
  assert.ok(equalBytes(answers[0]!.payload, EMPTY_PAYLOAD));
  assert.deepEqual(world.clock.timers(), []);
});

test("work that arrives while an empty pool is waited for goes out at once", () => {
  const world = setUp();
  const all = transfers(1);
  const answers: BuiltPayload[] = [];
  world.desk.build(request(world), (payload) => answers.push(payload));
  world.clock.advance(700);
  world.admit(...all);
  assert.deepEqual(noncesOf(answers[0]!, all), [0n]);
  assert.equal(answers[0]!.timestampMs, world.chain.genesis.timestampMs + 700);
  world.clock.advance(5_000);
  assert.equal(answers.length, 1);
});

test("work that arrives before notBefore waits for it", () => {
  const world = setUp();
  const answers: BuiltPayload[] = [];
  world.desk.build(request(world), (payload) => answers.push(payload));
  world.clock.advance(50);
  world.admit(...transfers(1));
  assert.equal(answers.length, 0);
  world.clock.advance(50);
  assert.equal(answers.length, 1);
});

test("a newer request replaces the one that waits; after a stop nobody is answered", () => {
  const world = setUp();
  const answers: string[] = [];
  world.desk.build(request(world), () => answers.push("first"));
  world.desk.build(request(world, 0, { view: View(2) }), () => answers.push("second"));
  world.clock.advance(3_000);
  assert.deepEqual(answers, ["second"]);
  world.desk.build(request(world, 0, { view: View(3), emptyNotBeforeMs: Number.MAX_SAFE_INTEGER }), () =>
    answers.push("third"),
  );
  world.desk.stop();
  assert.deepEqual(world.clock.timers(), []);
});

test("a block's time is above its parent's, though the clock be behind", () => {
  const world = setUp();
  const parentTimestampMs = world.clock.nowMs() + 50;
  world.admit(...transfers(1));
  const answer = built(world, request(world, 0, { parentTimestampMs, notBeforeMs: 0 }));
  assert.equal(answer.timestampMs, parentTimestampMs + 1);
});

test("transactions of unfinalized ancestors and of finalized, unexecuted blocks are not proposed again", () => {
  const world = setUp();
  const all = transfers(3);
  world.admit(...all);
  const first = world.chain.append([all[0]!]);
  world.desk.finalized(first.block, first.digest);
  world.chain.append([all[1]!]);
  assert.deepEqual(noncesOf(built(world, request(world, 1)), all), [2n]);
});

test("a proposal that lost gives its transactions back, and the pool's work is told again", async () => {
  const world = setUp();
  const all = transfers(2);
  world.admit(...all);
  assert.deepEqual(world.seen.works, [true]);
  const { block } = world.chain.append(all);
  world.clock.advance(2_000);
  assert.equal(await verdict(world, block), true);
  world.desk.poolChanged();
  assert.deepEqual(world.seen.works, [true, false], "all of it is proposed");
  world.chain.blocks.pop();
  assert.deepEqual(noncesOf(built(world, request(world, 0, { view: View(2) })), all), [0n, 1n]);
  world.desk.poolChanged();
  assert.deepEqual(world.seen.works, [true, false, true]);
});

test("however many views fail, what is remembered of their proposals is bounded", async () => {
  const world = setUp();
  const all = transfers(1);
  world.admit(...all);
  const digests = [];
  for (let view = 1; view <= 20; view++) {
    const { block, digest } = world.chain.append(all, {
      view: View(view),
      timestampMs: world.clock.nowMs() + view,
    });
    assert.equal(await verdict(world, block), true);
    digests.push(digest);
    world.chain.blocks.pop();
  }
  assert.deepEqual(
    digests.map((digest) => world.desk.checkedIn(digest).length),
    [...Array.from({ length: 19 }, () => 0), 1],
  );
});

test("beyond the execution window only empty payloads are made, and only empty ones are valid", async () => {
  const world = setUp();
  const all = transfers(8);
  world.admit(...all);
  const first = world.chain.append(all.slice(0, 2));
  world.desk.finalized(first.block, first.digest);
  world.clock.advance(5_000);

  // Exactly full is not beyond: two finalized and one of an unfinalized ancestor.
  const ancestor = world.chain.append([all[2]!]).block;
  const third = world.chain.append([all[3]!]);
  assert.equal(await verdict(world, third.block, [ancestor]), true);
  assert.deepEqual(world.chain.blocks.pop(), third);
  assert.deepEqual(noncesOf(built(world, request(world, 1)), all), [3n, 4n, 5n, 6n, 7n]);

  const ancestors = [ancestor, world.chain.append([all[3]!]).block];
  const fourth = world.chain.append([all[4]!]).block;
  assert.equal(await verdict(world, fourth, ancestors), false);
  world.chain.blocks.pop();
  assert.ok(equalBytes(built(world, request(world, 2)).payload, EMPTY_PAYLOAD));
  assert.equal(await verdict(world, world.chain.append().block, ancestors), true);
});

test("a state certificate makes room: the leader's own, and the one that the block carries", async () => {
  const world = setUp();
  const all = transfers(8);
  world.admit(...all);
  const first = world.chain.append(all.slice(0, 4));
  world.desk.finalized(first.block, first.digest);
  world.clock.advance(5_000);
  assert.ok(equalBytes(built(world, request(world)).payload, EMPTY_PAYLOAD));
  const certificate = certificateOf(world, 1);
  world.seen.certificate = certificate;
  assert.deepEqual(noncesOf(built(world, request(world)), all), [4n, 5n, 6n, 7n]);
  assert.equal(await verdict(world, world.chain.append([all[4]!]).block), false, "voters go by the block");
  world.chain.blocks.pop();
  const second = world.chain.append([all[4]!], { stateCertificate: certificate });
  assert.equal(await verdict(world, second.block), true);
  world.desk.finalized(second.block, second.digest);
  assert.equal(await verdict(world, world.chain.append([all[5]!]).block), true);
});

test("the first block of an epoch is not built before there is the state certificate that it needs", () => {
  const world = setUp();
  for (const { block, digest } of [world.chain.append(), world.chain.append()])
    world.desk.finalized(block, digest);
  world.seen.leastCertified = 2;
  const answers: BuiltPayload[] = [];
  world.desk.build(request(world), (payload) => answers.push(payload));
  world.clock.advance(60_000);
  assert.equal(answers.length, 0);
  world.seen.certificate = certificateOf(world, 1);
  world.desk.certificateChanged();
  assert.equal(answers.length, 0, "that one is too old");
  world.seen.certificate = certificateOf(world, 2);
  world.desk.certificateChanged();
  assert.equal(answers[0]?.stateCertificate?.executed.height, 2);
});

test("a time ahead of the clock is waited for, by more than the tolerance", async () => {
  const world = setUp();
  const timestampMs = world.clock.nowMs() + TOLERANCE_MS + 30;
  const { block } = world.chain.append(transfers(1), { timestampMs });
  let answer: boolean | undefined;
  const asked: CheckBlock = { kind: "checkBlock", digest: world.chain.at(1).digest, block, ancestors: [] };
  world.desk.check(asked, (valid) => {
    answer = valid;
  });
  world.clock.advance(29);
  await endOfTurn();
  assert.equal(answer, undefined);
  world.clock.advance(1);
  await endOfTurn();
  assert.equal(answer, true);
});

test("blocks of the far future hold one timer between them, and none after a stop", async () => {
  const world = setUp();
  for (let view = 1; view <= 50; view++) {
    const { block } = world.chain.append([], {
      view: View(view),
      timestampMs: Number.MAX_SAFE_INTEGER - 100 + view,
    });
    assert.equal(await verdict(world, block), undefined);
    world.chain.blocks.pop();
  }
  assert.equal(world.clock.timers().length, 1);
  world.desk.stop();
  assert.equal(world.clock.timers().length, 0);
});

test("what no vote may vouch for is invalid", async () => {
  const [one, two] = transfers(2);
  const payloads: Readonly<Record<string, Bytes>> = {
    "no bytes": new Uint8Array(0),
    "unknown format": Uint8Array.of(9),
    "trailing bytes": Uint8Array.of(...EMPTY_PAYLOAD, 0),
    "twice the same": encodePayload([one!.raw, one!.raw]),
    "no transaction": encodePayload([Uint8Array.of(2, 3)]),
    "too long": encodePayload(Array.from({ length: 60 }, (_, nonce) => simulatedTransfer(0, nonce).raw)),
    "too much gas": encodePayload([one!.raw, simulatedTransfer(0, 1, { gasLimit: 60_000_000n }).raw]),
    "too little gas": encodePayload([simulatedTransfer(0, 0, { gasLimit: 20_999n }).raw]),
  };
  for (const [name, payload] of Object.entries(payloads)) {
    const world = setUp();
    world.clock.advance(2_000);
    assert.equal(await verdict(world, world.chain.append([], { payload }).block), false, name);
    assert.deepEqual(world.seen.checked, [], `${name}: no signature is looked at`);
  }
  const world = setUp({
    check: async (raws) => raws.map(() => ({ code: "transaction/invalid-signature", message: "" })),
  });
  world.clock.advance(2_000);
  assert.equal(await verdict(world, world.chain.append([two!]).block), false);
});

test("only signatures that the pool does not know are checked", async () => {
  const world = setUp();
  const all = transfers(3);
  world.admit(all[0]!, all[1]!);
  world.clock.advance(2_000);
  const { block, digest } = world.chain.append(all);
  assert.equal(await verdict(world, block), true);
  assert.deepEqual(world.seen.checked, [1]);
  assert.deepEqual(
    world.desk.checkedIn(digest).map(({ sender }) => toHexDigits(sender)),
    all.map(({ sender }) => toHexDigits(sender)),
  );
});

test("an executed block is forgotten, and a check that ends after it leaves nothing behind", async () => {
  const slow = Promise.withResolvers<readonly CheckedSender[]>();
  const world = setUp({ check: () => slow.promise });
  const all = transfers(1);
  world.clock.advance(2_000);
  const { block, digest } = world.chain.append(all);
  assert.equal(await verdict(world, block), undefined);
  world.desk.finalized(block, digest);
  const report = { orderDigest: digest, included: all.map(({ hash }) => hash) };
  assert.deepEqual(world.desk.transactionsOf(report), [], "its signatures were not checked here");
  world.desk.executed(1);
  slow.resolve(checkSenders(all.map(({ raw }) => raw)));
  await endOfTurn();
  assert.deepEqual(world.desk.checkedIn(digest), []);
});

test("a checker that fails stops the node, and gives no verdict", async () => {
  const world = setUp({ check: () => Promise.reject(new Error("the signature worker failed")) });
  world.clock.advance(2_000);
  assert.equal(await verdict(world, world.chain.append(transfers(1)).block), undefined);
  assert.equal(world.seen.failures.length, 1);
});
