import { assert, type Bytes, must } from "@ostrom/base";
import { LINK_CHANNELS, type LinkChannel } from "./types.ts";

export type OutgoingFrame = { readonly channel: LinkChannel; readonly payload: Bytes };

/** Shares of a link when all channels have something to send. A vote that comes while others wait goes next; nobody
 * starves. */
const SHARES: Readonly<Record<LinkChannel, number>> = {
  consensus: 64,
  batches: 16,
  sync: 4,
  transactions: 1,
  discovery: 1,
};

/** What a frame in the queue costs besides its payload, so that many small ones fill it too. */
const ENTRY_COST_BYTES = 64;

type Entry = OutgoingFrame & {
  /** When it would be sent through if its channel had its share of the link, in bytes divided by the share. */
  readonly finish: number;
};

/** Frames that wait for one peer. Between channels it is a weighted fair queue (Demers, Keshav, Shenker 1989: smallest finish
 * time first), within a channel first in, first out.
 *
 * When it is full, the least urgent give way: a frame pushes out the oldest frames of less urgent channels. If that makes no
 * room, a frame of consensus pushes out the oldest of consensus (a newer vote says more than an older one), and any other is
 * dropped itself. All drops are counted. */
export class OutgoingQueue {
  readonly #maxBytes: number;
  readonly #lanes: Readonly<Record<LinkChannel, Lane>> = {
    consensus: new Lane(),
    batches: new Lane(),
    sync: new Lane(),
    transactions: new Lane(),
    discovery: new Lane(),
  };
  readonly #dropped: Record<LinkChannel, number> = {
    consensus: 0,
    batches: 0,
    sync: 0,
    transactions: 0,
    discovery: 0,
  };
  #bytes = 0;
  /** Start of the frame that was taken last, on the scale of `finish`. */
  #now = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Frames dropped so far, by channel. */
  get dropped(): Readonly<Record<LinkChannel, number>> {
    return { ...this.#dropped };
  }

  /** @returns false if the frame was dropped at once. */
  push(channel: LinkChannel, payload: Bytes): boolean {
    const cost = payload.length + ENTRY_COST_BYTES;
    if (this.#bytes + cost > this.#maxBytes && !this.#makeRoom(channel, cost)) {
      this.#dropped[channel] += 1;
      return false;
    }
    const lane = this.#lanes[channel];
    const finish = Math.max(this.#now, lane.lastFinish) + cost / SHARES[channel];
    lane.add({ channel, payload, finish });
    this.#bytes += cost;
    return true;
  }

  /** The next frame to send. */
  take(): OutgoingFrame | undefined {
    let best: Lane | undefined;
    for (const channel of LINK_CHANNELS) {
      const lane = this.#lanes[channel];
      if (lane.first === undefined) continue;
      if (best?.first === undefined || lane.first.finish < best.first.finish) best = lane;
    }
    if (best === undefined) return undefined;
    const entry = best.remove();
    const cost = entry.payload.length + ENTRY_COST_BYTES;
    this.#bytes -= cost;
    this.#now = Math.max(this.#now, entry.finish - cost / SHARES[entry.channel]);
    return entry;
  }

  /** Drops everything, uncounted: the peer is gone, and what waited for it is of the past. */
  clear(): void {
    for (let entry = this.take(); entry !== undefined; entry = this.take());
    assert(this.#bytes === 0, "an empty queue holds no bytes");
  }

  #makeRoom(channel: LinkChannel, cost: number): boolean {
    const lessUrgent = LINK_CHANNELS.slice(LINK_CHANNELS.indexOf(channel) + 1).reverse();
    const victims: readonly LinkChannel[] = channel === "consensus" ? [...lessUrgent, channel] : lessUrgent;
    let reclaimable = this.#maxBytes - this.#bytes;
    for (const victim of victims) reclaimable += this.#lanes[victim].bytes;
    if (reclaimable < cost) return false;
    for (const victim of victims) {
      const lane = this.#lanes[victim];
      while (this.#bytes + cost > this.#maxBytes && lane.first !== undefined) {
        this.#bytes -= lane.remove().payload.length + ENTRY_COST_BYTES;
        this.#dropped[victim] += 1;
      }
    }
    return true;
  }
}

const COMPACT_AFTER = 1_024;

class Lane {
  #entries: (Entry | undefined)[] = [];
  #start = 0;
  bytes = 0;
  lastFinish = 0;

  get first(): Entry | undefined {
    return this.#entries[this.#start];
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.bytes += entry.payload.length + ENTRY_COST_BYTES;
    this.lastFinish = entry.finish;
  }

  remove(): Entry {
    const entry = must(this.#entries[this.#start], "only a lane that holds something is asked for it");
    // The place is freed later, the frame at once.
    this.#entries[this.#start] = undefined;
    this.#start += 1;
    this.bytes -= entry.payload.length + ENTRY_COST_BYTES;
    // Shifting an array costs its length each time; like this, an entry is moved once on average.
    if (this.#start === this.#entries.length) {
      this.#entries = [];
      this.#start = 0;
    } else if (this.#start >= COMPACT_AFTER && 2 * this.#start >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
    return entry;
  }
}
