import { type Address, equalBytes, type Hash, hashFromWord, must, toHex, toHexDigits } from "@ostrom/base";
import { EMPTY_CODE_HASH, type JournaledState } from "@ostrom/state";
import { createAddress } from "@ostrom/vm";
import { recoverAuthority } from "./signature.ts";
import type { TraceBudget } from "./trace-budget.ts";
import type { StateWatcher, TracedTransaction, TransactionTracer } from "./tracer.ts";

export type PrestateTracerOptions = {
  /** What the transaction changed, before and after, in place of all that it reached. */
  readonly diffMode: boolean;
  readonly disableCode: boolean;
  readonly disableStorage: boolean;
  /** Accounts too that were empty before. */
  readonly includeEmpty: boolean;
};

/** An account as the transaction found it. */
type Before = {
  readonly address: Address;
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: string;
  readonly codeHash: Hash | undefined;
  /** By the slot as hex, in the order in which they were reached. */
  readonly slots: Map<string, { readonly slot: bigint; readonly value: bigint }>;
};

const ACCOUNT_BYTES = 256;
const SLOT_BYTES = 256;

/** geth's prestateTracer: all accounts and slots that a transaction reaches, as it found them; with `diffMode` those alone that it changed,
 * as `pre` and `post`. Source: go-ethereum's documentation, "Built-in tracers". */
export function createPrestateTracer(options: PrestateTracerOptions, budget: TraceBudget): TransactionTracer {
  return new PrestateTracer(options, budget);
}

class PrestateTracer implements TransactionTracer {
  readonly #options: PrestateTracerOptions;
  readonly #budget: TraceBudget;
  readonly #accounts = new Map<string, Before>();
  #state: JournaledState | undefined;
  #isRunning = false;

  constructor(options: PrestateTracerOptions, budget: TraceBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  begin({ transaction, state, coinbase }: TracedTransaction): void {
    this.#state = state;
    this.#lookUp(transaction.sender);
    this.#lookUp(transaction.to ?? createAddress(transaction.sender, transaction.nonce));
    this.#lookUp(coinbase);
    for (const authorization of transaction.authorizations) {
      const authority = recoverAuthority(authorization);
      if (authority !== undefined) this.#lookUp(authority);
    }
  }

  readonly observer: TransactionTracer["observer"] = {
    // What is made warm before the first message begins, the access list for one, is not reached yet.
    onEnter: () => {
      this.#isRunning = true;
    },
    onLeave: () => {},
  };

  readonly watcher: StateWatcher = {
    onAddress: (address) => {
      if (this.#isRunning) this.#lookUp(address);
    },
    onSlot: (address, slot) => {
      if (this.#isRunning) this.#lookUpSlot(address, slot);
    },
  };

  finish(): string {
    if (this.#options.diffMode) return this.#differences();
    const shown = [...this.#accounts.values()].filter(
      (before) => this.#options.includeEmpty || !isEmptyBefore(before),
    );
    return objectText(shown.map((before) => [toHex(before.address), beforeText(before)]));
  }

  #lookUp(address: Address): Before {
    const key = toHexDigits(address);
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const state = must(this.#state, "a tracer begins before it watches");
    const code = this.#options.disableCode ? undefined : state.code(address);
    this.#budget.take(ACCOUNT_BYTES + 2 * (code?.length ?? 0));
    const codeHash = state.codeHash(address);
    const before: Before = {
      address: address.slice() as Address,
      balance: state.balance(address),
      nonce: state.nonce(address),
      code: code === undefined || code.length === 0 ? "" : toHex(code),
      codeHash: codeHash === undefined || equalBytes(codeHash, EMPTY_CODE_HASH) ? undefined : codeHash,
      slots: new Map(),
    };
    this.#accounts.set(key, before);
    return before;
  }

  #lookUpSlot(address: Address, slot: bigint): void {
    if (this.#options.disableStorage) return;
    const { slots } = this.#lookUp(address);
    const key = word(slot);
    if (slots.has(key)) return;
    this.#budget.take(SLOT_BYTES);
    slots.set(key, {
      slot,
      value: must(this.#state, "a tracer begins before it watches").storage(address, slot),
    });
  }

  #differences(): string {
    const pre: [string, string][] = [];
    const post: [string, string][] = [];
    for (const before of this.#accounts.values()) {
      const change = this.#changeOf(before);
      if (change === undefined) continue;
      const name = toHex(before.address);
      if (this.#options.includeEmpty || !isEmptyBefore(before)) pre.push([name, change.pre]);
      if (change.post !== undefined) post.push([name, change.post]);
    }
    return `{"post":${objectText(post)},"pre":${objectText(pre)}}`;
  }

  /** @returns undefined: nothing has changed. `post` undefined: the account is gone. */
  #changeOf(before: Before): { readonly pre: string; readonly post: string | undefined } | undefined {
    const state = must(this.#state, "a tracer begins before it watches");
    const { address } = before;
    const changed = [...before.slots].filter(([, { slot, value }]) => state.storage(address, slot) !== value);
    const kept = new Map(changed.filter(([, { value }]) => value !== 0n));
    const pre = beforeText({ ...before, slots: kept });
    if (!isEmptyBefore(before) && !state.exists(address)) return { pre, post: undefined };
    const balance = state.balance(address);
    const nonce = state.nonce(address);
    const codeHash = state.codeHash(address);
    const isNewCode = !equalBytes(codeHash ?? EMPTY_CODE_HASH, before.codeHash ?? EMPTY_CODE_HASH);
    const storage = changed
      .map(([key, { slot }]) => [key, state.storage(address, slot)] as const)
      .filter(([, value]) => value !== 0n)
      .map(([key, value]): [string, string] => [key, `"${word(value)}"`]);
    const isSame = balance === before.balance && nonce === before.nonce && !isNewCode && changed.length === 0;
    if (isSame) return undefined;
    const hasNewCode = isNewCode && !this.#options.disableCode;
    const parts = [
      balance === before.balance ? undefined : `"balance":"0x${balance.toString(16)}"`,
      hasNewCode ? `"code":"${toHex(state.code(address))}"` : undefined,
      isNewCode ? `"codeHash":"${toHex(codeHash ?? EMPTY_CODE_HASH)}"` : undefined,
      nonce === before.nonce ? undefined : `"nonce":${nonce}`,
      storage.length === 0 ? undefined : `"storage":${objectText(storage)}`,
    ];
    return { pre, post: `{${parts.filter((part) => part !== undefined).join(",")}}` };
  }
}

/** As EIP-161 has it. */
function isEmptyBefore({ balance, nonce, codeHash }: Before): boolean {
  return balance === 0n && nonce === 0n && codeHash === undefined;
}

function beforeText({ balance, nonce, code, codeHash, slots }: Before): string {
  const storage = [...slots].map(([key, { value }]): [string, string] => [key, `"${word(value)}"`]);
  const parts = [
    `"balance":"0x${balance.toString(16)}"`,
    code === "" ? undefined : `"code":"${code}"`,
    codeHash === undefined ? undefined : `"codeHash":"${toHex(codeHash)}"`,
    nonce === 0n ? undefined : `"nonce":${nonce}`,
    storage.length === 0 ? undefined : `"storage":${objectText(storage)}`,
  ];
  return `{${parts.filter((part) => part !== undefined).join(",")}}`;
}

function word(value: bigint): string {
  return toHex(hashFromWord(value));
}

/** @param entries values are JSON text. */
function objectText(entries: readonly (readonly [string, string])[]): string {
  return `{${entries.map(([key, text]) => `"${key}":${text}`).join(",")}}`;
}
