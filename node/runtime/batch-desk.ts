import type { Bytes } from "@ostrom/base";
import { toHexDigits } from "@ostrom/base";
import type { OrderedBlock } from "@ostrom/consensus";
import {
  type Attestation,
  advanceCursors,
  type BatchDomain,
  type BatchHeader,
  type BatchRoom,
  type CertifiedBatch,
  decodeBatchMessage,
  encodeCursors,
  isBatchOf,
  selectBatches,
  verifyAttestation,
  verifyBatchEvidence,
  verifyCertifiedBatch,
} from "@ostrom/dissemination";
import type { SignedTransaction } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { batchOperations, expiredBatchOperations, readBatchCursors } from "@ostrom/storage";
import { BatchAttester } from "./batch-attester.ts";
import type { CheckedBatch } from "./batch-check.ts";
import { BatchCursors, batchesOf } from "./batch-cursors.ts";
import type { BatchDeskPorts, BatchEpoch } from "./batch-ports.ts";
import { accusationsOf, falsehoodOf } from "./batch-truth.ts";
import { CertifiedBatches, isAbove } from "./certified-batches.ts";
import { DurableWrites } from "./durable-writes.ts";
import type { ResolvedBatch } from "./execution-port.ts";
import { BatchServer, type HeldBatch, HeldBatches } from "./held-batches.ts";
import { OwnBatches } from "./own-batches.ts";

/** Expired batches are looked for every so many blocks, and forgotten so many at a time. */
const EXPIRY_INTERVAL = 64;
const MAX_EXPIRED = 256;
/** False certificates of which it is remembered that their signers are accused. */
const MAX_ACCUSED = 1_024;

/** All that a node does with batches of transactions: core/dissemination has the rules. The author's side is `OwnBatches`, that of who checks others'
 * `BatchAttester`; here are proposals, votes and execution. */
export class BatchDesk {
  readonly #ports: BatchDeskPorts;
  readonly #held: HeldBatches;
  readonly #own: OwnBatches;
  readonly #attester: BatchAttester;
  readonly #server: BatchServer;
  readonly #writes: DurableWrites;
  readonly #domain: BatchDomain;
  readonly #certified = new CertifiedBatches();
  readonly #cursors: BatchCursors;
  #executedHeight: number;
  /** Certificates whose signers are accused, by digest and signers. */
  readonly #accused = new Set<string>();
  #epoch: BatchEpoch | undefined;
  /** Whose final blocks may still be executed. */
  #before: BatchEpoch | undefined;
  #isStopped = false;
  #isForgetting = false;

