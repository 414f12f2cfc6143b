import {
  type Address,
  type Bytes,
  EMPTY_BYTES,
  type Failure,
  fail,
  type Hash,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  AGILE_TRANSACTION_TYPE,
  decodeTransaction,
  type PermissionCheck,
  type SignedTransaction,
  type Transaction,
} from "@ostrom/execution";
import type { PoolAccount, TransactionPool } from "@ostrom/txpool";
import type { KeyDirectory } from "./key-directory.ts";
import type { Clock } from "./ports.ts";
import { type CheckedSender, type SignatureChecker, senderOf } from "./signature-checker.ts";

/** Transactions sent to the signature checker at once. */
const CHECK_BATCH = 128;
/** Batches at the checker at a time: the next is being read while one is checked. */
const MAX_BATCHES_AT_CHECKER = 4;
/** What may wait for the checker; more is refused (JSON-RPC) or dropped (gossip). Other validators get half of it, so that they
 * cannot shut out this node's own clients. */
export const MAX_WAITING_TRANSACTIONS = 20_000;
export const MAX_WAITING_BYTES: number = 64 * 1024 * 1024;

/** Where a transaction came from: this node's own clients, another validator, or a node that is linked with few and hopes that they pass it
 * on. */
export type TransactionOrigin = "client" | "peer" | "stranger";

type Waiting = {
  readonly origin: TransactionOrigin;
  readonly raw: Bytes;
  readonly hash: Hash;
  readonly answer: (result: Result<Hash, Failure>) => void;
};

export type IntakePorts = {
  readonly pool: TransactionPool;
  readonly checker: SignatureChecker;
  readonly clock: Clock;
  readonly accountOf: (address: Address) => PoolAccount;
  /** Pending transactions that there may be in the pool before clients are told to wait; any number, unless said. */
  readonly clientRoom?: (() => number) | undefined;
  /** What modules permit; undefined where none is asked. */
  readonly permits?: (() => PermissionCheck | undefined) | undefined;
  /** What state says of the keys of accounts; undefined where nobody has key sets. */
  readonly keys?: Pick<KeyDirectory, "authority" | "keysOf"> | undefined;
  /** Transactions that entered the pool, all and those of them that the others have not been sent: of clients and strangers. */
  readonly admitted: (
    transactions: readonly SignedTransaction[],
    fromClients: readonly SignedTransaction[],
  ) => void;
  readonly failed: (error: unknown) => void;
};

/** What was read of a transaction before its signature was checked. */
type Read = Result<Transaction, Failure> | undefined;

/** The door of the pool: what comes by JSON-RPC or gossip is checked on other threads, then admitted. */
export class Intake {
  readonly #ports: IntakePorts;
  /** Until they are admitted or refused, by hash (hex digits). */
  readonly #underWay = new Map<string, Promise<Result<Hash, Failure>>>();
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #atChecker = 0;

  constructor(ports: IntakePorts) {
    this.#ports = ports;
  }

