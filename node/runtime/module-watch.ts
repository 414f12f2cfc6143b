import type { Hash } from "@ostrom/base";
import type { AnyGenesis, MissingActivation } from "@ostrom/execution";
import type { ExecutionReport } from "./execution-port.ts";
import { machineClock } from "./machine.ts";
import { localRpcUrl, type NodeParts } from "./node-assembly.ts";
import { readPublicKeys } from "./public-keys.ts";
import { ServiceRunner, serviceFolder } from "./service-runner.ts";

type BlockFacts = Pick<ExecutionReport, "height" | "registry" | "activations" | "port">;

/** What is scheduled and lacking is said again so often. */
const REMINDER_BLOCKS = 1_000;

/** Follows what the chain's state says of modules: warns of what this program lacks, and runs the services of the modules that it has. */
export class ModuleWatch {
  readonly #parts: NodeParts<AnyGenesis>;
  readonly #chain: { readonly rpcPort: number; readonly genesisHash: Hash };
  readonly #services = new Map<string, ServiceRunner>();
  /** Messages of the newest warnings. */
  #warned: ReadonlySet<string> = new Set();
  #warnedAt = 0;

  /** Begins with what state says now. */
  constructor(
    parts: NodeParts<AnyGenesis>,
    chain: { readonly rpcPort: number; readonly genesisHash: Hash },
    head: BlockFacts,
  ) {
    this.#parts = parts;
    this.#chain = chain;
    parts.cleanup.add(() => this.#stop());
    this.executed(head);
  }

  /** Hears of each block. */
  executed({ height, registry, activations = [], port }: BlockFacts): void {
    this.#tell(height, activations, port);
    if (registry === undefined) return;
    this.#startServices(registry.modules);
    this.#warn(height, registry.missing);
  }

  #tell(height: number, activations: NonNullable<BlockFacts["activations"]>, port: BlockFacts["port"]): void {
    const { log } = this.#parts;
    for (const { name, version, failure } of activations) {
      const fields = { name, version, height, failure };
      log(failure === undefined ? "info" : "error", "a module is active from this block on", fields);
    }
    if (port?.isNew === true)
      log("info", "a module decides who validates from the next epoch on", { name: port.holder });
    for (const { name, failure } of port?.refused ?? [])
      log("warn", "what a module says of the next validators cannot be a set", {
        name,
        reason: failure.message,
      });
  }

  /** Of what is new at once, of all now and then. */
  #warn(height: number, missing: readonly MissingActivation[]): void {
    const isNew = missing.some(({ message }) => !this.#warned.has(message));
    this.#warned = new Set(missing.map(({ message }) => message));
    if (missing.length === 0 || !(isNew || height - this.#warnedAt >= REMINDER_BLOCKS)) return;
    this.#warnedAt = height;
    for (const { code, message, height: fromBlock } of missing) {
      const fields = { code, fromBlock, inBlocks: fromBlock - height, reason: message };
      this.#parts.log("warn", "this node will stop: the chain needs what its program lacks", fields);
    }
  }

  #startServices(registered: readonly string[]): void {
    const { folder, program, secrets, genesis, log } = this.#parts;
    for (const { name, service } of program.modules) {
      if (service === undefined || !registered.includes(name) || this.#services.has(name)) continue;
      const keys = readPublicKeys(folder);
      const runner = new ServiceRunner(
        {
          name,
          address: service,
          nodeFolder: folder,
          folder: serviceFolder(folder, name),
          rpcUrl: localRpcUrl(this.#parts, this.#chain.rpcPort),
          genesisHash: this.#chain.genesisHash,
          chainId: genesis.rules.chainId,
          peerId: secrets.identity.peerId,
          consensusKeys: keys.ok ? keys.value.consensus.map(({ publicKey }) => publicKey) : [],
        },
        machineClock,
        log,
      );
      this.#services.set(name, runner);
      runner.start();
    }
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#services.values()].map((runner) => runner.stop()));
  }
}
