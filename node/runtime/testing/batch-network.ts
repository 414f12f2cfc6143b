import assert from "node:assert/strict";
import { type Bytes, concatBytes, Epoch, equalBytes, Height, View, ZERO_HASH } from "@ostrom/base";
import { type OrderedBlock, ValidatorIndex } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  type Attestation,
  attestationSigningBytes,
  type BatchAuthors,
  type BatchEvidence,
  type BatchHeader,
  type BatchMessage,
  beginGathering,
  type CertifiedBatch,
  certifiedOf,
  decodeBatchMessage,
  encodeBatch,
  encodeBatchMessage,
  encodeOrderedPayload,
  gather,
} from "@ostrom/dissemination";
import type { SignatureCheck, SignedTransaction } from "@ostrom/execution";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { DEFAULT_POOL_LIMITS, TransactionPool } from "@ostrom/txpool";
import { type BatchCheck, type CheckedBatch, checkBatch } from "../batch-check.ts";
import { BatchDesk } from "../batch-desk.ts";
import { type BatchEpoch, type BatchLimits, DEFAULT_BATCH_LIMITS } from "../batch-ports.ts";
import { createManualClock, endOfTurn, type ManualClock } from "./manual-clock.ts";
import { CLIENT_BALANCE, simulatedGenesis } from "./simulated-genesis.ts";

const VALIDATORS = 4;
const LEAST_WEIGHT = 2;
const CLIENTS = 8;
const genesis = simulatedGenesis({ validators: VALIDATORS, clients: CLIENTS });

export const BATCH_EPOCH = 1;

function keyOf(index: number): Bytes {
  return keccak256(Uint8Array.of(index, 77));
}

function signWith(key: Bytes, message: Bytes): Bytes {
  return keccak256(concatBytes(key, message));
}

export function peerOf(index: number): string {
  return `peer-${index}`;
}

export function authorsIn(epoch: number): BatchAuthors {
  const indices = Array.from({ length: VALIDATORS }, (_, index) => index);
  return { epoch, keys: indices.map(keyOf), weights: indices.map(() => 1), leastWeight: LEAST_WEIGHT };
}

/** What a desk has told its node. */
export type SeenOfDesk = {
  readonly evidence: BatchEvidence[];
  readonly faults: string[];
  readonly failures: { readonly code?: string }[];
};

export type SentMessage = { readonly from: number; readonly to: number; readonly message: BatchMessage };

export type BatchNode = {
  readonly desk: BatchDesk;
  readonly pool: TransactionPool;
  readonly store: Store;
  readonly seen: SeenOfDesk;
};

/** Desks of four validators of weight one, on a wire that a test empties by hand. */
export class BatchNetwork {
  readonly clock: ManualClock = createManualClock(genesis.timestampMs);
  readonly nodes: BatchNode[] = [];
  /** Everything that was ever sent. */
  readonly sent: SentMessage[] = [];
  /** What is dropped on the way. */
  drops: (sent: SentMessage) => boolean = () => false;
  /** Who has no link. */
  readonly offline: Set<number> = new Set();
  /** Synced writes of a node wait for this. */
  readonly disks: (Promise<void> | undefined)[] = [];
  readonly #mode: SignatureCheck;
  readonly #limits: BatchLimits;
  #wire: SentMessage[] = [];

  constructor(mode: SignatureCheck, limits: Partial<BatchLimits> = {}) {
    this.#mode = mode;
    this.#limits = { ...DEFAULT_BATCH_LIMITS, lightLoad: 0, ...limits };
    for (let index = 0; index < VALIDATORS; index++) this.start(index);
  }

  /** @param store of an earlier life. */
  start(index: number, store: Store = createMemoryStore(), mayAuthor = true): BatchNode {
    const seen: SeenOfDesk = { evidence: [], faults: [], failures: [] };
    const pool = new TransactionPool(genesis.rules, DEFAULT_POOL_LIMITS, genesis.initialBaseFeePerGas);
    const gated: Store = {
      ...store,
      write: async (operations, options) => {
        if (options.sync) await this.disks[index];
        await store.write(operations, options);
      },
    };
    const desk = new BatchDesk(
      {
        clock: this.clock,
        log: () => undefined,
        network: {
          send: (peerId, _, payload) => this.#send(index, peerId, payload),
          broadcast: () => 0,
          connected: () => this.#others(index).map(peerOf),
        },
        store: gated,
        pool,
        checkBatch: async (check: BatchCheck): Promise<CheckedBatch> => checkBatch(genesis.rules, check),
        transport: {
          sign: (message) => signWith(keyOf(index), message),
          verify: (key, message, signature) => equalBytes(signature, signWith(key, message)),
        },
        genesisHash: ZERO_HASH,
        hash: keccak256,
        mode: this.#mode,
        limits: this.#limits,
        blockGasLimit: genesis.rules.blockGasLimit,
        baseFee: () => genesis.initialBaseFeePerGas,
        unexecuted: () => [],
        changed: () => undefined,
        evidence: (evidence) => seen.evidence.push(evidence),
        fault: (_, code) => seen.faults.push(code),
        failed: (error) => seen.failures.push(error as { readonly code?: string }),
      },
      0,
    );
    const node = { desk, pool, store, seen };
    this.nodes[index] = node;
    this.enter(index, BATCH_EPOCH, mayAuthor);
    return node;
  }

