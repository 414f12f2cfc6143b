import { type Bytes, equalBytes, type Hash, toHexDigits } from "@ostrom/base";
import {
  type BatchHeader,
  type BatchMessage,
  encodeBatchMessage,
  MAX_FETCHED_BATCHES,
} from "@ostrom/dissemination";
import type { PeerId } from "@ostrom/network";
import { readBatch } from "@ostrom/storage";
import type { CheckedBatch } from "./batch-check.ts";
import type { BatchDeskPorts } from "./batch-ports.ts";

/** A batch whose bytes are here. */
export type HeldBatch = {
  readonly digest: Hash;
  readonly bytes: Bytes;
  readonly author: number | undefined;
  readonly expiryHeight: number;
  /** Whether it is on disk, synced. */
  isStored: boolean;
  /** Resolves when it is, once that has begun. */
  stored: Promise<void> | undefined;
  /** Whether this node has checked all signatures and found them right; undefined while it has not. */
  isGood: boolean | undefined;
  /** This node's own check of all signatures, once it has begun. */
  checked: Promise<CheckedBatch> | undefined;
  /** What its claims say, once somebody has asked. */
  believed: Promise<CheckedBatch> | undefined;
};

type Wanted = { readonly header: BatchHeader; readonly waiting: ((held: HeldBatch) => void)[] };

/** The batches that no executed block has yet, by digest; what is missing is asked for until it comes. */
export class HeldBatches {
  readonly #ports: Pick<BatchDeskPorts, "clock" | "network" | "store" | "checkBatch" | "hash" | "limits">;
  readonly #held = new Map<string, HeldBatch>();
  readonly #bytesOf = new Map<number, number>();
  readonly #wanted = new Map<string, Wanted>();
  /** Whose turn it is to be asked. */
  #turn = 0;
  #cancelTimer: (() => void) | undefined;
  #isStopped = false;

  constructor(ports: Pick<BatchDeskPorts, "clock" | "network" | "store" | "checkBatch" | "hash" | "limits">) {
    this.#ports = ports;
  }

  get(digest: Hash): HeldBatch | undefined {
    return this.#held.get(toHexDigits(digest));
  }

  /** Bytes of an author's batches here. */
  bytesOf(author: number): number {
    return this.#bytesOf.get(author) ?? 0;
  }

  sizes(): Readonly<Record<string, number>> {
    return { heldBatches: this.#held.size, wantedBatches: this.#wanted.size };
  }

  /** Takes a batch whose bytes have that digest. */
  add(
    header: Pick<BatchHeader, "digest" | "expiryHeight">,
    author: number | undefined,
    bytes: Bytes,
  ): HeldBatch {
    const name = toHexDigits(header.digest);
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    const { digest, expiryHeight } = header;
    const held: HeldBatch = {
      digest,
      bytes,
      author,
      expiryHeight,
      isStored: false,
      stored: undefined,
      isGood: undefined,
      checked: undefined,
      believed: undefined,
    };
    this.#held.set(name, held);
    if (author !== undefined) this.#bytesOf.set(author, this.bytesOf(author) + bytes.length);
    const wanted = this.#wanted.get(name);
    this.#wanted.delete(name);
    for (const take of wanted?.waiting ?? []) take(held);
    return held;
  }

  /** Forgets a batch: a block with it is executed, or no block may have it any more. */
  forget(digest: Hash): void {
    const name = toHexDigits(digest);
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    if (held.author !== undefined)
      this.#bytesOf.set(held.author, this.bytesOf(held.author) - held.bytes.length);
  }

  /** Forgets what no block above a height may refer to. */
  expire(height: number): void {
    for (const held of this.#held.values()) if (held.expiryHeight < height) this.forget(held.digest);
  }

  /** Another epoch begins: only final blocks have any more of what is here, and they hold on to it. */
  clear(): void {
    this.#bytesOf.clear();
    this.#held.clear();
  }

  /** This node's own check of a batch. */
  check(held: HeldBatch): Promise<CheckedBatch> {
    held.checked ??= this.#run(held, false).then((checked) => {
      held.isGood = checked.lie === undefined;
      return checked;
    });
    return held.checked;
  }

  /** What a batch claims. */
  believe(held: HeldBatch): Promise<CheckedBatch> {
    held.believed ??= this.#believe(held);
    return held.believed;
  }

