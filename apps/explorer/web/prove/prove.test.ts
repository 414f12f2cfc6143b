import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, toHex, toHexDigits } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { fingerprint, readAnchor } from "./kept-anchor.ts";
import { leadReport, type NodeReport, outcomeOf, PROOF_STEPS } from "./proof-model.ts";
import { stateOfFailure, stepOfFailure } from "./refusal.ts";
import { listedSteps, numberOf } from "./steps.ts";
import { retracePath } from "./trie-path.ts";

const KEY = "12a4";
const LEAF = encodeRlp([Uint8Array.of(0x20, 0xa4), new Uint8Array(40).fill(1)]);

function branch(index: number, child: Bytes): Bytes {
  const items = new Array<Bytes>(17).fill(new Uint8Array(0));
  items[index] = child;
  return encodeRlp(items);
}

test("a path is retold from the root to the leaf, with the digits that each node takes", () => {
  const extension = encodeRlp([Uint8Array.of(0x11), keccak256(branch(2, keccak256(LEAF)))]);
  const nodes = [extension, branch(2, keccak256(LEAF)), LEAF];
  const path = retracePath(KEY, nodes, keccak256);
  assert.deepEqual(
    path.map(({ kind, before, taken }) => [kind, before, taken]),
    [
      ["extension", "", "1"],
      ["branch", "1", "2"],
      ["leaf", "12", "a4"],
    ],
  );
  assert.deepEqual(
    path.map(({ hash }) => hash),
    nodes.map((node) => toHex(keccak256(node))),
  );
});

test("a path that ends without an entry says so: an empty child, or another leaf", () => {
  const empty = retracePath(KEY, [branch(3, keccak256(LEAF))], keccak256);
  assert.deepEqual([empty[0]?.kind, empty[0]?.taken], ["branch", ""]);
  const other = encodeRlp([Uint8Array.of(0x20, 0xff), new Uint8Array(40).fill(1)]);
  const [, leaf] = retracePath(KEY.slice(0, 3), [branch(1, keccak256(other)), other], keccak256);
  assert.deepEqual([leaf?.kind, leaf?.taken], ["leaf", ""]);
});

test("a short node within its parent is a part of it", () => {
  const items = new Array<Bytes | Bytes[]>(17).fill(new Uint8Array(0));
  items[1] = [Uint8Array.of(0x32, 0xa4), Uint8Array.of(7)];
  const [node] = retracePath(toHexDigits(Uint8Array.of(0x12, 0xa4)), [encodeRlp(items)], keccak256);
  assert.deepEqual([node?.kind, node?.taken], ["branch", KEY]);
});

test("each refusal is at the step that it is about", () => {
  const step = (phase: Parameters<typeof stepOfFailure>[0], code: string, message = ""): string =>
    stepOfFailure(phase, { code, message });
  assert.equal(step("sync", "certificate/signature"), "certificate");
  assert.equal(step("sync", "light/wrong-header"), "header");
  assert.equal(step("sync", "light/malformed", "header: truncated"), "header");
  assert.equal(step("sync", "light/malformed", "certificate: truncated"), "certificate");
  assert.equal(step("sync", "light/wrong-set"), "validators");
  assert.equal(step("sync", "light/checkpoint-too-old"), "anchor");
  assert.equal(step("block", "light/wrong-header"), "ancestor");
  assert.equal(step("proof", "proof/wrong-hash"), "path");
  assert.equal(step("proof", "light/wrong-value"), "value");
  assert.equal(step("compare", "page/other-value"), "value");
  assert.equal(step("sync", "light/equivocation"), "certificate");
});

test("no answer is no lie", () => {
  assert.equal(stateOfFailure({ code: "light/unreachable", message: "" }), "unreachable");
  assert.equal(stateOfFailure({ code: "page/not-certified", message: "" }), "unreachable");
  assert.equal(stateOfFailure({ code: "proof/wrong-hash", message: "" }), "refused");
});

test("one node's proof is enough; a refusal counts more than silence", () => {
  const node = (state: NodeReport["state"]): NodeReport => ({ node: state, state, facts: [] });
  assert.equal(outcomeOf([node("refused"), node("proved"), node("running")]), "proved");
  assert.equal(outcomeOf([node("refused"), node("running")]), "running");
  assert.equal(outcomeOf([node("refused"), node("unreachable")]), "refused");
  assert.equal(outcomeOf([node("unreachable")]), "unavailable");
  assert.equal(leadReport([node("unreachable"), node("refused")])?.state, "refused");
  assert.equal(leadReport([node("refused"), node("proved")])?.state, "proved");
});

test("the step about an older block is listed only where there is one", () => {
  assert.equal(listedSteps([], undefined).length, PROOF_STEPS.length - 1);
  assert.equal(listedSteps([{ step: "ancestor" }], undefined).length, PROOF_STEPS.length);
  assert.equal(numberOf("value", []), 6);
  assert.equal(numberOf("value", [{ step: "ancestor" }]), 7);
});

test("what is kept damaged is not trusted, and a fingerprint reads in groups", () => {
  const hash = `0x${"ab12".repeat(16)}`;
  const pin = { genesisHash: hash, setHash: hash };
  assert.deepEqual(readAnchor(JSON.stringify({ pin, pinnedAtMs: 5 })), { pin, pinnedAtMs: 5 });
  assert.deepEqual(readAnchor(JSON.stringify({ pin: { genesisHash: "0x12", setHash: hash } })), {});
  assert.deepEqual(readAnchor("{"), {});
  assert.deepEqual(readAnchor(undefined), {});
  assert.equal(fingerprint("0xab12cd34"), "ab12 cd34");
});
