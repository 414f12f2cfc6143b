import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes } from "@ostrom/base";
import { genesisPoint } from "./chain-point.ts";
import { keyOf, type PowState } from "./state.ts";
import { startPow, stepPow } from "./step.ts";
import { type ForgedHeader, HostilePeer } from "./testing/hostile-peer.ts";
import { fromGenesis, sha256, simulatedConfig, World } from "./testing/world.ts";
import type { ChainPoint, PowEffect, PowInputKind } from "./types.ts";

const CONFIG = simulatedConfig({ finalityDepth: 3, maxReorgDepth: 5 });
const NOW_MS = 5_000_000;
const PEER = "peer";
const forger = new HostilePeer(new World({ seed: 71 }), "forger", CONFIG);

/** An engine whose effects a test looks at and answers one by one. */
class Driven {
  state: PowState;
  effects: readonly PowEffect[];

  constructor(executed: readonly ForgedHeader[]) {
    let executedHash = CONFIG.genesis.executedHash;
    const blocks = executed.map(({ header, point }) => {
      executedHash = sha256(concatBytes(executedHash, point.id));
      return { header, executedHash };
    });
    const { state, effects } = startPow(CONFIG, { ...fromGenesis(CONFIG), blocks }, NOW_MS);
    this.state = state;
    this.effects = effects;
    this.step({ kind: "peer-connected", peer: PEER });
  }

  step(input: PowInputKind): readonly PowEffect[] {
    const before = this.state;
    const frozen = { ...before };
    const { state, effects } = stepPow(before, { ...input, nowMs: NOW_MS });
    assert.deepEqual({ ...before }, frozen, "a step leaves the state that it was given alone");
    this.state = state;
    this.effects = effects;
    return effects;
  }

  announce(blocks: readonly ForgedHeader[]): readonly PowEffect[] {
    const headers = blocks.map(({ header }) => header);
    return this.step({ kind: "message", from: PEER, message: { kind: "announce", headers } });
  }

  body({ header, payload }: ForgedHeader): readonly PowEffect[] {
    return this.step({ kind: "message", from: PEER, message: { kind: "block", block: { header, payload } } });
  }

  kinds(): readonly string[] {
    return this.effects.map(({ kind }) => kind);
  }
}

function pointOf(blocks: readonly ForgedHeader[], height: number): ChainPoint {
  return blocks[height - 1]?.point ?? genesisPoint(CONFIG);
}

/** Later in all, so that difficulty is less: lighter block by block than those that `forge` makes by itself. */
function slowly(stepMs: number): (index: number, earliestMs: number) => number {
  return (index, earliestMs) => earliestMs + index * stepMs;
}

test("an invalid block takes its descendants along, those that are known and those that come (W9)", () => {
  const chain = forger.forge(genesisPoint(CONFIG), 4);
  const [first, second, third, fourth] = chain;
  const node = new Driven([]);
  node.announce([first!, second!, third!]);
  assert.equal(node.effects.filter(({ kind }) => kind === "send").length, 3, "three bodies are asked for");
  for (const block of [first!, second!, third!]) node.body(block);
  assert.equal(node.state.pending?.kind, "connect");
  node.step({ kind: "rejected", id: first!.point.id, reason: "test" });
  assert.deepEqual(node.kinds(), ["invalid", "mine"].slice(0, node.effects.length));
  assert.equal(node.state.pending, undefined);
  assert.equal(node.state.bodies.size, 0);
  node.announce([fourth!]);
  assert.deepEqual(node.effects, [], "nothing is asked for, executed or blamed");
  assert.ok(node.state.invalid.has(keyOf(fourth!.point.id)));
});

