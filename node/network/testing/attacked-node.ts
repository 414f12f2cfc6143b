import assert from "node:assert/strict";
import { utf8 } from "@ostrom/base";
import { createIdentity, type Identity } from "../identity.ts";
import type { IdentityKind } from "../identity-kinds.ts";
import type { LinkLimits } from "../limits.ts";
import { TestNetwork, type TestNode, until } from "./nodes.ts";

/** A node under attack, and an identity that it allows, whose owner does as the test likes. */
export async function attack(
  work: (node: TestNode, insider: Identity, network: TestNetwork) => Promise<void>,
  limits: Partial<LinkLimits> = {},
  kind: IdentityKind = "ed25519",
): Promise<void> {
  const network = new TestNetwork(limits, kind);
  try {
    const insider = createIdentity(kind);
    network.allowed.add(insider.peerId);
    const node = await network.start({ peers: () => [] });
    await work(node, insider, network);
    // Whatever happened: an honest node can still be linked.
    const honest = await network.start({ peers: () => [node.address] });
    await until("an honest node is linked", () => honest.links.connected().length === 1);
    assert.equal(honest.links.send(node.identity.peerId, "consensus", utf8("vote")), true);
    await until("its vote came", () =>
      node.received.some((frame) => frame.peerId === honest.identity.peerId),
    );
  } finally {
    await network.stop();
  }
}

/** How many connections a node has turned away for that reason. */
export function refused(node: TestNode, reason: string): number {
  return node.links.stats().refused[reason] ?? 0;
}
