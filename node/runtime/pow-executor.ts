import { assert, EMPTY_BYTES, equalBytes, must, toHex, toHexDigits } from "@ostrom/base";
import { type PowBlock, type PowEffect, type PowInput, workOfTarget } from "@ostrom/consensus";
import { readUndo } from "@ostrom/state";
import {
  readBody,
  readCertifiedHeight,
  readHead,
  readHeader,
  readOrdered,
  readReceipts,
} from "@ostrom/storage";
import type { OrderedInput } from "./execution-port.ts";
import { checkPayload } from "./payload-check.ts";
import { encodePowRecord } from "./pow-chain-store.ts";
import type { PowCoreOptions } from "./pow-core-options.ts";
import { packSenderEntries } from "./sender-entries.ts";
import type { TransactionTraffic } from "./transaction-traffic.ts";

type Connect = Extract<PowEffect, { readonly kind: "connect" }>;
type Disconnect = Extract<PowEffect, { readonly kind: "disconnect" }>;
/** What happened, for the engine: the clock is read where it is told. */
export type PowEvent = WithoutClock<PowInput>;
type WithoutClock<Input> = Input extends PowInput ? Omit<Input, "nowMs"> : never;
type Answer = Extract<PowEvent, { readonly kind: "connected" | "rejected" | "disconnected" }>;

/** Puts blocks on the executed chain and takes them off, and tells the pool and the listener. */
export class PowExecutor {
  readonly #options: PowCoreOptions;
  readonly #traffic: TransactionTraffic;
  #height: number;
  #nextBaseFee: bigint;

  constructor(options: PowCoreOptions, traffic: TransactionTraffic) {
    this.#options = options;
    this.#traffic = traffic;
    this.#height = options.head.height;
    this.#nextBaseFee = options.head.nextBaseFee;
  }

  /** Of the newest executed block. */
  get height(): number {
    return this.#height;
  }

  get nextBaseFee(): bigint {
    return this.#nextBaseFee;
  }

  /** Checks and executes a block on the head. What is wrong with it is the answer `rejected`; what is wrong with this node rejects. */
  async connect({ block, point }: Connect): Promise<Answer> {
    const { store, checker, genesis, execution, listener } = this.#options;
    const { header, payload } = block;
    const { id } = point;
    const rejected = (reason: string): Answer => ({ kind: "rejected", id, reason });
    const head = must(readHead(store), "an open chain has a head");
    assert(
      equalBytes(header.parentExecutedHash, head.blockHash),
      "the engine asks for blocks alone that commit to the executed hash of the head",
    );
    const { rules, consensus } = genesis;
    const checked = await checkPayload(checker, {
      payload,
      rules,
      timestampMs: header.timestampMs,
      maxPayloadBytes: consensus.maxPayloadBytes,
      known: (hash) => this.#traffic.pool.get(hash),
      keysOf: (transaction) => this.#traffic.keys.keysOf(transaction),
    });
    if (!checked.ok) return rejected(`${checked.error.code}: ${checked.error.message}`);
    const { transactions } = checked.value;
    const report = await execution.execute({
      ...this.#inputOf(block, encodePowRecord(header, point)),
      orderDigest: id,
      senders: packSenderEntries(transactions),
    });
    this.#height = report.height;
    this.#nextBaseFee = report.nextBaseFee;
    const included = new Set(report.included.map(toHexDigits));
    this.#traffic.executed({
      block: toHexDigits(id),
      included: transactions.filter(({ hash }) => included.has(toHexDigits(hash))),
      skipped: report.skipped,
      changed: report.changed,
      rekeyed: report.rekeyed,
      baseFeePerGas: report.nextBaseFee,
    });
    listener.block(report);
    const dropped = this.#traffic.pool.takeDropped();
    if (dropped.length > 0) listener.dropped(dropped);
    return { kind: "connected", id, executedHash: report.executedHash };
  }

  #inputOf({ header, payload }: PowBlock, record: Uint8Array): Omit<OrderedInput, "orderDigest" | "senders"> {
    return {
      height: header.height,
      view: 0,
      epoch: 0,
      timestampMs: header.timestampMs,
      proposer: header.miner,
      orderedBlock: payload,
      finalization: EMPTY_BYTES,
      mined: {
        reward: this.#options.genesis.consensus.blockReward,
        difficulty: workOfTarget(header.target),
        record,
      },
    };
  }

  /** Takes the head off; its transactions go back to the pool. */
  async disconnect({ block }: Disconnect): Promise<Answer> {
    const { store, execution, listener, log } = this.#options;
    const { height, id } = block;
    const { hash, header } = must(readHeader(store, height), "a block that is taken off is stored");
    const transactions = must(readBody(store, height), "a block that is taken off has a body");
    const receipts = must(readReceipts(store, height), "a block that is taken off has receipts");
    const payload = readOrdered(store, height)?.block;
    const changed = (readUndo(store, height)?.accounts ?? []).map(({ address }) => toHexDigits(address));
    const isFinal = height <= (readCertifiedHeight(store) ?? 0);
    const what = isFinal ? "a block that clients were told is final is taken off" : "a block is taken off";
    log(isFinal ? "warn" : "info", what, { height, hash: toHex(hash), transactions: transactions.length });
    const head = await execution.unwind(height);
    this.#height = head.height;
    this.#nextBaseFee = head.nextBaseFee;
    listener.unwound({ block: { hash, header, transactions }, receipts });
    this.#traffic.unwound({ transactions, changed, baseFeePerGas: head.nextBaseFee });
    return { kind: "disconnected", id, payload };
  }
}
