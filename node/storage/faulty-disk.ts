import { type Bytes, concatBytes, must, type Random } from "@ostrom/base";
import type { Disk, DiskFile } from "./disk.ts";
import { StorageError } from "./errors.ts";

/** How often things go wrong: once in so many times, or never where undefined. */
export type DiskFaults = {
  /** Appends that find the disk full: a part of the bytes may have been written. */
  readonly appendFailsOneIn?: number;
  /** Syncs that fail: what was appended since the last one may be lost at the next crash, although it can be read until then. */
  readonly syncFailsOneIn?: number;
};

/** A folder for the simulator: its files outlive crashes of the node that uses it. */
export type FaultyDisk = {
  /** The disk as a node that has just started finds it; those handed out before are dead. */
  readonly start: () => Disk;
  /** Cuts the power. Of what no sync covered, any prefix is kept, and what follows it may be there as zeros or as noise;
   * of the folder's changes since its last sync, any prefix is kept. */
  readonly crash: () => void;
  readonly setFaults: (faults: DiskFaults) => void;
  /** Reads and changes files behind the node's back, durably: for tests that damage them. */
  readonly peek: (name: string) => Bytes | undefined;
  readonly poke: (name: string, bytes: Bytes) => void;
};

type File = { written: Bytes; syncedLength: number };
type Names = Map<string, File>;

const CUT_ENDS = ["cut", "zeros", "noise"] as const;

/** All that goes wrong is drawn from `random`: the same seed gives the same history. */
export function createFaultyDisk(random: Random, faults: DiskFaults = {}): FaultyDisk {
  const state = new FaultyFolder(random, faults);
  return {
    start: () => state.start(),
    crash: () => state.crash(),
    setFaults: (next) => {
      state.faults = next;
    },
    peek: (name) => state.names.get(name)?.written,
    poke: (name, bytes) => state.poke(name, bytes),
  };
}

class FaultyFolder {
  readonly random: Random;
  faults: DiskFaults;
  names: Names = new Map();
  #durableNames: Names = new Map();
  /** What was done to the folder since its last sync, in order. */
  #unsynced: ((names: Names) => void)[] = [];
  #life = 0;

  constructor(random: Random, faults: DiskFaults) {
    this.random = random;
    this.faults = faults;
  }

  start(): Disk {
    this.#life += 1;
    const life = this.#life;
    const alive = (): void => {
      if (life !== this.#life) throw new StorageError("storage/failed", "the machine has no power");
    };
    const named = (name: string): File => {
      alive();
      const file = this.names.get(name);
      if (file === undefined) throw new StorageError("storage/missing", `no file ${name}`);
      return file;
    };
    return {
      list: async () => {
        alive();
        return [...this.names.keys()].sort();
      },
      read: async (name) => named(name).written.slice(),
      create: async (name) => {
        alive();
        if (this.names.has(name)) throw new StorageError("storage/failed", `${name} is there already`);
        const file: File = { written: new Uint8Array(0), syncedLength: 0 };
        this.#change((names) => names.set(name, file));
        return this.#handle(file, alive);
      },
      open: async (name) => this.#handle(named(name), alive),
      rename: async (from, to) => {
        const file = named(from);
        this.#change((names) => {
          names.delete(from);
          names.set(to, file);
        });
      },
      remove: async (name) => {
        named(name);
        this.#change((names) => names.delete(name));
      },
      truncate: async (name, length) => {
        const file = named(name);
        file.written = file.written.slice(0, length);
        file.syncedLength = file.written.length;
      },
      syncFolder: async () => {
        alive();
        this.#durableNames = new Map(this.names);
        this.#unsynced = [];
      },
    };
  }

  crash(): void {
    this.#life += 1;
    const kept = this.#unsynced.slice(0, this.random.below(this.#unsynced.length + 1));
    const names = new Map(this.#durableNames);
    for (const change of kept) change(names);
    for (const file of new Set(names.values())) this.#tear(file);
    this.names = names;
    this.#durableNames = new Map(names);
    this.#unsynced = [];
  }

  poke(name: string, bytes: Bytes): void {
    const file = must(this.names.get(name), "only a file that is there can be changed");
    file.written = bytes.slice();
    file.syncedLength = bytes.length;
  }

  #change(change: (names: Names) => void): void {
    change(this.names);
    this.#unsynced.push(change);
  }

  #tear(file: File): void {
    const unsynced = file.written.length - file.syncedLength;
    if (unsynced > 0) {
      const kept = file.syncedLength + this.random.below(unsynced + 1);
      const lost = this.random.below(file.written.length - kept + 1);
      const end = must(CUT_ENDS[this.random.below(CUT_ENDS.length)], "an index below the length");
      const tail =
        end === "cut" ? new Uint8Array(0) : end === "zeros" ? new Uint8Array(lost) : this.random.bytes(lost);
      file.written = concatBytes(file.written.subarray(0, kept), tail);
    }
    file.syncedLength = file.written.length;
  }

  #handle(file: File, alive: () => void): DiskFile {
    const strikes = (oneIn: number | undefined): boolean =>
      oneIn !== undefined && this.random.chance(1, oneIn);
    return {
      append: async (bytes) => {
        alive();
        const isFull = strikes(this.faults.appendFailsOneIn);
        const accepted = isFull ? bytes.subarray(0, this.random.below(bytes.length + 1)) : bytes;
        file.written = concatBytes(file.written, accepted);
        if (isFull) throw new StorageError("storage/disk-full", "the simulated disk is full");
      },
      sync: async () => {
        alive();
        if (strikes(this.faults.syncFailsOneIn))
          throw new StorageError("storage/failed", "the simulated sync failed");
        file.syncedLength = file.written.length;
      },
      close: async () => {},
    };
  }
}
