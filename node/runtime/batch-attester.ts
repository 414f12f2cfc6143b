import { type Bytes, equalBytes, type Failure } from "@ostrom/base";
import {
  type Attestation,
  attestationSigningBytes,
  BATCH_LIFETIME_BLOCKS,
  type BatchDomain,
  type BatchHeader,
  type BatchMessage,
  type CertifiedBatch,
  contradicts,
  decodeBatch,
  encodeBatchMessage,
  firstFalseClaim,
  isBatchOf,
  sameHeader,
  verifyAttestation,
} from "@ostrom/dissemination";
import type { PeerId } from "@ostrom/network";
import type { KeyValueReader } from "@ostrom/state";
import { readBatchDigest } from "@ostrom/storage";
import type { BatchCursors } from "./batch-cursors.ts";
import type { BatchDeskPorts, BatchEpoch } from "./batch-ports.ts";
import { attestationOfAuthor, falsehoodOf, isDesignated, textOf } from "./batch-truth.ts";
import { isAbove } from "./certified-batches.ts";
import type { HeldBatch, HeldBatches } from "./held-batches.ts";

type BatchAttesterPorts = Omit<BatchDeskPorts, "store"> & {
  readonly held: HeldBatches;
  readonly domain: BatchDomain;
  readonly cursors: BatchCursors;
  readonly executedHeight: () => number;
  /** Resolves when a batch is on disk. */
  readonly store: (header: BatchHeader, held: HeldBatch, isNew: boolean) => Promise<void>;
  /** This node's own check has found a batch false. */
  readonly isFalse: (header: BatchHeader, held: HeldBatch) => void;
  readonly readStore: KeyValueReader;
  readonly isStopped: () => boolean;
};

/** Hears the batches of the other authors, checks those that are for this node to check, and attests to what is so. */
export class BatchAttester {
  readonly #ports: BatchAttesterPorts;
  /** The author's attestation to what was heard, by author and sequence number. */
  readonly #heard = new Map<string, Attestation>();
  #epoch: BatchEpoch | undefined;

  constructor(ports: BatchAttesterPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#heard.size;
  }

  enter(epoch: BatchEpoch): void {
    this.#epoch = epoch;
    this.#heard.clear();
  }

