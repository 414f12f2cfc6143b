import { toHexDigits } from "@ostrom/base";
import {
  type AccountKey,
  AGILE_TRANSACTION_TYPE,
  type AuthorityCheck,
  authorityAsOf,
  type ChainRules,
  KEY_SETS_ADDRESS,
  type KeyRules,
  keyStateOf,
  keysOfAuthorizations,
  readCurveBreak,
  type Transaction,
} from "@ostrom/execution";
import { type KeyValueReader, storeReader } from "@ostrom/state";
import type { ExecutionNews } from "@ostrom/txpool";

const KEY_SETS = toHexDigits(KEY_SETS_ADDRESS);

/** What the newest state says of the keys of accounts: which of them a signature worker has to check a transaction by, and what the pool may
 * take in. */
export class KeyDirectory {
  readonly #store: KeyValueReader;
  readonly #hasKeySets: boolean;
  #rules: KeyRules = { broken: undefined };

  constructor(store: KeyValueReader, rules: Pick<ChainRules, "hasKeySets">) {
    this.#store = store;
    this.#hasKeySets = rules.hasKeySets === true;
    if (this.#hasKeySets) this.#rules = { broken: readCurveBreak(storeReader(store)) };
  }

  /** undefined where accounts have no key sets. */
  get authority(): AuthorityCheck | undefined {
    return this.#hasKeySets ? authorityAsOf(storeReader(this.#store), this.#rules) : undefined;
  }

  /** The keys in state that have to have signed a transaction; undefined if it names none. */
  keysOf(transaction: Transaction): readonly AccountKey[] | undefined {
    if (!this.#hasKeySets || transaction.type !== AGILE_TRANSACTION_TYPE) return undefined;
    return keysOfAuthorizations(keyStateOf(storeReader(this.#store)), transaction, this.#rules);
  }

  /** Reads again what a block has changed. */
  executed({
    changed,
    rekeyed,
  }: Pick<ExecutionNews, "changed" | "rekeyed">): Pick<ExecutionNews, "authority" | "rekeyed"> {
    if (!this.#hasKeySets) return {};
    const { authority } = this;
    if (![...changed].includes(KEY_SETS)) return { authority };
    const wasBroken = this.#rules.broken !== undefined;
    this.#rules = { broken: readCurveBreak(storeReader(this.#store)) };
    const isBroken = this.#rules.broken !== undefined;
    // Taking a block off may take the declaration back; what was dropped for it comes again.
    return { authority: this.authority, rekeyed: isBroken && !wasBroken ? "all" : rekeyed };
  }
}
