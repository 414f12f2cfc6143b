import assert from "node:assert/strict";
import { test } from "node:test";
import { Epoch, Hash } from "@ostrom/base";
import { simulatedDomain, simulatedSet, simulatedSign } from "../testing/signatures.ts";
import { ValidatorIndex } from "../types.ts";
import { dagDigest, dagSigningBytes } from "./dag-block.ts";
import { FIRST_FLOOR } from "./recovery.ts";
import type { MysticetiState } from "./state.ts";
import { recoverMysticeti, stepMysticeti } from "./step.ts";
import {
  type DagBlock,
  type DagEffect,
  type DagMessage,
  type MysticetiConfig,
  Round,
  type SignedDagBlock,
} from "./types.ts";

const CONFIG: MysticetiConfig = {
  domain: simulatedDomain,
  validators: simulatedSet([1, 1, 1, 1]),
  own: ValidatorIndex(0),
  waveLength: 3,
  leadersPerRound: 1,
  gcDepth: 12,
  leaderTimeoutMs: 150,
  minRoundMs: 20,
  emptyRoundMs: 400,
  standstillMs: 300,
  fetchRetryMs: 100,
  lostLog: false,
};

type Made = { readonly signed: SignedDagBlock; readonly digest: Hash };

function make(author: number, round: number, below: readonly Made[], previous?: Made): Made {
  const block: DagBlock = {
    epoch: Epoch(0),
    round: Round(round),
    author: ValidatorIndex(author),
    previous:
      previous === undefined ? undefined : { round: previous.signed.block.round, digest: previous.digest },
    parents: below.map(({ signed, digest }) => ({ author: signed.block.author, digest })),
    timestampMs: 1_700_000_000_000 + round,
    stateCertificate: undefined,
    payload: new Uint8Array(),
  };
  const digest = dagDigest(simulatedDomain, block);
  const { consensusKey } = CONFIG.validators.validators[author]!;
  return {
    signed: { block, signature: simulatedSign(consensusKey, dagSigningBytes(simulatedDomain, digest)) },
    digest,
  };
}

class Driven {
  state: MysticetiState;

  constructor(config: Partial<MysticetiConfig> = {}) {
    this.state = recoverMysticeti({ ...CONFIG, ...config }, FIRST_FLOOR, []).state;
  }

  take(from: number, message: DagMessage): readonly DagEffect[] {
    const input = { kind: "message", from: ValidatorIndex(from), message } as const;
    const { state, effects } = stepMysticeti(this.state, input);
    this.state = state;
    return effects;
  }

  send({ signed }: Made): readonly DagEffect[] {
    return this.take(signed.block.author, { kind: "dag-block", ...signed });
  }

  judge({ digest }: Made, valid: boolean): readonly DagEffect[] {
    const { state, effects } = stepMysticeti(this.state, { kind: "verdict", digest, valid });
    this.state = state;
    return effects;
  }
}

test("a block that builds on an invalid one by two ways is refused once", () => {
  const node = new Driven();
  const invalid = make(3, 1, []);
  const [one, two] = [make(1, 1, []), make(2, 1, [])];
  const [left, right] = [make(1, 2, [two, invalid], one), make(2, 2, [one, invalid], two)];
  const zero = make(0, 2, [one, two, invalid]);
  const top = make(3, 3, [zero, left, right], invalid);
  for (const block of [invalid, one, two, left, right, top]) node.send(block);
  const faults = node.judge(invalid, false).filter(({ kind }) => kind === "fault");
  assert.equal(node.state.waiting.size, 2);
  assert.deepEqual(faults.map((effect) => (effect.kind === "fault" ? effect.message : "")).toSorted(), [
    "its block of round 1 is invalid",
    ...[2, 2, 3].map((round) => `its block of round ${round} is invalid`),
  ]);
});

test("a request that names one block again and again is answered with it once", () => {
  const node = new Driven();
  const block = make(1, 1, []);
  node.send(block);
  node.judge(block, true);
  const reference = { round: Round(1), author: ValidatorIndex(1), digest: block.digest };
  const references = Array.from({ length: 64 }, () => reference);
  const [answer] = node.take(2, { kind: "dag-request", epoch: Epoch(0), references });
  assert.ok(answer?.kind === "send" && answer.message.kind === "dag-blocks");
  assert.equal(answer.message.blocks.length, 1);
});

test("no round that a validator may report or sign stops a node", () => {
  const highest = Number.MAX_SAFE_INTEGER;
  const lost = new Driven({ lostLog: true });
  for (const from of [1, 2, 3])
    lost.take(from, { kind: "dag-round-report", epoch: Epoch(0), round: Round(from === 3 ? highest : 4) });
  assert.equal(lost.state.reports, undefined);
  const node = new Driven();
  const nowhere = Hash(new Uint8Array(32));
  const bases = [0, 1, 2].map((author) => ({ ...make(author, 1, []), digest: nowhere }));
  const effects = node.send(make(3, highest, bases));
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ["behind"],
  );
  const reference = { round: Round(highest), author: ValidatorIndex(3), digest: nowhere };
  assert.deepEqual(node.take(3, { kind: "dag-request", epoch: Epoch(0), references: [reference] }), []);
});
