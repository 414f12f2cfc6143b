import { consensusDomain } from "@ostrom/consensus";
import { type Genesis, genesisHash } from "@ostrom/execution";
import { floorOperation, readFloor, readMeta, type Store } from "@ostrom/storage";
import { Cleanup } from "./cleanup.ts";
import { machineClock } from "./machine.ts";
import type { NodeParts } from "./node-assembly.ts";
import { createNodeLinks } from "./node-links.ts";
import { SnapshotFetch } from "./snapshot-fetch.ts";
import { isSnapshotFrame } from "./snapshot-messages.ts";
import { readStartedSnapshot, wipeStartedSnapshot } from "./snapshot-tasks.ts";

/** What a node does to its database before it executes anything: it notes how much is to be kept, and, where there is no chain yet and
 * node.json says so, fetches a state. For that it is linked with others, but serves nobody and has no say.
 * Rejects with `storage/...`. */
export async function prepareDatabase(parts: NodeParts<Genesis>, store: Store): Promise<void> {
  const { settings, log } = parts;
  await keepAsConfigured(store, settings.mode === "pruned" ? settings.keptBlocks : 0);
  if (readMeta(store) !== undefined) return;
  if (settings.sync === "snapshot") {
    await joinBySnapshot(parts, store);
  } else if (readStartedSnapshot(store) !== undefined) {
    log("warn", "a state that was fetched in part is removed: node.json says to execute all blocks");
    await wipeStartedSnapshot(store);
  }
}

async function keepAsConfigured(store: Store, keptBlocks: number): Promise<void> {
  const floor = readFloor(store);
  if (floor.keptBlocks === keptBlocks) return;
  await store.write([floorOperation({ ...floor, keptBlocks })], { sync: true });
}

async function joinBySnapshot(parts: NodeParts<Genesis>, store: Store): Promise<void> {
  const { genesis, secrets, log } = parts;
  const { rules, validatorSet } = genesis;
  const domain = consensusDomain(genesisHash(genesis), rules.hashId, validatorSet.schemeId);
  const cleanup = new Cleanup();
  const { links, network, attach, start } = createNodeLinks({
    ...parts,
    isOpenChain: genesis.profile === "public",
    spreadsToAll: false,
    heard: () => undefined,
    genesisHash: domain.genesisHash,
    identity: secrets.identity,
    linkedSets: () => [validatorSet],
    wasValidator: () => false,
  });
  const fetch = new SnapshotFetch(genesis, domain, {
    clock: machineClock,
    log,
    store,
    send: (peerId, payload) => void network.send(peerId, "sync", payload),
    punish: (peerId, reason) => links.punish(peerId, reason),
  });
  attach({
    onFrame: (peerId, channel, payload) => {
      if (channel === "sync" && isSnapshotFrame(payload)) fetch.frame(peerId, payload);
    },
    onUp: (peerId) => fetch.up(peerId),
    onDown: (peerId) => fetch.down(peerId),
  });
  try {
    await start(cleanup);
    log("info", "this node has no chain: it looks for a state to begin with");
    const { kind } = await fetch.run();
    if (kind === "nothing") {
      log("info", "nobody serves a state of this chain yet: all blocks are executed");
      await wipeStartedSnapshot(store);
    }
  } finally {
    await cleanup.run(log);
  }
}
