import { assert } from "@ostrom/base";

/** Remembers what was set or asked for lately, within a budget. Entries are in two generations: when the young ones take half of the budget
 * they become the old ones, and what of the old ones nobody has asked for since is forgotten with them. That costs one more
 * look where an entry is not young, and no bookkeeping where it is. */
export class RecentMap<Key, Value> {
  readonly #halfBudget: number;
  readonly #weigh: (value: Value) => number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();
  #youngWeight = 0;

  /** @param budget for all entries. @param weigh what an entry takes of it. */
  constructor(budget: number, weigh: (value: Value) => number) {
    assert(budget > 0, "a memory must have room");
    this.#halfBudget = budget / 2;
    this.#weigh = weigh;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    const replaced = this.#young.get(key);
    this.#youngWeight += this.#weigh(value) - (replaced === undefined ? 0 : this.#weigh(replaced));
    this.#young.set(key, value);
    if (this.#youngWeight < this.#halfBudget) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
  }

  delete(key: Key): void {
    const young = this.#young.get(key);
    if (young !== undefined) this.#youngWeight -= this.#weigh(young);
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#youngWeight = 0;
  }
}
