import { type Bytes, equalBytes, type Hash, must } from "@ostrom/base";
import type { ConsensusDomain } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { chainHash, type Genesis } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import {
  acceptAccounts,
  acceptSlots,
  codeKey,
  FULL_RANGE,
  storeReader,
  type TrieHash,
  type WriteOperation,
} from "@ostrom/state";
import { readFloor, type Store } from "@ostrom/storage";
import type { Clock, Log } from "./ports.ts";
import { adoptOperations } from "./snapshot-adopt.ts";
import {
  MAX_CODES,
  MAX_OWNERS,
  type Pin,
  type PinnedBlock,
  type SnapshotAnswer,
} from "./snapshot-messages.ts";
import { isSamePin, type SnapshotPeer, SnapshotPeers } from "./snapshot-peers.ts";
import { endSnapshotOperation, type SnapshotTask, SnapshotTasks } from "./snapshot-tasks.ts";
import { neededEpoch, SetChain, type VerifiedPin, verifyPinnedBlock } from "./snapshot-trust.ts";

/** Questions under way at one peer. */
const QUESTIONS_PER_PEER = 2;
/** Tasks of one question. */
const TASKS_AT_ONCE = { accounts: 1, slots: MAX_OWNERS, code: MAX_CODES };
/** How often peers are asked anew which states they serve. */
const PINS_INTERVAL_MS = 2_000;
/** A state that nobody has served for so long is given up, even if no other is served. */
const LOST_AFTER_MS = 8_000;
/** If all that are linked say that they serve none, for so long, there is none. */
const NOTHING_AFTER_MS = 4_000;
/** After the first peer, others are given so long to say what they serve. */
const SETTLE_MS = 500;

export type SnapshotFetchPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly send: (peerId: PeerId, payload: Bytes) => void;
  readonly punish: (peerId: PeerId, reason: string) => void;
};

/** `joined`: the store holds a state and can be opened. `nothing`: nobody serves one; what there is has to be executed. */
export type SnapshotOutcome = { readonly kind: "joined"; readonly pin: Pin } | { readonly kind: "nothing" };

/** Fetches the state of a chain from nodes that are not believed: what makes it the chain's is a state certificate under a set of validators
 * that each set since genesis has named, and a proof for each range. It may end at any time, and be begun again on the same store. */
export class SnapshotFetch {
  readonly #ports: SnapshotFetchPorts;
  readonly #genesis: Genesis;
  readonly #domain: ConsensusDomain;
  readonly #hash: TrieHash;
  readonly #peers: SnapshotPeers;
  readonly #sets: SetChain;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();
  #isStopped = false;
  #heardAtMs: number | undefined;
  #bytes = 0;

  constructor(genesis: Genesis, domain: ConsensusDomain, ports: SnapshotFetchPorts) {
    this.#ports = ports;
    this.#genesis = genesis;
    this.#domain = domain;
    this.#hash = chainHash(genesis.rules);
    this.#sets = new SetChain(domain, genesis, genesis.validatorSet);
    this.#peers = new SnapshotPeers({ ...ports, changed: () => this.#changed() });
  }

  up(peerId: PeerId): void {
    this.#peers.up(peerId);
  }

  down(peerId: PeerId): void {
    this.#peers.down(peerId);
  }

  frame(peerId: PeerId, payload: Bytes): void {
    this.#bytes += payload.length;
    this.#heardAtMs ??= this.#ports.clock.nowMs();
    this.#peers.frame(peerId, payload);
  }

  stop(): void {
    this.#isStopped = true;
    this.#changed();
  }

