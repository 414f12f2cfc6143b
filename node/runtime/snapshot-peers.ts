import { type Bytes, equalBytes } from "@ostrom/base";
import type { PeerId } from "@ostrom/network";
import type { Clock } from "./ports.ts";
import {
  decodeSnapshotMessage,
  encodeSnapshotMessage,
  type Pin,
  type SnapshotAnswer,
  type SnapshotQuestion,
} from "./snapshot-messages.ts";

/** How long a peer may take for an answer. */
const PATIENCE_MS = 10_000;
/** A peer that did not answer, or was busy, rests so long. */
const REST_MS = 500;

export type SnapshotPeersPorts = {
  readonly clock: Clock;
  readonly send: (peerId: PeerId, payload: Bytes) => void;
  /** Drops a peer that lied. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  /** Something has changed: a peer came or went, or says something else. */
  readonly changed: () => void;
};

type Waiting = { readonly peerId: PeerId; readonly settle: (answer: SnapshotAnswer | undefined) => void };

/** A linked node of which a snapshot may be fetched. */
export type SnapshotPeer = {
  readonly peerId: PeerId;
  /** undefined until it has said. */
  pins: readonly Pin[] | undefined;
  /** What it has refused since, whatever it says. */
  gone: readonly Pin[];
  /** Questions under way. */
  asked: number;
  restsUntilMs: number;
};

/** Questions to linked nodes, and their answers. */
export class SnapshotPeers {
  readonly #ports: SnapshotPeersPorts;
  readonly #peers = new Map<PeerId, SnapshotPeer>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #banned = new Set<PeerId>();
  #nextId = 1;

  constructor(ports: SnapshotPeersPorts) {
    this.#ports = ports;
  }

  up(peerId: PeerId): void {
    if (this.#banned.has(peerId)) return;
    const peer: SnapshotPeer = { peerId, pins: undefined, gone: [], asked: 0, restsUntilMs: 0 };
    this.#peers.set(peerId, peer);
    void this.askPins(peer);
    this.#ports.changed();
  }

  down(peerId: PeerId): void {
    this.#peers.delete(peerId);
    for (const [id, { peerId: asked, settle }] of this.#waiting) {
      if (asked !== peerId) continue;
      this.#waiting.delete(id);
      settle(undefined);
    }
    this.#ports.changed();
  }

  /** Peers, those that have said which states they serve and those that have not. */
  all(): readonly SnapshotPeer[] {
    return [...this.#peers.values()];
  }

  /** Those that serve a state and may be asked now. @param most questions under way for each. */
  able(pin: Pin, most: number): readonly SnapshotPeer[] {
    const nowMs = this.#ports.clock.nowMs();
    return this.all()
      .filter(
        ({ pins, asked, restsUntilMs }) =>
          asked < most && restsUntilMs <= nowMs && pins?.some((one) => isSamePin(one, pin)) === true,
      )
      .toSorted((a, b) => a.asked - b.asked);
  }

  frame(peerId: PeerId, payload: Bytes): void {
    const read = decodeSnapshotMessage(payload);
    if (!read.ok) {
      this.lied(peerId, `snapshot/unreadable: ${read.error.message}`);
      return;
    }
    if (!("answer" in read.value)) return;
    const waiting = this.#waiting.get(read.value.id);
    // What comes too late is nobody's fault.
    if (waiting?.peerId !== peerId) return;
    this.#waiting.delete(read.value.id);
    waiting.settle(read.value.answer);
  }

  async askPins(peer: SnapshotPeer): Promise<void> {
    const answer = await this.ask(peer, { kind: "get-pins" });
    if (answer?.kind === "pins")
      peer.pins = answer.pins.filter((pin) => !peer.gone.some((one) => isSamePin(one, pin)));
    this.#ports.changed();
  }

  /** @returns undefined if the peer has gone, did not answer in time, or refused. */
  ask(peer: SnapshotPeer, question: SnapshotQuestion): Promise<SnapshotAnswer | undefined> {
    const { clock, send, changed } = this.#ports;
    const id = this.#nextId++;
    peer.asked += 1;
    return new Promise((resolve) => {
      const settle = (answer: SnapshotAnswer | undefined): void => {
        cancel();
        peer.asked -= 1;
        if (answer === undefined || (answer.kind === "refused" && answer.code === "busy")) {
          peer.restsUntilMs = clock.nowMs() + REST_MS;
          clock.after(REST_MS, changed);
        }
        if (answer?.kind === "refused" && answer.code === "gone") forgetPin(peer, question);
        resolve(answer?.kind === "refused" ? undefined : answer);
        changed();
      };
      const cancel = clock.after(PATIENCE_MS, () => {
        this.#waiting.delete(id);
        settle(undefined);
      });
      this.#waiting.set(id, { peerId: peer.peerId, settle });
      send(peer.peerId, encodeSnapshotMessage({ id, question }));
    });
  }

  /** It is asked no more. */
  lied(peerId: PeerId, reason: string): void {
    this.#banned.add(peerId);
    this.#ports.punish(peerId, reason);
    this.down(peerId);
  }
}

/** States that a peer has refused and that are remembered. */
const MAX_GONE = 8;

function forgetPin(peer: SnapshotPeer, question: SnapshotQuestion): void {
  if (!("pin" in question)) return;
  const { pin } = question;
  peer.gone = [...peer.gone, pin].slice(-MAX_GONE);
  peer.pins = peer.pins?.filter((one) => !isSamePin(one, pin));
}

export function isSamePin(a: Pin, b: Pin): boolean {
  return a.height === b.height && equalBytes(a.blockHash, b.blockHash);
}
