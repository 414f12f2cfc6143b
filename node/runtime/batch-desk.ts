import { type Bytes, equalBytes, toHexDigits } from "@ostrom/base";
import type { OrderedBlock } from "@ostrom/consensus";
import { readSigners } from "@ostrom/crypto";
import {
  type Attestation,
  advanceCursors,
  attestationSigningBytes,
  BATCH_LIFETIME_BLOCKS,
  type BatchDomain,
  type BatchHeader,
  type BatchMessage,
  type BatchRoom,
  type CertifiedBatch,
  type Cursors,
  contradicts,
  decodeBatchMessage,
  decodeCursors,
  decodeOrderedPayload,
  designatedCheckers,
  encodeBatchMessage,
  encodeCursors,
  firstFalseClaim,
  hasBatches,
  sameHeader,
  selectBatches,
  verifyAttestation,
  verifyCertifiedBatch,
} from "@ostrom/dissemination";
import type { SignedTransaction } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { batchOperations, expiredBatchOperations, readBatchCursors, readBatchDigest } from "@ostrom/storage";
import type { BatchFailure, CheckedBatch } from "./batch-check.ts";
import type { BatchDeskPorts, BatchEpoch } from "./batch-ports.ts";
import { DurableWrites } from "./durable-writes.ts";
import type { ResolvedBatch } from "./execution-port.ts";
import { BatchServer, type HeldBatch, HeldBatches } from "./held-batches.ts";
import { OwnBatches } from "./own-batches.ts";

/** Heights whose cursors are remembered above the executed ones. */
const KEPT_CURSORS = 256;
/** Expired batches are looked for every so many blocks, and forgotten so many at a time. */
const EXPIRY_INTERVAL = 64;
const MAX_EXPIRED = 256;

type CursorsAt = { readonly epoch: number; readonly cursors: Cursors };

const NO_CURSORS: Cursors = new Map();

/** All that a node does with batches of transactions: core/dissemination has the rules. */
export class BatchDesk {
  readonly #ports: BatchDeskPorts;
  readonly #held: HeldBatches;
  readonly #own: OwnBatches;
  readonly #server: BatchServer;
  readonly #writes: DurableWrites;
  readonly #domain: BatchDomain;
  /** By author, ascending; above the final cursors. */
  readonly #certified = new Map<number, CertifiedBatch[]>();
  /** What was attested to, by author and sequence number: the author's own attestation. */
  readonly #heard = new Map<string, Attestation>();
  /** After final blocks, by height. */
  readonly #cursors = new Map<number, CursorsAt>();
  #finalHeight: number;
  #executedHeight: number;
  #epoch: BatchEpoch | undefined;
  #isStopped = false;
  #isForgetting = false;

