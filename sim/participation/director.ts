import type { Bytes, Hash, Random } from "@ostrom/base";
import type { EpochSchedule, ModuleState } from "@ostrom/execution";
import type { ModuleCall } from "@ostrom/runtime";
import { storeReader } from "@ostrom/state";
import { readHead, StorageError, type Store } from "@ostrom/storage";
import type { SimulatedClock } from "../clock.ts";
import type { SimulatedMachine } from "../machine.ts";
import { between, pick } from "../random.ts";
import type { ParticipationGenesis } from "./genesis.ts";
import type { Seated } from "./members.ts";
import { areSettled, type Ticket, type Wallets } from "./wallets.ts";

/** What actors know of the chain: the state of the honest node that is farthest. */
export type Scene = {
  readonly random: Random;
  readonly participation: ParticipationGenesis;
  readonly schedule: EpochSchedule;
  readonly genesisHash: Hash;
  readonly machines: readonly SimulatedMachine[];
  readonly state: ModuleState;
  readonly height: number;
  readonly nowMs: number;
  readonly send: (key: Bytes, call: ModuleCall, what: string) => Ticket;
  readonly isBusy: (key: Bytes) => boolean;
  /** Actors, and validators whose disks may be lost. */
  readonly isFaulty: (identity: number) => boolean;
  readonly isAcceptable: (members: readonly Seated[]) => boolean;
  readonly strike: (what: string) => void;
};

/** Something that takes several transactions: it goes on when those that it has waited for came to an end. */
export type Script = Generator<readonly Ticket[], void, Scene>;

/** What may happen next. @returns undefined if it cannot now. */
export type Act = {
  readonly name: string;
  /** One at a time of those that bear on who validates. */
  readonly changesSet: boolean;
  readonly begin: (scene: Scene) => Script | undefined;
};

type Running = { readonly act: Act; readonly script: Script; waitsFor: readonly Ticket[] };

const MIN_PAUSE_MS = 20;
const MAX_PAUSE_MS = 90;
const MAX_RUNNING = 6;
const DRAWS_A_TURN = 2;

export type DirectorOptions = Omit<Scene, "state" | "height" | "nowMs" | "send" | "isBusy"> & {
  readonly clock: SimulatedClock;
  readonly wallets: Wallets;
  readonly store: () => Store | undefined;
  readonly acts: readonly Act[];
};

/** Draws what people do to who takes part, and when. */
export class Director {
  readonly #options: DirectorOptions;
  #running: Running[] = [];
  #isActive = false;

  constructor(options: DirectorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isActive = true;
    const { clock, random } = this.#options;
    const turn = (): void => {
      this.#tryTurn();
      if (this.#isActive || this.#running.length > 0)
        clock.at(between(random, MIN_PAUSE_MS, MAX_PAUSE_MS), turn);
    };
    turn();
  }

  /** Nothing new; what has begun goes on. */
  stop(): void {
    this.#isActive = false;
  }

  /** Whether something has begun that will change who validates. */
  get isChangingSet(): boolean {
    return this.#running.some(({ act }) => act.changesSet);
  }

  #tryTurn(): void {
    try {
      const store = this.#options.store();
      if (store !== undefined) this.#turn(store);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #turn(store: Store): void {
    const scene = this.#scene(store);
    for (const running of this.#running) {
      if (!areSettled(running.waitsFor)) continue;
      const step = running.script.next(scene);
      running.waitsFor = step.done === true ? [] : step.value;
      if (step.done === true) this.#running = this.#running.filter((one) => one !== running);
    }
    for (let draw = 0; draw < DRAWS_A_TURN; draw++) this.#draw(scene);
  }

  #draw(scene: Scene): void {
    const { random, acts } = this.#options;
    if (!this.#isActive || this.#running.length >= MAX_RUNNING) return;
    const act = pick(random, acts);
    if (act.changesSet && this.isChangingSet) return;
    const script = act.begin(scene);
    if (script === undefined) return;
    const step = script.next(scene);
    if (step.done !== true) this.#running.push({ act, script, waitsFor: step.value });
  }

  #scene(store: Store): Scene {
    const { clock, wallets, store: _, acts: __, ...known } = this.#options;
    return {
      ...known,
      state: storeReader(store),
      height: readHead(store)?.height ?? 0,
      nowMs: clock.timeMs,
      send: (key, call, what) => wallets.send(key, call, what),
      isBusy: (key) => wallets.isBusy(key),
    };
  }
}

/** Waits until the condition holds, or for so many turns. */
export function* until(
  isDone: (scene: Scene) => boolean,
  turns: number,
): Generator<readonly Ticket[], Scene | undefined, Scene> {
  for (let turn = 0; turn < turns; turn++) {
    const scene = yield [];
    if (isDone(scene)) return scene;
  }
  return undefined;
}
