import type { AddressBook, KnownPeer } from "./address-book.ts";
import type { BootstrapAddress, DiscoveryPorts } from "./discovery-types.ts";
import type { LinkedStranger } from "./peer-selection.ts";
import type { PeerId } from "./types.ts";

const SECOND_MS = 1_000;
const FEELER_INTERVAL_MS = 30 * SECOND_MS;
const BOOTSTRAP_INTERVAL_MS = 15 * SECOND_MS;
/** Below so many outbound peers, the bootstrap addresses are asked again. */
const FEW_OUTBOUND = 2;

export type DiscoveryProbesPorts = Pick<DiscoveryPorts, "clock" | "probe"> & {
  readonly peerId: PeerId;
  readonly bootstrap: readonly BootstrapAddress[];
  readonly maxFeelers: number;
  readonly book: AddressBook;
  readonly linked: () => readonly LinkedStranger[];
  /** Whether a peer has no place here. */
  readonly isFree: (peerId: PeerId) => boolean;
  /** Somebody answers at a bootstrap address. */
  readonly met: (known: KnownPeer) => void;
};

/** Handshakes that only see who is there: at bootstrap addresses, and at addresses that were heard of, so that those that are tried are
 * many and alive. Source: Heilman et al. 2015, countermeasures 3 (test before evict) and 4 (feelers). */
export class DiscoveryProbes {
  readonly #ports: DiscoveryProbesPorts;
  readonly #feelers = new Set<PeerId>();
  #lastFeelerMs: number;
  #lastBootstrapMs = Number.NEGATIVE_INFINITY;

  constructor(ports: DiscoveryProbesPorts) {
    this.#ports = ports;
    this.#lastFeelerMs = ports.clock.nowMs();
  }

  tick(nowMs: number): void {
    this.#askBootstrap(nowMs);
    this.#feel(nowMs);
  }

  #askBootstrap(nowMs: number): void {
    const unnamed = this.#ports.bootstrap.filter(({ peerId }) => peerId === undefined);
    const linked = this.#ports.linked().filter(({ isOutbound }) => isOutbound).length;
    const isDue = nowMs - this.#lastBootstrapMs >= BOOTSTRAP_INTERVAL_MS;
    if (linked >= FEW_OUTBOUND || !isDue || unnamed.length === 0) return;
    this.#lastBootstrapMs = nowMs;
    for (const address of unnamed) this.#meet(address);
  }

  #meet({ host, port }: BootstrapAddress): void {
    const { probe, book, clock, met, peerId } = this.#ports;
    probe({ host, port }, (found) => {
      if (found === undefined || found === peerId) return;
      book.name(found, { host, port }, clock.nowMs());
      const known = book.get(found);
      if (known !== undefined) met(known);
    });
  }

  /** Sees whether somebody is there: one whose place in `tried` is contested, or one that was only heard of. */
  #feel(nowMs: number): void {
    const { book, maxFeelers, isFree, linked, probe, clock, peerId: own } = this.#ports;
    if (nowMs - this.#lastFeelerMs < FEELER_INTERVAL_MS || this.#feelers.size >= maxFeelers) return;
    // Who is off the network himself cannot tell who else is.
    if (linked().length === 0) return;
    const isWanted = ({ peerId }: KnownPeer): boolean => peerId !== own && isFree(peerId);
    const target = book.challenged(nowMs) ?? book.choose(nowMs, isWanted, "new");
    if (target === undefined) return;
    this.#lastFeelerMs = nowMs;
    const { peerId, address } = target;
    // A contested one that is linked answers every second.
    if (linked().some((one) => one.peerId === peerId)) {
      book.succeeded(peerId, nowMs);
      return;
    }
    this.#feelers.add(peerId);
    book.attempted(peerId, nowMs);
    probe(address, (found) => {
      this.#feelers.delete(peerId);
      if (found === peerId) book.succeeded(peerId, clock.nowMs());
      else book.failed(peerId, clock.nowMs(), linked().length > 0);
    });
  }
}
