import { randomBytes } from "node:crypto";
import { Address, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { addressOfSecretKey, signTransaction } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { ask, askMany } from "../../apps/cli/rpc-client.ts";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";

const TRANSFER_GAS = 21_000n;
const MAX_FEE = 50n * 10n ** 9n;
const POLL_INTERVAL_MS = 50;
const RESUBMIT_INTERVAL_MS = 1_000;
/** A transfer that is not final after this is submitted again, elsewhere. */
const PATIENCE_MS = 5_000;
const RESUBMIT_BATCH = 200;
const MAX_BLOCKS_PER_POLL = 100;

type Transfer = {
  readonly raw: string;
  readonly hash: string;
  readonly sentMs: number;
  finalMs: number | undefined;
};

/** An account whose transfers go to one node while that one runs. */
type Lane = {
  readonly secretKey: Bytes;
  readonly address: string;
  readonly home: number;
  nonce: number;
  /** In the order of nonces. */
  readonly unfinalized: Map<string, Transfer>;
  attempts: number;
};

/** Of the transfers sent in some time: from their submission until they were final for the client. */
export type FinalityFigures = {
  readonly sent: number;
  readonly finalized: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
};

/** A stretch of time. */
export type Window = { readonly startMs: number; readonly endMs: number };

/** @property refusals of nodes, other than that they know the transfer already. */
export type ClientFigures = FinalityFigures & {
  readonly resubmitted: number;
  readonly refusals: readonly string[];
};

/** Submits transfers at an even rate to two nodes over HTTP, as a wallet would: it goes to another node when its own is down, submits
 * again what is not final after a while, and learns from the tag `finalized` (a state certificate) what is. */
export class TransferClient {
  readonly #lanes: readonly Lane[];
  readonly #urls: readonly string[];
  readonly #chainId: number;
  readonly #isReady: (index: number) => boolean;
  readonly #sent: Transfer[] = [];
  readonly #refusals = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();
  #timers: NodeJS.Timeout[] = [];
  #resubmitted = 0;
  #seenBlock = 0;

  constructor(options: {
    readonly urls: readonly string[];
    readonly chainId: number;
    /** Whether a node answers, so far as its operator knows. */
    readonly isReady: (index: number) => boolean;
  }) {
    installNativeCrypto();
    this.#urls = options.urls;
    this.#chainId = options.chainId;
    this.#isReady = options.isReady;
    this.#lanes = [0, 1].map((home) => {
      const secretKey = new Uint8Array(randomBytes(32));
      const address = toHex(addressOfSecretKey(secretKey));
      return { secretKey, address, home, nonce: 0, unfinalized: new Map(), attempts: 0 };
    });
  }

  /** Whom genesis must fund. */
  get addresses(): readonly string[] {
    return this.#lanes.map(({ address }) => address);
  }

  /** How many transfers each of them has sent. */
  get nonces(): readonly number[] {
    return this.#lanes.map(({ nonce }) => nonce);
  }

  start(transfersPerSecond: number): void {
    let turn = 0;
    const send = (): void => this.#sendOne(this.#lanes[turn++ % this.#lanes.length]!);
    this.#timers = [
      setInterval(send, 1_000 / transfersPerSecond),
      setInterval(() => {
        for (const lane of this.#lanes) this.#resubmit(lane);
      }, RESUBMIT_INTERVAL_MS),
    ];
    this.#run(this.#watch());
  }

  /** Whether all that was sent before this moment is final. */
  isFinalBefore(timeMs: number): boolean {
    return this.#lanes.every(({ unfinalized }) => {
      const [oldest] = unfinalized.values();
      return oldest === undefined || oldest.sentMs >= timeMs;
    });
  }

  /** Sends nothing new, and waits until all that was sent is final. @throws Error after `timeoutMs`. */
  async finish(timeoutMs: number): Promise<void> {
    clearInterval(this.#timers[0]);
    await waitUntil("all transfers are final", timeoutMs, () => this.#unfinalized() === 0);
    await this.stop();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    await Promise.allSettled(this.#tasks);
  }

  figures(): ClientFigures {
    const all = this.finality([{ startMs: 0, endMs: Number.POSITIVE_INFINITY }]);
    return { ...all, resubmitted: this.#resubmitted, refusals: [...this.#refusals] };
  }

  /** Of the transfers sent in these times. */
  finality(windows: readonly Window[]): FinalityFigures {
    const sent = this.#sent.filter(({ sentMs }) =>
      windows.some(({ startMs, endMs }) => sentMs >= startMs && sentMs < endMs),
    );
    const latencies = sent.flatMap(({ sentMs, finalMs }) =>
      finalMs === undefined ? [] : [finalMs - sentMs],
    );
    latencies.sort((a, b) => a - b);
    const quantile = (share: number): number =>
      Math.round(latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))] ?? 0);
    return {
      sent: sent.length,
      finalized: latencies.length,
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      worstMs: quantile(1),
    };
  }

  #unfinalized(): number {
    return this.#lanes.reduce((sum, { unfinalized }) => sum + unfinalized.size, 0);
  }

  #sendOne(lane: Lane): void {
    const transaction = signTransaction(
      {
        type: 2,
        chainId: BigInt(this.#chainId),
        nonce: BigInt(lane.nonce++),
        maxFeePerGas: MAX_FEE,
        maxPriorityFeePerGas: 1n,
        gasLimit: TRANSFER_GAS,
        to: Address(unwrap(fromHex(this.#lanes[(lane.home + 1) % this.#lanes.length]!.address))),
        value: 1n,
      },
      lane.secretKey,
    );
    const raw = toHex(transaction.raw);
    const hash = toHex(transaction.hash);
    const transfer: Transfer = { raw, hash, sentMs: performance.now(), finalMs: undefined };
    lane.unfinalized.set(hash, transfer);
    this.#sent.push(transfer);
    this.#run(this.#submit(lane.home, [raw]));
  }

  #resubmit(lane: Lane): void {
    const before = performance.now() - PATIENCE_MS;
    const late = [...lane.unfinalized.values()].filter(({ sentMs }) => sentMs < before);
    if (late.length === 0) return;
    const raws = late.slice(0, RESUBMIT_BATCH).map(({ raw }) => raw);
    this.#resubmitted += raws.length;
    lane.attempts++;
    this.#run(this.#submit(lane.home + lane.attempts, raws));
  }

  /** To this node, or to the next one that answers. */
  async #submit(preferred: number, raws: readonly string[]): Promise<void> {
    const questions = raws.map((raw) => ({ method: "eth_sendRawTransaction", params: [raw] }));
    for (let step = 0; step < this.#urls.length; step++) {
      const url = this.#urls[this.#nodeFor(preferred + step)]!;
      const answers = await askMany(url, questions).catch(undefinedIfDown);
      if (answers === undefined) continue;
      for (const { error } of answers) {
        if (error !== undefined && !/already known|nonce too low/.test(error.message)) {
          this.#refusals.add(error.message);
        }
      }
      return;
    }
  }

  /** The first running one, from this one on. */
  #nodeFor(preferred: number): number {
    const count = this.#urls.length;
    for (let step = 0; step < count; step++) {
      if (this.#isReady((preferred + step) % count)) return (preferred + step) % count;
    }
    return preferred % count;
  }

  async #watch(): Promise<void> {
    while (this.#timers.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
      await this.#look(this.#urls[this.#nodeFor(0)]!).catch(undefinedIfDown);
    }
  }

  async #look(url: string): Promise<void> {
    const block = await ask<{ readonly number: string } | null>(url, "eth_getBlockByNumber", [
      "finalized",
      false,
    ]);
    if (block === null) return;
    const to = Math.min(Number(block.number), this.#seenBlock + MAX_BLOCKS_PER_POLL);
    const numbers = Array.from(
      { length: Math.max(0, to - this.#seenBlock) },
      (_, i) => this.#seenBlock + 1 + i,
    );
    const answers = await askMany(
      url,
      numbers.map((number) => ({
        method: "eth_getBlockByNumber",
        params: [`0x${number.toString(16)}`, false],
      })),
    );
    const nowMs = performance.now();
    for (const answer of answers) {
      const found = answer.result as { readonly transactions: readonly string[] } | null | undefined;
      if (found == null) return;
      for (const hash of found.transactions) this.#finalized(hash, nowMs);
      this.#seenBlock++;
    }
  }

  #finalized(hash: string, nowMs: number): void {
    for (const { unfinalized } of this.#lanes) {
      const transfer = unfinalized.get(hash);
      if (transfer === undefined) continue;
      unfinalized.delete(hash);
      transfer.finalMs = nowMs;
    }
  }

  #run(work: Promise<void>): void {
    const task = work.finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }
}

/** A node that is down is what this is about. */
function undefinedIfDown(error: Error): undefined {
  if (error.name !== "UsageError") throw error;
  return undefined;
}