test("a false executed hash is found before execution is asked, and the next best branch follows (W9)", () => {
  const [liar] = forger.forge(genesisPoint(CONFIG), 1, {
    change: { parentExecutedHash: sha256(new Uint8Array(1)) },
  });
  const [honest] = forger.forge(genesisPoint(CONFIG), 1);
  const node = new Driven([]);
  node.announce([liar!]);
  node.announce([honest!]);
  node.body(honest!);
  assert.ok(node.kinds().includes("connect"));
  node.step({ kind: "connected", id: honest!.point.id, executedHash: sha256(new Uint8Array(2)) });
  const child = forger.forge(honest!.point, 1, { change: { parentExecutedHash: sha256(new Uint8Array(3)) } });
  node.announce(child);
  node.body(child[0]!);
  assert.deepEqual(node.kinds(), ["invalid"]);
  assert.equal(node.state.headKey, keyOf(honest!.point.id));
});

test("a branch from too deep halts only if nothing better can be followed, though that is not executed yet (W11)", () => {
  const executed = forger.forge(genesisPoint(CONFIG), 10, { timestampMs: slowly(2000) });
  const node = new Driven(executed);
  const longer = forger.forge(pointOf(executed, 10), 2);
  node.announce(longer);
  const deep = forger.forge(pointOf(executed, 2), 30, { timestampMs: slowly(1800) });
  const work = (block: ForgedHeader | undefined): bigint => block?.point.totalWork ?? 0n;
  const middle = deep.findIndex((block) => work(block) > work(executed.at(-1)));
  const above = deep.findIndex((block) => work(block) > work(longer.at(-1)));
  assert.ok(middle >= 0 && middle < above, "the branch passes the head before it passes the best");
  node.announce(deep.slice(0, above));
  assert.equal(node.state.halted, undefined);
  node.announce(deep.slice(above, above + 1));
  assert.equal(node.state.halted, "pow/reorganisation-too-deep");
  assert.ok(node.kinds().includes("halt") && node.kinds().includes("stopMining"));
  const after = node.announce(deep.slice(above + 1));
  assert.deepEqual(
    after.filter(({ kind }) => kind !== "send"),
    [],
    "it is said once",
  );
});

test("of two branches alike the first stays, and one block more decides (W6)", () => {
  const node = new Driven([]);
  const [first] = forger.forge(genesisPoint(CONFIG), 1);
  const other = forger.forge(genesisPoint(CONFIG), 2);
  node.announce([first!]);
  node.body(first!);
  node.step({ kind: "connected", id: first!.point.id, executedHash: sha256(first!.point.id) });
  assert.deepEqual(node.announce(other.slice(0, 1)), [], "a branch of equal work is not even fetched");
  node.announce(other.slice(1));
  for (const block of other) node.body(block);
  assert.equal(node.state.pending?.kind, "disconnect");
});

test("the miner gets a template for each head and each change of the pool, and none twice (W12)", () => {
  const node = new Driven([]);
  const templates = (): number => node.effects.filter(({ kind }) => kind === "mine").length;
  assert.equal(templates(), 0, "the one for genesis came at the start");
  node.step({ kind: "timer" });
  assert.equal(templates(), 0);
  node.step({ kind: "pool" });
  assert.equal(templates(), 1);
  const [block] = forger.forge(genesisPoint(CONFIG), 1);
  node.step({ kind: "mined", block: block! });
  assert.ok(node.kinds().includes("connect") && node.kinds().includes("send"), "it goes out and is executed");
  node.step({ kind: "connected", id: block!.point.id, executedHash: sha256(block!.point.id) });
  assert.equal(templates(), 1);
});

test("an answer that nobody asked for is not read (W5, W7)", () => {
  const node = new Driven([]);
  const [block] = forger.forge(genesisPoint(CONFIG), 1);
  const before = node.state;
  node.step({ kind: "message", from: PEER, message: { kind: "headers", headers: [block!.header] } });
  node.body(block!);
  node.step({ kind: "message", from: "stranger", message: { kind: "announce", headers: [block!.header] } });
  assert.equal(node.state.records, before.records);
  assert.equal(node.state.bodies, before.bodies);
});
