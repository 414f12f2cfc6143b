import { Worker } from "node:worker_threads";
import type { Bytes } from "@ostrom/base";
import type { EpochSchedule } from "@ostrom/execution";
import type { Network, NetworkHandlers, PeerId } from "@ostrom/network";
import { readFloor, type StoreView } from "@ostrom/storage";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import type { Clock, Log } from "./ports.ts";
import {
  decodeSnapshotMessage,
  encodeSnapshotMessage,
  isSnapshotFrame,
  type SnapshotAnswer,
} from "./snapshot-messages.ts";
import { isPinHeight, PIN_SPACING_BLOCKS } from "./snapshot-pin.ts";
import type { SnapshotWorkerVocabulary } from "./snapshot-worker.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Questions of one peer: a range is some milliseconds of the worker's. */
const QUESTIONS: QuotaLimits = { perSecond: 128, burst: 256 };
/** Questions that wait for the worker: of all peers, and of one. */
const MAX_WAITING = 32;
const MAX_WAITING_OF_PEER = 4;
/** Peers whose floors are remembered. */
const MAX_FLOORS = 4_096;

const BUSY: SnapshotAnswer = { kind: "refused", code: "busy" };

type Running = {
  readonly worker: Worker;
  readonly peer: Peer<SnapshotWorkerVocabulary, object, object>;
  readonly ready: Promise<unknown>;
  isReady: boolean;
};

export type SnapshotServiceOptions = {
  readonly databasePath: string;
  readonly schedule: EpochSchedule;
  readonly store: StoreView;
  readonly network: Pick<Network, "send">;
  readonly punish: (peerId: PeerId, reason: string) => void;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Log;
};

/** A running node's part in snapshots: it tells peers from which block on it has any, and serves states to those that join, in a thread of its
 * own, which starts when the first one asks: until then snapshots cost nothing. From then on it pins each state that may be served. */
export class SnapshotService {
  readonly #options: SnapshotServiceOptions;
  readonly #quota: PeerQuota<PeerId>;
  readonly #waiting = new Map<PeerId, number>();
  readonly #floors = new Map<PeerId, number>();
  #waitingInAll = 0;
  #running: Running | undefined;
  #certified = 0;
  #isStopped = false;

  constructor(options: SnapshotServiceOptions) {
    this.#options = options;
    this.#quota = new PeerQuota(options.clock, QUESTIONS);
  }

  /** Handlers that keep what is about snapshots from a node's core. */
  wrap(handlers: NetworkHandlers): NetworkHandlers {
    return {
      ...handlers,
      onFrame: (peerId, channel, payload) => {
        if (channel === "sync" && isSnapshotFrame(payload)) this.#frame(peerId, payload);
        else handlers.onFrame(peerId, channel, payload);
      },
      onUp: (peerId) => {
        this.#tellFloor(peerId);
        handlers.onUp(peerId);
      },
      onDown: (peerId, reason) => {
        this.#floors.delete(peerId);
        handlers.onDown(peerId, reason);
      },
    };
  }

  /** From which height on a peer has blocks, as it says. */
  floorOf(peerId: PeerId): number {
    return this.#floors.get(peerId) ?? 0;
  }

  /** A height has a state certificate now. */
  certified(height: number): void {
    const { schedule } = this.#options;
    const before = this.#certified;
    this.#certified = Math.max(before, height);
    const running = this.#running;
    if (running === undefined) return;
    for (let at = before + 1; at <= height; at++) {
      if (!isPinHeight(schedule, at, PIN_SPACING_BLOCKS)) continue;
      running.peer.call("refresh", undefined).catch((error: unknown) => this.#failed(error));
      return;
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    await running.peer.call("close", undefined).catch(() => undefined);
    running.peer.close("the node is stopping");
    await running.worker.terminate();
  }

  #tellFloor(peerId: PeerId): void {
    const { bodies } = readFloor(this.#options.store);
    if (bodies > 1) this.#send(peerId, encodeSnapshotMessage({ id: 0, floor: bodies }));
  }

  #frame(peerId: PeerId, payload: Bytes): void {
    if (this.#isStopped) return;
    const { punish } = this.#options;
    if (!this.#quota.spend(peerId, 1)) return;
    const read = decodeSnapshotMessage(payload);
    if (!read.ok) {
      punish(peerId, "snapshot/unreadable");
      return;
    }
    const message = read.value;
    if ("floor" in message) {
      if (this.#floors.size >= MAX_FLOORS) this.#floors.clear();
      this.#floors.set(peerId, message.floor);
    } else if ("question" in message) {
      void this.#answer(peerId, message.id, payload);
    }
  }

  async #answer(peerId: PeerId, id: number, payload: Bytes): Promise<void> {
    const { isReady, peer } = this.#worker();
    const ofPeer = this.#waiting.get(peerId) ?? 0;
    if (!isReady || this.#waitingInAll >= MAX_WAITING || ofPeer >= MAX_WAITING_OF_PEER) {
      this.#send(peerId, encodeSnapshotMessage({ id, answer: BUSY }));
      return;
    }
    this.#waiting.set(peerId, ofPeer + 1);
    this.#waitingInAll += 1;
    try {
      this.#send(peerId, await peer.call("answer", payload));
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#waitingInAll -= 1;
      const left = (this.#waiting.get(peerId) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(peerId);
      else this.#waiting.set(peerId, left);
    }
  }

  #send(peerId: PeerId, payload: Bytes): void {
    this.#options.network.send(peerId, "sync", payload);
  }

  #worker(): Running {
    if (this.#running !== undefined) return this.#running;
    const worker = new Worker(new URL("./snapshot-worker.ts", import.meta.url), { name: "snapshots" });
    const peer: Running["peer"] = connectWorker(worker, {});
    const { databasePath, schedule } = this.#options;
    const { epochLength, epochLead } = schedule;
    const ready = peer
      .call("open", { databasePath, schedule: { epochLength, epochLead } })
      .then(() => peer.call("refresh", undefined))
      .then(() => {
        running.isReady = true;
      });
    const running: Running = { worker, peer, ready, isReady: false };
    // The next one who asks starts another.
    watchWorker(worker, "snapshot", peer, (error) => this.#forget(running, error));
    ready.catch((error: unknown) => this.#forget(running, error));
    this.#running = running;
    return running;
  }

  #forget(running: Running, error: unknown): void {
    if (this.#running === running) this.#running = undefined;
    this.#failed(error);
    running.peer.close("it has failed");
    void running.worker.terminate();
  }

  /** Who joins asks somebody else; the node itself does not depend on it. */
  #failed(error: unknown): void {
    if (this.#isStopped) return;
    this.#options.log("warn", "serving a snapshot failed", { reason: (error as Error).message });
  }
}
