import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  concatBytes,
  type Failure,
  Height,
  hashFromWord,
  must,
  toHexDigits,
  unwrap,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  decodeMessage,
  encodeMessage,
  leaderOf,
  type Message,
  orderDigest,
  ValidatorIndex,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls } from "@ostrom/crypto";
import { createMemoryStore } from "@ostrom/storage";
import { EpochSets } from "./epoch-sets.ts";
import type { ExecutionReport } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { replayJournal } from "./journal-records.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { NodeCore } from "./node-core.ts";
import type { NodeListener } from "./node-core-options.ts";
import { consensusKey } from "./node-keys.ts";
import type { DurableLog } from "./ports.ts";
import { recoverChain } from "./recovered-chain.ts";
import { checkSenders } from "./signature-checker.ts";
import { createManualClock, endOfTurn } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import {
  CLIENT_BALANCE,
  simulatedGenesis,
  simulatedPeerId,
  simulatedTransfer,
  validatorSecret,
} from "./testing/simulated-genesis.ts";
import { VoteJournal } from "./vote-journal.ts";

installNativeCrypto();

type Sent = { readonly to: string; readonly channel: string; readonly payload: Bytes };

/** Validator 0 with its ports in the test's hands. */
async function setUp(
  options: { readonly validators?: number; readonly log?: DurableLog; readonly blocks?: number } = {},
) {
  const chain = new OrderedChain(simulatedGenesis({ validators: options.validators ?? 4, clients: 3 }));
  const clock = createManualClock(chain.genesis.timestampMs);
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 16);
  for (let height = 1; height <= (options.blocks ?? 0); height++) {
    chain.append();
    await executor.execute(chain.inputOf(height));
  }
  const seen = {
    sent: [] as Sent[],
    punished: [] as string[],
    warnings: [] as unknown[],
    failures: [] as Failure[],
    blocks: [] as ExecutionReport[],
    dropped: [] as string[],
  };
  const sets = new EpochSets(store, chain.genesis);
  const journal = new VoteJournal({
    log: options.log ?? {
      append: () => undefined,
      sync: async () => undefined,
      rotate: async () => undefined,
    },
    domain: chain.domain,
    replayed: replayJournal([]),
    settled: { epoch: 0, view: chain.blocks.length },
  });
  const listener: NodeListener = {
    block: (report) => seen.blocks.push(report),
    certified: () => undefined,
    admitted: () => undefined,
    setsChanged: () => undefined,
    dropped: (dropped) => seen.dropped.push(...dropped.map(({ reason }) => reason.code)),
    failed: (failure) => seen.failures.push(failure),
  };
  const core = new NodeCore({
    clock,
    entropy: { bytes: (length) => new Uint8Array(length) },
    log: (level, _message, fields) => {
      if (level === "warn") seen.warnings.push(fields);
    },
    genesis: chain.genesis,
    domain: chain.domain,
    keys: {
      peerId: simulatedPeerId(0),
      consensusKeys: () => [consensusKey({ schemeId: 1, secret: validatorSecret(0) })],
    },
    store,
    network: {
      send: (to, channel, payload) => seen.sent.push({ to, channel, payload }) > 0,
      broadcast: (channel, payload) => seen.sent.push({ to: "all", channel, payload }),
      connected: () => [],
    },
    punish: (peerId, reason) => seen.punished.push(`${peerId.slice(0, 4)} ${reason}`),
    execution: { execute: (input) => executor.execute(input), stop: async () => undefined },
    checker: { check: async (raws, keys) => checkSenders(raws, keys), stop: async () => undefined },
    journal,
    records: [],
    recovered: recoverChain(store, sets),
    head: executor.head(),
    listener,
  });
  const peer = (index: number): string => simulatedPeerId(index);
  for (const index of [1, 2, 3]) core.handlers.onUp(peer(index));
  const hear = (from: number, message: Message): void =>
    core.handlers.onFrame(peer(from), "consensus", encodeMessage(message));
  const messages = (): readonly Message[] =>
    seen.sent.flatMap(({ channel, payload }) =>
      channel === "transactions" ? [] : [unwrap(decodeMessage(payload))],
    );
  const punishedFor = (from: number): readonly string[] =>
    seen.punished.filter((entry) => entry.startsWith(peer(from).slice(0, 4))).map((entry) => entry.slice(5));
  return { chain, clock, core, seen, peer, hear, messages, punishedFor };
}

