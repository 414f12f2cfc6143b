import { createHash } from "node:crypto";
import { type Bytes, must } from "@ostrom/base";
import { drawBelow, drawOne } from "./drawing.ts";
import type { Entropy } from "./types.ts";

/** Buckets of places, each of which holds one thing or nothing. Which bucket and place a thing may take follows from a secret key, so that
 * nobody can aim at what is there. */
export class AddressTable<Thing> {
  readonly #bucketSize: number;
  readonly #places: (Thing | undefined)[];
  /** Things in each bucket. */
  readonly #counts: number[];
  /** Buckets that are not empty, in no order, and where each of them stands there. */
  readonly #used: number[] = [];
  readonly #usedAt = new Map<number, number>();

  constructor(buckets: number, bucketSize: number) {
    this.#bucketSize = bucketSize;
    this.#places = new Array<Thing | undefined>(buckets * bucketSize).fill(undefined);
    this.#counts = new Array<number>(buckets).fill(0);
  }

  at(place: number): Thing | undefined {
    return this.#places[place];
  }

  put(place: number, thing: Thing): void {
    if (this.#places[place] === undefined) this.#count(place, 1);
    this.#places[place] = thing;
  }

  clear(place: number): void {
    if (this.#places[place] === undefined) return;
    this.#places[place] = undefined;
    this.#count(place, -1);
  }

  /** One thing: every bucket that is not empty is as likely as any other, however full it is, so that many addresses of few groups weigh
   * no more than few of many. */
  draw(entropy: Entropy): Thing | undefined {
    const bucket = drawOne(entropy, this.#used);
    if (bucket === undefined) return undefined;
    const start = drawBelow(entropy, this.#bucketSize);
    for (let step = 0; step < this.#bucketSize; step++) {
      const place = bucket * this.#bucketSize + ((start + step) % this.#bucketSize);
      const thing = this.#places[place];
      if (thing !== undefined) return thing;
    }
    return undefined;
  }

  /** How many buckets hold something. */
  get usedBuckets(): number {
    return this.#used.length;
  }

  #count(place: number, change: 1 | -1): void {
    const bucket = Math.floor(place / this.#bucketSize);
    const count = this.#counts[bucket]! + change;
    this.#counts[bucket] = count;
    if (count === 1 && change === 1) {
      this.#usedAt.set(bucket, this.#used.length);
      this.#used.push(bucket);
    } else if (count === 0) {
      // The last one takes its place.
      const at = must(this.#usedAt.get(bucket), "a bucket that is used stands in the list");
      const last = must(this.#used.pop(), "the list has it");
      this.#usedAt.delete(bucket);
      if (last === bucket) return;
      this.#used[at] = last;
      this.#usedAt.set(last, at);
    }
  }
}

/** A number in [0, below) that follows from a secret key and texts. */
export function keyedNumber(key: Bytes, below: number, ...texts: readonly (string | number)[]): number {
  const hash = createHash("sha256").update(key).update(texts.join("\n")).digest();
  return hash.readUInt32BE(0) % below;
}
