import assert from "node:assert/strict";
import { test } from "node:test";
import { Height } from "@ostrom/base";
import type { Certificate, OrderedBlock, SimplexConfig } from "../index.ts";
import { blockAt, certificateOf, DrivenNode, digestOf, TEST_CONFIG } from "../testing/driven-node.ts";

/** Blocks of views 1 to `count`, and the finalization of the last: no other was finalized itself. */
function run(count: number): { readonly chain: readonly OrderedBlock[]; readonly finalization: Certificate } {
  const chain: OrderedBlock[] = [];
  for (let view = 1; view <= count; view++) chain.push(blockAt(view, chain.at(-1)));
  return { chain, finalization: certificateOf("finalization", count, digestOf(chain.at(-1)!)) };
}

/** A node that has heard of the finalization and asks for blocks. */
function asking(finalization: Certificate, change: Partial<SimplexConfig> = {}): DrivenNode {
  const node = new DrivenNode(change);
  node.receive(1, { kind: "certificate", certificate: finalization });
  return node;
}

function nextRequest(node: DrivenNode): { readonly peer: number; readonly fromHeight: number } {
  for (let tick = 0; tick < 64; tick++) {
    const [sync] = node.take("sync");
    if (sync !== undefined) return sync;
    node.timeout("fetch");
  }
  assert.fail("it asks for blocks");
}

const PER_ANSWER = 4;

function answer(
  node: DrivenNode,
  chain: readonly OrderedBlock[],
  finalization: Certificate,
): { readonly peer: number; readonly fromHeight: number } {
  const request = nextRequest(node);
  const blocks = chain.slice(request.fromHeight - 1, request.fromHeight - 1 + PER_ANSWER);
  node.receive(request.peer, { kind: "block-range", blocks, finalization });
  return request;
}

test("S11: a run of blocks none of which was finalized itself, longer than an answer, is linked first and then taken", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  const asked: number[] = [];
  while (node.state.tip.height < 10) {
    const before = node.state.tip.height;
    const { fromHeight } = answer(node, chain, finalization);
    asked.push(fromHeight);
    if (asked.length < 3)
      assert.equal(node.state.tip.height, before, "nothing is final before the end is reached");
  }
  assert.deepEqual(asked, [1, 5, 9, 1, 5, 9]);
  assert.deepEqual(
    node.take("finalized").map(({ block }) => block.height),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  assert.equal(node.take("fault").length, 0);
  assert.equal(node.state.trail, undefined);
});

test("S11: the second pass may come from anybody, and end where its sender has a finalization", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  for (let pass = 0; pass < 3; pass++) answer(node, chain, finalization);
  const middle = certificateOf("finalization", 6, digestOf(chain[5]!));
  node.receive(2, { kind: "block-range", blocks: chain.slice(0, 6), finalization: middle });
  assert.equal(node.state.tip.height, 6);
  node.receive(3, { kind: "block-range", blocks: chain.slice(6), finalization });
  assert.equal(node.state.tip.height, 10);
  assert.equal(node.take("fault").length, 0);
});

test("S11: what nobody asked for, and nothing proves final, is not hashed", () => {
  const { chain, finalization } = run(10);
  let hashed = 0;
  const { domain } = TEST_CONFIG;
  const hash: typeof domain.hash = (data) => {
    hashed++;
    return domain.hash(data);
  };
  const node = asking(finalization, { domain: { ...domain, hash } });
  const { peer } = nextRequest(node);
  const blocks = chain.slice(0, PER_ANSWER);
  hashed = 0;
  node.receive(peer === 1 ? 2 : 1, { kind: "block-range", blocks, finalization });
  assert.equal(hashed, 0);
  node.receive(peer, { kind: "block-range", blocks, finalization });
  assert.ok(hashed >= PER_ANSWER);
  assert.equal(node.state.trail?.peer, peer);
});

test("S11: blocks that lead past the final one convict their sender, and another is asked from the beginning", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  const { peer } = answer(node, chain, finalization);
  const forged: OrderedBlock[] = [];
  for (let view = 5; view <= 11; view++)
    forged.push(blockAt(view, forged.at(-1) ?? chain[3]!, { payload: Uint8Array.of(view) }));
  const more = nextRequest(node);
  assert.deepEqual([more.peer, more.fromHeight], [peer, 5]);
  node.receive(peer, { kind: "block-range", blocks: forged.slice(0, 4), finalization });
  assert.equal(node.take("fault").length, 0, "so far it may be true");
  nextRequest(node);
  node.receive(peer, { kind: "block-range", blocks: forged.slice(4), finalization });
  assert.deepEqual(
    node.take("fault").map((effect) => [effect.peer, effect.code]),
    [[peer, "consensus/bad-segment"]],
  );
  assert.equal(node.take("finalized").length, 0);
  assert.equal(nextRequest(node).fromHeight, 1);
});

test("S11: who does not go on is asked three times; then everything begins anew with another", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  const { peer } = answer(node, chain, finalization);
  for (let times = 0; times < 3; times++) assert.equal(nextRequest(node).fromHeight, 5);
  let request = nextRequest(node);
  for (let times = 0; times < 3 && request.peer === peer; times++) request = nextRequest(node);
  assert.notEqual(request.peer, peer);
  assert.equal(request.fromHeight, 1);
});

test("S11: blocks without proof are kept for nobody who was not asked, and without a true certificate for nobody", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  const { peer } = nextRequest(node);
  const other = [1, 2, 3].find((one) => one !== peer)!;
  const blocks = chain.slice(0, PER_ANSWER);
  node.receive(other, { kind: "block-range", blocks, finalization });
  assert.equal(node.state.trail, undefined);
  const forged = { ...certificateOf("finalization", 9, digestOf(chain[8]!)), signature: new Uint8Array(16) };
  for (const certificate of [forged, certificateOf("notarization", 9, digestOf(chain[8]!))])
    node.receive(peer, { kind: "block-range", blocks, finalization: certificate });
  assert.equal(node.state.trail, undefined);
  assert.equal(node.take("fault").length, 2);
});

test("E3, S11: an epoch's last block is taken with its proof only", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization, { lastHeight: Height(4) });
  const { peer } = nextRequest(node);
  node.receive(peer, { kind: "block-range", blocks: chain.slice(0, PER_ANSWER), finalization });
  assert.equal(node.state.trail, undefined);
  assert.equal(node.take("fault")[0]?.peer, peer);
});

test("S11: an answer that comes twice, or late, is nobody's fault", () => {
  const { chain, finalization } = run(10);
  const node = asking(finalization);
  for (let pass = 0; pass < 2; pass++) {
    const { peer, fromHeight } = answer(node, chain, finalization);
    const blocks = chain.slice(fromHeight - 1, fromHeight - 1 + PER_ANSWER);
    node.receive(peer, { kind: "block-range", blocks, finalization });
  }
  node.receive(1, { kind: "block-range", blocks: chain, finalization });
  node.receive(1, { kind: "block-range", blocks: chain.slice(4, 8), finalization });
  assert.equal(node.state.tip.height, 10);
  assert.equal(node.take("fault").length, 0);
});