/** A batch of transactions as gossip has it. */
function gossip(raws: readonly Bytes[]): Bytes {
  const parts = raws.flatMap((raw) => {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, raw.length);
    return [length, raw];
  });
  return concatBytes(Uint8Array.of(1), ...parts);
}

test("a frame that is no message, and a batch that is none, are punished", async () => {
  const { core, peer, punishedFor } = await setUp();
  core.handlers.onFrame(peer(1), "consensus", Uint8Array.of(0xff, 1));
  core.handlers.onFrame(peer(2), "transactions", Uint8Array.of(9));
  assert.deepEqual(punishedFor(1), ["consensus/unreadable-message"]);
  assert.deepEqual(punishedFor(2), ["gossip/unknown-format"]);
});

test("who floods with transactions that are none is punished; who repeats good ones is not", async () => {
  const { core, peer, punishedFor } = await setUp();
  const junk = Array.from({ length: 200 }, (_, index) => Uint8Array.of(2, index, 7));
  core.handlers.onFrame(peer(1), "transactions", gossip(junk));
  const good = Array.from({ length: 50 }, (_, nonce) => simulatedTransfer(0, nonce).raw);
  for (const from of [2, 3]) core.handlers.onFrame(peer(from), "transactions", gossip(good));
  await endOfTurn();
  assert.deepEqual(punishedFor(1), ["gossip/junk"]);
  assert.deepEqual([...punishedFor(2), ...punishedFor(3)], []);
  assert.deepEqual(core.pool.status(), { pending: 50, queued: 0 });
});

test("transactions of this node's clients are spread, those of others are not", async () => {
  const { clock, core, peer, seen } = await setUp();
  core.handlers.onFrame(peer(1), "transactions", gossip([simulatedTransfer(0, 0).raw]));
  await endOfTurn();
  clock.advance(50);
  assert.deepEqual(
    seen.sent.filter(({ channel }) => channel === "transactions"),
    [],
  );
  const results = await core.submit([simulatedTransfer(1, 0).raw]);
  assert.ok(results[0]!.ok);
  clock.advance(50);
  assert.deepEqual(
    seen.sent.filter(({ channel }) => channel === "transactions").map(({ to }) => to),
    [1, 2, 3].map(peer),
  );
});

test("a wrong state certificate in a proposal costs its sender the link, leader or not", async () => {
  const { chain, hear, punishedFor } = await setUp();
  const executed = {
    epoch: chain.validators.epoch,
    height: Height(9),
    orderDigest: ZERO_HASH,
    executedHash: ZERO_HASH,
    nextSetHash: ZERO_HASH,
  };
  const certificate = chain.stateCertificateOf(executed);
  const forged = { ...certificate, executed: { ...executed, height: Height(10) } };
  const { block } = chain.append([], { stateCertificate: forged });
  const leader = leaderOf(chain.domain, chain.validators, View(1));
  const signer = leader === 0 ? 1 : leader;
  const proposed = { ...block, proposer: ValidatorIndex(signer) };
  const digest = orderDigest(chain.domain, proposed);
  const vote = { kind: "notarize", epoch: block.epoch, view: block.view, digest } as const;
  const signature = bls().sign(validatorSecret(signer), voteSigningBytes(chain.domain, vote));
  hear(signer, { kind: "proposal", block: proposed, signature });
  await endOfTurn();
  assert.ok(punishedFor(signer).includes("certification/bad-certificate"));
});

test("a peer that asks for blocks without end is answered a few times, and told of once", async () => {
  const { core, chain, hear, messages, seen } = await setUp({ blocks: 2 });
  core.start();
  for (let index = 0; index < 1_000; index++) hear(1, { kind: "block-range-request", fromHeight: Height(1) });
  for (let index = 0; index < 1_000; index++)
    hear(2, { kind: "block-request", epoch: chain.validators.epoch, view: View(1), digest: ZERO_HASH });
  await endOfTurn();
  assert.equal(messages().filter(({ kind }) => kind === "block-range").length, 16);
  assert.equal(seen.warnings.length, 2);
  await core.stop();
});