  /** What was checked and found to be so need not be read again. */
  async #believe(held: HeldBatch): Promise<CheckedBatch> {
    const checked = await held.checked;
    return checked !== undefined && checked.lie === undefined ? checked : await this.#run(held, true);
  }

  /** Calls back when a batch is here: now, or when somebody has sent it. */
  whenHeld(header: BatchHeader, take: (held: HeldBatch) => void): void {
    const { digest } = header;
    const name = toHexDigits(digest);
    const held = this.#held.get(name);
    if (held !== undefined) {
      take(held);
      return;
    }
    const stored = readBatch(this.#ports.store, digest);
    if (stored !== undefined) {
      take(this.add(header, undefined, stored));
      return;
    }
    const wanted = this.#wanted.get(name);
    if (wanted !== undefined) {
      wanted.waiting.push(take);
      return;
    }
    this.#wanted.set(name, { header, waiting: [take] });
    this.#ask();
  }

  /** Takes what was asked for. @returns whether it was. */
  found(bytes: Bytes): boolean {
    const wanted = this.#wanted.get(toHexDigits(this.#ports.hash(bytes)));
    if (wanted !== undefined) this.add(wanted.header, undefined, bytes);
    return wanted !== undefined;
  }

  /** The bytes of a batch, for who asks. */
  bytesFor(digest: Hash): Bytes | undefined {
    return this.get(digest)?.bytes ?? readBatch(this.#ports.store, digest);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
  }

  #run(held: HeldBatch, believes: boolean): Promise<CheckedBatch> {
    const { checkBatch, clock } = this.#ports;
    return checkBatch({ bytes: held.bytes, believes, timestamp: Math.floor(clock.nowMs() / 1000) });
  }

  /** Asks one peer after another, all for all that is missing. */
  #ask(): void {
    if (this.#cancelTimer !== undefined || this.#isStopped || this.#wanted.size === 0) return;
    const { clock, network, limits } = this.#ports;
    const peers = network.connected();
    const peerId = peers[this.#turn++ % Math.max(1, peers.length)];
    const digests = [...this.#wanted.values()].map(({ header }) => header.digest);
    if (peerId !== undefined) {
      for (let first = 0; first < digests.length; first += MAX_FETCHED_BATCHES) {
        const wanted = digests.slice(first, first + MAX_FETCHED_BATCHES);
        network.send(peerId, "batches", encodeBatchMessage({ kind: "wanted", digests: wanted }));
      }
    }
    // The next peer is asked soon; the first is asked again after a whole round.
    this.#cancelTimer = clock.after(Math.max(1, Math.floor(limits.retryMs / 4)), () => {
      this.#cancelTimer = undefined;
      this.#ask();
    });
  }
}

/** Answers who asks for batches, each peer so many bytes in a second. */
export class BatchServer {
  readonly #ports: Pick<BatchDeskPorts, "clock" | "network" | "limits">;
  readonly #served = new Map<PeerId, { bytes: number; sinceMs: number }>();

  constructor(ports: Pick<BatchDeskPorts, "clock" | "network" | "limits">) {
    this.#ports = ports;
  }

  answer(
    peerId: PeerId,
    { digests }: Extract<BatchMessage, { kind: "wanted" }>,
    bytesFor: (digest: Hash) => Bytes | undefined,
  ): void {
    const { clock, network, limits } = this.#ports;
    const now = clock.nowMs();
    const before = this.#served.get(peerId);
    const isFresh = before === undefined || Math.abs(now - before.sinceMs) >= 1_000;
    const served = isFresh ? { bytes: 0, sinceMs: now } : before;
    const batches: Bytes[] = [];
    for (const digest of digests) {
      if (served.bytes >= limits.maxServedBytesPerSecond) break;
      const bytes = bytesFor(digest);
      if (bytes === undefined || batches.some((other) => equalBytes(other, bytes))) continue;
      served.bytes += bytes.length;
      batches.push(bytes);
    }
    this.#served.set(peerId, served);
    if (batches.length > 0) network.send(peerId, "batches", encodeBatchMessage({ kind: "found", batches }));
  }

  peerDown(peerId: PeerId): void {
    this.#served.delete(peerId);
  }
}
