import type { Failure, Random } from "@ostrom/base";
import type { SimulatedClock } from "./clock.ts";
import { type LinkConditions, PERFECT_LINKS, type SimulatedLinks } from "./links.ts";
import type { SimulatedMachine } from "./machine.ts";
import { between, delayBelow, pick, sample } from "./random.ts";
import type { Trace } from "./trace.ts";

/** What can strike a network, by name. */
export const FAULT_NAMES = [
  "loss",
  "reordering",
  "duplication",
  "partition",
  "deep-partition",
  "one-way-cut",
  "narrow-line",
  "crash",
  "crash-at-await",
  "crash-of-all",
  "lost-log",
  "lost-database",
  "rotten-log",
  "rotten-database",
  "full-disk",
  "failed-sync",
  "slow-disk",
  "slow-processor",
  "skewed-clock",
  "jumping-clock",
  "byzantine",
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

const TOO_DEEP = "pow/reorganisation-too-deep";

/** With which codes a node may stop, and which fault allows it. */
const FAILURES_OF_FAULTS: readonly (readonly [FaultName, readonly string[]])[] = [
  ["full-disk", ["storage/disk-full", "storage/failed"]],
  ["failed-sync", ["storage/failed"]],
  ["rotten-log", ["storage/damaged"]],
  ["rotten-database", ["storage/damaged"]],
  ["deep-partition", [TOO_DEEP]],
];

const MAX_SKEW_MS = 150;
const MAX_JUMP_MS = 3_000;
const MAX_OFF_MS = 700;
const MAX_TROUBLE_MS = 1_200;
const MAX_CALM_MS = 350;
const MAX_LOSS_PER_MILLE = 150;
const MAX_DUPLICATES_PER_MILLE = 80;
const MAX_JITTER_MS = 90;
const MAX_AWAITS = 60;
/** Of 4 validators with bursts of transfers this is some ten times of what they need. */
const NARROW_BYTES_PER_MS = 400;
const BIT_ROT_ONE_IN = 300;
const FAILED_SYNC_ONE_IN = 6;
const ALL_AT_ONCE_ONE_IN = 3;
const RARE_ONE_IN = 20;

/** What can be struck: a network of machines, whatever runs on them. */
export type FaultyNetwork = {
  readonly clock: SimulatedClock;
  readonly links: SimulatedLinks;
  readonly machines: readonly SimulatedMachine[];
  readonly trace: Trace;
  readonly allowedFailures: Set<string>;
  onDown: (machine: SimulatedMachine, failure: Failure | undefined) => void;
  readonly identityOf: (machine: number) => number;
  readonly strike: (fault: string, times?: number) => void;
  readonly loseLog: (machine: SimulatedMachine) => void;
  readonly loseDatabase: (machine: SimulatedMachine) => void;
};

/** Draws what goes wrong, and when, and repairs it later. Some validators are fragile: their disks may be lost or damaged. They and the
 * actors together weigh less than a third; all others keep what they have synced. */
export class Nemesis {
  readonly #network: FaultyNetwork;
  readonly #random: Random;
  readonly #faults: ReadonlySet<FaultName>;
  /** Identities of validators that may lose what they had. */
  readonly fragile: ReadonlySet<number>;
  #isActive = false;
  #epoch = 0;

  /** @param faults those of this seed. */
  constructor(
    network: FaultyNetwork,
    random: Random,
    options: { readonly faults: ReadonlySet<FaultName>; readonly fragile: ReadonlySet<number> },
  ) {
    this.#network = network;
    this.#random = random;
    this.#faults = options.faults;
    this.fragile = options.fragile;
    for (const [fault, codes] of FAILURES_OF_FAULTS)
      if (this.#faults.has(fault)) for (const code of codes) network.allowedFailures.add(code);
    network.onDown = (machine, failure) => this.#isDown(machine, failure);
  }

  start(): void {
    this.#isActive = true;
    if (this.#faults.has("skewed-clock")) {
      for (const machine of this.#network.machines)
        machine.clockErrorMs = between(this.#random, -MAX_SKEW_MS, MAX_SKEW_MS);
      this.#network.strike("skewed-clock", this.#network.machines.length);
    }
    this.#weather();
    this.#trouble();
  }

  /** Nothing new goes wrong from now on; what is wrong stays until `heal`. */
  stop(): void {
    this.#isActive = false;
    this.#epoch++;
  }

  /** These machines run as they should from now on, and links among them are good; the others stay as they are. */
  heal(core: readonly SimulatedMachine[]): void {
    const chosen = new Set(core.map(({ index }) => index));
    const areCore = (a: number, b: number): boolean => chosen.has(a) && chosen.has(b);
    const isLost = new Set(
      this.#network.machines.filter(() => this.#random.chance(1, 2)).map(({ index }) => index),
    );
    const isAway = (machine: number): boolean => !chosen.has(machine) && isLost.has(machine);
    this.#network.links.partition((a, b) => isAway(a) !== isAway(b));
    this.#network.links.silence(() => false);
    const rough = this.#conditions();
    const good = { ...PERFECT_LINKS, jitterMs: 5 };
    this.#network.links.condition((from, to) => (areCore(from, to) ? good : rough));
    for (const machine of core) this.#repair(machine);
  }

  healAll(): void {
    const good = { ...PERFECT_LINKS, jitterMs: 5 };
    this.#network.links.partition(() => false);
    this.#network.links.silence(() => false);
    this.#network.links.condition(() => good);
    for (const machine of this.#network.machines) this.#repair(machine);
  }

  #repair(machine: SimulatedMachine): void {
    machine.crashAtOperation = undefined;
    machine.cpuFactor = 1;
    machine.diskFactor = 1;
    machine.clockErrorMs = Math.max(-MAX_SKEW_MS, Math.min(MAX_SKEW_MS, machine.clockErrorMs));
    machine.disks.setFull("log", false);
    machine.disks.setFull("database", false);
    machine.disks.setSyncFailures(undefined);
    machine.disks.setBitRot(undefined);
    machine.start();
  }

  #later(boundMs: number, run: () => void): void {
    const epoch = this.#epoch;
    this.#network.clock.at(1 + delayBelow(this.#random, boundMs), () => {
      if (epoch === this.#epoch) run();
    });
  }

  /** What is common to all links changes now and then. */
  #weather(): void {
    const conditions = this.#conditions();
    this.#network.links.condition(() => conditions);
    this.#later(2 * MAX_TROUBLE_MS, () => this.#weather());
  }

  #conditions(): LinkConditions {
    const random = this.#random;
    const draw = (fault: FaultName, most: number): number => {
      const isOn = this.#faults.has(fault) && random.chance(2, 3);
      if (isOn) this.#network.strike(fault);
      return isOn ? random.below(most) : 0;
    };
    return {
      lossPerMille: draw("loss", MAX_LOSS_PER_MILLE),
      duplicatePerMille: draw("duplication", MAX_DUPLICATES_PER_MILLE),
      jitterMs: 1 + draw("reordering", MAX_JITTER_MS),
      bytesPerMs: draw("narrow-line", NARROW_BYTES_PER_MS),
    };
  }

  #trouble(): void {
    const kinds = [...this.#faults].filter((fault) => fault in STRIKES);
    if (kinds.length === 0) return;
    this.#later(MAX_CALM_MS, () => {
      this.#strike(pick(this.#random, kinds));
      this.#trouble();
    });
  }

  #strike(fault: FaultName): void {
    const strike = STRIKES[fault];
    if (strike === undefined) return;
    const machines = this.#network.machines.filter(
      ({ index }) => !strike.needsFragile || this.#isFragile(index),
    );
    if (machines.length === 0) return;
    const machine = pick(this.#random, machines);
    const undo = strike.begin(this.#network, machine, this.#random);
    if (undo === undefined) return;
    this.#network.strike(fault);
    this.#network.trace.note(machine.index, `fault: ${fault}`);
    this.#network.trace.count(5, machine.index);
    if (undo !== "done") this.#later(MAX_TROUBLE_MS, undo);
  }

  #isFragile(machine: number): boolean {
    return this.fragile.has(this.#network.identityOf(machine));
  }

  /** Somebody turns it on again, and repairs what the failure named. */
  #isDown(machine: SimulatedMachine, failure: Failure | undefined): void {
    if (!this.#isActive && failure === undefined) return;
    this.#network.clock.at(1 + delayBelow(this.#random, MAX_OFF_MS), () => {
      if (machine.isOn) return;
      if (failure !== undefined) this.#cure(machine, failure);
      machine.start();
    });
  }

  #cure(machine: SimulatedMachine, failure: Failure): void {
    if (failure.code === TOO_DEEP) {
      // The operator decides for the others' chain.
      this.#network.loseDatabase(machine);
      return;
    }
    if (failure.code !== "storage/damaged" || !this.#isFragile(machine.index)) {
      if (this.#random.chance(1, 2)) this.#repair(machine);
      return;
    }
    machine.disks.setBitRot(undefined);
    if (failure.message.includes("write-ahead log")) this.#network.loseLog(machine);
    else if (this.#random.chance(1, 2)) this.#network.loseDatabase(machine);
  }
}

