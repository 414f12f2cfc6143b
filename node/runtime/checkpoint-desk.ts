import { Epoch, Height, must, toHexDigits } from "@ostrom/base";
import {
  type CheckpointCertificate,
  type CheckpointEvidence,
  type CheckpointSet,
  type CheckpointStatement,
  type CheckpointVote,
  type CheckpointVotes,
  type ConsensusDomain,
  canCertify,
  checkpointKeyHash,
  checkpointQuorum,
  checkpointSetHash,
  checkpointSigningBytes,
  encodeCheckpointCertificate,
  encodeCheckpointEvidence,
  encodeMessage,
  isCheckpointKey,
  isSameStatement,
  keyedWeight,
  type Message,
  placesOfKeys,
  verifyCheckpointVote,
} from "@ostrom/consensus";
import type { Network, PeerId } from "@ostrom/network";
import {
  checkpointEvidenceOperations,
  checkpointOperations,
  readHeader,
  readNewestCheckpoint,
  type Store,
} from "@ostrom/storage";
import { CheckpointAnswers, MAX_SEARCHED_EPOCHS } from "./checkpoint-answers.ts";
import { CheckpointRefusal } from "./checkpoint-guard.ts";
import { CheckpointQuestions } from "./checkpoint-questions.ts";
import { authorityAfter, storedAuthority, storedCheckpointSet } from "./checkpoint-sets.ts";
import { CheckpointTallies, MAX_TALLIED_EPOCHS } from "./checkpoint-tallies.ts";
import type { ConsensusKey, EpochSets, NodeKeys } from "./epoch-sets.ts";
import { PeerQuota, type QuotaLimits } from "./peer-quota.ts";
import type { Clock, Log } from "./ports.ts";
import type { VoteJournal } from "./vote-journal.ts";

/** Signatures that are verified in one turn of the event loop: a tenth of a millisecond each. */
const VERIFIED_PER_TURN = 8;
const MAX_WAITING = 2_048;
/** What nobody asked for holds no more signatures than a validator has keys while it changes them. */
const MAX_UNASKED_SIGNATURES = 2;
const UNASKED: QuotaLimits = { perSecond: 4, burst: 64 };

export type CheckpointDeskPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly network: Network;
  readonly domain: ConsensusDomain;
  readonly journal: VoteJournal;
  readonly keys: NodeKeys;
  readonly sets: EpochSets;
  readonly punish: (peerId: PeerId, code: string) => void;
  readonly failed: (error: unknown) => void;
};

type Waiting = { readonly vote: CheckpointVote; readonly from: PeerId };

/** Certifies what epochs came to by post-quantum keys, beside consensus: nothing waits for it. When an epoch's last block is executed here and certified
 * by its validators, this node signs its checkpoint, if the set that certifies it names a key of its own; it gathers what others signed, and keeps the
 * certificate. Who certifies is the set that the newest certified checkpoint names (if it has too few keys: the set that certified that one), until another
 * is certified, so an epoch that never gets its own does not break the chain of sets (core/consensus/README.md, Checkpoints). Does nothing on a chain without checkpoints. */
export class CheckpointDesk {
  readonly #ports: CheckpointDeskPorts;
  readonly #isOn: boolean;
  readonly #tallies = new CheckpointTallies();
  readonly #unasked: PeerQuota<PeerId>;
  readonly #answers: CheckpointAnswers;
  /** What is being signed. */
  readonly #signing = new Set<string>();
  readonly #questions: CheckpointQuestions;
  #waiting: Waiting[] = [];
  #isVerifying = false;
  /** The newest epoch that is certified; -1: none. */
  #newest: number;
  /** Epoch of the set that certifies the next checkpoint. */
  #authority: number;
  #written: Promise<void> = Promise.resolve();
  #executed = 0;
  #certified = 0;
  /** Below it, all that is due was begun. */
  #nextDue = 0;
  #stopped = false;

