import { concatBytes, EMPTY_BYTES, toHexDigits } from "@ostrom/base";
import {
  type Attestation,
  attestationSigningBytes,
  BATCH_LIFETIME_BLOCKS,
  type BatchHeader,
  type BatchPlace,
  beginGathering,
  type CertifiedBatch,
  certifiedOf,
  designatedCheckers,
  encodeBatch,
  encodeBatchMessage,
  type Gathering,
  gather,
  homeAuthor,
} from "@ostrom/dissemination";
import type { SignedTransaction } from "@ostrom/execution";
import { batchOperations, ownSequenceOperation, readOwnSequence } from "@ostrom/storage";
import type { BatchDeskPorts, BatchEpoch } from "./batch-ports.ts";
import type { DurableWrites } from "./durable-writes.ts";
import type { HeldBatches } from "./held-batches.ts";
import { packSenderEntries } from "./sender-entries.ts";

/** A batch takes at most this part of a block's gas, so that several fit together well. */
const SHARE_OF_A_BLOCK = 4n;
/** Its place, and RLP around claims and transactions. */
const BYTES_AROUND_BATCH = 48;
const ADDRESS_LENGTH = 20;
/** After so many blocks without an own batch, a transaction of one has been executed, or was skipped and has come back. */
const BLOCKS_UNTIL_SETTLED = 16;

type OwnBatch = {
  readonly header: BatchHeader;
  /** The pool's name for its transactions. */
  readonly name: string;
  readonly transactions: readonly SignedTransaction[];
  /** undefined until it is on disk. */
  gathering: Gathering | undefined;
  certified: CertifiedBatch | undefined;
  sentMs: number;
};

/** How many came lately. */
type Window = { startMs: number; count: number; before: number };

type OwnBatchPorts = BatchDeskPorts & {
  readonly held: HeldBatches;
  readonly writes: DurableWrites;
  readonly certified: (certified: CertifiedBatch) => void;
  readonly executedHeight: () => number;
};

/** The author's side: makes batches of what this node's own clients sent, and gathers the others' attestations to them. */
export class OwnBatches {
  readonly #ports: OwnBatchPorts;
  /** Of this node's own clients, not passed on by themselves. */
  readonly #mine = new WeakSet<SignedTransaction>();
  /** By sequence number, ascending. */
  readonly #live = new Map<number, OwnBatch>();
  #bytes = 0;
  #epoch: BatchEpoch | undefined;
  #newest = 0;
  readonly #clients: Window = { startMs: Number.NEGATIVE_INFINITY, count: 0, before: 0 };
  readonly #others: Window = { startMs: Number.NEGATIVE_INFINITY, count: 0, before: 0 };
  /** Blocks to go until what comes may be passed on by itself again. 0: none of those that were taken lately can come back. */
  #blocksToGo = 0;
  #cancelFill: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #isStopped = false;

  constructor(ports: OwnBatchPorts) {
    this.#ports = ports;
  }

