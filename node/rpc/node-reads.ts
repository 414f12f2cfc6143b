/** What a node tells of itself and of those that it is linked with. */
export type NodeReads = {
  readonly about: NodeAbout;
  /** All that it is linked with, or tries to reach. */
  readonly peers: () => Promise<readonly PeerReport[]>;
};

/** All of it stays as it is while the node runs. */
export type NodeAbout = {
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly profile: string;
  /** Names of the algorithms that genesis has chosen. */
  readonly suite: {
    readonly consensus: string;
    readonly hash: string;
    readonly transport: string;
  };
  readonly peerId: string;
  /** What it keeps (`full`, `archive`, `pruned`), how it came by the chain (`replay`, `snapshot`), how many blocks back state can be read. */
  readonly mode: string;
  readonly sync: string;
  readonly historyBlocks: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
};

/** One link as its end here sees it. */
export type PeerReport = {
  readonly peerId: string;
  /** As the validator set has it; undefined for others. */
  readonly name: string | undefined;
  readonly isConnected: boolean;
  /** Connections that this node dialed, and that the other did. */
  readonly isDialed: boolean;
  readonly isAccepted: boolean;
  /** Where the other is: for operators alone. */
  readonly address: string | undefined;
  /** How long it has been connected. */
  readonly connectedMs: number | undefined;
  /** Of the newest ping. */
  readonly roundTripMs: number | undefined;
  readonly sent: { readonly frames: number; readonly bytes: number };
  readonly received: { readonly frames: number; readonly bytes: number };
  /** What waits to be sent, and frames that found no room, by channel. */
  readonly queuedBytes: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly dials: number;
  readonly strikes: number;
  readonly lastDownReason: string | undefined;
  /** What its program calls itself. */
  readonly version: string | undefined;
  /** The newest block that it says it has executed. */
  readonly height: number | undefined;
};