  /** @returns what the node passes on. */
  enter(index: number, epoch: number, mayAuthor = true): readonly SignedTransaction[] {
    const peerIds = Array.from({ length: VALIDATORS }, (_, other) => peerOf(other));
    const entered: BatchEpoch = { authors: authorsIn(epoch), own: index, mayAuthor, peerIds };
    return this.nodes[index]!.desk.enter(entered);
  }

  /** A node's own client sends these. @returns those that it passes on by themselves. */
  submit(index: number, transactions: readonly SignedTransaction[]): readonly SignedTransaction[] {
    const { pool, desk } = this.nodes[index]!;
    for (const transaction of transactions) {
      const account = { nonce: 0n, balance: CLIENT_BALANCE };
      assert.ok(pool.admit(transaction, account, this.clock.nowMs()).ok);
    }
    return desk.offer(transactions);
  }

  /** Time passes, and everything that is said meanwhile is heard. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet++) {
      for (const { from, to, message } of this.#wire.splice(0)) {
        quiet = 0;
        this.hear(to, from, message);
      }
      await endOfTurn();
    }
  }

  hear(to: number, from: number, message: BatchMessage): void {
    this.nodes[to]!.desk.receive(peerOf(from), encodeBatchMessage(message));
  }

  /** Messages of a kind that a node has sent. */
  said(from: number, kind: BatchMessage["kind"]): readonly SentMessage[] {
    return this.sent.filter((sent) => sent.from === from && sent.message.kind === kind);
  }

  #others(index: number): readonly number[] {
    if (this.offline.has(index)) return [];
    return this.nodes
      .keys()
      .filter((other) => other !== index && !this.offline.has(other))
      .toArray();
  }

  #send(from: number, peerId: string, payload: Bytes): boolean {
    const to = this.#others(from).find((other) => peerOf(other) === peerId);
    const read = decodeBatchMessage(payload);
    assert.ok(read.ok);
    if (to === undefined) return false;
    const sent = { from, to, message: read.value };
    this.sent.push(sent);
    if (!this.drops(sent)) this.#wire.push(sent);
    return true;
  }
}

export type MadeBatch = { readonly header: BatchHeader; readonly bytes: Bytes };

/** A batch as an author could make it by hand. @param claims those who have signed, if absent. */
export function madeBatch(
  transactions: readonly SignedTransaction[],
  fields: Partial<BatchHeader> = {},
  claims: readonly Bytes[] = [],
): MadeBatch {
  const place = {
    epoch: fields.epoch ?? BATCH_EPOCH,
    author: fields.author ?? 0,
    sequence: fields.sequence ?? 1,
    expiryHeight: fields.expiryHeight ?? 100,
  };
  const raws = transactions.map(({ raw }) => raw);
  const bytes = encodeBatch({ place, transactions: raws, claims: concatBytes(...claims) });
  const gasLimit = transactions.reduce((sum, each) => sum + each.gasLimit, 0n);
  const header = { digest: keccak256(bytes), byteLength: bytes.length, count: raws.length, gasLimit };
  return { bytes, header: { ...place, ...header, ...fields } };
}

export function attestTo(header: BatchHeader, signer: number): Attestation {
  const signature = signWith(keyOf(signer), attestationSigningBytes(ZERO_HASH, header));
  return { header, signer, signature };
}

/** An author's message. */
export function announce({ header, bytes }: MadeBatch): BatchMessage {
  return { kind: "batch", attestation: attestTo(header, header.author), batch: bytes };
}

/** A certificate, whoever tells the truth. */
export function certify(header: BatchHeader, other: number): CertifiedBatch {
  const gathered = gather(beginGathering(attestTo(header, header.author)), attestTo(header, other));
  const certified = certifiedOf(authorsIn(header.epoch), gathered);
  assert.ok(certified !== undefined);
  return certified;
}

export function blockWith(
  height: number,
  batches: readonly CertifiedBatch[],
  epoch: number = BATCH_EPOCH,
): OrderedBlock {
  return {
    epoch: Epoch(epoch),
    view: View(height),
    height: Height(height),
    parent: ZERO_HASH,
    parentView: View(height - 1),
    timestampMs: genesis.timestampMs + height,
    proposer: ValidatorIndex(0),
    stateCertificate: undefined,
    payload: encodeOrderedPayload({ inline: [], batches }),
  };
}
