import type { Address, Hash, Random } from "@ostrom/base";
import type { WorkHash } from "@ostrom/consensus";
import type { PowGenesis } from "@ostrom/execution";
import { type ExecutionReport, Executor, type Miner, PowCore, powConfig } from "@ostrom/runtime";
import type { Store } from "@ostrom/storage";
import { simulatedChecker } from "./boot-simplex.ts";
import type { Boot, Environment } from "./machine.ts";

export type PowBootOptions = {
  readonly genesis: PowGenesis;
  readonly genesisHash: Hash;
  readonly coinbase: (machine: number) => Address;
  /** Part of all the network's hash rate. */
  readonly hashShare: (machine: number) => number;
  readonly historyBlocks: number;
  readonly executed: (machine: number, report: ExecutionReport) => void;
  readonly finalized: (machine: number, height: number, store: Store) => void;
  readonly unwound: (machine: number) => void;
  readonly punished: (machine: number, peerId: string, reason: string) => void;
};

const MAX_EXECUTION_MS = 8;
const NONCE_BYTES = 8;
const FOUND_MARK = 0x0057_0f0d;
const WORD = 2n ** 32n;
const MAX_TARGET = 2n ** 256n;

/** Work that costs nothing: a marked nonce meets every target, another none. Who has found it is a matter of chance and of simulated
 * time; who forges it sends a nonce without the mark. */
export const simulatedWork: WorkHash = {
  name: "sha256",
  hash: (data) => {
    const view = new DataView(data.buffer, data.byteOffset + data.length - NONCE_BYTES, NONCE_BYTES);
    return new Uint8Array(32).fill(view.getUint32(0) === FOUND_MARK ? 0 : 0xff);
  },
};

/** Boots the node of a mined chain as production runs it, on simulated ports. */
export function powBoot(options: PowBootOptions): Boot {
  const { genesis, genesisHash } = options;
  return async (environment) => {
    const { machine, clock, random, network, log, wait } = environment;
    const store = environment.openStore();
    const executor = await Executor.open(store, genesis, options.historyBlocks);
    const core = new PowCore({
      clock,
      entropy: { bytes: random.bytes },
      log,
      genesis,
      config: powConfig(genesis, genesisHash, simulatedWork),
      store,
      network,
      punish: (peerId, reason) => options.punished(machine, peerId, reason),
      execution: {
        execute: async (input) => {
          await wait(MAX_EXECUTION_MS);
          return executor.execute(input);
        },
        unwind: async (height) => {
          await wait(MAX_EXECUTION_MS);
          return executor.unwind(height);
        },
        stop: async () => undefined,
      },
      checker: simulatedChecker(environment),
      miner: simulatedMiner(environment, options.hashShare(machine), genesis),
      coinbase: options.coinbase(machine),
      head: executor.head(),
      listener: {
        block: (report) => options.executed(machine, report),
        unwound: () => options.unwound(machine),
        finalized: (height) => options.finalized(machine, height, store),
        admitted: () => undefined,
        dropped: () => undefined,
        failed: environment.failed,
      },
    });
    return {
      handlers: core.handlers,
      start: () => core.start(),
      heads: () => core.heads(),
      store,
      submit: (raws) => core.submit(raws),
      sizes: () => core.sizes(),
    };
  };
}

/** Finds a nonce after a time that depends on chance, hash rate and difficulty alone: memoryless, as with real miners. */
function simulatedMiner({ clock, random }: Environment, hashShare: number, genesis: PowGenesis): Miner {
  const { initialTarget, targetIntervalMs } = genesis.consensus;
  let cancel = (): void => undefined;
  return {
    search: ({ target }, found) => {
      cancel();
      if (hashShare <= 0) return;
      const difficulty =
        Number((initialTarget * 1_000n) / (target < MAX_TARGET ? target : MAX_TARGET)) / 1_000;
      const meanMs = (targetIntervalMs * difficulty) / hashShare;
      const nonce = BigInt(FOUND_MARK) * WORD + BigInt(random.nextUint32());
      cancel = clock.after(exponential(random, meanMs), () => found(nonce));
    },
    pause: () => cancel(),
    hashesPerSecond: () => 1,
    stop: async () => cancel(),
  };
}

const UNIFORM_STEPS = 1_000_000;

function exponential(random: Random, mean: number): number {
  return -Math.log((1 + random.below(UNIFORM_STEPS)) / (UNIFORM_STEPS + 1)) * mean;
}