  /** One answer for each transaction, in order. @param hashes of all of them, if the caller has them. */
  submit(
    raws: readonly Bytes[],
    origin: TransactionOrigin,
    hashes?: readonly Hash[],
  ): Promise<readonly Result<Hash, Failure>[]> {
    return Promise.all(raws.map((raw, index) => this.#offer(raw, hashes?.[index] ?? keccak256(raw), origin)));
  }

  async #offer(raw: Bytes, hash: Hash, origin: TransactionOrigin): Promise<Result<Hash, Failure>> {
    if (this.#ports.pool.get(hash) !== undefined) return fail("txpool/already-known", "already known");
    const name = toHexDigits(hash);
    const twin = this.#underWay.get(name);
    if (twin !== undefined) {
      const result = await twin;
      return result.ok ? fail("txpool/already-known", "already known") : result;
    }
    if (!this.#hasRoom(raw.length, origin)) {
      return fail("txpool/busy", "too many transactions are waiting to be checked; try again in a moment");
    }
    if (origin === "client" && this.#isCrowded()) {
      return fail(
        "txpool/busy",
        "more transactions are waiting than blocks take soon; try again in a moment",
      );
    }
    const answered = new Promise<Result<Hash, Failure>>((answer) => {
      this.#waiting.push({ origin, raw, hash, answer });
      this.#waitingBytes += raw.length;
      // Whatever else arrives in this turn of the event loop joins the batch.
      if (this.#waiting.length === 1) queueMicrotask(() => this.#dispatch());
    });
    this.#underWay.set(name, answered);
    try {
      return await answered;
    } finally {
      this.#underWay.delete(name);
    }
  }

  #hasRoom(bytes: number, origin: TransactionOrigin): boolean {
    const share = origin === "client" ? 1 : 2;
    return (
      share * this.#waiting.length < MAX_WAITING_TRANSACTIONS &&
      share * (this.#waitingBytes + bytes) <= MAX_WAITING_BYTES
    );
  }

  #isCrowded(): boolean {
    const { pool, clientRoom } = this.#ports;
    return clientRoom !== undefined && pool.status().pending + this.#underWay.size >= clientRoom();
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && this.#atChecker < MAX_BATCHES_AT_CHECKER) {
      const batch = this.#waiting.splice(0, CHECK_BATCH);
      for (const { raw } of batch) this.#waitingBytes -= raw.length;
      this.#atChecker++;
      const read = batch.map((waiting) => this.#readEarly(waiting));
      this.#ports.checker
        .check(
          batch.map(({ raw }, index) => (read[index]?.ok === false ? EMPTY_BYTES : raw)),
          read.map((one) => (one?.ok === true ? this.#ports.keys?.keysOf(one.value) : undefined)),
        )
        .then((senders) => this.#admit(batch, read, senders))
        .catch((error: unknown) => {
          for (const { answer } of batch) answer(fail("txpool/stopped", "the node is stopping"));
          this.#ports.failed(error);
        })
        .finally(() => {
          this.#atChecker--;
          this.#dispatch();
        });
    }
  }

  /** Those are read before the check that may be signed by keys in state, and by up to eight: it is not made for what is refused anyway. */
  #readEarly({ raw, hash }: Waiting): Read {
    if (raw[0] !== AGILE_TRANSACTION_TYPE) return undefined;
    const { pool, clock, accountOf, keys } = this.#ports;
    const read = decodeTransaction(raw, hash);
    if (!read.ok || read.value.agile === undefined) return read;
    const { sender } = read.value.agile;
    const error = pool.refuse({
      transaction: { ...read.value, sender },
      account: accountOf(sender),
      nowMs: clock.nowMs(),
      authority: keys?.authority,
    });
    return error === undefined ? read : { ok: false, error };
  }

  #admit(batch: readonly Waiting[], early: readonly Read[], senders: readonly CheckedSender[]): void {
    const admittedFromClients: SignedTransaction[] = [];
    batch.forEach(({ origin, raw, hash, answer }, index) => {
      const refused = early[index];
      const sender = refused?.ok === false ? refused : senderOf(senders[index]!);
      if (!sender.ok) {
        answer(sender);
        return;
      }
      const read = early[index] ?? decodeTransaction(raw, hash);
      if (!read.ok) {
        answer(read);
        return;
      }
      const transaction: SignedTransaction = { ...read.value, ...sender.value };
      const { pool, clock, accountOf, permits, keys } = this.#ports;
      const account = accountOf(transaction.sender);
      const result = pool.admit(transaction, account, clock.nowMs(), permits?.(), keys?.authority);
      if (result.ok && origin !== "peer") admittedFromClients.push(transaction);
      answer(result.ok ? ok(hash) : result);
    });
    const admitted = this.#ports.pool.takeNew();
    if (admitted.length > 0) this.#ports.admitted(admitted, admittedFromClients);
  }
}
