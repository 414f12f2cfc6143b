import type { Bytes } from "@ostrom/base";
import type { PeerId } from "@ostrom/network";

/** What a linked node may do, beside what its place in the validator set lets it do. */
export type LinkRole =
  /** All that any node may. */
  | "full"
  /** Reads: asks for blocks and is answered; what else it sends is not read. */
  | "observer"
  /** Gets no blocks over links: what it may see it gets by JSON-RPC, filtered. */
  | "filtered-observer";

/** What the chain's state says about links; each is asked as of the newest executed block. A module that knows (membership) answers, through
 * the program that starts the node. */
export type LinkPolicy = {
  /** Whether strangers may be linked; undefined: as genesis has it. */
  readonly admitsStrangers?: (() => boolean | undefined) | undefined;
  /** Whether this node is so far behind the clock that it does not know what holds now. */
  readonly isStale?: (() => boolean) | undefined;
  /** Nodes of organisations that are let in though no validator set has them: observers. */
  readonly isMember?: ((peerId: PeerId) => boolean) | undefined;
  /** DER of the authorities of the peer's organisation, if it has any: then its certificate must be of one of them. */
  readonly certificateAuthoritiesOf?: ((peerId: PeerId) => readonly Bytes[] | undefined) | undefined;
  readonly roleOf?: ((peerId: PeerId) => LinkRole) | undefined;
};
