import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EMPTY_BYTES, Epoch, Height, View, ZERO_HASH } from "@ostrom/base";
import { type Message, type OrderedBlock, ValidatorIndex } from "@ostrom/consensus";
import { StrangerSync } from "./stranger-sync.ts";

type Range = Extract<Message, { kind: "block-range" }>;

function blockAt(height: number): OrderedBlock {
  return {
    epoch: Epoch(0),
    view: View(height),
    height: Height(height),
    parent: ZERO_HASH,
    parentView: View(height - 1),
    timestampMs: height,
    proposer: ValidatorIndex(0),
    stateCertificate: undefined,
    payload: EMPTY_BYTES,
  };
}

/** Blocks with the certificate of the last, or of a later one. */
function rangeOf(from: number, through: number, finalView = through): Range {
  const blocks = Array.from({ length: through - from + 1 }, (_, index) => blockAt(from + index));
  const certificate = { kind: "finalization", schemeId: 0, epoch: Epoch(0), digest: ZERO_HASH } as const;
  const signed = { signers: EMPTY_BYTES, signature: EMPTY_BYTES };
  return { kind: "block-range", blocks, finalization: { ...certificate, ...signed, view: View(finalView) } };
}

/** A sync whose engine takes all blocks that continue its chain and whose certificate is of the last one. */
function syncing(chosen: readonly string[] = []) {
  const world = { nowMs: 0, height: 0, certified: 0, hasRoom: true, isHandingOver: false };
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  const asked: { readonly peer: string; readonly message: Message }[] = [];
  const blamed: string[] = [];
  const credited: string[] = [];
  const taken: number[] = [];
  const random = createRandom(1);
  const sync = new StrangerSync({
    clock: {
      nowMs: () => world.nowMs,
      after: (delayMs, run) => {
        timers.push({ atMs: world.nowMs + delayMs, run });
        return () => undefined;
      },
    },
    entropy: { bytes: (length) => random.bytes(length) },
    finalHeight: () => (world.isHandingOver ? undefined : world.height),
    executedHeight: () => world.height,
    certifiedHeight: () => world.certified,
    leastGap: () => 0,
    hasRoom: () => world.hasRoom,
    send: (peer, message) => asked.push({ peer, message }),
    isChosen: (peer) => chosen.includes(peer),
    takeBlocks: ({ blocks, finalization }) => {
      taken.push(blocks.length);
      if (blocks[0]!.height === world.height + 1 && finalization.view === blocks.at(-1)!.view)
        world.height = blocks.at(-1)!.height;
    },
    takeCertificate: ({ executed }) => {
      world.certified = executed.height;
    },
    credit: (peer) => credited.push(peer),
    blame: (peer, kind, reason) => blamed.push(`${peer} ${kind} ${reason}`),
  });
  const pass = (ms: number): void => {
    const end = world.nowMs + ms;
    for (;;) {
      timers.sort((a, b) => a.atMs - b.atMs);
      if (timers[0] === undefined || timers[0].atMs > end) break;
      const timer = timers.shift()!;
      world.nowMs = timer.atMs;
      timer.run();
    }
    world.nowMs = end;
  };
  const questions = (): readonly string[] =>
    asked.flatMap(({ peer, message }) =>
      message.kind === "block-range-request" ? [`${peer} ${message.fromHeight}`] : [],
    );
  return { sync, world, asked, blamed, credited, taken, pass, questions };
}

test("stranger sync: whoever claims more is asked for the next blocks, answer by answer, up to its claim", () => {
  const { sync, world, pass, questions, credited } = syncing();
  sync.heard("a", 100);
  assert.deepEqual(questions(), ["a 1"]);
  sync.message("a", rangeOf(1, 64));
  assert.equal(world.height, 64);
  assert.deepEqual(questions(), ["a 1"], "not more often than the peer answers");
  pass(200);
  assert.deepEqual(questions(), ["a 1", "a 65"]);
  sync.message("a", rangeOf(65, 100));
  pass(5_000);
  assert.deepEqual(questions(), ["a 1", "a 65"]);
  assert.deepEqual(credited, ["a", "a"]);
  sync.heard("a", 101);
  assert.deepEqual(questions().at(-1), "a 101");
});

test("stranger sync: who serves nothing does not hold it up, and is blamed after some questions", () => {
  const { sync, world, pass, questions, blamed } = syncing();
  for (const peer of ["liar", "silent", "mute"]) sync.heard(peer, 1_000_000);
  sync.heard("honest", 200);
  pass(3_000);
  assert.ok(questions().includes("honest 1"), "others are asked besides");
  sync.message("honest", rangeOf(1, 64));
  assert.equal(world.height, 64);
  for (let minute = 0; minute < 10; minute++) {
    for (const peer of ["liar", "silent", "mute"]) sync.heard(peer, 1_000_000 + minute);
    pass(60_000);
  }
  for (const peer of ["liar", "silent", "mute"])
    assert.ok(blamed.includes(`${peer} nuisance sync/serves-nothing`), peer);
});

