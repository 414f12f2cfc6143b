type Entry<Value> = { readonly value: Value; readonly bytes: number };

/** Keeps values within a budget of bytes; what was used longest ago goes first. The newest is kept however large it is. */
export class RecentlyUsed<Key, Value> {
  readonly #budgetBytes: number;
  readonly #onDropped: (value: Value) => void;
  /** In the order of their last uses: a map iterates as keys were inserted. */
  readonly #entries = new Map<Key, Entry<Value>>();
  #newest: Entry<Value> | undefined;
  #bytes = 0;

  constructor(budgetBytes: number, onDropped: (value: Value) => void = () => undefined) {
    this.#budgetBytes = budgetBytes;
    this.#onDropped = onDropped;
  }

  /** Finds a value, and counts as a use of it. */
  find(key: Key): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      this.#newest = entry;
    }
    return entry.value;
  }

  /** Whether the value is the one that is kept; no use of it. */
  keeps(key: Key, value: Value): boolean {
    return this.#entries.get(key)?.value === value;
  }

  /** @param bytes that it takes, with all that hangs on it. */
  keep(key: Key, value: Value, bytes: number): void {
    const before = this.#entries.get(key);
    if (before !== undefined) this.#drop(key, before);
    const entry = { value, bytes };
    this.#entries.set(key, entry);
    this.#newest = entry;
    this.#bytes += bytes;
    for (const [oldest, dropped] of this.#entries) {
      if (this.#bytes <= this.#budgetBytes || dropped === entry) return;
      this.#drop(oldest, dropped);
    }
  }

  #drop(key: Key, { value, bytes }: Entry<Value>): void {
    this.#entries.delete(key);
    this.#bytes -= bytes;
    this.#onDropped(value);
  }
}
