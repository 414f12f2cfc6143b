/** One link, as `ostrom_getPeers` tells it. */
export type PeerLink = {
  readonly peerId: string;
  readonly name: string | null;
  readonly connected: boolean;
  readonly direction: "both" | "outbound" | "inbound" | "none";
  readonly address: string | null;
  readonly connectedMs: number | null;
  readonly roundTripMs: number | null;
  readonly sent: { readonly frames: number; readonly bytes: number };
  readonly received: { readonly frames: number; readonly bytes: number };
  readonly queuedBytes: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly dials: number;
  readonly strikes: number;
  readonly lastDownReason: string | null;
  readonly version: string | null;
  readonly height: string | null;
};

/** What `ostrom_nodeInfo` tells. */
export type NodeInfo = {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly peerId: string;
  readonly role: "validator" | "follower" | "miner";
  readonly modes: { readonly keeps: string; readonly sync: string; readonly historyBlocks: number };
  readonly startedAt: number;
  readonly uptimeMs: number;
  readonly heads: { readonly latest: string; readonly certified: string };
};

/** One node of the network with its links; without `info`, it does not answer. */
export type AskedNode = {
  readonly name: string;
  readonly path: string;
  readonly info: NodeInfo | undefined;
  readonly links: readonly PeerLink[];
};