  constructor(ports: CheckpointDeskPorts) {
    this.#ports = ports;
    this.#isOn = storedCheckpointSet(ports.store, 0) !== undefined;
    this.#newest = readNewestCheckpoint(ports.store) ?? -1;
    this.#authority = storedAuthority(ports.store, this.#newest);
    this.#unasked = new PeerQuota(ports.clock, UNASKED);
    this.#answers = new CheckpointAnswers(ports, this.#tallies);
    this.#questions = new CheckpointQuestions(ports, () => this.#lacking());
  }

  /** @param executed, certified the newest heights in the store. Epochs that had ended before are signed again, which changes nothing. */
  start(executed: number, certified: number): void {
    this.#executed = executed;
    this.#certified = certified;
    this.#advance();
  }

  /** A block is executed and on disk. */
  executed(height: number): void {
    this.#executed = Math.max(this.#executed, height);
    this.#advance();
  }

  /** The validators of a height, or of a later one, agree with this node. */
  certified(height: number): void {
    this.#certified = Math.max(this.#certified, height);
    this.#advance();
  }

  /** Takes what is about checkpoints. @returns whether it was. */
  hear(peerId: PeerId, message: Message): boolean {
    if (message.kind !== "checkpoint-votes" && message.kind !== "checkpoint-request") return false;
    if (!this.#isOn || this.#stopped) return true;
    if (message.kind === "checkpoint-request") this.#answers.give(peerId, message.epoch, this.#newest);
    else this.#hearVotes(peerId, message.votes);
    return true;
  }

  sizes(): Readonly<Record<string, number>> {
    return { checkpointSignatures: this.#tallies.size, checkpointsWaiting: this.#waiting.length };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#questions.stop();
    await this.#written;
  }

  /** The newest epoch that has ended, as far as this node and a quorum have executed; -1: none. */
  get #newestDue(): number {
    const height = Math.min(this.#executed, this.#certified);
    const { sets } = this.#ports;
    const epoch = sets.epochOf(height);
    return height > 0 && height === sets.bounds(epoch).lastHeight ? epoch : epoch - 1;
  }

  #advance(): void {
    if (!this.#isOn || this.#stopped) return;
    const newest = this.#newestDue;
    const first = Math.max(this.#nextDue, this.#newest + 1, newest - MAX_TALLIED_EPOCHS + 1);
    if (newest < this.#nextDue) return;
    this.#nextDue = newest + 1;
    for (let epoch = first; epoch <= newest; epoch++) this.#begin(epoch, epoch === newest);
    this.#signPending();
    this.#questions.begin();
  }

  /** Signs all that is not certified and not signed yet: keys may have come meanwhile, and a new certificate names other signers. */
  #signPending(): void {
    for (const epoch of this.#tallies.epochsFrom(this.#newest + 1)) {
      const statement = must(this.#tallies.statementOf(epoch), "it is tallied");
      for (const key of this.#ownKeys(epoch)) {
        const name = `${epoch}:${toHexDigits(checkpointKeyHash(key.publicKey))}`;
        if (this.#signing.has(name) || this.#tallies.has(epoch, key.publicKey)) continue;
        this.#signing.add(name);
        this.#sign(key, statement)
          .catch(this.#ports.failed)
          .finally(() => this.#signing.delete(name));
      }
    }
  }

  #begin(epoch: number, isNewest: boolean): void {
    const statement = this.#statementOf(epoch);
    if (statement === undefined) return;
    this.#tallies.open(statement);
    if (isNewest) this.#warn(epoch);
  }

  /** What this node's chain says of an epoch that has ended. */
  #statementOf(epoch: number): CheckpointStatement | undefined {
    const { store, sets, domain } = this.#ports;
    const height = sets.bounds(epoch).lastHeight;
    const stored = readHeader(store, height);
    const next = storedCheckpointSet(store, epoch + 1);
    if (stored === undefined || next === undefined) return undefined;
    return {
      epoch: Epoch(epoch),
      height: Height(height),
      executedHash: stored.hash,
      nextSetHash: stored.origin.nextSetHash,
      nextCheckpointSetHash: checkpointSetHash(domain, next),
    };
  }

  /** An epoch that gets no checkpoint is said, and so is that the next one cannot get any. */
  #warn(epoch: number): void {
    const { log, store } = this.#ports;
    if (this.#newest < epoch - 1)
      log("warn", "an epoch has no checkpoint yet", {
        epoch: epoch - 1,
        newest: this.#newest < 0 ? undefined : this.#newest,
        signatures: this.#tallies.signaturesOf(epoch - 1).length,
        hint: "ostrom checkpoints list tells who has no key, or signs nothing",
      });
    const next = storedCheckpointSet(store, epoch + 1);
    if (next === undefined || canCertify(next)) return;
    log(
      "warn",
      "too few validators of the next epoch have checkpoint keys: it depends on those before them",
      {
        epoch: epoch + 1,
        withKeys: keyedWeight(next),
        needed: checkpointQuorum(next),
        hint: "ostrom checkpoints register FOLDER",
      },
    );
  }

  /** Who may sign an epoch's checkpoint: the set that the newest certified one names, and its own, which comes next. */
  #setsFor(epoch: number): readonly CheckpointSet[] {
    const { store } = this.#ports;
    const authority = Math.min(this.#authority, epoch);
    return [...new Set([authority, epoch])].flatMap((one) => storedCheckpointSet(store, one) ?? []);
  }

  /** This node's keys that one of those sets names; a validator that votes by a post-quantum scheme needs no other. */
  #ownKeys(epoch: number): readonly ConsensusKey[] {
    const { keys } = this.#ports;
    const places = this.#setsFor(epoch).map(placesOfKeys);
    return [...(keys.checkpointKeys?.() ?? []), ...keys.consensusKeys()].filter(
      ({ publicKey }) =>
        isCheckpointKey(publicKey) &&
        places.some((place) => place.has(toHexDigits(checkpointKeyHash(publicKey)))),
    );
  }

  async #sign(key: ConsensusKey, statement: CheckpointStatement): Promise<void> {
    const { journal, domain, log, network } = this.#ports;
    const { epoch } = statement;
    const message = checkpointSigningBytes(domain, statement);
    const isMoot = (): boolean => this.#stopped || this.#newest >= epoch;
    try {
      const signature = await journal.signCheckpoint(key, epoch, message, isMoot);
      if (signature === undefined || this.#stopped) return;
      const signed = { publicKey: key.publicKey, signature };
      this.#tallies.add({ statement, ...signed }, true);
      const votes = { statement, signatures: [signed] };
      network.broadcast("sync", encodeMessage({ kind: "checkpoint-votes", votes }));
      this.#certify();
    } catch (error) {
      if (!(error instanceof CheckpointRefusal)) throw error;
      log("error", "this node's checkpoint key is not used", { epoch, reason: error.message });
    }
  }

  #hearVotes(peerId: PeerId, votes: CheckpointVotes): void {
    const wasAsked = this.#questions.takeAnswer(peerId);
    const { statement, signatures } = votes;
    const isSmall = signatures.length <= MAX_UNASKED_SIGNATURES && this.#unasked.spend(peerId, 1);
    if (!wasAsked && !isSmall) return;
    // Others may be ahead, or far behind.
    const { epoch } = statement;
    const due = this.#newestDue;
    if (epoch > due || epoch <= this.#newest - MAX_TALLIED_EPOCHS) return;
    if (epoch <= due - MAX_TALLIED_EPOCHS && epoch > this.#newest + MAX_SEARCHED_EPOCHS) return;
    const ours = this.#tallies.statementOf(epoch) ?? this.#statementOf(epoch);
    if (ours === undefined) return;
    this.#tallies.open(ours);
    const isOurs = isSameStatement(this.#ports.domain, ours, statement);
    const places = this.#setsFor(epoch).map(placesOfKeys);
    for (const signed of signatures) {
      const name = toHexDigits(checkpointKeyHash(signed.publicKey));
      const isKnown = isOurs
        ? this.#tallies.has(epoch, signed.publicKey)
        : this.#tallies.hasStrange(epoch, signed.publicKey);
      if (isKnown || this.#waiting.length >= MAX_WAITING || !places.some((one) => one.has(name))) continue;
      this.#waiting.push({ vote: { statement, ...signed }, from: peerId });
    }
    this.#verifyLater();
  }

  /** A few signatures in a turn: votes of consensus must not wait for those of checkpoints. */
  #verifyLater(): void {
    if (this.#isVerifying || this.#waiting.length === 0 || this.#stopped) return;
    this.#isVerifying = true;
    this.#ports.clock.after(0, () => {
      this.#isVerifying = false;
      if (this.#stopped) return;
      try {
        for (const waiting of this.#waiting.splice(0, VERIFIED_PER_TURN)) this.#verify(waiting);
        this.#certify();
        this.#verifyLater();
      } catch (error) {
        this.#ports.failed(error);
      }
    });
  }

  #verify({ vote, from }: Waiting): void {
    const { domain, punish, log } = this.#ports;
    const { statement } = vote;
    if (!verifyCheckpointVote(domain, vote)) {
      this.#waiting = this.#waiting.filter((other) => other.from !== from);
      punish(from, "checkpoint/bad-signature");
      return;
    }
    const ours = this.#tallies.statementOf(statement.epoch);
    if (ours === undefined) return;
    const isOurs = isSameStatement(domain, ours, statement);
    const contradiction = this.#tallies.add(vote, isOurs);
    if (contradiction !== undefined) this.#keepEvidence(contradiction);
    else if (!isOurs)
      log("error", "a validator has signed the checkpoint of another history", {
        epoch: statement.epoch,
        key: toHexDigits(checkpointKeyHash(vote.publicKey)),
      });
  }

  #keepEvidence(evidence: CheckpointEvidence): void {
    const { store, log } = this.#ports;
    const { epoch } = evidence.first.statement;
    log("warn", "a validator has signed two checkpoints of one epoch: evidence is stored", {
      epoch,
      key: toHexDigits(checkpointKeyHash(evidence.first.publicKey)),
    });
    this.#write(() => checkpointEvidenceOperations(store, epoch, encodeCheckpointEvidence(evidence)));
  }

  /** Forms what can be formed: each certificate says whose signatures the next one needs. */
  #certify(): void {
    const before = this.#newest;
    for (;;) {
      const set = storedCheckpointSet(this.#ports.store, this.#authority);
      const formed = set === undefined ? undefined : this.#tallies.certificateFrom(this.#newest + 1, set);
      if (formed === undefined) break;
      this.#keep(formed);
    }
    if (this.#newest > before && this.#newest < this.#newestDue) this.#signPending();
  }

  #keep(certificate: CheckpointCertificate): void {
    const { log } = this.#ports;
    const { epoch, height } = certificate.statement;
    if (epoch > this.#newest + 1)
      log("warn", "epochs are left without a checkpoint: a later one stands for them", {
        from: this.#newest + 1,
        through: epoch - 1,
      });
    this.#newest = epoch;
    this.#authority = authorityAfter(this.#ports.store, certificate);
    log("info", "an epoch's checkpoint is certified", {
      epoch,
      height,
      signers: certificate.signatures.length,
    });
    // Not synced: the others have it too, and the signatures can be gathered again.
    this.#write(() => checkpointOperations(epoch, encodeCheckpointCertificate(certificate)));
    this.#questions.certified();
  }

  #write(operations: () => ReturnType<typeof checkpointOperations>): void {
    const { store, failed } = this.#ports;
    this.#written = this.#written
      .then(async () => {
        const writes = operations();
        if (writes.length > 0) await store.write(writes, { sync: false });
      })
      .catch(failed);
  }

  #lacking(): readonly number[] {
    const next = this.#newest + 1;
    return this.#newest >= this.#newestDue ? [] : [next, ...this.#tallies.epochsFrom(next)];
  }
}
