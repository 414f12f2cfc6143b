import assert from "node:assert/strict";
import { test } from "node:test";
import { Hash, must, unwrap, utf8, View } from "@ostrom/base";
import { decodeBlock, leaderOf } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { readOrdered } from "@ostrom/storage";
import { installNativeCrypto } from "./native-crypto.ts";
import { orderedOf } from "./recalled-report.ts";
import { EpochNetwork, type Member } from "./testing/epoch-network.ts";
import { consensusSet } from "./validator-sets.ts";

installNativeCrypto();

const WEIGHTS = [5, 4, 3, 2];
const SEEDS = [undefined, Hash(keccak256(utf8("one"))), Hash(keccak256(utf8("two"))), undefined];

function seededNetwork(): EpochNetwork {
  const setOf = (): readonly Member[] => WEIGHTS.map((weight, node) => ({ node, weight }));
  const seedOf = (epoch: number): Hash | undefined => SEEDS[epoch];
  return new EpochNetwork({ nodes: 5, epochLength: 12, epochLead: 4, setOf, seedOf });
}

test("each epoch has the leaders of its own seed; a node that comes later follows, and sees the same origins", async () => {
  const network = seededNetwork();
  await network.start(0, 1, 2, 3);
  const voting = [0, 1, 2, 3];
  const isDone = (): boolean => voting.every((node) => network.certified(node) >= 48);
  assert.ok(await network.until(isDone), network.describe());
  await network.start(4);
  assert.ok(await network.until(() => network.height(4) >= 48), network.describe());
  let differing = 0;
  for (let height = 1; height <= 48; height++) {
    const [live, synced] = [0, 4].map((node) =>
      must(readOrdered(network.nodes[node]!.store, height), "stored"),
    );
    const { epoch, view, proposer } = unwrap(decodeBlock(live!.block));
    const set = consensusSet(network.storedSet(epoch), epoch);
    assert.equal(leaderOf(network.domain, set, View(view)), proposer, `height ${height}`);
    if (leaderOf(network.domain, { ...set, leaderSeed: undefined }, View(view)) !== proposer) differing++;
    const input = { height, orderedBlock: live!.block } as Parameters<typeof orderedOf>[0];
    const { origin } = orderedOf(input);
    assert.deepEqual(origin, orderedOf({ ...input, orderedBlock: synced!.block }).origin);
    assert.deepEqual([origin?.epoch, origin?.view, origin?.proposer], [epoch, view, proposer]);
    if (height > 8) {
      assert.ok(must(origin?.certified, "results are certified by then").height < height);
      assert.ok(origin!.certified!.signers.some((byte) => byte !== 0));
    }
  }
  assert.ok(differing > 5, "leaders without the seed would have been others");
  assert.deepEqual(
    network.nodes.flatMap(({ failures }) => failures),
    [],
  );
});
