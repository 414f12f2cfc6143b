import { type Bytes, EMPTY_BYTES, Epoch, Height, unwrap, View, ZERO_HASH } from "@ostrom/base";
import { type Certificate, type OrderedBlock, ValidatorIndex } from "@ostrom/consensus";
import {
  Discovery,
  type DiscoveryPorts,
  formatSnapshot,
  type HostPort,
  OFFENCE_POINTS,
  type PeerAddress,
  type PeerId,
  readSnapshot,
  signRecord,
} from "@ostrom/network";
import { StrangerSync } from "@ostrom/runtime";
import type { SimulatedClock } from "./clock.ts";
import { GENESIS_HASH, isSignedOnce, type Party } from "./eclipse-party.ts";

const TICK_MS = 1_000;
const MAX_ANSWER_BLOCKS = 64;

/** What a node sees of the world. */
export type EclipseSurroundings = {
  readonly clock: SimulatedClock;
  readonly nowMs: number;
  readonly randomBytes: (length: number) => Bytes;
  readonly partyOf: (peerId: PeerId) => Party | undefined;
  readonly peersOf: (peerId: PeerId) => readonly PeerId[];
  readonly areLinked: (a: PeerId, b: PeerId) => boolean;
  readonly whoIsAt: (from: PeerId, address: HostPort) => Party | undefined;
  readonly dial: (from: Party, expected: PeerAddress) => void;
  readonly unlink: (a: PeerId, b: PeerId, reason: string) => void;
  readonly say: (from: PeerId, to: PeerId, payload: Bytes) => boolean;
  readonly askBlocks: (from: PeerId, to: PeerId, fromHeight: number) => void;
  /** Runs something after the time that a message takes. */
  readonly later: (run: () => void) => void;
};

/** An honest node of an eclipse: discovery and sync are those of production. */
export class EclipseNode {
  readonly party: Party;
  readonly discovery: Discovery;
  height = 0;
  readonly #world: EclipseSurroundings;
  readonly #sync: StrangerSync;
  #isStopped = false;
  #isReconciling = false;

  constructor(
    world: EclipseSurroundings,
    party: Party,
    bootstrap: readonly Party[],
    kept: string | undefined,
  ) {
    this.#world = world;
    this.party = party;
    const { peerId, address } = party;
    const clock = {
      nowMs: () => world.nowMs,
      after: (ms: number, run: () => void) => world.clock.at(ms, run),
    };
    const entropy = { bytes: (length: number) => world.randomBytes(length) };
    this.#sync = new StrangerSync({
      clock,
      entropy,
      finalHeight: () => this.height,
      leastGap: () => 0,
      executedHeight: () => this.height,
      certifiedHeight: () => this.height,
      hasRoom: () => true,
      send: (to, message) => {
        if (message.kind === "block-range-request") world.askBlocks(peerId, to, message.fromHeight);
      },
      takeBlocks: ({ blocks }) => this.reach(blocks.at(-1)?.height ?? 0),
      takeCertificate: () => undefined,
      isChosen: (from) => this.discovery.isOutbound(from),
      credit: (from) => this.discovery.credit(from),
      blame: (from, kind, reason) => this.discovery.blame(from, OFFENCE_POINTS[kind], reason),
    });
    this.discovery = new Discovery(
      {
        peerId,
        genesisHash: GENESIS_HASH,
        addresses: [{ host: address.host, port: address.port }],
        bootstrap: bootstrap.map((other) => ({ host: other.address.host, port: other.address.port })),
        allowsLocal: false,
      },
      this.#discoveryPorts(clock, entropy),
      kept === undefined ? undefined : unwrap(readSnapshot(kept, GENESIS_HASH)),
    );
    this.#tick();
  }

  /** Peers that it chose itself and is linked with. */
  get outbound(): readonly Party[] {
    return this.discovery
      .linked()
      .filter(({ isOutbound }) => isOutbound)
      .map(({ peerId }) => this.#world.partyOf(peerId)!);
  }

  stop(): string {
    this.#isStopped = true;
    this.#sync.stop();
    return formatSnapshot(this.discovery.snapshot());
  }

  /** It has blocks up to this one. */
  reach(height: number): void {
    if (height <= this.height) return;
    this.height = height;
    this.discovery.announce(height);
  }

  up(peerId: PeerId, isDialed: boolean): void {
    const host = this.#world.partyOf(peerId)?.address.host ?? "";
    this.discovery.policy.onUp(peerId, { host, isDialed });
  }

  down(peerId: PeerId, reason: string): void {
    this.discovery.policy.onDown(peerId, reason);
    this.#sync.gone(peerId);
  }

  hearBlocks(from: PeerId, fromHeight: number, height: number): void {
    if (this.#isStopped) return;
    const count = Math.min(MAX_ANSWER_BLOCKS, height - fromHeight + 1);
    const blocks = Array.from({ length: count }, (_, index) => blockAt(fromHeight + index));
    this.#sync.message(from, {
      kind: "block-range",
      blocks,
      finalization: finalizationOf(fromHeight + count - 1),
    });
  }

  #discoveryPorts(clock: DiscoveryPorts["clock"], entropy: DiscoveryPorts["entropy"]): DiscoveryPorts {
    const world = this.#world;
    const { peerId, privateKeyPem } = this.party;
    return {
      clock,
      entropy,
      log: () => undefined,
      sign: (record) => signRecord(record, { privateKeyPem }),
      isSigned: isSignedOnce,
      send: (to, payload) => world.say(peerId, to, payload),
      probe: (at, answer) =>
        world.later(() => {
          if (!this.#isStopped) answer(world.whoIsAt(peerId, at)?.peerId);
        }),
      changed: () => this.#reconcileLater(),
      roles: () => ["follower"],
      isReserved: () => false,
      isOpen: () => true,
      heard: (from, height) => this.#sync.heard(from, height),
    };
  }

  #tick(): void {
    if (this.#isStopped) return;
    this.discovery.tick();
    this.#reconcile();
    this.#world.clock.at(TICK_MS, () => this.#tick());
  }

  #reconcileLater(): void {
    if (this.#isReconciling) return;
    this.#isReconciling = true;
    this.#world.clock.at(0, () => {
      this.#isReconciling = false;
      this.#reconcile();
    });
  }

  /** What links do when they are told that something has changed. */
  #reconcile(): void {
    if (this.#isStopped) return;
    const { policy } = this.discovery;
    const { peerId } = this.party;
    for (const address of policy.wanted())
      if (!this.#world.areLinked(peerId, address.peerId)) this.#world.dial(this.party, address);
    for (const other of this.#world.peersOf(peerId))
      if (!policy.holds(other)) this.#world.unlink(peerId, other, "network/not-allowed");
  }
}

function blockAt(height: number): OrderedBlock {
  return {
    epoch: Epoch(0),
    view: View(height),
    height: Height(height),
    parent: ZERO_HASH,
    parentView: View(height - 1),
    timestampMs: height,
    proposer: ValidatorIndex(0),
    stateCertificate: undefined,
    payload: EMPTY_BYTES,
  };
}

function finalizationOf(height: number): Certificate {
  return {
    kind: "finalization",
    schemeId: 0,
    epoch: Epoch(0),
    view: View(height),
    digest: ZERO_HASH,
    signers: EMPTY_BYTES,
    signature: EMPTY_BYTES,
  };
}
