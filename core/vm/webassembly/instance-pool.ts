import { type CompiledContract, ContractInstance } from "./contract-instance.ts";

/** Pages of all instances that wait, together: 64 MiB. */
const MAX_IDLE_PAGES = 1024;
/** V8 reserves gigabytes of addresses for each memory, however small. */
const MAX_IDLE_INSTANCES = 128;

/** Keeps instances of contracts for their next messages. The ones that have waited longest go first. */
export class InstancePool {
  /** In the order in which they came. */
  readonly #idle = new Set<ContractInstance>();
  readonly #byContract = new WeakMap<CompiledContract, ContractInstance[]>();
  #idlePages = 0;

  /** An instance as new. Throws NodeFault if there is no memory for one. */
  take(compiled: CompiledContract): ContractInstance {
    const instance = this.#byContract.get(compiled)?.pop();
    if (instance === undefined) return new ContractInstance(compiled);
    this.#idle.delete(instance);
    this.#idlePages -= instance.pages;
    instance.reset();
    return instance;
  }

  putBack(instance: ContractInstance): void {
    if (!instance.isReusable) return;
    const { compiled, pages } = instance;
    const others = this.#byContract.get(compiled);
    if (others === undefined) this.#byContract.set(compiled, [instance]);
    else others.push(instance);
    this.#idle.add(instance);
    this.#idlePages += pages;
    while (this.#idlePages > MAX_IDLE_PAGES || this.#idle.size > MAX_IDLE_INSTANCES) this.#dropOldest();
  }

  /** Lets go of a contract's instances. */
  forget(compiled: CompiledContract): void {
    for (const instance of this.#byContract.get(compiled) ?? []) {
      this.#idle.delete(instance);
      this.#idlePages -= instance.pages;
    }
    this.#byContract.delete(compiled);
  }

  #dropOldest(): void {
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest);
      this.#idlePages -= oldest.pages;
      // The last of a contract's is taken first, so that its oldest stands in front.
      this.#byContract.get(oldest.compiled)?.shift();
      return;
    }
  }
}