test("a height that one peer alone claims is not believed", async () => {
  const { chain, core, hear } = await setUp();
  const claim = (from: number, height: number): void => {
    const executed = {
      epoch: chain.validators.epoch,
      height: Height(height),
      orderDigest: ZERO_HASH,
      executedHash: ZERO_HASH,
      nextSetHash: ZERO_HASH,
    };
    hear(from, {
      kind: "executed",
      executed: { executed, signer: ValidatorIndex(from), signature: new Uint8Array(96) },
    });
  };
  claim(1, 1_000_000);
  assert.equal(core.heads().highestHeard, 0);
  claim(2, 30);
  assert.equal(core.heads().highestHeard, 30);
});

test("no vote leaves before its record is on disk", async () => {
  const disk = Promise.withResolvers<void>();
  const log: DurableLog = {
    append: () => undefined,
    sync: () => disk.promise,
    rotate: async () => undefined,
  };
  const { clock, core, messages } = await setUp({ log });
  core.start();
  clock.advance(10_000);
  await endOfTurn();
  const votes = (): number => messages().filter(({ kind }) => kind === "vote" || kind === "proposal").length;
  assert.equal(votes(), 0);
  disk.resolve();
  await endOfTurn();
  assert.ok(votes() > 0);
  await core.stop();
});

test("a node whose log cannot be written says so once, with the code, and nothing else from then on", async () => {
  const log: DurableLog = {
    append: () => undefined,
    sync: () => Promise.reject(Object.assign(new Error("the disk is full"), { code: "storage/disk-full" })),
    rotate: async () => undefined,
  };
  const { chain, clock, core, hear, seen, messages } = await setUp({ log });
  core.start();
  clock.advance(5_000);
  await endOfTurn();
  assert.deepEqual(
    seen.failures.map(({ code }) => code),
    ["storage/disk-full"],
  );
  const said = messages().length;
  hear(1, { kind: "view-request", epoch: chain.validators.epoch });
  clock.advance(60_000);
  await endOfTurn();
  assert.equal(messages().length, said);
  assert.deepEqual(clock.timers(), [], "no timer outlives it");
  await core.stop();
  assert.equal(seen.failures.length, 1);
});

test("a validator alone orders, executes and certifies; what waits too long for a nonce is dropped", async () => {
  const { clock, core, seen } = await setUp({ validators: 1 });
  core.start();
  const results = await core.submit([simulatedTransfer(0, 0).raw, simulatedTransfer(1, 5).raw]);
  assert.ok(results.every(({ ok }) => ok));
  const pass = async (ms: number, steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      clock.advance(ms);
      await endOfTurn();
    }
  };
  await pass(50, 20);
  assert.equal(seen.blocks.flatMap(({ included }) => included).length, 1);
  assert.ok(core.heads().certified > 0 && core.heads().executed >= core.heads().certified);
  assert.deepEqual(core.pool.status(), { pending: 0, queued: 1 });
  clock.set(clock.nowMs() + 4 * 3_600_000);
  await pass(50, 20);
  assert.deepEqual(core.pool.status(), { pending: 0, queued: 0 });
  assert.deepEqual(seen.dropped, ["txpool/expired"]);
  assert.equal(must(seen.blocks[0], "a block was executed").height, 1);
  assert.equal(toHexDigits(seen.blocks[0]!.executedHash).length, 64);
  await core.stop();
});

test("questions about the whole pool are answered with a bounded part of it", async () => {
  const { chain, core } = await setUp();
  const signed = [0, 1, 2].map((client) => simulatedTransfer(client, 0));
  const account = { nonce: 0n, balance: CLIENT_BALANCE };
  for (let index = 0; index < 3 * 1_400; index++) {
    const hash = hashFromWord(BigInt(index));
    // The pool does not look at signatures: making so many would take long.
    const transaction = { ...signed[index % 3]!, nonce: BigInt(Math.floor(index / 3)), hash };
    assert.ok(core.pool.admit(transaction, account, chain.genesis.timestampMs).ok);
  }
  assert.equal(core.pool.status().pending, 4_200);
  assert.equal(core.poolContent(undefined).pending.length, 4_096);
  assert.equal(core.poolContent(signed[0]!.sender).pending.length, 1_400);
});
