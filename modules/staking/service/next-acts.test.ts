import assert from "node:assert/strict";
import { test } from "node:test";
import { type Address, addressFromHex, type Bytes, toHex } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { encodeAbiParameters, keccak256 as viemKeccak256 } from "viem";
import type { DutyView, Reportable } from "./duty-view.ts";
import { type ActMemory, commitmentOf, NO_MEMORY, nextActs } from "./next-acts.ts";

const ACCOUNT = addressFromHex("00000000000000000000000000000000000000aa");
const INPUT = keccak256(Uint8Array.of(1));
const EVIDENCE = Uint8Array.of(1, 2, 3);
const KEY = new Uint8Array(48).fill(7);

function view(change: Partial<DutyView> = {}): DutyView {
  const own = { staker: 3, mayReveal: true };
  return { isActive: true, height: 100, epoch: 4, round: 5, input: INPUT, own, reportable: [], ...change };
}

function piece(change: Partial<Reportable> = {}): Reportable {
  return { staker: 9, epoch: 4, consensusKey: KEY, evidence: EVIDENCE, announcedIn: 0, ...change };
}

/** Looks at each height in turn. @returns at which heights something was sent, and its kinds. */
function look(
  heights: number,
  viewAt: (height: number) => DutyView,
  account: Address = ACCOUNT,
): readonly string[] {
  let memory: ActMemory = NO_MEMORY;
  const sent: string[] = [];
  for (let height = 0; height < heights; height++) {
    const next = nextActs(viewAt(height), memory, account);
    memory = next.memory;
    for (const act of next.acts) sent.push(`${act.kind}@${height}`);
  }
  return sent;
}

test("a validator that may reveal does so at once, with the round's input", () => {
  const { acts } = nextActs(view(), NO_MEMORY, ACCOUNT);
  assert.deepEqual(acts, [{ kind: "reveal", staker: 3, round: 5, input: INPUT }]);
});

test("nothing is sent where staking is not active, or by who has nothing to do", () => {
  assert.deepEqual(nextActs(view({ isActive: false, reportable: [piece()] }), NO_MEMORY, ACCOUNT).acts, []);
  assert.deepEqual(nextActs(view({ own: { staker: 3, mayReveal: false } }), NO_MEMORY, ACCOUNT).acts, []);
  assert.deepEqual(nextActs(view({ own: undefined }), NO_MEMORY, ACCOUNT).acts, []);
});

test("a reveal that does not come through is repeated ever more rarely, eight times in all; a new round begins anew", () => {
  const sent = look(3_000, (height) => view({ height }));
  assert.deepEqual(
    sent,
    [0, 8, 24, 56, 120, 248, 504, 1016].map((height) => `reveal@${height}`),
  );
  const rounds = look(40, (height) => view({ height, round: height < 20 ? 5 : 6 }));
  assert.deepEqual(rounds, ["reveal@0", "reveal@8", "reveal@20", "reveal@28"]);
});

test("a contradiction is announced when the account's turn comes, reported in a later block, then left alone", () => {
  let announcedIn = 0;
  let isReported = false;
  let memory: ActMemory = NO_MEMORY;
  const sent: string[] = [];
  for (let height = 1; height < 100; height++) {
    const reportable = isReported ? [] : [piece({ announcedIn })];
    const next = nextActs(view({ height, own: undefined, reportable }), memory, ACCOUNT);
    memory = next.memory;
    for (const act of next.acts) {
      sent.push(`${act.kind} after ${height - announcedIn}`);
      if (act.kind === "announce") announcedIn = height + 1;
      isReported ||= act.kind === "report";
    }
  }
  assert.equal(sent.length, 2, sent.join());
  assert.match(sent[0]!, /^announce after ([1-9]|[12][0-9])$/);
  // The block of the announcement is the first whose state shows it.
  assert.equal(sent[1], "report after 0");
});

test("accounts take turns: not all announce at once, and turns differ with the contradiction", () => {
  const accounts = Array.from({ length: 24 }, (_, index) =>
    addressFromHex((index + 1).toString(16).padStart(40, "0")),
  );
  const firstOf = (evidence: Bytes): readonly number[] =>
    accounts.map((account) => {
      const viewAt = (height: number): DutyView =>
        view({ height, own: undefined, reportable: [piece({ evidence })] });
      return Number(look(40, viewAt, account)[0]!.split("@")[1]);
    });
  const [first, second] = [firstOf(EVIDENCE), firstOf(Uint8Array.of(9))];
  assert.ok(new Set(first).size >= 5, first.join());
  assert.ok(Math.max(...first) <= 28);
  assert.notDeepEqual(first, second);
});

test("of several contradictions of one validator in one epoch one is reported: the one that is announced", () => {
  const reportable = [
    piece({ evidence: Uint8Array.of(4) }),
    piece({ evidence: Uint8Array.of(5), announcedIn: 90 }),
    piece({ evidence: Uint8Array.of(6), announcedIn: 91 }),
    piece({ staker: 10, evidence: Uint8Array.of(7), announcedIn: 92 }),
  ];
  const { acts } = nextActs(view({ own: undefined, reportable }), NO_MEMORY, ACCOUNT);
  assert.deepEqual(acts, [
    { kind: "report", evidence: Uint8Array.of(5), consensusKey: KEY },
    { kind: "report", evidence: Uint8Array.of(7), consensusKey: KEY },
  ]);
});

test("a validator does not report itself, and sends no more than four reports at once", () => {
  const many = Array.from({ length: 20 }, (_, index) =>
    piece({ staker: index, evidence: Uint8Array.of(index), announcedIn: 3 }),
  );
  const { acts } = nextActs(view({ reportable: many }), NO_MEMORY, ACCOUNT);
  assert.deepEqual(
    acts.map(({ kind }) => kind),
    ["reveal", "report", "report", "report", "report"],
  );
  const own = nextActs(view({ reportable: [piece({ staker: 3, announcedIn: 1 })] }), NO_MEMORY, ACCOUNT);
  assert.deepEqual(
    own.acts.map(({ kind }) => kind),
    ["reveal"],
  );
});

test("the commitment is keccak256(abi.encode(keccak256(evidence), sender))", () => {
  const encoded = encodeAbiParameters(
    [{ type: "bytes32" }, { type: "address" }],
    [viemKeccak256(EVIDENCE), toHex(ACCOUNT)],
  );
  assert.equal(toHex(commitmentOf(EVIDENCE, ACCOUNT)), viemKeccak256(encoded));
});

test("memory stays small whatever is seen, and the same look gives the same acts", () => {
  let memory: ActMemory = NO_MEMORY;
  for (let round = 0; round < 700; round++) {
    const looked = view({ round, reportable: [piece({ evidence: Uint8Array.of(round & 255, round >> 8) })] });
    const first = nextActs(looked, memory, ACCOUNT);
    assert.deepEqual(nextActs(looked, memory, ACCOUNT), first);
    memory = first.memory;
  }
  assert.ok(memory.attempts.size <= 514 && memory.seen.size <= 513);
});
