import type { AnyGenesis } from "@ostrom/execution";
import type { LinksStatistics, PeerId } from "@ostrom/network";
import type { NodeAbout, PeerReport } from "@ostrom/rpc";
import type { NodeParts } from "./node-assembly.ts";

/** What the node tells of its links. @param nameOf of a validator. @param heightOf the newest block that a peer says it has executed. */
export function reportPeers(
  { peers }: LinksStatistics,
  nameOf: (peerId: PeerId) => string | undefined,
  heightOf: (peerId: PeerId) => number | undefined,
): readonly PeerReport[] {
  return peers.map((peer) => {
    const { peerId, remoteHost, dialedPort, readyMs, roundTripMs, program } = peer;
    const { isDialed, isAccepted, sent, received, queuedBytes, dropped, dials, strikes } = peer;
    return {
      peerId,
      name: nameOf(peerId),
      isConnected: isDialed || isAccepted,
      isDialed,
      isAccepted,
      address: remoteHost === undefined ? undefined : addressText(remoteHost, dialedPort),
      connectedMs: readyMs,
      roundTripMs,
      sent,
      received,
      queuedBytes,
      dropped,
      dials,
      strikes,
      lastDownReason: peer.lastDownReason,
      version: program,
      height: heightOf(peerId),
    };
  });
}

function addressText(host: string, port: number | undefined): string {
  if (port === undefined) return host;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What the node tells of itself. */
export function describeNode(
  { settings, genesis, secrets }: Pick<NodeParts<AnyGenesis>, "settings" | "genesis" | "secrets">,
  version: string,
): NodeAbout {
  const { suite, consensus, profile } = genesis;
  return {
    name: settings.name,
    version,
    engine: consensus.engine,
    profile,
    suite: { consensus: suite.consensus, hash: suite.hash, transport: suite.transport },
    peerId: secrets.identity.peerId,
    mode: settings.mode,
    sync: settings.sync,
    historyBlocks: settings.historyBlocks,
    startedAtMs: Math.round(performance.timeOrigin),
  };
}