  /** @param head newest executed height. */
  constructor(ports: BatchDeskPorts, head: number) {
    this.#ports = ports;
    this.#executedHeight = head;
    this.#domain = { genesisHash: ports.genesisHash, hash: ports.hash, verify: ports.transport.verify };
    this.#cursors = new BatchCursors(head, readBatchCursors(ports.store));
    this.#held = new HeldBatches(ports);
    this.#server = new BatchServer(ports);
    this.#writes = new DurableWrites(ports.store, ports.failed);
    const shared = { ...ports, held: this.#held, executedHeight: () => this.#executedHeight };
    this.#own = new OwnBatches({
      ...shared,
      writes: this.#writes,
      certified: (certified) => this.#learn(certified),
    });
    this.#attester = new BatchAttester({
      ...shared,
      domain: this.#domain,
      cursors: this.#cursors,
      store: (header, held, isNew) => this.#store(header, held, isNew),
      isFalse: (header, held) => {
        const certified = this.#certified.of(header);
        if (certified !== undefined) this.#accuseSigners(certified, held);
      },
      readStore: ports.store,
      isStopped: () => this.#isStopped,
    });
  }

  /** An epoch begins. @returns see `OwnBatches.enter`. */
  enter(epoch: BatchEpoch): readonly SignedTransaction[] {
    this.#before = this.#epoch;
    this.#epoch = epoch;
    this.#accused.clear();
    this.#certified.clear();
    this.#held.clear();
    this.#attester.enter(epoch);
    return this.#own.enter(epoch);
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
    const cursors = this.#cursors.newest(this.#epoch?.authors.epoch ?? 0);
    return this.#certified.above(cursors, (one) => this.#isUsable(one)).size > 0;
  }

  /** Chooses batches for a block. @param ancestors between the final blocks and it. */
  select(room: BatchRoom, ancestors: readonly OrderedBlock[]): readonly CertifiedBatch[] {
    const authors = this.#epoch?.authors;
    if (authors === undefined || this.#certified.size === 0) return [];
    const { epoch } = authors;
    const before = this.#cursors.before({ height: room.height, epoch }, ancestors);
    if (before === undefined) return [];
    const usable = this.#certified.above(before, (one) => this.#isUsable(one));
    return selectBatches(usable, before, { ...room, epoch }, room.height % authors.keys.length);
  }

  /** Who proposes has what it refers to, checked by itself: then no voter waits for what nobody honest has. */
  #isUsable({ header }: CertifiedBatch): boolean {
    const held = this.#held.get(header.digest);
    if (held === undefined || held.isGood === false) return false;
    return held.isGood === true || this.#ports.mode === "minority";
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
    const before = this.#cursors.before(block, ancestors);
    if (before === undefined) return "an ancestor's batches cannot be";
    const after = advanceCursors(before, block, batches);
    if (!after.ok) return `${after.error.code}: ${after.error.message}`;
    for (const certified of batches) {
      if (this.#certified.has(certified)) continue;
      const valid = verifyCertifiedBatch(this.#domain, epoch.authors, certified);
      if (!valid.ok) return `${valid.error.code}: ${valid.error.message}`;
      this.#learn(certified);
    }
    return undefined;
  }

  /** Waits until the batches are here, on disk and, with `all`, checked. @returns what is wrong with one, or undefined. */
  async ready(batches: readonly CertifiedBatch[]): Promise<string | undefined> {
    const problems = await Promise.all(
      batches.map(async (certified) => {
        const { header } = certified;
        const held = await this.#whenHeld(header);
        const known = await this.#known(held);
        const problem =
          falsehoodOf(header, held.bytes, known) ??
          falsehoodOf(header, held.bytes, (await held.checked) ?? known);
        // What a quorum votes for must survive a power cut (rule D12).
        if (problem === undefined) await this.#store(header, held, false);
        else this.#alarm(certified, held, problem);
        return problem;
      }),
    );
    return problems.find((problem) => problem !== undefined);
  }

  /** Transactions of own batches among them. */
  ownOf(batches: readonly CertifiedBatch[]): readonly SignedTransaction[] {
    return batches.flatMap(({ header }) => this.#own.transactionsOf(header));
  }

  /** The batches of a final block with what is known of them, when all are here. */
  resolve(payload: Bytes): Promise<readonly ResolvedBatch[]> {
    return Promise.all(
      batchesOf(payload).map(async (certified): Promise<ResolvedBatch> => {
        const { header } = certified;
        const held = await this.#whenHeld(header);
        const known = await this.#known(held);
        const { entries } = known;
        const checked = (await held.checked) ?? known;
        const isFalse =
          this.#ports.mode === "minority"
            ? falsehoodOf(header, held.bytes, checked) !== undefined
            : !isBatchOf(header, held.bytes);
        if (isFalse) this.#refuseToGoOn(certified, held);
        const { digest, expiryHeight } = header;
        return { digest, expiryHeight, bytes: held.bytes, entries, isStored: held.isStored };
      }),
    );
  }

  /** A block is final. @returns the cursors after it, encoded, if it has changed them. */
  finalized(block: OrderedBlock): Bytes | undefined {
    const batches = batchesOf(block.payload);
    const cursors = this.#cursors.finalized(block, batches);
    if (batches.length === 0) return undefined;
    const epoch = this.#epoch;
    if (epoch?.authors.epoch === block.epoch) {
      this.#certified.keep((header) => isAbove(header, cursors));
      this.#attester.keep((header) => isAbove(header, cursors));
      const ordered = new Set(batches.map(({ header }) => toHexDigits(header.digest)));
      if (epoch.own !== undefined) this.#own.finalized(cursors.get(epoch.own) ?? 0, ordered);
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
        return this.#attester.hear(peerId, message);
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
    return {
      ...this.#held.sizes(),
      ...this.#own.sizes(),
      certifiedBatches: this.#certified.size,
      heardBatches: this.#attester.size,
      batchCursors: this.#cursors.size,
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#held.stop();
    this.#own.stop();
  }

  #hearAttestation(peerId: PeerId, attestation: Attestation): void {
    const epoch = this.#epoch;
    const { header, signer } = attestation;
    if (epoch?.own !== header.author || header.epoch !== epoch.authors.epoch) return;
    if (!this.#own.gathers(attestation)) return;
    if (epoch.peerIds[signer] === peerId && verifyAttestation(this.#domain, epoch.authors, attestation))
      this.#own.hear(attestation);
    else this.#ports.fault(peerId, "batch/bad-signature", "an attestation that its sender has not signed");
  }

  #hearCertified(peerId: PeerId, certified: CertifiedBatch): void {
    const epoch = this.#epoch;
    const { header } = certified;
    if (epoch === undefined || header.epoch !== epoch.authors.epoch) return;
    if (!this.#attester.isTimely(header) || this.#certified.has(certified)) return;
    if (this.#certified.countOf(header.author) >= this.#ports.limits.maxUnorderedBatches) return;
    const valid = verifyCertifiedBatch(this.#domain, epoch.authors, certified);
    if (valid.ok) this.#learn(certified);
    else this.#ports.fault(peerId, valid.error.code, valid.error.message);
  }

  #learn(certified: CertifiedBatch): void {
    const { header } = certified;
    if (this.#certified.has(certified) || header.epoch !== this.#epoch?.authors.epoch) return;
    if (!isAbove(header, this.#cursors.newest(header.epoch))) return;
    this.#attester.compare(certified);
    this.#certified.add(certified);
    this.#compareWithCheck(certified);
    this.#ports.changed();
  }

  #whenHeld(header: BatchHeader): Promise<HeldBatch> {
    return new Promise((resolve) => this.#held.whenHeld(header, resolve));
  }

  /** What all nodes execute alike: what a node finds itself, or what certified batches claim. */
  #known(held: HeldBatch): Promise<CheckedBatch> {
    return this.#ports.mode === "all" ? this.#held.check(held) : this.#held.believe(held);
  }

  /** Resolves when a batch is on disk. @param isNew its header was not written down before, whatever the batch was. */
  #store(header: BatchHeader, held: HeldBatch, isNew: boolean): Promise<void> {
    if (held.stored === undefined || isNew) {
      const before = held.stored;
      const written = new Promise<void>((resolve) => {
        this.#writes.write(batchOperations({ ...header, bytes: held.bytes }), () => {
          held.isStored = true;
          resolve();
        });
      });
      held.stored = before ?? written;
      return written;
    }
    return held.stored;
  }

  #forgetExpired(height: number): void {
    this.#certified.keep(({ expiryHeight }) => expiryHeight > height);
    this.#attester.keep(({ expiryHeight }) => expiryHeight > height);
    if (this.#isForgetting) return;
    this.#isForgetting = true;
    const { store, failed } = this.#ports;
    expiredBatchOperations(store, height, MAX_EXPIRED)
      .then((operations) =>
        operations.length === 0 || this.#isStopped ? undefined : store.write(operations, { sync: false }),
      )
      .catch((error: unknown) => (this.#isStopped ? undefined : failed(error)))
      .finally(() => {
        this.#isForgetting = false;
      });
  }

  /** What this node has checked itself may be false, whoever certifies it. */
  #compareWithCheck(certified: CertifiedBatch): void {
    const held = this.#held.get(certified.header.digest);
    held?.checked
      ?.then((checked) => {
        if (falsehoodOf(certified.header, held.bytes, checked) !== undefined)
          this.#accuseSigners(certified, held);
      })
      .catch((error: unknown) => (this.#isStopped ? undefined : this.#ports.failed(error)));
  }

  /** Validators of weight > W - q vouch for what is not so: no honest one is among them. */
  #alarm(certified: CertifiedBatch, held: HeldBatch, problem: string): void {
    const { author, sequence } = certified.header;
    this.#ports.log("error", "a certified batch is not what its signers say", { author, sequence, problem });
    this.#accuseSigners(certified, held);
  }

  /** Each signer of a false certificate is guilty, and evidence against each is kept (rule D8). */
  #accuseSigners(certified: CertifiedBatch, held: HeldBatch): void {
    const { header, signers } = certified;
    const epoch = [this.#epoch, this.#before].find((one) => one?.authors.epoch === header.epoch);
    const name = `${toHexDigits(header.digest)}:${toHexDigits(signers)}`;
    if (epoch === undefined || this.#accused.has(name)) return;
    if (this.#accused.size >= MAX_ACCUSED) this.#accused.clear();
    this.#accused.add(name);
    for (const evidence of accusationsOf(certified, held.bytes, epoch.authors.keys.length)) {
      if (!verifyBatchEvidence(this.#domain, epoch.authors, evidence).ok) continue;
      this.#ports.evidence(evidence, epoch.peerIds[evidence.attestation.signer]);
    }
  }

  /** It is final all the same: those who have not looked execute what is claimed. This node has found out, and signs no result of it. */
  #refuseToGoOn(certified: CertifiedBatch, held: HeldBatch): void {
    this.#accuseSigners(certified, held);
    const { author, sequence } = certified.header;
    const message =
      `batch ${sequence} of validator ${author} is final, and its certified claims are false: validators of more weight than may fail have vouched for ` +
      "them. This node signs nothing more. The evidence is kept: show it to the others, and decide together";
    this.#ports.failed(Object.assign(new Error(message), { code: "batch/false-certificate" }));
  }
}
