import { type Bytes, bigintToBytes, equalBytes, type Hash } from "@ostrom/base";
import type { Header } from "@ostrom/execution";
import { createViewPage, FIELD, type Slot, TEXT, type ViewPage, ViewPageWriter } from "./view-page.ts";
import type { ViewRecorderPorts } from "./view-recorder.ts";

/** An executed block. */
export type RecordedBlock = {
  readonly height: number;
  readonly hash: Hash;
  readonly transactions: number;
  readonly gasUsed: bigint;
};

/** Writes down the blocks of a chain without votes: when each came, became final, or was taken off by a heavier branch. */
export class BlockRecorder {
  readonly page: ViewPage;
  readonly #ports: Pick<ViewRecorderPorts, "nowMs" | "elapsedMs">;
  readonly #writer: ViewPageWriter;
  /** Of the chain as it is now. */
  readonly #byHeight = new Map<number, Slot>();
  readonly #startMs = new WeakMap<Slot, number>();
  #tip: Hash;

  /** @param tip hash of the newest block that is there already. */
  constructor(engine: "pow" | "instant", tip: Hash, ports: Pick<ViewRecorderPorts, "nowMs" | "elapsedMs">) {
    this.page = createViewPage(engine, 0);
    this.#writer = new ViewPageWriter(this.page);
    this.#ports = ports;
    this.#tip = tip;
  }

  executed({ height, hash, transactions, gasUsed }: RecordedBlock): void {
    const slot = this.#writer.claim(this.#ports.nowMs(), (gone) => this.#forget(gone));
    const { fields } = slot;
    fields[FIELD.height] = height;
    fields[FIELD.transactions] = transactions;
    fields[FIELD.gasUsed] = Number(gasUsed);
    write(slot, "hash", hash);
    write(slot, "parentHash", this.#tip);
    this.#startMs.set(slot, this.#ports.elapsedMs());
    this.#byHeight.set(height, slot);
    this.#tip = hash;
    this.#writer.changed(slot);
  }

  /** The newest block was taken off. Its header is in no database any more. */
  unwound(hash: Hash, { number, parentHash, coinbase, difficulty }: Header): void {
    this.#tip = parentHash;
    const slot = this.#byHeight.get(number);
    this.#byHeight.delete(number);
    const { at, length } = TEXT.hash;
    if (slot === undefined || !equalBytes(slot.text.subarray(at, at + length), hash)) return;
    write(slot, "coinbase", coinbase);
    write(slot, "difficulty", bigintToBytes(difficulty, TEXT.difficulty.length));
    slot.fields[FIELD.isMined] = 1;
    this.#time(slot, FIELD.unwound);
  }

  /** A block, and with it all before it, is final. */
  finalized(height: number): void {
    for (let at = height; ; at--) {
      const slot = this.#byHeight.get(at);
      if (slot === undefined || !Number.isNaN(slot.fields[FIELD.finalized]!)) return;
      this.#time(slot, FIELD.finalized);
    }
  }

  #time(slot: Slot, field: number): void {
    slot.fields[field] = this.#ports.elapsedMs() - (this.#startMs.get(slot) ?? 0);
    this.#writer.changed(slot);
  }

  #forget(slot: Slot): void {
    const height = slot.fields[FIELD.height]!;
    if (this.#byHeight.get(height) === slot) this.#byHeight.delete(height);
  }
}

function write(slot: Slot, part: keyof typeof TEXT, bytes: Bytes): void {
  slot.text.set(bytes, TEXT[part].at);
}
