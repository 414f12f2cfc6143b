import { toHexDigits } from "@ostrom/base";
import { quantity } from "@ostrom/rpc-schema";
import type { JsonObject } from "./json.ts";
import { defineMethod, type Method, type RequestContext } from "./method.ts";
import type { PeerReport } from "./node-reads.ts";

/** Whoever may call this sees where peers are. */
const OPERATOR_METHOD = "admin_nodeInfo";

/** What a node is, and whom it is linked with. */
export const peerMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_nodeInfo",
    summary:
      "What this node is: its program, its chain's engine and algorithms, what it keeps, how long it has run.",
    parameters: [],
    returns:
      "null or {name, version, engine, profile, suite: {consensus, hash, transport}, peerId, role: validator | follower | miner, " +
      "modes: {keeps, sync, historyBlocks, mining}, chainId, genesisHash, startedAt (ms since 1970), uptimeMs, heads: {latest, certified}, peers}",
    run: (context) => describeNode(context),
  }),
  defineMethod({
    name: "ostrom_getPeers",
    summary:
      "The links of this node, also those that are down: which way, how long, how fast, how much. Addresses are told to operators alone.",
    parameters: [],
    returns:
      "[{peerId, name, connected, direction: both | outbound | inbound | none, address, connectedMs, roundTripMs, sent: {frames, bytes}, " +
      "received: {frames, bytes}, queuedBytes, dropped: {channel: frames}, dials, strikes, lastDownReason, version, height}]",
    run: async (context) => {
      const peers = (await context.backend.node?.peers()) ?? [];
      const isOperator = context.access.refusal(OPERATOR_METHOD, context.session) === undefined;
      return peers.map((peer) => describePeer(peer, isOperator));
    },
  }),
];

function describeNode({ backend, blocks, nowMs }: RequestContext): JsonObject | null {
  const { node, validators, info } = backend;
  if (node === undefined) return null;
  const { name, version, engine, profile, suite, peerId, mode, sync, historyBlocks, startedAtMs } =
    node.about;
  const mining = backend.mining?.();
  const set = validators?.set(validators.currentEpoch());
  const isValidator =
    set?.validators.some(({ transportKey }) => toHexDigits(transportKey) === peerId) === true;
  const { latest, certified } = blocks.heads();
  return {
    name,
    version,
    engine,
    profile,
    suite: { ...suite },
    peerId,
    role: isValidator ? "validator" : mining?.isMining === true ? "miner" : "follower",
    modes: { keeps: mode, sync, historyBlocks, mining: mining?.isMining ?? false },
    chainId: quantity(info.rules.chainId),
    genesisHash: `0x${toHexDigits(info.genesisHash)}`,
    startedAt: startedAtMs,
    uptimeMs: Math.max(0, nowMs() - startedAtMs),
    heads: { latest: quantity(latest), certified: quantity(certified) },
    peers: quantity(backend.peerCount()),
  };
}

function describePeer(peer: PeerReport, isOperator: boolean): JsonObject {
  const { peerId, isDialed, isAccepted, sent, received, queuedBytes, dropped, dials, strikes } = peer;
  const direction = isDialed ? (isAccepted ? "both" : "outbound") : isAccepted ? "inbound" : "none";
  return {
    peerId,
    name: peer.name ?? null,
    connected: peer.isConnected,
    direction,
    address: isOperator ? (peer.address ?? null) : null,
    connectedMs: peer.connectedMs ?? null,
    roundTripMs: peer.roundTripMs === undefined ? null : Math.round(peer.roundTripMs * 100) / 100,
    sent: { ...sent },
    received: { ...received },
    queuedBytes,
    dropped: { ...dropped },
    dials,
    strikes,
    lastDownReason: peer.lastDownReason ?? null,
    version: peer.version ?? null,
    height: peer.height === undefined ? null : quantity(peer.height),
  };
}
