import {
  type Certificate,
  type Effect,
  type Input,
  leaderOf,
  type Message,
  type SimplexState,
  type Vote,
} from "@ostrom/consensus";
import {
  BITMAP_ROWS,
  createViewPage,
  FIELD,
  type Field,
  type Slot,
  type ViewPage,
  ViewPageWriter,
  VOTE_ROWS,
} from "./view-page.ts";

/** Views ahead of the own one of which something is written down: as far as proposals count (rule S10). A liar makes no more records. */
const MAX_VIEWS_AHEAD = 4;
/** A set may grow by so much before its records move to a larger page, and the older ones are forgotten. */
const SPARE_SEATS = 16;

export type ViewRecorderPorts = {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Milliseconds that never go back. */
  readonly elapsedMs: () => number;
  /** The records go on on another page. */
  readonly moved: (page: ViewPage) => void;
};

/** What came of a block. */
export type ExecutedFacts = {
  readonly height: number;
  readonly transactions: number;
  readonly gasUsed: bigint;
};

/** Writes down what this node sees of each view of simplex: numbers into memory that was there before. It looks at what the engine is told and
 * answers, and has no way to say anything itself. */
export class ViewRecorder {
  readonly #ports: ViewRecorderPorts;
  #writer: ViewPageWriter;
  #epoch = -1;
  /** The view that this node is in. */
  #view = 0;
  /** Records of this epoch. */
  readonly #byView = new Map<number, Slot>();
  readonly #byHeight = new Map<number, Slot>();
  /** Newest executed block by validator. */
  readonly #heights = new Map<number, number>();
  /** When each record began, on the clock that never goes back. */
  readonly #startMs = new WeakMap<Slot, number>();

  constructor(validators: number, ports: ViewRecorderPorts) {
    this.#ports = ports;
    this.#writer = new ViewPageWriter(createViewPage("simplex", validators + SPARE_SEATS));
  }

  get page(): ViewPage {
    return this.#writer.page;
  }

  /** An engine begins, in the first or in a later epoch. */
  begin(state: SimplexState): void {
    const { epoch, validators } = state.config.validators;
    if (epoch > this.#epoch) this.#enterEpoch(epoch, validators.length);
    if (epoch === this.#epoch) this.#enter(state);
  }

  /** The engine has taken a step. @param before its state until then. */
  stepped(before: SimplexState, after: SimplexState, input: Input, effects: readonly Effect[]): void {
    if (after.config.validators.epoch !== this.#epoch) return;
    switch (input.kind) {
      case "message":
        if (input.from !== undefined) this.#heard(after, input.from, input.message);
        break;
      case "signed":
        this.#voted(after, input.vote.vote, input.vote.signer);
        break;
      case "timer":
        this.#timedOut(before, input);
        break;
      default:
        break;
    }
    if (after.view !== before.view) this.#enter(after);
    for (const effect of effects) this.#noteEffect(after, effect);
  }

  /** A validator says that it has executed a block of this epoch. */
  executedBy(epoch: number, signer: number, height: number): void {
    if (epoch === this.#epoch) this.#heights.set(signer, Math.max(height, this.#heights.get(signer) ?? 0));
    const slot = this.#byHeight.get(height);
    if (slot !== undefined && slot.fields[FIELD.epoch] === epoch) this.#mark(slot, "executed", signer);
  }

  /** The newest block that a validator of the newest epoch says it has executed. */
  heightOf(epoch: number, validator: number | undefined): number | undefined {
    return epoch === this.#epoch && validator !== undefined ? this.#heights.get(validator) : undefined;
  }

  /** This node has executed a block. */
  executed({ height, transactions, gasUsed }: ExecutedFacts): void {
    const slot = this.#byHeight.get(height);
    if (slot === undefined) return;
    slot.fields[FIELD.transactions] = transactions;
    slot.fields[FIELD.gasUsed] = Number(gasUsed);
    this.#time(slot, "executed");
  }

  /** A block, and with it all before it, has a state certificate. */
  certified(height: number): void {
    for (let at = height; ; at--) {
      const slot = this.#byHeight.get(at);
      if (slot === undefined || !Number.isNaN(slot.fields[FIELD.certified]!)) return;
      this.#time(slot, "certified");
    }
  }

  #enterEpoch(epoch: number, validators: number): void {
    this.#epoch = epoch;
    this.#view = 0;
    this.#byView.clear();
    this.#heights.clear();
    if (validators <= this.#writer.page.seats) return;
    this.#byHeight.clear();
    this.#writer = new ViewPageWriter(createViewPage("simplex", validators + SPARE_SEATS));
    this.#ports.moved(this.#writer.page);
  }

  #enter(state: SimplexState): void {
    this.#view = state.view;
    this.#time(this.#slotOf(state, state.view), "entered");
  }

  #heard(state: SimplexState, from: number, message: Message): void {
    if (message.kind === "vote") this.#voted(state, message.vote.vote, message.vote.signer, from);
    else if (message.kind === "proposal") {
      const { view, proposer, payload } = message.block;
      // Whoever passes on another's block has not proposed it.
      if (proposer !== from || !this.#isNear(view)) return;
      const slot = this.#slotOf(state, view);
      if (slot.fields[FIELD.leader] === from) this.#proposed(slot, from, payload.length);
    }
  }

  #voted(state: SimplexState, { kind, view }: Vote, signer: number, from: number = signer): void {
    if (from !== signer) return;
    const slot = this.#byView.get(view) ?? (this.#isNear(view) ? this.#slotOf(state, view) : undefined);
    if (slot !== undefined) this.#mark(slot, kind, signer);
  }

  #noteEffect(state: SimplexState, effect: Effect): void {
    if (effect.kind === "persist" && effect.record.kind === "certificate")
      this.#noteCertificate(state, effect.record.certificate);
    else if (effect.kind === "finalized") this.#final(effect.block.view, effect.block.height);
    else if (effect.kind === "broadcast" && effect.message.kind === "proposal") {
      const { view, proposer, payload } = effect.message.block;
      const slot = this.#byView.get(view);
      if (slot !== undefined) this.#proposed(slot, proposer, payload.length);
    }
  }

  #noteCertificate(state: SimplexState, { kind, view, signers }: Certificate): void {
    const slot = this.#byView.get(view) ?? (this.#isNear(view) ? this.#slotOf(state, view) : undefined);
    if (slot === undefined) return;
    slot.bitmaps[BITMAP_ROWS[kind]]!.set(signers);
    const step = (
      { notarization: "notarized", nullification: "nullified", finalization: "finalized" } as const
    )[kind];
    this.#time(slot, step);
  }

