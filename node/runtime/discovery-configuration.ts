import { type BootstrapAddress, DEFAULT_SLOT_LIMITS, type SlotLimits } from "@ostrom/network";

/** `discovery` in node.json: how a node is linked with nodes that nobody has named to it. */
export type DiscoveryConfiguration = {
  /** auto: if the chain admits strangers (a public chain, a chain that is mined in the open, or as its state says). on: also where genesis does
   * not say so. off: links only with validators and named peers. */
  readonly enabled: "auto" | "on" | "off";
  /** Where others reach this node: "host:port" with addresses of IP. Empty: where it listens. */
  readonly advertise: readonly string[];
  /** Whether addresses of this machine and of local networks count. auto: if this node itself has such a one. */
  readonly allowLocal: "auto" | "on" | "off";
  readonly slots: Partial<SlotLimits>;
};

export const DEFAULT_DISCOVERY: DiscoveryConfiguration = {
  enabled: "auto",
  advertise: [],
  allowLocal: "auto",
  slots: DEFAULT_SLOT_LIMITS,
};

/** What node.json may say of it, as the reader of configurations has it. */
export const DISCOVERY_SHAPE: {
  readonly enabled: "choice";
  readonly advertise: "hosts";
  readonly allowLocal: "choice";
  readonly slots: { readonly [Name in keyof SlotLimits]: "count" };
} = {
  enabled: "choice",
  advertise: "hosts",
  allowLocal: "choice",
  slots: {
    maxOutbound: "count",
    maxFeelers: "count",
    maxInbound: "count",
    maxInboundPerGroup: "count",
    maxInboundPerMachine: "count",
    maxOutboundPerGroup: "count",
  },
};

/** A peer's name is a raw public key: Ed25519, SM2 or ML-DSA-44. */
const ADDRESS = /^(?:([0-9a-f]{64}|[0-9a-f]{128}|[0-9a-f]{2624})@)?(.+):(\d{1,5})$/;
const MAX_PORT = 65_535;

/** Whether text is "host:port" or "peerId@host:port". */
export function isBootstrapAddress(text: string): boolean {
  const port = Number(ADDRESS.exec(text)?.[3]);
  return port > 0 && port <= MAX_PORT;
}

/** Reads what `isBootstrapAddress` admits; passes over the rest. */
export function parseBootstrap(texts: readonly string[]): readonly BootstrapAddress[] {
  return texts.flatMap((text) => {
    const match = ADDRESS.exec(text);
    if (match === null || !isBootstrapAddress(text)) return [];
    const host = match[2]!.replace(/^\[(.*)\]$/, "$1");
    return [{ host, port: Number(match[3]), ...(match[1] === undefined ? {} : { peerId: match[1] }) }];
  });
}
