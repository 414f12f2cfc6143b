import { createReadStream } from "node:fs";
import { toHex, utf8 } from "@ostrom/base";
import { sha256 } from "@ostrom/crypto";

/** In a node's folder: what was done to it, by whom and when; one JSON object a line, each bound to the one before. */
export const OPERATOR_LOG_FILE = "operator-log.jsonl";

export type LogValue =
  | string
  | number
  | boolean
  | null
  | readonly LogValue[]
  | { readonly [name: string]: LogValue };

/** What is known of an act; never secrets. */
export type OperatorAct = {
  /** Such as "node.started", "backup.finished". */
  readonly act: string;
  /** Whoever caused it: an account's address, "operator-secret", "command-line", or "node" for what the node does by itself. */
  readonly actor: string;
  readonly details: { readonly [name: string]: LogValue };
};

export type OperatorRecord = OperatorAct & {
  /** From 1 on, without gaps. */
  readonly sequence: number;
  /** By the machine's clock. Source: RFC 3339, in UTC. */
  readonly time: string;
  /** `hash` of the record before; zeros in the first. */
  readonly previous: string;
  /** SHA-256 of the JSON array [sequence, time, actor, act, details, previous]. */
  readonly hash: string;
};

/** `previous` of the first record. */
export const FIRST_PREVIOUS: string = `0x${"00".repeat(32)}`;
/** Of one line; what an act would take more for is cut short before it is written. */
export const MAX_RECORD_LINE_BYTES = 16_384;

export function sealRecord(record: Omit<OperatorRecord, "hash">): OperatorRecord {
  const { sequence, time, actor, act, details, previous } = record;
  const hash = toHex(sha256(utf8(JSON.stringify([sequence, time, actor, act, details, previous]))));
  return { sequence, time, actor, act, details, previous, hash };
}

export function recordLine(record: OperatorRecord): string {
  const { sequence, time, actor, act, details, previous, hash } = record;
  return `${JSON.stringify({ sequence, time, actor, act, details, previous, hash })}\n`;
}

/** Where a log breaks. */
export type BrokenLine = { readonly line: number; readonly offset: number; readonly problem: string };

/** One step of reading: a record that is bound to the one before, or the end. */
export type LogStep =
  | { readonly kind: "record"; readonly record: OperatorRecord; readonly end: number }
  /** The last line is cut off, as by a crash: nobody was told that it had been written. */
  | { readonly kind: "torn"; readonly offset: number; readonly bytes: number }
  | { readonly kind: "broken"; readonly broken: BrokenLine };

/** Reads a log from its first line on and checks that each record is what was written, and follows the one before. It ends after a
 * line that is "torn" or "broken". Cutting whole lines off the end leaves no trace in the file itself: compare the head's hash with one that was
 * noted elsewhere. Rejects if the file cannot be read. */
export async function* readOperatorLog(path: string): AsyncGenerator<LogStep, void, undefined> {
  let previous = FIRST_PREVIOUS;
  let sequence = 1;
  for await (const { bytes, offset, isWhole } of readLines(path)) {
    if (!isWhole) {
      yield { kind: "torn", offset, bytes: bytes.length };
      return;
    }
    const checked = checkLine(bytes, sequence, previous);
    if (typeof checked === "string") {
      yield { kind: "broken", broken: { line: sequence, offset, problem: checked } };
      return;
    }
    previous = checked.hash;
    sequence += 1;
    yield { kind: "record", record: checked, end: offset + bytes.length };
  }
}

/** @returns the record, or what is wrong with it. */
function checkLine(bytes: Buffer, sequence: number, previous: string): OperatorRecord | string {
  let record: OperatorRecord;
  try {
    record = JSON.parse(bytes.toString("utf8")) as OperatorRecord;
  } catch {
    return "the line is no JSON";
  }
  if (typeof record !== "object" || record === null) return "the line is no record";
  if (record.sequence !== sequence) return `record ${sequence} is missing or out of its place`;
  if (record.previous !== previous) return "the record does not follow the one before it";
  const sealed = sealRecord(record);
  if (sealed.hash !== record.hash) return "the record has been changed: its hash is another";
  if (recordLine(sealed) !== bytes.toString("utf8")) return "the line has been changed";
  return sealed;
}

const NEWLINE = 0x0a;

async function* readLines(
  path: string,
): AsyncGenerator<{ readonly bytes: Buffer; readonly offset: number; readonly isWhole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of createReadStream(path)) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE, start)) {
      yield { bytes: rest.subarray(start, end + 1), offset, isWhole: true };
      offset += end + 1 - start;
      start = end + 1;
    }
    rest = rest.subarray(start);
    // No record is longer: what follows is none of ours, and is not gathered in memory.
    if (rest.length > MAX_RECORD_LINE_BYTES) break;
  }
  if (rest.length > MAX_RECORD_LINE_BYTES) yield { bytes: rest, offset, isWhole: true };
  else if (rest.length > 0) yield { bytes: rest, offset, isWhole: false };
}