  /** Forgets what no block may refer to any more. */
  keep(isLive: (header: BatchHeader) => boolean): void {
    for (const [key, { header }] of this.#heard) if (!isLive(header)) this.#heard.delete(key);
  }

  /** Whether a block to come may refer to a batch. */
  isTimely(header: BatchHeader): boolean {
    const { cursors, executedHeight } = this.#ports;
    return (
      isAbove(header, cursors.newest(header.epoch)) &&
      header.expiryHeight > executedHeight() &&
      header.expiryHeight <= cursors.height + BATCH_LIFETIME_BLOCKS
    );
  }

  /** A certificate holds its author's attestation: two for one number prove two batches (rule D7). */
  compare(certified: CertifiedBatch): void {
    const epoch = this.#epoch;
    const own = attestationOfAuthor(certified, epoch?.authors.keys.length ?? 0);
    if (own === undefined || epoch === undefined) return;
    const key = keyOf(certified.header);
    const before = this.#heard.get(key);
    if (before === undefined) this.#heard.set(key, own);
    else if (contradicts(before, own)) {
      const peerId = epoch.peerIds[certified.header.author];
      this.#ports.evidence({ kind: "two-batches", first: before, second: own }, peerId);
    }
  }

  /** An author's batch. */
  hear(peerId: PeerId, message: Extract<BatchMessage, { kind: "batch" }>): void {
    const epoch = this.#epoch;
    const { attestation, batch } = message;
    const { header } = attestation;
    if (epoch?.own === undefined || header.epoch !== epoch.authors.epoch) return;
    if (epoch.peerIds[header.author] !== peerId || attestation.signer !== header.author) {
      this.#ports.fault(peerId, "batch/wrong-sender", "a batch comes from its author alone");
      return;
    }
    if (!this.isTimely(header)) return;
    const before = this.#heard.get(keyOf(header));
    const isNew = before === undefined || !sameHeader(before.header, header);
    if (isNew && !verifyAttestation(this.#ports.domain, epoch.authors, attestation)) {
      this.#ports.fault(peerId, "batch/bad-signature", "the author has not signed its batch");
      return;
    }
    if (before !== undefined && contradicts(before, attestation)) {
      this.#ports.evidence({ kind: "two-batches", first: before, second: attestation }, peerId);
      return;
    }
    const known = this.#ports.held.get(header.digest);
    const refused = this.#refuse(peerId, before ?? attestation, known?.bytes ?? batch, known !== undefined);
    if (refused !== undefined) {
      this.#ports.fault(peerId, refused.code, refused.message);
      return;
    }
    // Of what was heard before a restart, only this is left.
    const said = readBatchDigest(this.#ports.readStore, header);
    if (said !== undefined && !equalBytes(said, header.digest)) return;
    // Of one header, the attestation whose signature was verified stays.
    if (before === undefined) this.#heard.set(keyOf(header), attestation);
    this.#take(peerId, header, known ?? this.#ports.held.add(header, header.author, batch), epoch, before);
  }

  /** Why a batch is not taken whose author has signed it. @param isKnown its bytes have the header's digest. */
  #refuse(peerId: PeerId, attestation: Attestation, bytes: Bytes, isKnown: boolean): Failure | undefined {
    const { header } = attestation;
    if (!isKnown) {
      if (!this.#hasRoom(header))
        return { code: "batch/over-quota", message: "more batches than may wait: not read" };
      if (!equalBytes(this.#ports.hash(bytes), header.digest))
        return { code: "batch/malformed", message: "its header is of another batch" };
    }
    const read = isBatchOf(header, bytes) ? decodeBatch(bytes) : undefined;
    if (read?.ok !== true) {
      this.#accuse(attestation, bytes, peerId);
      return { code: "batch/malformed", message: read?.error.message ?? "its header is of another place" };
    }
    // One form for each mode; who sends the other may be wrong about the chain, and no more.
    if (read.value.claims.length > 0 !== (this.#ports.mode === "minority"))
      return { code: "batch/claims", message: `claims and signatureCheck ${this.#ports.mode}` };
    return undefined;
  }

  #take(
    peerId: PeerId,
    header: BatchHeader,
    held: HeldBatch,
    epoch: BatchEpoch,
    before: Attestation | undefined,
  ): void {
    const { mode, changed, failed, isStopped } = this.#ports;
    // Beside the check: who attests says that it is on disk, and voters need it there too.
    const stored = this.#ports.store(header, held, before === undefined);
    // The second time, the author has not found enough others.
    const isDue = mode === "all" || before !== undefined || isDesignated(epoch, header);
    // A proposal will ask for what it claims: then it is known already.
    const done = isDue
      ? this.#attest(peerId, header, held, epoch, stored)
      : this.#ports.held.believe(held).then(() => changed());
    done.catch((error: unknown) => (isStopped() ? undefined : failed(error)));
  }

  /** Checks a batch and, when it is on disk, tells the author. */
  async #attest(
    peerId: PeerId,
    header: BatchHeader,
    held: HeldBatch,
    epoch: BatchEpoch,
    stored: Promise<void>,
  ): Promise<void> {
    const [checked] = await Promise.all([this.#ports.held.check(held), stored]);
    const { fault, isStopped, transport, genesisHash, network, changed } = this.#ports;
    if (isStopped() || this.#epoch !== epoch || epoch.own === undefined) return;
    const falsehood = falsehoodOf(header, held.bytes, checked);
    if (falsehood !== undefined) {
      fault(peerId, "batch/false", falsehood);
      const attestation = this.#heard.get(keyOf(header));
      if (attestation !== undefined) this.#accuse(attestation, held.bytes, peerId);
      this.#ports.isFalse(header, held);
      return;
    }
    // By another clock or by newer rules they may be right.
    if (checked.failure !== undefined) {
      fault(peerId, "batch/not-attested", textOf(checked.failure));
      return;
    }
    const signature = transport.sign(attestationSigningBytes(genesisHash, header));
    const attestation = { header, signer: epoch.own, signature };
    network.send(peerId, "batches", encodeBatchMessage({ kind: "attestation", attestation }));
    changed();
  }

  #hasRoom({ author, byteLength }: BatchHeader): boolean {
    const { maxUnorderedBatches, maxUnorderedBytes } = this.#ports.limits;
    let batches = 0;
    for (const { header } of this.#heard.values()) if (header.author === author) batches++;
    const bytes = this.#ports.held.bytesOf(author) + byteLength;
    return batches < maxUnorderedBatches && bytes <= maxUnorderedBytes;
  }

  /** A batch that its author has signed is not what it claims (rule D8). */
  #accuse(attestation: Attestation, batch: Bytes, peerId: PeerId): void {
    const index = firstFalseClaim(batch, attestation.header);
    if (index === undefined) return;
    this.#ports.evidence({ kind: "false-attestation", attestation, batch, index }, peerId);
  }
}

function keyOf({ author, sequence }: BatchHeader): string {
  return `${author}:${sequence}`;
}
