import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "@ostrom/base";
import { aboutFrame, MAX_ABOUT_CHARACTERS, readAbout } from "./about-frame.ts";
import { FRAME_HEADER_BYTES } from "./frame-codec.ts";
import { TestNetwork, type TestNode, until } from "./testing/nodes.ts";

const peerOf = (node: TestNode) => node.links.stats().peers[0];

async function withPair(
  programs: readonly [string | undefined, string | undefined],
  work: (a: TestNode, b: TestNode) => Promise<void>,
): Promise<void> {
  const network = new TestNetwork({ idleTimeoutMs: 3_000 });
  try {
    const a = await network.start({ program: programs[0] });
    const b = await network.start({ program: programs[1] });
    await until("both connections stand", () =>
      [a, b].every((node) => node.links.stats().peers.every((peer) => peer.isDialed && peer.isAccepted)),
    );
    await work(a, b);
  } finally {
    await network.stop();
  }
}

test("about: two nodes that say it know each other's program, and how long a ping takes", () =>
  withPair(["Ostrom/1", "Ostrom/2"], async (a, b) => {
    await until(
      "they have said it",
      () => peerOf(a)?.program === "Ostrom/2" && peerOf(b)?.program === "Ostrom/1",
    );
    await until("pings are answered", () => [a, b].every((node) => peerOf(node)?.roundTripMs !== undefined));
    assert.equal(peerOf(a)?.strikes, 0);
    assert.deepEqual([...a.downs, ...b.downs], []);
  }));

test("about: a node that knows nothing of it is linked as ever, and is not told", () =>
  withPair(["Ostrom/1", undefined], async (a, b) => {
    await until("pings are answered", () => [a, b].every((node) => peerOf(node)?.roundTripMs !== undefined));
    assert.equal(peerOf(a)?.program, undefined);
    assert.equal(peerOf(b)?.program, undefined);
    assert.deepEqual([peerOf(a)?.strikes, peerOf(b)?.strikes], [0, 0]);
    assert.deepEqual([...a.downs, ...b.downs], []);
  }));

test("about: names are cut off, and only printable ASCII is read", () => {
  const payload = aboutFrame("x".repeat(500)).subarray(FRAME_HEADER_BYTES);
  assert.equal(readAbout(payload), "x".repeat(MAX_ABOUT_CHARACTERS));
  for (const bad of ["", "\n", "é", "a\u0000"])
    assert.equal(readAbout(Uint8Array.of(5, ...utf8(bad))), undefined);
});
