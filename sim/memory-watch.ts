import type { SimulatedClock } from "./clock.ts";
import type { InvariantName } from "./invariants.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { Trace } from "./trace.ts";

/** How often the sizes are looked at, in simulated milliseconds. */
const SAMPLE_EVERY_MS = 250;

/** Most that an honest node may keep, by what. What is not named here is bounded by others' tests. Values follow from the named limits
 * of the engine (windows of 32 views for votes, 4 for proposals; 16 requests) and from what waits for finality: each view that fails while
 * nothing is final may leave one block and its votes. */
export function memoryBounds(validators: number, viewsSinceFinal: number): Readonly<Record<string, number>> {
  const views = viewsSinceFinal + 3 * 32 + 8;
  return {
    views,
    blocks: views + 8 * validators,
    requests: 16,
    helped: 2 * validators + 8,
    results: 1_024,
    tallies: 1_024,
    ignored: 1_024,
    earlyBytes: 64 * 1024 * 1024,
    facts: views + 128,
    unexecuted: 128,
    finalizedGas: 256,
    transactions: 4_096,
    faultsLogged: 64 * validators,
    heldBatches: 64 * validators,
    heardBatches: 32 * validators,
    certifiedBatches: 32 * validators,
    wantedBatches: 32 * validators,
    ownBatches: 32,
    batchCursors: 512,
  };
}

type Position = { readonly epoch: number; readonly view: number };

/** How far honest validators have voted, and what is final: views in between may each have left something in memory. */
export class ViewProgress {
  #voted: Position = { epoch: 0, view: 0 };
  #final: Position = { epoch: 0, view: 0 };

  voted(position: Position): void {
    this.#voted = later(this.#voted, position);
  }

  final(position: Position): void {
    this.#final = later(this.#final, position);
  }

  get viewsSinceFinal(): number {
    return this.#voted.view - (this.#final.epoch === this.#voted.epoch ? this.#final.view : 0);
  }
}

function later(one: Position, { epoch, view }: Position): Position {
  return epoch > one.epoch || (epoch === one.epoch && view > one.view) ? { epoch, view } : one;
}

/** Whose memory is looked at. */
export type WatchedNetwork = {
  readonly clock: SimulatedClock;
  readonly machines: readonly SimulatedMachine[];
  readonly trace: Trace;
  readonly isHonest: (machine: number) => boolean;
  readonly memoryBounds: () => Readonly<Record<string, number>>;
  readonly invariants: {
    readonly violate: (invariant: InvariantName, machine: number | undefined, message: string) => void;
  };
};

/** Looks at what honest nodes keep in memory, and remembers the most. */
export class MemoryWatch {
  readonly most: Map<string, number> = new Map();
  readonly #network: WatchedNetwork;

  constructor(network: WatchedNetwork) {
    this.#network = network;
    const sample = (): void => {
      this.#sample();
      network.clock.at(SAMPLE_EVERY_MS, sample);
    };
    network.clock.at(SAMPLE_EVERY_MS, sample);
  }

  #sample(): void {
    const { machines, invariants, trace } = this.#network;
    const bounds = this.#network.memoryBounds();
    for (const { index, node } of machines) {
      if (node === undefined) continue;
      for (const [what, size] of Object.entries(node.sizes())) {
        this.most.set(what, Math.max(size, this.most.get(what) ?? 0));
        trace.count(6, index, size);
        const bound = bounds[what];
        if (this.#network.isHonest(index) && bound !== undefined && size > bound)
          invariants.violate("memory", index, `keeps ${size} ${what}, more than ${bound}`);
      }
    }
  }
}
