import { type Bytes, type Hash, Height, must, toHexDigits } from "@ostrom/base";
import { entryOf, type ShardedMap } from "./sharded-map.ts";
import type {
  BlockRef,
  ChainPoint,
  HaltReason,
  PeerId,
  PowConfig,
  PowEffect,
  PowFaultCode,
  PowHeader,
  PowMessage,
} from "./types.ts";

/** Everything a node remembers of the chains it knows, down to the deepest fork that it would follow. Plain data, never mutated. */
export type PowState = {
  readonly config: PowConfig;
  /** Valid headers that descend from the base, and the base itself, by key. */
  readonly records: ShardedMap<HeaderRecord>;
  readonly baseKey: string;
  readonly baseHeight: Height;
  /** Executed blocks below the base, for locators: lowest first, ever denser upward. */
  readonly older: readonly BlockRef[];
  /** Records not known to be invalid that have no such child, by key. */
  readonly leaves: ReadonlyMap<string, HeaderRecord>;
  /** Keys of records whose execution failed, or that descend from such. */
  readonly invalid: ReadonlySet<string>;
  /** Executed hashes of the executed chain from the base to the head, by key. */
  readonly executed: ShardedMap<Hash>;
  readonly headKey: string;
  /** Greatest height that was ever executed: what reorganisations and finality are measured from. */
  readonly peakHeight: Height;
  /** Greatest work that was ever executed. The head has less in the middle of a reorganisation. */
  readonly peakWork: bigint;
  /** The branch, too large for memory as a whole, to which the node is on its way piece by piece. */
  readonly committedKey: string | undefined;
  /** What execution is asked to do now. */
  readonly pending: { readonly kind: "connect" | "disconnect"; readonly key: string } | undefined;
  /** Payloads of blocks that are not executed, by key. */
  readonly bodies: ReadonlyMap<string, Bytes>;
  readonly bodyBytes: number;
  /** Bodies that are asked for, by key. */
  readonly requests: ReadonlyMap<string, BodyRequest>;
  readonly peers: ReadonlyMap<PeerId, PeerState>;
  /** Since when each peer has claimed what it does not show: over all its claims and links of a while. */
  readonly claimedSinceMs: ReadonlyMap<PeerId, number>;
  /** The newest leaf that was announced. */
  readonly announcedKey: string | undefined;
  readonly finalized: BlockRef | undefined;
  /** Changes with the pool's content. */
  readonly poolRound: number;
  /** What the newest `mine` was for. */
  readonly mining: string | undefined;
  readonly halted: HaltReason | undefined;
  /** Counts headers as they come: the first seen of two alike is preferred. */
  readonly nextOrder: number;
};

/** A header in the tree. */
export type HeaderRecord = {
  readonly key: string;
  readonly point: ChainPoint;
  /** undefined for genesis, and for a base that was recovered. */
  readonly header: PowHeader | undefined;
  readonly parentKey: string | undefined;
  /** The ancestor whose height is this one's without its lowest bit 1: ancestors are found in logarithmic time. */
  readonly skipKey: string | undefined;
  readonly order: number;
};

export type BodyRequest = {
  readonly peer: PeerId;
  readonly askedAtMs: number;
  /** Peers that did not answer. */
  readonly tried: readonly PeerId[];
};

export type Claim = { readonly tip: BlockRef; readonly totalWork: bigint; readonly sinceMs: number };

export type PeerState = {
  /** Greatest work among the headers that it sent or named: it has their bodies. */
  readonly bestKey: string | undefined;
  /** What it said to have and is not known here, and since when. */
  readonly claim: Claim | undefined;
  /** When it was last asked for headers, if it has not answered. */
  readonly headersAskedAtMs: number | undefined;
  /** Whether its last answer was full and was followed by another question. */
  readonly isStreaming: boolean;
  /** End, as far as read, of a branch of its that forks below the base: checked header by header, none of which is kept. */
  readonly deep: ChainPoint | undefined;
  /** Headers that wait for the point of the executed chain from which they fork. */
  readonly deepHeaders: readonly PowHeader[];
};

/** The state and the effects of a step while it is being made. Only the holder of a draft changes it; the states it
 * replaces stay as they were. */
export type Draft = { state: PowState; readonly effects: PowEffect[]; readonly nowMs: number };

export const NEW_PEER: PeerState = {
  bestKey: undefined,
  claim: undefined,
  headersAskedAtMs: undefined,
  isStreaming: false,
  deep: undefined,
  deepHeaders: [],
};

/** The key of an id in maps. */
export function keyOf(id: Hash): string {
  return toHexDigits(id);
}

export function changeState(draft: Draft, change: Partial<PowState>): void {
  draft.state = { ...draft.state, ...change };
}

export function emit(draft: Draft, effect: PowEffect): void {
  draft.effects.push(effect);
}

export function send(draft: Draft, to: PeerId, message: PowMessage): void {
  emit(draft, { kind: "send", to, message });
}

export function fault(draft: Draft, peer: PeerId, code: PowFaultCode, message: string): void {
  emit(draft, { kind: "fault", peer, code, message });
}

/** Does nothing for a peer that is gone. */
export function changePeer(draft: Draft, peer: PeerId, change: Partial<PeerState>): void {
  const known = draft.state.peers.get(peer);
  if (known === undefined) return;
  changeState(draft, { peers: new Map(draft.state.peers).set(peer, { ...known, ...change }) });
}

export function recordOf(state: PowState, key: string): HeaderRecord | undefined {
  return entryOf(state.records, key);
}

export function headOf(state: PowState): HeaderRecord {
  return must(recordOf(state, state.headKey), "the head is in the tree");
}

export function baseOf(state: PowState): HeaderRecord {
  return must(recordOf(state, state.baseKey), "the base is in the tree");
}

export function refOf(point: ChainPoint): BlockRef {
  return { height: point.height, id: point.id };
}

/** Lowest height at which a branch that is followed may leave the executed chain. */
export function lowestFork(state: PowState): Height {
  return Height(Math.max(0, state.peakHeight - state.config.maxReorgDepth));
}
