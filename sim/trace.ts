import { type Bytes, type Hash, toHexDigits, unwrap } from "@ostrom/base";
import type { Message } from "@ostrom/consensus";
import { type BatchHeader, type BatchMessage, decodeBatchMessage } from "@ostrom/dissemination";
import { Fingerprint } from "./fingerprint.ts";

type Entry = { readonly timeMs: number; readonly text: string | (() => string) };

/** How much of what happened to a machine is remembered. */
const ENTRIES_PER_MACHINE = 400;
const DIGEST_DIGITS = 8;

/** What happened: a hash of all of it, and its newest part for people, machine by machine. */
export class Trace {
  readonly #entries: Entry[][] = [];
  readonly #fingerprint = new Fingerprint();
  readonly #now: () => number;
  /** Writes each entry as it comes. */
  follow: ((line: string) => void) | undefined;

  readonly #isKept: boolean;

  constructor(now: () => number, isKept: boolean) {
    this.#now = now;
    this.#isKept = isKept;
  }

  /** Counts in the hash. */
  count(...values: readonly number[]): void {
    this.#fingerprint.add(this.#now() * 1_000);
    for (const value of values) this.#fingerprint.add(value);
  }

  /** Is remembered, and does not count in the hash. */
  note(machine: number, text: string | (() => string)): void {
    if (!this.#isKept) return;
    const entry = { timeMs: this.#now(), text };
    this.#entries[machine] ??= [];
    const entries = this.#entries[machine]!;
    entries.push(entry);
    if (entries.length > 2 * ENTRIES_PER_MACHINE) entries.splice(0, ENTRIES_PER_MACHINE);
    this.follow?.(lineOf(machine, entry));
  }

  hash(): string {
    return this.#fingerprint.hex();
  }

  /** The newest entries of each machine, oldest first. */
  render(count: number, nameOf: (machine: number) => string): string {
    const lines: string[] = [];
    this.#entries.forEach((entries, machine) => {
      lines.push(`-- ${nameOf(machine)}: last ${Math.min(count, entries.length)} events`);
      lines.push(...entries.slice(-count).map((entry) => lineOf(machine, entry)));
    });
    return lines.join("\n");
  }
}

function lineOf(machine: number, { timeMs, text }: Entry): string {
  const what = typeof text === "string" ? text : text();
  return `${timeMs.toFixed(3).padStart(12)} ms  ${String(machine).padStart(3)}  ${what}`;
}

export function shortDigest(hash: Hash): string {
  return toHexDigits(hash).slice(0, DIGEST_DIGITS);
}

/** A message in few words. */
export function describeMessage(message: Message): string {
  switch (message.kind) {
    case "proposal": {
      const { epoch, view, height, parentView, stateCertificate, payload } = message.block;
      const certified = stateCertificate?.executed.height ?? 0;
      return `proposal ${epoch}/${view} height ${height} on view ${parentView}, certified ${certified}, ${payload.length} bytes`;
    }
    case "vote": {
      const { vote, signer } = message.vote;
      return `${vote.kind} ${vote.epoch}/${vote.view} ${shortDigest(vote.digest)} by ${signer}`;
    }
    case "certificate": {
      const { kind, epoch, view, digest, signers } = message.certificate;
      return `${kind} ${epoch}/${view} ${shortDigest(digest)} signers ${toHexDigits(signers)}`;
    }
    case "certificate-request":
      return `asks for ${message.want} of ${message.epoch}/${message.view}`;
    case "block-request":
      return `asks for the block of ${message.epoch}/${message.view} ${shortDigest(message.digest)}`;
    case "block":
      return `block ${message.block.epoch}/${message.block.view} height ${message.block.height}`;
    case "block-range-request":
      return `asks for blocks from ${message.fromHeight}`;
    case "block-range":
      return `blocks ${message.blocks[0]?.height}..${message.blocks.at(-1)?.height}`;
    case "executed": {
      const { executed, signer } = message.executed;
      return `executed ${executed.epoch}: ${executed.height} ${shortDigest(executed.executedHash)} by ${signer}`;
    }
    case "state-certificate": {
      const { executed } = message.certificate;
      return `state certificate ${executed.epoch}: ${executed.height} ${shortDigest(executed.executedHash)}`;
    }
    case "checkpoint-votes": {
      const { statement, signatures } = message.votes;
      return `checkpoint of epoch ${statement.epoch} ${shortDigest(statement.executedHash)} signatures ${signatures.length}`;
    }
    case "checkpoint-request":
      return `asks for the checkpoint from epoch ${message.epoch}`;
    case "state-certificate-request":
      return `asks for the state certificate from ${message.height}`;
    case "view-request":
      return `asks for the view of epoch ${message.epoch}`;
    case "view-report":
      return `is in view ${message.epoch}/${message.view}`;
    default:
      return message satisfies never;
  }
}

/** A frame about batches in few words. */
export function describeBatchFrame(payload: Bytes): string {
  const message: BatchMessage = unwrap(decodeBatchMessage(payload));
  switch (message.kind) {
    case "batch":
      return `batch ${nameOf(message.attestation.header)}, ${message.batch.length} bytes`;
    case "attestation":
      return `attests to ${nameOf(message.attestation.header)} as ${message.attestation.signer}`;
    case "certified":
      return `certified ${nameOf(message.certified.header)} signers ${toHexDigits(message.certified.signers)}`;
    case "wanted":
      return `asks for batches ${message.digests.map(shortDigest).join(" ")}`;
    case "found":
      return `has found ${message.batches.length} batches`;
    default:
      return message satisfies never;
  }
}

function nameOf({ epoch, author, sequence, digest, count }: BatchHeader): string {
  return `${epoch}/${author}/${sequence} ${shortDigest(digest)} of ${count}`;
}

/** Fields of a log line. */
export function jsonOf(fields: unknown): string {
  return JSON.stringify(fields, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