  /** An epoch begins: batches of the one before are nobody's any more, and their transactions are batched anew. @returns those that were taken, where
   * this node makes no batches now: they are to be passed on by themselves. */
  enter(epoch: BatchEpoch): readonly SignedTransaction[] {
    for (const own of [...this.#live.values()]) this.#drop(own);
    this.#epoch = epoch;
    this.#newest = readOwnSequence(this.#ports.store, epoch.authors.epoch);
    if (this.#mayMake()) {
      this.#fillSoon();
      return [];
    }
    this.#blocksToGo = 0;
    const { pending, queued } = this.#ports.pool.content();
    return [...pending, ...queued].filter((transaction) => this.#mine.delete(transaction));
  }

  /** Names in the pool of what is in batches that are not ordered yet. */
  names(): readonly string[] {
    return [...this.#live.values()].map(({ name }) => name);
  }

  /** Transactions of an own batch. */
  transactionsOf({ sequence, author, epoch }: BatchHeader): readonly SignedTransaction[] {
    const authors = this.#epoch?.authors;
    if (author !== this.#epoch?.own || epoch !== authors?.epoch) return [];
    return this.#live.get(sequence)?.transactions ?? [];
  }

  sizes(): Readonly<Record<string, number>> {
    return { ownBatches: this.#live.size };
  }

  /** Takes transactions that this node's clients sent. @returns those that are to be passed on by themselves: under light load all. */
  offer(transactions: readonly SignedTransaction[]): readonly SignedTransaction[] {
    if (transactions.length === 0 || !this.#mayMake() || this.#isLight(this.#clients, transactions.length))
      return transactions;
    this.#take(transactions);
    return [];
  }

  /** Takes transactions that others passed on by themselves: under heavy load those whose home author this node is. */
  offerOthers(transactions: readonly SignedTransaction[]): void {
    const epoch = this.#epoch;
    if (transactions.length === 0 || epoch === undefined || !this.#mayMake()) return;
    if (this.#isLight(this.#others, transactions.length)) return;
    const { hash, genesisHash } = this.#ports;
    this.#take(
      transactions.filter(({ sender }) => homeAuthor(hash, genesisHash, epoch.authors, sender) === epoch.own),
    );
  }

  #mayMake(): boolean {
    return this.#epoch?.own !== undefined && this.#epoch.mayAuthor && !this.#isStopped;
  }

  #take(transactions: readonly SignedTransaction[]): void {
    if (transactions.length === 0) return;
    for (const transaction of transactions) this.#mine.add(transaction);
    this.#blocksToGo = BLOCKS_UNTIL_SETTLED;
    this.#fillSoon();
  }

  /** Whether an attestation is of use. */
  gathers({ header }: Attestation): boolean {
    const own = this.#live.get(header.sequence);
    return own?.gathering !== undefined && own.certified === undefined;
  }

  /** An attestation to an own batch, whose signature is right. */
  hear(attestation: Attestation): void {
    const own = this.#live.get(attestation.header.sequence);
    const epoch = this.#epoch;
    if (own?.gathering === undefined || own.certified !== undefined || epoch === undefined) return;
    own.gathering = gather(own.gathering, attestation);
    this.#certify(own, epoch);
  }

  /** A final block has these cursors: own batches up to its own are ordered or never will be.
   * @param ordered those that the block refers to. */
  finalized(cursor: number, ordered: ReadonlySet<string>): void {
    for (const own of [...this.#live.values()]) {
      if (own.header.sequence > cursor) break;
      const isOrdered = ordered.has(toHexDigits(own.header.digest));
      if (!isOrdered) this.#ports.held.forget(own.header.digest);
      this.#drop(own);
    }
  }

  /** A block is executed: what no later one may have is given up. */
  executed(height: number): void {
    for (const own of [...this.#live.values()]) if (own.header.expiryHeight <= height) this.#drop(own);
    if (this.#live.size > 0) this.#blocksToGo = BLOCKS_UNTIL_SETTLED;
    else if (this.#blocksToGo > 0) this.#blocksToGo--;
    // Some may have come back, or waited for a nonce.
    if (this.#ports.pool.status().pending > 0) this.#fillSoon();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelFill?.();
    this.#cancelRetry?.();
  }

  /** Whether so little comes that each transaction may go its own way. While some wait for batches or are in one, what comes joins them: it may be of
   * the same senders. */
  #isLight(window: Window, count: number): boolean {
    const { clock, limits } = this.#ports;
    const now = clock.nowMs();
    const windows = Math.floor((now - window.startMs) / limits.windowMs);
    if (windows !== 0) {
      window.before = windows === 1 ? window.count : 0;
      window.startMs = now;
      window.count = 0;
    }
    window.count += count;
    return this.#blocksToGo === 0 && window.count + window.before <= limits.lightLoad;
  }

  #fillSoon(): void {
    if (this.#cancelFill !== undefined || !this.#mayMake()) return;
    const { clock, limits } = this.#ports;
    this.#cancelFill = clock.after(limits.fillMs, () => {
      this.#cancelFill = undefined;
      if (!this.#isStopped) this.#fill();
    });
  }

  #fill(): void {
    const { limits } = this.#ports;
    const epoch = this.#epoch;
    if (epoch?.own === undefined) return;
    while (this.#bytes < limits.maxUnorderedBytes / 2 && this.#live.size < limits.maxUnorderedBatches / 2) {
      const chosen = this.#select();
      if (chosen.length === 0) return;
      this.#blocksToGo = BLOCKS_UNTIL_SETTLED;
      this.#make(chosen, epoch, epoch.own);
    }
  }

  #select(): readonly SignedTransaction[] {
    const { pool, blockGasLimit, limits, baseFee, unexecuted, clock } = this.#ports;
    const chosen = pool.select({
      gasLimit: blockGasLimit,
      maxBytes: limits.maxBytes - BYTES_AROUND_BATCH - limits.maxTransactions * ADDRESS_LENGTH,
      maxCount: limits.maxTransactions,
      baseFeePerGas: baseFee(),
      ancestors: [...unexecuted(), ...this.names()],
      timestamp: Math.floor(clock.nowMs() / 1000),
      accepts: (transaction) => this.#mine.has(transaction),
    });
    // One that asks for more than the share has a batch of its own.
    let gas = 0n;
    const end = chosen.findIndex(({ gasLimit }, index) => {
      gas += gasLimit;
      return index > 0 && gas > blockGasLimit / SHARE_OF_A_BLOCK;
    });
    return end < 0 ? chosen : chosen.slice(0, end);
  }

  #make(transactions: readonly SignedTransaction[], epoch: BatchEpoch, author: number): void {
    const { clock, hash, mode, pool, held, writes, genesisHash, transport } = this.#ports;
    const now = clock.nowMs();
    const place = this.#nextPlace(epoch, author, now);
    const { sequence } = place;
    const bytes = encodeBatch({
      place,
      transactions: transactions.map(({ raw }) => raw),
      claims: mode === "all" ? EMPTY_BYTES : concatBytes(...transactions.map(({ sender }) => sender)),
    });
    const header: BatchHeader = {
      ...place,
      digest: hash(bytes),
      byteLength: bytes.length,
      count: transactions.length,
      gasLimit: transactions.reduce((sum, { gasLimit }) => sum + gasLimit, 0n),
    };
    const name = `batch:${toHexDigits(header.digest)}`;
    const own: OwnBatch = {
      header,
      name,
      transactions,
      gathering: undefined,
      certified: undefined,
      sentMs: now,
    };
    this.#live.set(sequence, own);
    this.#bytes += bytes.length;
    pool.markInFlight(name, transactions);
    const kept = held.add(header, author, bytes);
    const { count, gasLimit } = header;
    const checked = {
      entries: packSenderEntries(transactions),
      count,
      gasLimit,
      failure: undefined,
      lie: undefined,
    };
    kept.isGood = true;
    kept.checked = Promise.resolve(checked);
    kept.believed = kept.checked;
    const operations = [
      ...batchOperations({ ...header, bytes }),
      ownSequenceOperation(epoch.authors.epoch, sequence),
    ];
    writes.write(operations, () => {
      kept.isStored = true;
      if (this.#isStopped || this.#live.get(sequence) !== own || this.#epoch !== epoch) return;
      const signature = transport.sign(attestationSigningBytes(genesisHash, header));
      own.gathering = beginGathering({ header, signer: author, signature });
      own.sentMs = clock.nowMs();
      this.#send(own, epoch, bytes);
      this.#certify(own, epoch);
      this.#retryLater();
    });
  }

  /** Of the next own batch. */
  #nextPlace(epoch: BatchEpoch, author: number, now: number): BatchPlace {
    const { executedHeight, limits } = this.#ports;
    const lifetime = Math.min(limits.lifetimeBlocks, BATCH_LIFETIME_BLOCKS);
    // Numbers need not follow each other. Who has lost its database goes on above what it has used.
    const sequence = this.#withCheckers(Math.max(this.#newest + 1, Math.floor(now)), epoch, author);
    this.#newest = sequence;
    return {
      epoch: epoch.authors.epoch,
      author,
      sequence,
      expiryHeight: executedHeight() + Math.ceil(lifetime / 2),
    };
  }

  /** The first number from here whose designated checkers are linked, if one of the next has such: the others cannot check it. */
  #withCheckers(first: number, { authors, peerIds }: BatchEpoch, author: number): number {
    if (this.#ports.mode === "all") return first;
    const linked = new Set(this.#ports.network.connected());
    for (let sequence = first; sequence < first + authors.keys.length; sequence++) {
      const checkers = designatedCheckers(authors, { author, sequence });
      if (checkers.every((index) => linked.has(peerIds[index]!))) return sequence;
    }
    return first;
  }

  /** To all who have not attested to it. */
  #send({ header, gathering }: OwnBatch, epoch: BatchEpoch, batch: Uint8Array): void {
    if (gathering === undefined) return;
    const { network } = this.#ports;
    const signature = gathering.signatures.get(header.author)!;
    const attestation = { header, signer: header.author, signature };
    const payload = encodeBatchMessage({ kind: "batch", attestation, batch });
    for (const [index, peerId] of epoch.peerIds.entries())
      if (index !== epoch.own && !gathering.signatures.has(index)) network.send(peerId, "batches", payload);
  }

  #certify(own: OwnBatch, epoch: BatchEpoch): void {
    if (own.gathering === undefined) return;
    const certified = certifiedOf(epoch.authors, own.gathering);
    if (certified === undefined) return;
    own.certified = certified;
    own.sentMs = this.#ports.clock.nowMs();
    this.#tell(certified, epoch);
    this.#ports.certified(certified);
  }

  #tell(certified: CertifiedBatch, epoch: BatchEpoch): void {
    const payload = encodeBatchMessage({ kind: "certified", certified });
    for (const [index, peerId] of epoch.peerIds.entries())
      if (index !== epoch.own) this.#ports.network.send(peerId, "batches", payload);
  }

  /** Links break, and those who were not to check a batch may have to. */
  #retryLater(): void {
    if (this.#cancelRetry !== undefined || this.#isStopped || this.#live.size === 0) return;
    const { clock, limits, held } = this.#ports;
    this.#cancelRetry = clock.after(limits.retryMs, () => {
      this.#cancelRetry = undefined;
      const epoch = this.#epoch;
      const now = clock.nowMs();
      for (const own of this.#live.values()) {
        if (epoch === undefined || now - own.sentMs < limits.retryMs) continue;
        own.sentMs = now;
        const bytes = held.get(own.header.digest)?.bytes;
        if (own.certified !== undefined) this.#tell(own.certified, epoch);
        else if (bytes !== undefined) this.#send(own, epoch, bytes);
      }
      this.#retryLater();
    });
  }

  #drop(own: OwnBatch): void {
    this.#live.delete(own.header.sequence);
    this.#bytes -= own.header.byteLength;
    this.#ports.pool.unmarkInFlight(own.name);
  }
}