  #final(view: number, height: number): void {
    const slot = this.#byView.get(view);
    if (slot === undefined) return;
    slot.fields[FIELD.height] = height;
    this.#byHeight.set(height, slot);
    this.#time(slot, "finalized");
  }

  /** The leader's proposal is its vote. */
  #proposed(slot: Slot, leader: number, payloadBytes: number): void {
    if (Number.isNaN(slot.fields[FIELD.payloadBytes]!)) slot.fields[FIELD.payloadBytes] = payloadBytes;
    this.#time(slot, "proposed");
    this.#mark(slot, "notarize", leader);
  }

  #timedOut(before: SimplexState, { id, token }: Extract<Input, { kind: "timer" }>): void {
    if (token !== before.view || (id !== "leader" && id !== "advance")) return;
    const slot = this.#byView.get(before.view);
    if (slot !== undefined) this.#time(slot, id === "leader" ? "leaderTimeout" : "advanceTimeout");
  }

  #isNear(view: number): boolean {
    return view >= this.#view && view <= this.#view + MAX_VIEWS_AHEAD;
  }

  #slotOf(state: SimplexState, view: number): Slot {
    const known = this.#byView.get(view);
    if (known !== undefined) return known;
    const { config, views } = state;
    const slot = this.#writer.claim(this.#ports.nowMs(), (gone) => this.#forget(gone));
    const { fields } = slot;
    const place = view as SimplexState["view"];
    fields[FIELD.epoch] = this.#epoch;
    fields[FIELD.view] = view;
    fields[FIELD.validators] = config.validators.validators.length;
    fields[FIELD.leader] = views.get(place)?.leader ?? leaderOf(config.domain, config.validators, place);
    this.#startMs.set(slot, this.#ports.elapsedMs());
    this.#byView.set(view, slot);
    return slot;
  }

  #forget({ fields }: Slot): void {
    if (fields[FIELD.epoch] === this.#epoch) this.#byView.delete(fields[FIELD.view]!);
    this.#byHeight.delete(fields[FIELD.height]!);
  }

  /** Notes when something was seen first. */
  #time(slot: Slot, field: Field): void {
    if (!Number.isNaN(slot.fields[FIELD[field]]!)) return;
    slot.fields[FIELD[field]] = this.#sinceStart(slot);
    this.#writer.changed(slot);
  }

  #mark(slot: Slot, kind: keyof typeof VOTE_ROWS, validator: number): void {
    const row = slot.votes[VOTE_ROWS[kind]]!;
    if (validator >= row.length || !Number.isNaN(row[validator]!)) return;
    row[validator] = this.#sinceStart(slot);
    this.#writer.changed(slot);
  }

  #sinceStart(slot: Slot): number {
    return this.#ports.elapsedMs() - (this.#startMs.get(slot) ?? 0);
  }
}
