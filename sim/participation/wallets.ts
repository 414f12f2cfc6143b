import { type Bytes, type Random, toHexDigits } from "@ostrom/base";
import { addressOfSecretKey, type SignedTransaction, signTransaction } from "@ostrom/execution";
import type { ModuleCall } from "@ostrom/runtime";
import { storeReader } from "@ostrom/state";
import { StorageError, type Store } from "@ostrom/storage";
import type { SimulatedClock } from "../clock.ts";
import { SIMULATED_CHAIN_ID } from "../genesis.ts";
import type { BootedNode } from "../machine.ts";
import { between, pick } from "../random.ts";

const MIN_PAUSE_MS = 30;
const MAX_PAUSE_MS = 120;
/** Then what was sent is given up: perhaps nobody lets the account send. */
const PATIENCE_MS = 9_000;
/** An account whose nonce has gone up without this transaction signs it anew. */
const DOUBT_MS = 1_500;
const GAS_LIMIT = 4_000_000n;
const FEE = 100n * 10n ** 9n;

/** One call that somebody wants to be in a block. */
export type Ticket = {
  readonly what: string;
  fate: "waiting" | "included" | "lost";
};

type Order = {
  readonly call: ModuleCall;
  readonly ticket: Ticket;
  readonly via: (() => BootedNode | undefined) | undefined;
};

type Wallet = {
  readonly key: Bytes;
  readonly queue: Order[];
  open:
    | { readonly order: Order; readonly transaction: SignedTransaction; readonly sinceMs: number }
    | undefined;
  /** Times that a transaction was given up since one was included: the next one must replace it. */
  given: number;
};

export type WalletsOptions = {
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly nodes: () => readonly BootedNode[];
  readonly store: () => Store | undefined;
  readonly submitted: (transaction: SignedTransaction, what: string) => void;
  readonly isExecuted: (transaction: SignedTransaction) => boolean;
};

/** Accounts that send one transaction after another, each again and again until it is in a block. */
export class Wallets {
  readonly #options: WalletsOptions;
  readonly #wallets = new Map<string, Wallet>();

  constructor(options: WalletsOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, random } = this.#options;
    const turn = (): void => {
      for (const wallet of this.#wallets.values()) this.#tryStep(wallet);
      clock.at(between(random, MIN_PAUSE_MS, MAX_PAUSE_MS), turn);
    };
    turn();
  }

  /** @param via the node that it is sent to; any if absent. */
  send(key: Bytes, call: ModuleCall, what: string, via?: () => BootedNode | undefined): Ticket {
    const ticket: Ticket = { what, fate: "waiting" };
    this.#walletOf(key).queue.push({ call, ticket, via });
    return ticket;
  }

  isBusy(key: Bytes): boolean {
    const wallet = this.#wallets.get(toHexDigits(key));
    return wallet !== undefined && (wallet.open !== undefined || wallet.queue.length > 0);
  }

  #walletOf(key: Bytes): Wallet {
    const name = toHexDigits(key);
    const known = this.#wallets.get(name);
    if (known !== undefined) return known;
    const wallet: Wallet = { key, queue: [], open: undefined, given: 0 };
    this.#wallets.set(name, wallet);
    return wallet;
  }

  /** The store that it reads may be the rotten one: then it tries again later. */
  #tryStep(wallet: Wallet): void {
    try {
      this.#step(wallet);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #step(wallet: Wallet): void {
    const { clock, random, nodes, store, isExecuted } = this.#options;
    const newest = store();
    if (newest === undefined || (wallet.open === undefined && wallet.queue.length === 0)) return;
    const nonce = storeReader(newest).account(addressOfSecretKey(wallet.key))?.nonce ?? 0n;
    const { open } = wallet;
    if (open !== undefined) {
      const waitedMs = clock.timeMs - open.sinceMs;
      if (isExecuted(open.transaction)) {
        open.order.ticket.fate = "included";
        wallet.open = undefined;
        wallet.given = 0;
      } else if (nonce > open.transaction.nonce && waitedMs > DOUBT_MS) {
        wallet.queue.unshift(open.order);
        wallet.open = undefined;
      } else if (waitedMs > PATIENCE_MS) {
        open.order.ticket.fate = "lost";
        wallet.open = undefined;
        wallet.given++;
      }
    }
    if (wallet.open === undefined) this.#openNext(wallet, nonce);
    if (wallet.open === undefined) return;
    const { order, transaction } = wallet.open;
    const up = nodes();
    const node = order.via === undefined ? (up.length > 0 ? pick(random, up) : undefined) : order.via();
    if (node !== undefined) void node.submit([transaction.raw]);
  }

  #openNext(wallet: Wallet, nonce: bigint): void {
    const order = wallet.queue.shift();
    if (order === undefined) return;
    const { to, data, value = 0n } = order.call;
    const bump = BigInt(wallet.given);
    const transaction = signTransaction(
      {
        type: 2,
        chainId: SIMULATED_CHAIN_ID,
        nonce,
        maxFeePerGas: FEE + bump * FEE,
        maxPriorityFeePerGas: 2n ** bump,
        gasLimit: GAS_LIMIT,
        to,
        value,
        data,
      },
      wallet.key,
    );
    wallet.open = { order, transaction, sinceMs: this.#options.clock.timeMs };
    this.#options.submitted(transaction, order.ticket.what);
  }
}

/** Whether all of them came to an end. */
export function areSettled(tickets: readonly Ticket[]): boolean {
  return tickets.every(({ fate }) => fate !== "waiting");
}
