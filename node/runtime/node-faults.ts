import { type Evidence, encodeEvidence, epochOfEvidence } from "@ostrom/consensus";
import { accusedOf, type BatchEvidence, encodeBatchEvidence } from "@ostrom/dissemination";
import type { PeerId } from "@ostrom/network";
import { evidenceOperations, type Store, type StoredEvidence } from "@ostrom/storage";
import type { EpochSets } from "./epoch-sets.ts";
import { CONSENSUS } from "./metrics-catalog.ts";
import { countOf } from "./metrics-counters.ts";
import type { Clock, Log } from "./ports.ts";

/** Evidence and faults of peers are logged at most this often for each kind, so that a hostile peer cannot fill the disk. */
const FAULT_LOG_INTERVAL_MS = 1_000;
const MAX_REMEMBERED_FAULTS = 4_096;

/** Faults that no honest validator commits, whatever the network does. */
const PUNISHED_FAULTS: ReadonlySet<string> = new Set([
  "consensus/unreadable-message",
  "consensus/wrong-sender",
  "consensus/bad-signature",
  "consensus/bad-certificate",
  "consensus/bad-segment",
  "certification/wrong-sender",
  "certification/bad-signature",
  "certification/bad-certificate",
  "batch/unreadable-message",
  "batch/wrong-sender",
  "batch/malformed",
  "batch/bad-signature",
  "batch/false",
  "batch/two-batches",
  "batch/signature",
  "batch/signers",
  "batch/weight",
  "batch/author-missing",
]);

type NodeFaultsPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly sets: EpochSets;
  readonly epoch: () => number;
  /** Drops a peer for a while because of what it sent. */
  readonly punish: (peerId: PeerId, reason: string) => void;
  readonly failed: (error: unknown) => void;
};

/** What peers did wrong: counted, logged now and then, punished where no honest validator does it, and kept where it can be proved. */
export class NodeFaults {
  readonly #ports: NodeFaultsPorts;
  readonly #lastLogMs = new Map<string, number>();
  #written: Promise<void> = Promise.resolve();

  constructor(ports: NodeFaultsPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#lastLogMs.size;
  }

  note(peerId: PeerId | undefined, code: string, message: string): void {
    const { punish, clock, log } = this.#ports;
    countOf(CONSENSUS.faults, code);
    if (peerId !== undefined && PUNISHED_FAULTS.has(code)) punish(peerId, code);
    const now = clock.nowMs();
    const key = `${peerId}:${code}`;
    const sinceMs = now - (this.#lastLogMs.get(key) ?? Number.NEGATIVE_INFINITY);
    // The clock may have been set back.
    if (sinceMs >= 0 && sinceMs < FAULT_LOG_INTERVAL_MS) return;
    if (this.#lastLogMs.size >= MAX_REMEMBERED_FAULTS) this.#lastLogMs.clear();
    this.#lastLogMs.set(key, now);
    const validator = peerId === undefined ? undefined : this.nameOf(peerId);
    log("warn", "a validator broke a rule", { validator, peerId, code, reason: message });
  }

  /** What proves that a validator contradicted itself is kept, for everybody to see. */
  evidence(evidence: Evidence): void {
    const { kind, validator } = evidence;
    const epoch = epochOfEvidence(evidence);
    const peerId = this.#ports.sets.of(epoch)?.peerIds[validator];
    this.note(peerId, "consensus/equivocation", `two ${kind} that contradict each other`);
    this.#keep({ epoch, validator, kind, bytes: encodeEvidence(evidence) });
  }

  batchEvidence(evidence: BatchEvidence, peerId: PeerId | undefined): void {
    this.note(peerId, `batch/${evidence.kind}`, "a batch that no honest validator sends");
    this.#keep({ ...accusedOf(evidence), kind: "batches", bytes: encodeBatchEvidence(evidence) });
  }

  /** What the operators call a peer that is a validator about now. */
  nameOf(peerId: PeerId): string | undefined {
    const { sets } = this.#ports;
    const epoch = this.#ports.epoch();
    const set = [epoch, epoch + 1, epoch - 1].map((one) => sets.of(one));
    const found = set.find((one) => one?.peerIds.includes(peerId));
    return found?.stored.validators[found.peerIds.indexOf(peerId)]?.name;
  }

  #keep(record: StoredEvidence): void {
    const { store, log, sets, failed } = this.#ports;
    const { epoch, validator, kind } = record;
    const peerId = sets.of(epoch)?.peerIds[validator];
    // One after another: a piece joins the others of its epoch.
    this.#written = this.#written
      .then(async () => {
        const operations = evidenceOperations(store, record);
        if (operations.length === 0) return;
        log("warn", "evidence against a validator is stored", { epoch, validator, kind, peerId });
        await store.write(operations, { sync: false });
      })
      .catch(failed);
  }
}
