/** What a load is put on: our network, or another program that takes Ethereum transactions by JSON-RPC. */
export type Peer = {
  readonly name: string;
  /** How it runs, for the printed line. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** JSON-RPC over HTTP; the first one takes WebSocket connections too. */
  readonly urls: readonly string[];
  /** Ids of all its processes, the client's not among them. */
  readonly processes: readonly number[];
  readonly stop: () => Promise<void>;
};

export type StartPeer = () => Promise<Peer>;
