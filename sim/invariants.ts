import { type Hash, toHexDigits, ZERO_HASH } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  orderDigest as digestOf,
  type Message,
  type StateCertificate,
  type ValidatorSet,
  verifyCertificate,
  verifyStateCertificate,
} from "@ostrom/consensus";
import type { ExecutionReport } from "@ostrom/runtime";
import { fingerprintOf } from "./fingerprint.ts";

export type InvariantName =
  | "agreement"
  | "validity"
  | "contradiction"
  | "certificate"
  | "certified-is-executed"
  | "durability"
  | "memory"
  | "failure"
  | "accusation"
  | "liveness"
  | "permission"
  | "membership"
  | "validator-set"
  | "supply"
  | "stake-conserved"
  | "stake-locked"
  | "stake-voting"
  | "slashing"
  | "batch-order"
  | "batch-held";

export type Violation = {
  readonly invariant: InvariantName;
  readonly timeMs: number;
  readonly machine: number | undefined;
  readonly message: string;
};

/** An honest validator, and its place in the set of an epoch. */
export type Speaker = { readonly identity: number; readonly seat: (epoch: number) => number | undefined };

/** Violations beyond this many tell nothing new. */
const MAX_VIOLATIONS = 20;

/** What must hold whatever happens. It hears all that machines say and do; what honest ones say counts. */
export class Invariants {
  readonly violations: Violation[] = [];
  readonly #domain: ConsensusDomain;
  readonly #now: () => number;
  readonly #setOf: (epoch: number) => ValidatorSet | undefined;
  /** By height, as the first honest machine has executed it. */
  readonly #executed = new Map<number, { readonly executedHash: string; readonly orderDigest: string }>();
  readonly #transactions = new Map<string, number>();
  readonly #submitted = new Set<string>();
  /** What each identity said, by what it may say once only. */
  readonly #said = new Map<string, string>();
  readonly #highest = new Map<number, number>();
  /** The highest height that an honest machine has found in its database: its power may have failed before it could say so. */
  #found = 0;
  /** The highest one that was reported: a block below may have been found after a crash only. */
  #reported = 0;
  readonly #verified = new Map<number, boolean>();
  /** Digest by epoch and view of what was finalized, and what ended a view. */
  readonly #ended = new Map<string, string>();
  readonly #certified = new Map<number, string>();
  certifiedHeight = 0;

  constructor(options: {
    readonly domain: ConsensusDomain;
    readonly now: () => number;
    readonly setOf: (epoch: number) => ValidatorSet | undefined;
  }) {
    this.#domain = options.domain;
    this.#now = options.now;
    this.#setOf = options.setOf;
  }