  /** @param head newest executed height. */
  constructor(ports: BatchDeskPorts, head: number) {
    this.#ports = ports;
    this.#finalHeight = head;
    this.#executedHeight = head;
    this.#domain = { genesisHash: ports.genesisHash, hash: ports.hash, verify: ports.transport.verify };
    this.#held = new HeldBatches(ports);
    this.#server = new BatchServer(ports);
    this.#writes = new DurableWrites(ports.store, ports.failed);
    this.#own = new OwnBatches({
      ...ports,
      held: this.#held,
      writes: this.#writes,
      certified: (certified) => this.#learn(certified),
      executedHeight: () => this.#executedHeight,
    });
    const stored = readBatchCursors(ports.store);
    const read = stored === undefined ? undefined : decodeCursors(stored);
    if (read?.ok === true) this.#cursors.set(head, read.value);
  }

  /** An epoch begins. */
  enter(epoch: BatchEpoch): void {
    this.#epoch = epoch;
    this.#certified.clear();
    this.#heard.clear();
    this.#held.clear();
    this.#own.enter(epoch);
  }

  /** See `OwnBatches.offer`. */
  offer(transactions: readonly SignedTransaction[]): readonly SignedTransaction[] {
    return this.#own.offer(transactions);
  }

  /** See `OwnBatches.offerOthers`. */
  offerOthers(transactions: readonly SignedTransaction[]): void {
    this.#own.offerOthers(transactions);
  }

  /** Names in the pool of what waits in own batches. */
  names(): readonly string[] {
    return this.#own.names();
  }

  /** Whether a block on top of the final ones could refer to something. */
  hasWork(): boolean {
    const { cursors } = this.#at(this.#finalHeight, this.#epoch?.authors.epoch ?? 0);
    for (const [author, batches] of this.#certified)
      if (batches.some((each) => each.header.sequence > (cursors.get(author) ?? 0) && this.#isUsable(each)))
        return true;
    return false;
  }

  /** Chooses batches for a block. @param ancestors between the final blocks and it. */
  select(room: BatchRoom, ancestors: readonly OrderedBlock[]): readonly CertifiedBatch[] {
    const authors = this.#epoch?.authors;
    if (authors === undefined || this.#certified.size === 0) return [];
    const before = this.#cursorsBefore({ height: room.height, epoch: authors.epoch }, ancestors);
    if (before === undefined) return [];
    const usable = new Map<number, readonly CertifiedBatch[]>();
    for (const [author, batches] of this.#certified)
      usable.set(
        author,
        batches.filter((each) => this.#isUsable(each)),
      );
    const within = { ...room, epoch: authors.epoch };
    return selectBatches(usable, before, within, room.height % authors.keys.length);
  }

  /** Who proposes has what it refers to, checked by itself: then no voter waits for what nobody honest has. */
  #isUsable({ header }: CertifiedBatch): boolean {
    const held = this.#held.get(header.digest);
    return (
      held !== undefined && held.isGood !== false && (this.#ports.mode !== "all" || held.isGood === true)
    );
  }

  /** Checks a proposal's references, all but whether their batches are here. @returns what is wrong. */
  refuse(
    block: OrderedBlock,
    batches: readonly CertifiedBatch[],
    ancestors: readonly OrderedBlock[],
  ): string | undefined {
    if (batches.length === 0) return undefined;
    const epoch = this.#epoch;
    if (epoch?.authors.epoch !== block.epoch) return "batches of an epoch that this node is not in";
    const before = this.#cursorsBefore(block, ancestors);
    if (before === undefined) return "an ancestor's batches cannot be";
    const after = advanceCursors(before, block, batches);
    if (!after.ok) return `${after.error.code}: ${after.error.message}`;
    for (const certified of batches) {
      if (this.#isKnown(certified.header)) continue;
      const valid = verifyCertifiedBatch(this.#domain, epoch.authors, certified);
      if (!valid.ok) return `${valid.error.code}: ${valid.error.message}`;
      this.#learn(certified);
    }
    return undefined;
  }

  /** Waits until the batches are here and, with `all`, checked. @returns what is wrong with one, or undefined. */
  async ready(batches: readonly CertifiedBatch[]): Promise<string | undefined> {
    const problems = await Promise.all(
      batches.map(async ({ header }) => {
        const held = await this.#whenHeld(header);
        const checked = await this.#known(held);
        const problem = mismatch(header, held.bytes, checked) ?? lieOf((await held.checked) ?? checked);
        if (problem !== undefined) {
          this.#alarm(header, problem);
          return problem;
        }
        // What a quorum votes for must survive a power cut (rule D12).
        await this.#store(header, held);
        return undefined;
      }),
    );
    return problems.find((problem) => problem !== undefined);
  }

  /** What all nodes execute alike: what a node finds itself, or what certified batches claim. */
  #known(held: HeldBatch): Promise<CheckedBatch> {
    return this.#ports.mode === "all" ? this.#held.check(held) : this.#held.believe(held);
  }

  /** Resolves when a batch is on disk. */
  #store(header: BatchHeader, held: HeldBatch): Promise<void> {
    if (held.isStored) return Promise.resolve();
    held.stored ??= new Promise((resolve) => {
      this.#writes.write(batchOperations({ ...header, bytes: held.bytes }), () => {
        held.isStored = true;
        resolve();
      });
    });
    return held.stored;
  }

  /** Transactions of own batches among them. */
  ownOf(batches: readonly CertifiedBatch[]): readonly SignedTransaction[] {
    return batches.flatMap(({ header }) => this.#own.transactionsOf(header));
  }

  /** The batches of a final block with what is known of them, when all are here. */
  resolve(payload: Bytes): Promise<readonly ResolvedBatch[]> {
    const read = decodeOrderedPayload(payload);
    const batches = read.ok ? read.value.batches : [];
    return Promise.all(
      batches.map(async ({ header }): Promise<ResolvedBatch> => {
        const held = await this.#whenHeld(header);
        const { entries } = await this.#known(held);
        const checked = await held.checked;
        if (this.#ports.mode === "minority" && checked?.lie !== undefined) this.#refuseToGoOn(header);
        const { digest, expiryHeight } = header;
        return { digest, expiryHeight, bytes: held.bytes, entries, isStored: held.isStored };
      }),
    );
  }

  /** A block is final. @returns the cursors after it, encoded, if it has changed them. */
  finalized(block: OrderedBlock): Bytes | undefined {
    const before = this.#at(block.height - 1, block.epoch);
    const read = hasBatches(block.payload) ? decodeOrderedPayload(block.payload) : undefined;
    const batches = read?.ok === true ? read.value.batches : [];
    const after = advanceCursors(before.cursors, block, batches);
    // A quorum has checked it.
    const cursors = after.ok ? after.value : before.cursors;
    this.#cursors.set(block.height, { epoch: block.epoch, cursors });
    for (const height of this.#cursors.keys()) {
      if (this.#cursors.size <= KEPT_CURSORS) break;
      this.#cursors.delete(height);
    }
    this.#finalHeight = Math.max(this.#finalHeight, block.height);
    if (batches.length === 0) return undefined;
    const epoch = this.#epoch;
    if (epoch?.authors.epoch === block.epoch) {
      this.#forgetBelow(cursors);
      if (epoch.own !== undefined) {
        const ordered = new Set(batches.map(({ header }) => toHexDigits(header.digest)));
        this.#own.finalized(cursors.get(epoch.own) ?? 0, ordered);
      }
    }
    return encodeCursors(block.epoch, cursors);
  }

  /** A block is executed and on disk. */
  executed(height: number, batches: readonly Pick<ResolvedBatch, "digest">[]): void {
    this.#executedHeight = height;
    for (const { digest } of batches) this.#held.forget(digest);
    this.#held.expire(height);
    this.#own.executed(height);
    if (height % EXPIRY_INTERVAL === 0) this.#forgetExpired(height);
  }

  poolChanged(): void {
    this.#own.poolChanged();
  }

  /** Reads a frame of the channel `batches`. */
  receive(peerId: PeerId, payload: Bytes): void {
    const read = decodeBatchMessage(payload);
    if (!read.ok) {
      this.#ports.fault(peerId, read.error.code, read.error.message);
      return;
    }
    const message = read.value;
    switch (message.kind) {
      case "batch":
        return this.#hearBatch(peerId, message);
      case "attestation":
        return this.#hearAttestation(peerId, message.attestation);
      case "certified":
        return this.#hearCertified(peerId, message.certified);
      case "wanted":
        return this.#server.answer(peerId, message, (digest) => this.#held.bytesFor(digest));
      case "found":
        // Each may cross to another thread, with all of the memory that it is part of.
        for (const bytes of message.batches) this.#held.found(bytes.slice());
    }
  }

  peerDown(peerId: PeerId): void {
    this.#server.peerDown(peerId);
  }

  sizes(): Readonly<Record<string, number>> {
    let certified = 0;
    for (const batches of this.#certified.values()) certified += batches.length;
    return {
      ...this.#held.sizes(),
      ...this.#own.sizes(),
      certifiedBatches: certified,
      heardBatches: this.#heard.size,
      batchCursors: this.#cursors.size,
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#held.stop();
    this.#own.stop();
  }

  #hearBatch(peerId: PeerId, { attestation, batch }: Extract<BatchMessage, { kind: "batch" }>): void {
    const epoch = this.#epoch;
    const { header } = attestation;
    if (epoch?.own === undefined || header.epoch !== epoch.authors.epoch) return;
    if (epoch.peerIds[header.author] !== peerId || attestation.signer !== header.author) {
      this.#ports.fault(peerId, "batch/wrong-sender", "a batch comes from its author alone");
      return;
    }
    if (!this.#isTimely(header)) return;
    const key = `${header.author}:${header.sequence}`;
    const before = this.#heard.get(key);
    if (before === undefined || !sameHeader(before.header, header)) {
      if (header.byteLength !== batch.length) {
        this.#ports.fault(peerId, "batch/malformed", "its header names another length");
        return;
      }
      if (!verifyAttestation(this.#domain, epoch.authors, attestation)) {
        this.#ports.fault(peerId, "batch/bad-signature", "the author has not signed its batch");
        return;
      }
    }
    if (before !== undefined && contradicts(before, attestation)) {
      this.#ports.evidence({ kind: "two-batches", first: before, second: attestation }, peerId);
      return;
    }
    if (before === undefined && !this.#hasRoom(header)) {
      this.#ports.fault(peerId, "batch/over-quota", "more batches than may wait: not read");
      return;
    }
    if (before === undefined && !equalBytes(this.#ports.hash(batch), header.digest)) {
      this.#ports.fault(peerId, "batch/malformed", "its header names another digest");
      return;
    }
    // Of what was heard before a restart, only this is left.
    const said = readBatchDigest(this.#ports.store, header);
    if (said !== undefined && !equalBytes(said, header.digest)) return;
    this.#heard.set(key, attestation);
    const held = this.#held.get(header.digest) ?? this.#held.add(header, header.author, batch);
    // Beside the check: who attests says that it is on disk, and voters need it there too.
    const stored = this.#store(header, held);
    // The second time, the author has not found enough others.
    const isDue = this.#ports.mode === "all" || before !== undefined || isDesignated(epoch, header);
    if (isDue) this.#attest(peerId, header, held, epoch, stored);
    // A proposal will ask: then it is known already.
    else
      this.#held
        .believe(held)
        .then(() => this.#ports.changed())
        .catch((error: unknown) => this.#failUnlessStopped(error));
  }

  /** Checks a batch and, when it is on disk, tells the author. */
  #attest(
    peerId: PeerId,
    header: BatchHeader,
    held: HeldBatch,
    epoch: BatchEpoch,
    stored: Promise<void>,
  ): void {
    Promise.all([this.#held.check(held), stored])
      .then(([checked]) => {
        if (this.#isStopped || this.#epoch !== epoch || epoch.own === undefined) return;
        const lie = mismatch(header, held.bytes, checked) ?? lieOf(checked);
        if (lie !== undefined) {
          this.#ports.fault(peerId, "batch/false", lie);
          this.#accuse(header, held, peerId);
          return;
        }
        // By another clock or by newer rules they may be right.
        if (checked.failure !== undefined) {
          this.#ports.fault(peerId, "batch/not-attested", textOf(checked.failure));
          return;
        }
        this.#tellAuthor(peerId, header, epoch);
        this.#ports.changed();
      })
      .catch((error: unknown) => this.#failUnlessStopped(error));
  }

  #tellAuthor(peerId: PeerId, header: BatchHeader, epoch: BatchEpoch): void {
    if (this.#isStopped || this.#epoch !== epoch || epoch.own === undefined) return;
    const { transport, genesisHash, network } = this.#ports;
    const signature = transport.sign(attestationSigningBytes(genesisHash, header));
    const attestation = { header, signer: epoch.own, signature };
    network.send(peerId, "batches", encodeBatchMessage({ kind: "attestation", attestation }));
  }

  #hearAttestation(peerId: PeerId, attestation: Attestation): void {
    const epoch = this.#epoch;
    const { header, signer } = attestation;
    if (epoch?.own !== header.author || header.epoch !== epoch.authors.epoch) return;
    if (!this.#own.gathers(attestation)) return;
    if (epoch.peerIds[signer] !== peerId || !verifyAttestation(this.#domain, epoch.authors, attestation)) {
      this.#ports.fault(peerId, "batch/bad-signature", "an attestation that its sender has not signed");
      return;
    }
    this.#own.hear(attestation);
  }

  #hearCertified(peerId: PeerId, certified: CertifiedBatch): void {
    const epoch = this.#epoch;
    const { header } = certified;
    if (epoch === undefined || header.epoch !== epoch.authors.epoch || !this.#isTimely(header)) return;
    if (this.#isKnown(header)) return;
    if ((this.#certified.get(header.author)?.length ?? 0) >= this.#ports.limits.maxUnorderedBatches) return;
    const valid = verifyCertifiedBatch(this.#domain, epoch.authors, certified);
    if (!valid.ok) {
      this.#ports.fault(peerId, valid.error.code, valid.error.message);
      return;
    }
    this.#learn(certified);
  }

  #learn(certified: CertifiedBatch): void {
    const { header } = certified;
    if (this.#isKnown(header) || header.epoch !== this.#epoch?.authors.epoch) return;
    const { cursors } = this.#at(this.#finalHeight, header.epoch);
    if (header.sequence <= (cursors.get(header.author) ?? 0)) return;
    this.#compare(certified);
    const batches = [...(this.#certified.get(header.author) ?? []), certified];
    batches.sort((a, b) => a.header.sequence - b.header.sequence);
    this.#certified.set(header.author, batches);
    this.#ports.changed();
  }

  /** A certificate holds its author's attestation: two for one number prove two batches (rule D7). */
  #compare(certified: CertifiedBatch): void {
    const { header } = certified;
    const epoch = this.#epoch;
    const own = attestationOfAuthor(certified, epoch?.authors.keys.length ?? 0);
    const key = `${header.author}:${header.sequence}`;
    const before = this.#heard.get(key);
    if (own === undefined || epoch === undefined) return;
    if (before === undefined) this.#heard.set(key, own);
    else if (contradicts(before, own))
      this.#ports.evidence({ kind: "two-batches", first: before, second: own }, epoch.peerIds[header.author]);
  }

  #isKnown(header: BatchHeader): boolean {
    const ofAuthor = this.#certified.get(header.author) ?? [];
    return ofAuthor.some((known) => sameHeader(known.header, header));
  }

  /** Whether a block to come may refer to it. */
  #isTimely({ author, sequence, expiryHeight, epoch }: BatchHeader): boolean {
    const { cursors } = this.#at(this.#finalHeight, epoch);
    return (
      sequence > (cursors.get(author) ?? 0) &&
      expiryHeight > this.#executedHeight &&
      expiryHeight <= this.#finalHeight + BATCH_LIFETIME_BLOCKS
    );
  }

  #hasRoom({ author, byteLength }: BatchHeader): boolean {
    const { maxUnorderedBatches, maxUnorderedBytes } = this.#ports.limits;
    let batches = 0;
    for (const { header } of this.#heard.values()) if (header.author === author) batches++;
    return batches < maxUnorderedBatches && this.#held.bytesOf(author) + byteLength <= maxUnorderedBytes;
  }

  #whenHeld(header: BatchHeader): Promise<HeldBatch> {
    return new Promise((resolve) => this.#held.whenHeld(header, resolve));
  }

  /** Cursors of what a block builds on; undefined if that cannot be. */
  #cursorsBefore(
    block: { readonly height: number; readonly epoch: number },
    ancestors: readonly OrderedBlock[],
  ): Cursors | undefined {
    const first = ancestors[0]?.height ?? block.height;
    let { cursors } = this.#at(first - 1, block.epoch);
    for (const ancestor of ancestors) {
      if (ancestor.epoch !== block.epoch || !hasBatches(ancestor.payload)) continue;
      const read = decodeOrderedPayload(ancestor.payload);
      const after = advanceCursors(cursors, ancestor, read.ok ? read.value.batches : []);
      if (!after.ok) return undefined;
      cursors = after.value;
    }
    return cursors;
  }

  /** Cursors of an epoch after a final block. */
  #at(height: number, epoch: number): CursorsAt {
    const found = this.#cursors.get(height);
    if (found !== undefined) return found.epoch === epoch ? found : { epoch, cursors: NO_CURSORS };
    // Blocks without batches before the node's start leave no trace.
    const newest = [...this.#cursors].findLast(([other]) => other <= height)?.[1];
    return newest?.epoch === epoch ? newest : { epoch, cursors: NO_CURSORS };
  }

  #forgetBelow(cursors: Cursors): void {
    for (const [author, batches] of this.#certified) {
      const left = batches.filter(({ header }) => header.sequence > (cursors.get(author) ?? 0));
      if (left.length === 0) this.#certified.delete(author);
      else if (left.length < batches.length) this.#certified.set(author, left);
    }
    for (const [key, { header }] of this.#heard)
      if (header.sequence <= (cursors.get(header.author) ?? 0)) this.#heard.delete(key);
  }

  #forgetExpired(height: number): void {
    for (const [author, batches] of this.#certified) {
      const left = batches.filter(({ header }) => header.expiryHeight > height);
      if (left.length < batches.length) this.#certified.set(author, left);
    }
    for (const [key, { header }] of this.#heard) if (header.expiryHeight <= height) this.#heard.delete(key);
    if (this.#isForgetting) return;
    this.#isForgetting = true;
    const { store } = this.#ports;
    expiredBatchOperations(store, height, MAX_EXPIRED)
      .then((operations) =>
        operations.length === 0 || this.#isStopped ? undefined : store.write(operations, { sync: false }),
      )
      .catch((error: unknown) => this.#failUnlessStopped(error))
      .finally(() => {
        this.#isForgetting = false;
      });
  }

  /** A batch that its author has signed is not what it claims. */
  #accuse(header: BatchHeader, held: HeldBatch, peerId: PeerId): void {
    const attestation = this.#heard.get(`${header.author}:${header.sequence}`);
    const index = attestation === undefined ? undefined : firstFalseClaim(held.bytes, header);
    if (attestation === undefined || index === undefined) return;
    this.#ports.evidence({ kind: "false-attestation", attestation, batch: held.bytes, index }, peerId);
  }

  /** Validators of weight > W - q vouch for what is not so: no honest one is among them. */
  #alarm({ author, sequence }: BatchHeader, problem: string): void {
    this.#ports.log("error", "a certified batch is not what its signers say", { author, sequence, problem });
  }

  /** It is final all the same: those who have not looked execute what is claimed, and so does this node, which says what it knows. */
  #refuseToGoOn({ author, sequence }: BatchHeader): void {
    const message =
      `batch ${sequence} of validator ${author} is final, and its certified claims are false: validators of more weight than may fail have vouched for ` +
      "them. This node signs nothing more. The evidence is kept: show it to the others, and decide together";
    this.#ports.failed(Object.assign(new Error(message), { code: "batch/false-certificate" }));
  }

  #failUnlessStopped(error: unknown): void {
    if (!this.#isStopped) this.#ports.failed(error);
  }
}

function isDesignated({ authors, own }: BatchEpoch, header: BatchHeader): boolean {
  return own !== undefined && designatedCheckers(authors, header).includes(own);
}

/** What a batch is against what its header says. */
function mismatch(header: BatchHeader, bytes: Bytes, { count, gasLimit }: CheckedBatch): string | undefined {
  if (header.byteLength !== bytes.length) return "the header names another length";
  if (header.count !== count || header.gasLimit !== gasLimit)
    return `the header names ${header.count} transactions of ${header.gasLimit} gas, the batch has ${count} of ${gasLimit}`;
  return undefined;
}

function lieOf({ lie }: CheckedBatch): string | undefined {
  return lie === undefined ? undefined : textOf(lie);
}

function textOf({ index, code, message }: BatchFailure): string {
  return `transaction ${index}: ${code}: ${message}`;
}

function attestationOfAuthor(
  { header, signers, signatures }: CertifiedBatch,
  validators: number,
): Attestation | undefined {
  const read = readSigners(validators, signers);
  const signature = read.ok ? signatures[read.value.indexOf(header.author)] : undefined;
  return signature === undefined ? undefined : { header, signer: header.author, signature };
}