test("stranger sync: peers that this node chose are asked before those that came by themselves", () => {
  const { sync, world, questions } = syncing(["chosen"]);
  world.hasRoom = false;
  for (const peer of ["x", "y", "z", "chosen"]) sync.heard(peer, 50);
  assert.deepEqual(questions(), []);
  world.hasRoom = true;
  sync.advance();
  assert.deepEqual(questions(), ["chosen 1"]);
});

test("stranger sync: blocks that do not continue the chain are a breach; what comes unasked or late is not read", () => {
  const { sync, world, blamed, taken, pass } = syncing();
  sync.heard("a", 100);
  sync.message("b", rangeOf(1, 10));
  assert.deepEqual(taken, []);
  sync.message("a", rangeOf(5, 10));
  assert.deepEqual(blamed, ["a breach sync/bad-blocks"]);
  sync.message("a", rangeOf(1, 10));
  assert.equal(world.height, 0, "it was not asked again yet");
  pass(200);
  world.height = 40;
  sync.message("a", rangeOf(1, 10));
  assert.equal(blamed.length, 1, "another way was faster: that is nobody's fault");
});

test("stranger sync: answers without a final block of their own are joined with the next, and no more than is bounded", () => {
  const { sync, world, taken, pass, questions, blamed } = syncing();
  sync.heard("a", 10_000);
  sync.message("a", rangeOf(1, 256, 600));
  pass(200);
  sync.message("a", rangeOf(257, 512, 600));
  pass(200);
  assert.deepEqual(questions(), ["a 1", "a 257", "a 513"]);
  sync.message("a", rangeOf(513, 600));
  assert.deepEqual(taken, [600]);
  assert.equal(world.height, 600);
  for (let count = 0; count < 6; count++) {
    pass(200);
    const from = Number(questions().at(-1)!.split(" ")[1]);
    sync.message("a", rangeOf(from, from + 255, 1_000_000));
  }
  assert.ok(blamed.length > 0);
  assert.equal(world.height, 600);
});

test("stranger sync: nothing is asked while an epoch hands over or there is no room, and it goes on after", () => {
  const { sync, world, pass, questions } = syncing();
  world.isHandingOver = true;
  sync.heard("a", 100);
  pass(2_000);
  assert.deepEqual(questions(), []);
  world.isHandingOver = false;
  pass(200);
  assert.deepEqual(questions(), ["a 1"]);
});

test("stranger sync: when all blocks are here, the newest certificate is asked for, and read only then", () => {
  const { sync, world, pass, asked } = syncing();
  const executed = {
    epoch: Epoch(0),
    height: Height(10),
    orderDigest: ZERO_HASH,
    executedHash: ZERO_HASH,
    nextSetHash: ZERO_HASH,
  };
  const certificate = { schemeId: 0, executed, signers: EMPTY_BYTES, signature: EMPTY_BYTES };
  sync.heard("a", 10);
  sync.message("a", { kind: "state-certificate", certificate });
  assert.equal(world.certified, 0, "nobody asked");
  sync.message("a", rangeOf(1, 10));
  pass(1_000);
  assert.ok(asked.some(({ message }) => message.kind === "state-certificate-request"));
  sync.message("a", { kind: "state-certificate", certificate });
  assert.equal(world.certified, 10);
});

test("stranger sync: a peer that goes is not asked any more, and its question goes to another", () => {
  const { sync, questions } = syncing(["a"]);
  sync.heard("a", 10);
  sync.heard("b", 10);
  sync.gone("a");
  assert.deepEqual(questions(), ["a 1", "b 1"]);
  assert.equal(sync.highestClaim, 0, "nobody has served yet");
  sync.message("b", rangeOf(1, 5));
  assert.equal(sync.highestClaim, 10);
  sync.stop();
});

test("stranger sync: one of three who lies about its height does not make the node seem behind", () => {
  const { sync, world, pass } = syncing();
  for (const [index, peer] of ["a", "b", "liar"].entries()) {
    sync.heard(peer, 10 * (index + 1));
    pass(200);
    sync.message(peer, rangeOf(world.height + 1, 10 * (index + 1)));
    assert.equal(world.height, 10 * (index + 1));
  }
  for (const peer of ["a", "b"]) sync.heard(peer, 30);
  sync.heard("liar", Number.MAX_SAFE_INTEGER);
  assert.equal(sync.highestClaim, 30);
});

test("stranger sync: blocks that others gave sooner, or that nothing proves yet, earn no credit", () => {
  const { sync, world, pass, credited, blamed } = syncing();
  sync.heard("a", 100);
  world.height = 40;
  sync.message("a", rangeOf(1, 10));
  pass(200);
  sync.message("a", rangeOf(41, 50, 1_000_000));
  assert.deepEqual([credited, blamed, sync.highestClaim], [[], [], 0]);
  pass(200);
  sync.message("a", rangeOf(51, 60));
  assert.deepEqual([credited, world.height], [["a"], 60]);
});