type Undo = () => void;

type Strike = {
  /** Only those may suffer it whose disks may be lost. */
  readonly needsFragile?: boolean;
  /** @returns what ends it, "done" if it ends by itself, undefined if it could not strike. */
  readonly begin: (
    network: FaultyNetwork,
    machine: SimulatedMachine,
    random: Random,
  ) => Undo | "done" | undefined;
};

function crash(machine: SimulatedMachine): "done" | undefined {
  if (!machine.isOn) return undefined;
  machine.crash();
  return "done";
}

/** A machine that is up loses something while it is off. */
function crashWith(machine: SimulatedMachine, lose: () => void): "done" | undefined {
  if (!machine.isUp) return undefined;
  machine.crash();
  lose();
  return "done";
}

/** Of mined chains: both sides go on, for longer than a node follows back. */
const DEEP_PARTITION_MS = 12_000;

const STRIKES: Partial<Readonly<Record<FaultName, Strike>>> = {
  partition: {
    begin: ({ links, machines }, _, random) => {
      const side = new Set(sample(random, machines, between(random, 1, machines.length - 1)));
      const isIn = machines.map((machine) => side.has(machine));
      const isCut = (a: number, b: number): boolean => isIn[a] !== isIn[b];
      if (random.chance(1, 2)) links.partition(isCut);
      else links.silence(isCut);
      return () => {
        links.partition(() => false);
        links.silence(() => false);
      };
    },
  },
  "deep-partition": {
    begin: ({ links, machines, clock }, _, random) => {
      if (!random.chance(1, RARE_ONE_IN)) return undefined;
      const isIn = machines.map(() => random.chance(1, 2));
      links.partition((a, b) => isIn[a] !== isIn[b]);
      clock.at(DEEP_PARTITION_MS, () => links.partition(() => false));
      return "done";
    },
  },
  "one-way-cut": {
    begin: ({ links }, { index }, random) => {
      const isOut = random.chance(1, 2);
      links.silence((from, to) => (isOut ? from : to) === index);
      return () => links.silence(() => false);
    },
  },
  crash: { begin: (_, machine) => crash(machine) },
  "crash-at-await": {
    begin: (_, machine, random) => {
      if (!machine.isOn) return undefined;
      machine.crashAtOperation = machine.operations + between(random, 1, MAX_AWAITS);
      return "done";
    },
  },
  "crash-of-all": {
    begin: ({ machines }, _, random) => {
      if (!random.chance(1, ALL_AT_ONCE_ONE_IN)) return undefined;
      for (const machine of machines) machine.crash();
      return "done";
    },
  },
  "lost-log": {
    needsFragile: true,
    begin: (network, machine) => crashWith(machine, () => network.loseLog(machine)),
  },
  "lost-database": {
    needsFragile: true,
    begin: (network, machine, random) =>
      crashWith(machine, () => {
        network.loseDatabase(machine);
        if (random.chance(1, 3)) network.loseLog(machine);
      }),
  },
  "rotten-log": {
    needsFragile: true,
    begin: (_, machine) => (machine.isUp && machine.disks.rotLog() ? crash(machine) : undefined),
  },
  "rotten-database": {
    needsFragile: true,
    begin: (_, machine) => {
      machine.disks.setBitRot(BIT_ROT_ONE_IN);
      return () => machine.disks.setBitRot(undefined);
    },
  },
  "full-disk": {
    begin: (_, machine, random) => {
      const what = pick(random, ["log", "database"] as const);
      machine.disks.setFull(what, true);
      return () => machine.disks.setFull(what, false);
    },
  },
  "failed-sync": {
    begin: (_, machine) => {
      machine.disks.setSyncFailures(FAILED_SYNC_ONE_IN);
      return () => machine.disks.setSyncFailures(undefined);
    },
  },
  "slow-disk": {
    begin: (_, machine, random) => {
      machine.diskFactor = between(random, 5, 60);
      return () => {
        machine.diskFactor = 1;
      };
    },
  },
  "slow-processor": {
    begin: (_, machine, random) => {
      machine.cpuFactor = between(random, 2, 20);
      return () => {
        machine.cpuFactor = 1;
      };
    },
  },
  "jumping-clock": {
    begin: (_, machine, random) => {
      const before = machine.clockErrorMs;
      machine.clockErrorMs += between(random, -MAX_JUMP_MS, MAX_JUMP_MS);
      return () => {
        machine.clockErrorMs = before;
      };
    },
  },
};