  /** Rejects with StorageError, and with `snapshot/stopped` after `stop`. */
  async run(): Promise<SnapshotOutcome> {
    const { log, clock } = this.#ports;
    const cancel = this.#askPinsLater();
    const startMs = clock.nowMs();
    try {
      for (;;) {
        const pin = await this.#choosePin();
        if (pin === undefined) return { kind: "nothing" };
        const found = await this.#verifyPin(pin);
        if (found === undefined) continue;
        log("info", "fetching the state of a block", { height: pin.height });
        if (!(await this.#fetchState(found.verified))) {
          log("warn", "nobody serves that state any more: another one is fetched", { height: pin.height });
          continue;
        }
        const { keptBlocks } = readFloor(this.#ports.store);
        const { verified, extras } = found;
        const state = storeReader(this.#ports.store);
        const adopted = adoptOperations(this.#genesis, this.#sets, verified, extras, keptBlocks, state);
        await this.#ports.store.write([...adopted, endSnapshotOperation()], { sync: true });
        const seconds = (clock.nowMs() - startMs) / 1_000;
        log("info", "the state is here", { height: pin.height, seconds, bytes: this.#bytes });
        return { kind: "joined", pin };
      }
    } finally {
      cancel();
    }
  }

  #changed(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #wait(): Promise<void> {
    if (!this.#isStopped) await this.#wake.promise;
    if (this.#isStopped)
      throw Object.assign(new Error("the fetch was stopped"), { code: "snapshot/stopped" });
  }

  #askPinsLater(): () => void {
    let isOver = false;
    let cancel = (): void => undefined;
    const again = (): void => {
      if (isOver || this.#isStopped) return;
      for (const peer of this.#peers.all()) void this.#peers.askPins(peer);
      this.#changed();
      // A peer starts to look for a state to serve when it is first asked: it will soon have an answer.
      const isUnheard = this.#peers.all().some(({ pins }) => pins === undefined);
      cancel = this.#ports.clock.after(isUnheard ? SETTLE_MS : PINS_INTERVAL_MS, again);
    };
    cancel = this.#ports.clock.after(SETTLE_MS, again);
    return () => {
      isOver = true;
      cancel();
    };
  }

  /** The newest state that is served by a peer that is asked; undefined if there is none. */
  async #choosePin(): Promise<Pin | undefined> {
    const { clock } = this.#ports;
    for (;;) {
      const heardMs = this.#heardAtMs === undefined ? -1 : clock.nowMs() - this.#heardAtMs;
      const peers = this.#peers.all();
      const pins = peers.flatMap(({ pins }) => pins ?? []).toSorted((a, b) => b.height - a.height);
      const areAllHeard = peers.every(({ pins }) => pins !== undefined);
      if (pins[0] !== undefined && (areAllHeard || heardMs >= SETTLE_MS)) return pins[0];
      if (pins.length === 0 && peers.length > 0 && areAllHeard && heardMs >= NOTHING_AFTER_MS)
        return undefined;
      await this.#wait();
    }
  }

  async #verifyPin(
    pin: Pin,
  ): Promise<{ readonly verified: VerifiedPin; readonly extras: PinnedBlock["extras"] } | undefined> {
    for (const peer of this.#peers.able(pin, Number.MAX_SAFE_INTEGER)) {
      const [offered] = (peer.pins ?? []).filter((one) => isSamePin(one, pin));
      if (offered === undefined || !(await this.#walkSets(peer, neededEpoch(this.#genesis, pin.height))))
        continue;
      const answer = await this.#peers.ask(peer, { kind: "get-block", pin });
      if (answer === undefined) continue;
      if (answer.kind !== "block") {
        this.#lied(peer, "snapshot/wrong-answer");
        continue;
      }
      const verified = verifyPinnedBlock(this.#domain, this.#genesis, this.#sets, pin, answer.block);
      if (verified.ok) return { verified: verified.value, extras: answer.block.extras };
      this.#lied(peer, `${verified.error.code}: ${verified.error.message}`);
    }
    // Whoever was asked says what it serves again.
    await this.#wait();
    return undefined;
  }

  /** Goes from set to set up to an epoch's. @returns false if this peer does not help. */
  async #walkSets(peer: SnapshotPeer, epoch: number): Promise<boolean> {
    while (this.#sets.newestEpoch < epoch) {
      const answer = await this.#peers.ask(peer, { kind: "get-sets", fromEpoch: this.#sets.newestEpoch });
      if (answer?.kind !== "sets" || answer.steps.length === 0) return false;
      for (const step of answer.steps) {
        const accepted = this.#sets.accept(step);
        if (accepted.ok) continue;
        this.#lied(peer, `${accepted.error.code}: ${accepted.error.message}`);
        return false;
      }
    }
    return true;
  }

  /** @returns false if nobody serves the state any more. */
  async #fetchState(verified: VerifiedPin): Promise<boolean> {
    const { store, clock } = this.#ports;
    const stateRoot = must(verified.headers.at(-1), "the pinned header is there").header.stateRoot;
    const tasks = await SnapshotTasks.open(store, verified.pin);
    const running = new Set<Promise<void>>();
    let failure: unknown;
    let servedAtMs = clock.nowMs();
    while (!tasks.isDone) {
      for (const peer of this.#peers.able(verified.pin, QUESTIONS_PER_PEER)) {
        const taken = tasks.take(TASKS_AT_ONCE);
        if (taken.length === 0) break;
        const work = this.#fetchTasks(peer, verified.pin, stateRoot, tasks, taken)
          .catch((error: unknown) => {
            failure = error;
          })
          .finally(() => {
            tasks.release(taken);
            running.delete(work);
            this.#changed();
          });
        running.add(work);
      }
      if (failure !== undefined) throw failure;
      const served = this.#peers.all().flatMap(({ pins }) => pins ?? []);
      const isServed = served.some((one) => isSamePin(one, verified.pin));
      if (isServed || running.size > 0) servedAtMs = clock.nowMs();
      else if (served.length > 0 || clock.nowMs() - servedAtMs > LOST_AFTER_MS) return false;
      if (!tasks.isDone) await this.#wait();
    }
    await Promise.all(running);
    return true;
  }

  async #fetchTasks(
    peer: SnapshotPeer,
    pin: Pin,
    stateRoot: Hash,
    tasks: SnapshotTasks,
    taken: readonly SnapshotTask[],
  ): Promise<void> {
    const [first] = taken;
    if (first === undefined) return;
    const answer = await this.#peers.ask(peer, questionOf(pin, taken));
    if (answer === undefined) return;
    const operations = this.#accept(stateRoot, tasks, taken, answer);
    if (typeof operations === "string") this.#lied(peer, operations);
    // Not synced: what is lost in a crash is lost together with the note that it was there.
    else await this.#ports.store.write(operations, { sync: false });
  }

  /** @returns what to write, or what is wrong with the answer. Tasks are changed only if all of it is right. */
  #accept(
    stateRoot: Hash,
    tasks: SnapshotTasks,
    taken: readonly SnapshotTask[],
    answer: SnapshotAnswer,
  ): readonly WriteOperation[] | string {
    const [first] = taken;
    if (first?.kind === "accounts" && answer.kind === "accounts") {
      const accepted = acceptAccounts(stateRoot, first.range, answer.range, this.#hash);
      if (!accepted.ok) return `${accepted.error.code}: ${accepted.error.message}`;
      const { operations, accounts } = accepted.value;
      const last = answer.range.isComplete ? undefined : accounts.at(-1)?.accountHash;
      const hasCode = (codeHash: Hash): boolean => this.#ports.store.get(codeKey(codeHash)) !== undefined;
      return [...operations, ...tasks.add(accounts, hasCode), tasks.advance(first, last)];
    }
    if (first?.kind === "slots" && answer.kind === "slots") return this.#acceptSlots(tasks, taken, answer);
    if (first?.kind === "code" && answer.kind === "codes") return acceptCodes(tasks, taken, answer.codes);
    return "snapshot/wrong-answer";
  }

  #acceptSlots(
    tasks: SnapshotTasks,
    taken: readonly SnapshotTask[],
    { ranges }: Extract<SnapshotAnswer, { kind: "slots" }>,
  ): readonly WriteOperation[] | string {
    if (ranges.length === 0 || ranges.length > taken.length) return "snapshot/wrong-answer";
    const operations: WriteOperation[] = [];
    const done: (readonly [SnapshotTask, Bytes | undefined])[] = [];
    for (const [index, range] of ranges.entries()) {
      const task = taken[index];
      if (task?.kind !== "slots") return "snapshot/wrong-answer";
      const accepted = acceptSlots(task, { start: task.start, end: FULL_RANGE.end }, range, this.#hash);
      if (!accepted.ok) return `${accepted.error.code}: ${accepted.error.message}`;
      for (const operation of accepted.value.operations) operations.push(operation);
      done.push([task, range.isComplete ? undefined : accepted.value.last]);
    }
    for (const [task, last] of done) operations.push(tasks.advance(task, last));
    return operations;
  }

  #lied(peer: SnapshotPeer, reason: string): void {
    this.#ports.log("warn", "a peer lied about the state", { peerId: peer.peerId, reason });
    this.#peers.lied(peer.peerId, reason);
  }
}

function questionOf(pin: Pin, taken: readonly SnapshotTask[]) {
  const [first] = taken;
  if (first?.kind === "accounts") return { kind: "get-accounts", pin, range: first.range } as const;
  if (first?.kind === "slots") {
    const owners = taken.flatMap((task) =>
      task.kind === "slots" ? [{ accountHash: task.accountHash, start: task.start }] : [],
    );
    return { kind: "get-slots", pin, owners } as const;
  }
  const hashes = taken.flatMap((task) => (task.kind === "code" ? [task.codeHash] : []));
  return { kind: "get-codes", pin, hashes } as const;
}

/** Code is named by keccak256 on every chain. */
function acceptCodes(
  tasks: SnapshotTasks,
  taken: readonly SnapshotTask[],
  codes: readonly Bytes[],
): readonly WriteOperation[] | string {
  if (codes.length === 0 || codes.length > taken.length) return "snapshot/wrong-answer";
  const found = codes.map((code, index) => ({ code, task: taken[index] }));
  const isRight = found.every(
    ({ code, task }) => task?.kind === "code" && equalBytes(keccak256(code), task.codeHash),
  );
  if (!isRight) return "snapshot/wrong-code";
  return found.flatMap(({ code, task }) =>
    task?.kind === "code"
      ? [{ key: codeKey(task.codeHash), value: code }, tasks.advance(task, undefined)]
      : [],
  );
}
