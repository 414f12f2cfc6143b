import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Hash } from "@ostrom/base";
import {
  Discovery,
  formatSnapshot,
  type HostPort,
  type Identity,
  isRecordSigned,
  isRoutable,
  type Links,
  type PeerId,
  readSnapshot,
  signRecord,
} from "@ostrom/network";
import { replaceSecretFile } from "@ostrom/storage";
import type { Cleanup } from "./cleanup.ts";
import { type DiscoveryConfiguration, parseBootstrap } from "./discovery-configuration.ts";
import { machineClock, machineEntropy } from "./machine.ts";
import type { Log } from "./ports.ts";

/** What a node knows of others, in its folder. It holds a key: readable by its owner alone. */
export const PEERS_FILE = "peers.json";

const TICK_MS = 1_000;
const SAVE_INTERVAL_MS = 300_000;

export type NodeDiscoveryOptions = {
  readonly folder: string;
  readonly discovery: DiscoveryConfiguration;
  readonly bootstrap: readonly string[];
  readonly link: HostPort;
  readonly starvedAfterMs?: number;
  readonly genesisHash: Hash;
  readonly identity: Identity;
  readonly links: () => Links;
  readonly isReserved: (peerId: PeerId) => boolean;
  readonly isOpen: () => boolean;
  readonly isValidator: () => boolean;
  readonly heard: (peerId: PeerId, height: number) => void;
  readonly log: Log;
};

/** Discovery on a machine: its file, its clock, its records. `start` begins to look for others. */
export function createNodeDiscovery(options: NodeDiscoveryOptions): {
  readonly discovery: Discovery;
  readonly start: (cleanup: Cleanup) => void;
} {
  const { folder, genesisHash, identity, links, log } = options;
  const path = join(folder, PEERS_FILE);
  const discovery = new Discovery(
    {
      peerId: identity.peerId,
      genesisHash,
      addresses: ownAddresses(options),
      bootstrap: parseBootstrap(options.bootstrap),
      slots: options.discovery.slots,
      allowsLocal: allowsLocal(options),
      ...(options.starvedAfterMs === undefined ? {} : { starvedAfterMs: options.starvedAfterMs }),
    },
    {
      ...options,
      clock: machineClock,
      entropy: machineEntropy,
      sign: (record) => signRecord(record, identity),
      isSigned: isRecordSigned,
      send: (peerId, payload) => links().tell(peerId, payload),
      probe: (address, answer) => void links().probe(address).then(answer),
      changed: () => links().refresh(),
      roles: () => [options.isValidator() ? "validator" : "follower", "archive"],
    },
    readKept(path, genesisHash, log),
  );
  const save = async (): Promise<void> => {
    try {
      await replaceSecretFile(path, formatSnapshot(discovery.snapshot()));
    } catch (error) {
      // It finds others anew after a restart.
      log("warn", "the list of peers cannot be saved", { path, reason: (error as Error).message });
    }
  };
  const start = (cleanup: Cleanup): void => {
    discovery.tick();
    const ticking = setInterval(() => discovery.tick(), TICK_MS);
    const saving = setInterval(() => void save(), SAVE_INTERVAL_MS);
    cleanup.add(async () => {
      clearInterval(ticking);
      clearInterval(saving);
      await save();
    });
  };
  return { discovery, start };
}

/** A list that cannot be read is none: the node begins with its bootstrap addresses. */
function readKept(
  path: string,
  genesisHash: Hash,
  log: Log,
): Parameters<typeof formatSnapshot>[0] | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kept = readSnapshot(readFileSync(path, "utf8"), genesisHash);
    if (kept.ok) return kept.value;
    log("warn", "the list of peers is damaged: others are looked for anew", {
      path,
      reason: kept.error.message,
    });
  } catch (error) {
    log("warn", "the list of peers cannot be read", { path, reason: (error as Error).message });
  }
  return undefined;
}

/** Where others reach this node: what node.json says, else where it listens, if that is one address and not all of them. */
function ownAddresses({ discovery, link }: NodeDiscoveryOptions): readonly HostPort[] {
  if (discovery.advertise.length > 0)
    return parseBootstrap(discovery.advertise).map(({ host, port }) => ({ host, port }));
  const isOne = isIP(link.host) !== 0 && link.host !== "0.0.0.0" && link.host !== "::" && link.port > 0;
  return isOne ? [link] : [];
}

/** A node that listens on its own machine or in a local network alone looks for others there. */
function allowsLocal({ discovery, link }: NodeDiscoveryOptions): boolean {
  if (discovery.allowLocal !== "auto") return discovery.allowLocal === "on";
  const isUnspecified = link.host === "0.0.0.0" || link.host === "::";
  return link.host === "localhost" || (!isUnspecified && !isRoutable(link.host));
}