  violate(invariant: InvariantName, machine: number | undefined, message: string): void {
    if (this.violations.length < MAX_VIOLATIONS)
      this.violations.push({ invariant, timeMs: this.#now(), machine, message });
  }

  submitted(hash: Hash): void {
    this.#submitted.add(toHexDigits(hash));
  }

  /** The highest height that an honest machine has executed. */
  get executedHeight(): number {
    return this.#reported;
  }

  /** Executed hash of a height (hex digits), if an honest machine came so far. */
  hashAt(height: number): string | undefined {
    return this.#executed.get(height)?.executedHash;
  }

  /** An honest machine has executed a block, durably. */
  executed(machine: number, report: ExecutionReport): void {
    const { height } = report;
    const executedHash = toHexDigits(report.executedHash);
    const ordered = toHexDigits(report.orderDigest);
    const before = this.#executed.get(height);
    this.#highest.set(machine, Math.max(height, this.#highest.get(machine) ?? 0));
    if (before !== undefined) {
      if (before.executedHash !== executedHash || before.orderDigest !== ordered)
        this.violate(
          "agreement",
          machine,
          `executed another block ${height}: ${ordered}, not ${before.orderDigest}`,
        );
      return;
    }
    if (height > Math.max(this.#reported, this.#found) + 1)
      this.violate("agreement", machine, `executed block ${height} before anybody executed those below`);
    this.#executed.set(height, { executedHash, orderDigest: ordered });
    this.#reported = Math.max(this.#reported, height);
    for (const hash of report.included) this.#included(machine, height, toHexDigits(hash));
    this.#compareWithCertificate(height);
  }

  #included(machine: number, height: number, hash: string): void {
    if (!this.#submitted.has(hash))
      this.violate("validity", machine, `block ${height}: nobody sent transaction ${hash}`);
    const before = this.#transactions.get(hash);
    if (before !== undefined)
      this.violate("validity", machine, `transaction ${hash} was executed at ${before} and at ${height}`);
    this.#transactions.set(hash, height);
  }

  isExecuted(hash: Hash): boolean {
    return this.#transactions.has(toHexDigits(hash));
  }

  /** An honest machine's program has read its database. */
  recovered(machine: number, height: number): void {
    const before = this.#highest.get(machine) ?? 0;
    this.#found = Math.max(this.#found, height);
    if (height < before)
      this.violate("durability", machine, `came back at height ${height} after it had executed ${before}`);
  }

  /** A machine's database is gone: what it had executed it may execute again. */
  databaseLost(machine: number): void {
    this.#highest.delete(machine);
  }

  /** An honest machine says something: never what contradicts what it said before, over all its lives. */
  said(machine: number, who: Speaker, message: Message): void {
    const { identity, seat } = who;
    if (message.kind === "vote" && message.vote.signer === seat(message.vote.vote.epoch)) {
      const { kind, epoch, view, digest } = message.vote.vote;
      const about = `${identity} ${kind === "notarize" ? "notarizes in" : "ends"} ${epoch}/${view}`;
      this.#once(
        machine,
        about,
        kind === "notarize" ? toHexDigits(digest) : `${kind} ${toHexDigits(digest)}`,
      );
    }
    if (message.kind === "proposal" && message.block.proposer === seat(message.block.epoch)) {
      const { epoch, view } = message.block;
      const digest = toHexDigits(digestOf(this.#domain, message.block));
      this.#once(machine, `${identity} notarizes in ${epoch}/${view}`, digest);
    }
    if (message.kind === "executed" && message.executed.signer === seat(message.executed.executed.epoch)) {
      const { height, executedHash, nextSetHash, orderDigest } = message.executed.executed;
      const result = [executedHash, nextSetHash, orderDigest].map(toHexDigits).join(" ");
      this.#once(machine, `${identity} says of block ${height}`, result);
    }
    this.#checkCertificates(machine, message);
  }

  #once(machine: number, subject: string, word: string): void {
    const before = this.#said.get(subject);
    if (before === undefined) this.#said.set(subject, word);
    else if (before !== word) this.violate("contradiction", machine, `${subject}: ${before}, then ${word}`);
  }

  #checkCertificates(machine: number, message: Message): void {
    switch (message.kind) {
      case "certificate":
        this.#checkCertificate(machine, message.certificate);
        return;
      case "view-report":
        if (message.certificate !== undefined) this.#checkCertificate(machine, message.certificate);
        return;
      case "block-range":
        this.#checkCertificate(machine, message.finalization);
        return;
      case "state-certificate":
        this.stateCertificate(machine, message.certificate);
        return;
      case "proposal":
        if (message.block.stateCertificate !== undefined)
          this.stateCertificate(machine, message.block.stateCertificate);
        return;
      default:
    }
  }

  /** What an honest machine passes on must be what a quorum of its epoch has signed. */
  #checkCertificate(machine: number, certificate: Certificate): void {
    const { kind, epoch, view, digest } = certificate;
    const name = `${kind} ${epoch}/${view}`;
    const set = this.#setOf(epoch);
    if (set === undefined) return;
    const key = fingerprintOf(certificate.signature) ^ (fingerprintOf(certificate.signers) * 31) ^ view;
    if (!this.#verified.has(key))
      this.#verified.set(key, verifyCertificate(this.#domain, set, certificate).ok);
    if (this.#verified.get(key) !== true) {
      this.violate("certificate", machine, `passes on a wrong ${name}`);
      return;
    }
    if (kind === "notarization") this.#endOnce(machine, `notarized ${epoch}/${view}`, digest);
    else this.#endOnce(machine, `ended ${epoch}/${view}`, kind === "nullification" ? ZERO_HASH : digest);
  }

  #endOnce(machine: number, subject: string, digest: Hash): void {
    const word = toHexDigits(digest);
    const before = this.#ended.get(subject);
    if (before === undefined) this.#ended.set(subject, word);
    else if (before !== word) this.violate("agreement", machine, `${subject}: ${before}, and also ${word}`);
  }

  /** An honest machine holds or passes on a state certificate. */
  stateCertificate(machine: number, certificate: StateCertificate): void {
    const { epoch, height, executedHash } = certificate.executed;
    const set = this.#setOf(epoch);
    const hash = toHexDigits(executedHash);
    const key = fingerprintOf(certificate.signature) ^ (fingerprintOf(certificate.signers) * 31) ^ ~height;
    if (set === undefined || this.#verified.get(key) === true) return;
    const verified = verifyStateCertificate(this.#domain, set, certificate);
    this.#verified.set(key, verified.ok);
    if (!verified.ok) {
      this.violate("certificate", machine, `a wrong state certificate of ${height}: ${verified.error.code}`);
      return;
    }
    const before = this.#certified.get(height);
    if (before !== undefined) {
      if (before !== hash) this.violate("agreement", machine, `two certified results of block ${height}`);
      return;
    }
    this.#certified.set(height, hash);
    this.certifiedHeight = Math.max(this.certifiedHeight, height);
    this.#compareWithCertificate(height);
  }

  #compareWithCertificate(height: number): void {
    const certified = this.#certified.get(height);
    const executed = this.hashAt(height);
    if (certified !== undefined && executed !== undefined && certified !== executed)
      this.violate(
        "certified-is-executed",
        undefined,
        `block ${height}: certified ${certified}, executed ${executed}`,
      );
  }
}
