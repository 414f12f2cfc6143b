import {
  Address,
  type Bytes,
  bigintToMinimalBytes,
  bytesToBigint,
  concatBytes,
  type Failure,
  fail,
  Hash,
  type Result,
  utf8,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import { MAX_PAYLOAD_TRANSACTIONS } from "@ostrom/execution";
import { type AccountRange, MAX_RANGE_PROOF_NODES, type SlotRange, type TrieRange } from "@ostrom/state";
import type { OrderedRecord } from "@ostrom/storage";
import type { PinnedBody } from "./snapshot-body.ts";

/** What nodes say about snapshots, on the channel `sync`: this byte, then RLP [kind, id, fields]. Messages of consensus are lists, which
 * begin otherwise. A question's id comes back with its answer. */
const SNAPSHOT_MARK = 0x53;

/** What of a range is answered at one time. */
export const MAX_RANGE_ENTRIES = 4_096;
export const MAX_RANGE_ANSWER_BYTES: number = 512 * 1024;
/** Accounts whose slots one question may be about. */
export const MAX_OWNERS = 256;
/** Code in one answer: the greatest contracts have 24 KiB, or what genesis allows. */
export const MAX_CODES = 64;
export const MAX_CODE_ANSWER_BYTES: number = 2 * 1024 * 1024;
/** Steps from set to set in one answer. */
export const MAX_SET_STEPS = 64;
export const MAX_SET_ANSWER_BYTES: number = 2 * 1024 * 1024;
/** Ordered blocks up to the pinned one, in one answer. */
export const MAX_PIN_ANSWER_BYTES: number = 8 * 1024 * 1024;
/** Items of a message: a range has four for each entry. */
const MAX_ITEMS = 131_072;

/** A state that a node serves. */
export type Pin = { readonly height: number; readonly blockHash: Hash };

/** How an epoch's set named the next one: a state certificate, and the set, as they are stored. */
export type SetStep = { readonly certificate: Bytes; readonly set: Bytes };

/** All of the pinned block that is not state. */
export type PinnedBlock = {
  /** Encoded headers, oldest first; the last one is certified, the pinned one is it or closely below. */
  readonly headers: readonly Bytes[];
  readonly certificate: Bytes;
  /** Ordered blocks up to the pinned one, as far as a start needs them. */
  readonly ordered: readonly OrderedRecord[];
  /** What made the last block of an epoch final; empty for others. */
  readonly sealProof: Bytes;
  /** Transactions and receipts; undefined: too long for an answer. */
  readonly body: PinnedBody | undefined;
  /** Further records of the chain, by their names. */
  readonly extras: readonly { readonly name: string; readonly value: Bytes }[];
};

/** An account whose slots are asked for. */
export type SlotOwner = { readonly accountHash: Hash; readonly start: Bytes };

export type SnapshotQuestion =
  | { readonly kind: "get-pins" }
  | { readonly kind: "get-sets"; readonly fromEpoch: number }
  | { readonly kind: "get-block"; readonly pin: Pin }
  | { readonly kind: "get-accounts"; readonly pin: Pin; readonly range: TrieRange }
  | { readonly kind: "get-slots"; readonly pin: Pin; readonly owners: readonly SlotOwner[] }
  | { readonly kind: "get-codes"; readonly pin: Pin; readonly hashes: readonly Hash[] };

export type SnapshotAnswer =
  | { readonly kind: "pins"; readonly pins: readonly Pin[] }
  | { readonly kind: "sets"; readonly steps: readonly SetStep[] }
  | { readonly kind: "block"; readonly block: PinnedBlock }
  | { readonly kind: "accounts"; readonly range: AccountRange }
  /** One for each owner, in order, as many as there was room for; only the last may be incomplete. */
  | { readonly kind: "slots"; readonly ranges: readonly SlotRange[] }
  | { readonly kind: "codes"; readonly codes: readonly Bytes[] }
  | { readonly kind: "refused"; readonly code: RefusalCode };

/** `gone`: that state is served no more; `busy`: ask again later. */
export type RefusalCode = "gone" | "busy";

export type SnapshotMessage =
  | { readonly id: number; readonly question: SnapshotQuestion }
  | { readonly id: number; readonly answer: SnapshotAnswer }
  /** Said by itself: from which height on the sender has blocks. */
  | { readonly id: 0; readonly floor: number };

const QUESTIONS: readonly SnapshotQuestion["kind"][] = [
  "get-pins",
  "get-sets",
  "get-block",
  "get-accounts",
  "get-slots",
  "get-codes",
];
const ANSWERS: readonly SnapshotAnswer["kind"][] = [
  "pins",
  "sets",
  "block",
  "accounts",
  "slots",
  "codes",
  "refused",
];
const REFUSALS: readonly RefusalCode[] = ["gone", "busy"];
const FIRST_ANSWER = 32;
const FLOOR_KIND = 63;

/** Whether a frame of the channel `sync` is about snapshots. */
export function isSnapshotFrame(payload: Bytes): boolean {
  return payload[0] === SNAPSHOT_MARK;
}

/** Whether such a frame asks for something. */
export function isSnapshotQuestion(payload: Bytes): boolean {
  const read = decodeSnapshotMessage(payload);
  return read.ok && "question" in read.value;
}

export function encodeSnapshotMessage(message: SnapshotMessage): Bytes {
  const [kind, fields] = partsOf(message);
  return concatBytes(Uint8Array.of(SNAPSHOT_MARK), encodeRlp([rlpUint(kind), rlpUint(message.id), fields]));
}

/** Errors: those of `decodeRlpWith`. Shares no memory with the frame. */
export function decodeSnapshotMessage(payload: Bytes): Result<SnapshotMessage, Failure<RlpErrorCode>> {
  if (!isSnapshotFrame(payload)) return fail("rlp/wrong-shape", "the frame is about something else");
  return decodeRlpWith(payload.slice(1), readMessage, MAX_ITEMS);
}

function readMessage(item: RlpItem): SnapshotMessage {
  const [kindItem, idItem, fields] = readRlpList(item, "message", 3);
  const kind = readRlpCount(kindItem, "kind");
  const id = readRlpCount(idItem, "id");
  if (kind === FLOOR_KIND) {
    if (id !== 0) throw new RlpError("rlp/wrong-shape", "a floor answers nothing");
    return { id, floor: readRlpCount(fields, "floor") };
  }
  const question = QUESTIONS[kind];
  if (question !== undefined) return { id, question: readQuestion(question, fields) };
  const answer = ANSWERS[kind - FIRST_ANSWER];
  if (answer !== undefined) return { id, answer: readAnswer(answer, fields) };
  throw new RlpError("rlp/wrong-shape", `there is no kind ${kind}`);
}

function partsOf(message: SnapshotMessage): readonly [kind: number, fields: RlpItem] {
  if ("floor" in message) return [FLOOR_KIND, rlpUint(message.floor)];
  if ("question" in message)
    return [QUESTIONS.indexOf(message.question.kind), questionFields(message.question)];
  return [FIRST_ANSWER + ANSWERS.indexOf(message.answer.kind), answerFields(message.answer)];
}

function questionFields(question: SnapshotQuestion): RlpItem {
  switch (question.kind) {
    case "get-pins":
      return [];
    case "get-sets":
      return rlpUint(question.fromEpoch);
    case "get-block":
      return pinItem(question.pin);
    case "get-accounts":
      return [pinItem(question.pin), question.range.start, question.range.end];
    case "get-slots":
      return [pinItem(question.pin), question.owners.map(({ accountHash, start }) => [accountHash, start])];
    case "get-codes":
      return [pinItem(question.pin), question.hashes];
    default:
      return question satisfies never;
  }
}

function readQuestion(kind: SnapshotQuestion["kind"], item: RlpItem | undefined): SnapshotQuestion {
  switch (kind) {
    case "get-pins":
      readRlpList(item, kind, 0);
      return { kind };
    case "get-sets":
      return { kind, fromEpoch: readRlpCount(item, "epoch") };
    case "get-block":
      return { kind, pin: readPin(item) };
    case "get-accounts": {
      const [pin, start, end] = readRlpList(item, kind, 3);
      return { kind, pin: readPin(pin), range: { start: readKey(start), end: readKey(end) } };
    }
    case "get-slots": {
      const [pin, owners] = readRlpList(item, kind, 2);
      return { kind, pin: readPin(pin), owners: readSome(owners, "owners", MAX_OWNERS).map(readOwner) };
    }
    case "get-codes": {
      const [pin, hashes] = readRlpList(item, kind, 2);
      return {
        kind,
        pin: readPin(pin),
        hashes: readSome(hashes, "hashes", MAX_CODES).map((hash) => Hash(readKey(hash))),
      };
    }
    default:
      return kind satisfies never;
  }
}

function answerFields(answer: SnapshotAnswer): RlpItem {
  switch (answer.kind) {
    case "pins":
      return answer.pins.map(pinItem);
    case "sets":
      return answer.steps.map(({ certificate, set }) => [certificate, set]);
    case "block": {
      const { headers, certificate, ordered, sealProof, body, extras } = answer.block;
      const records = ordered.map(({ block, finalization }) => [block, finalization]);
      const named = extras.map(({ name, value }) => [utf8(name), value]);
      const parts = body === undefined ? [] : [body.transactions, body.receipts];
      return [headers, certificate, records, sealProof, parts, named];
    }
    case "accounts": {
      const { accounts, proof, isComplete } = answer.range;
      return [accounts.map(({ address, value }) => [address, value]), proof, flagItem(isComplete)];
    }
    case "slots":
      return answer.ranges.map(({ slots, proof, isComplete }) => [
        slots.map(({ slot, value }) => [bigintToMinimalBytes(slot), bigintToMinimalBytes(value)]),
        proof,
        flagItem(isComplete),
      ]);
    case "codes":
      return answer.codes;
    case "refused":
      return rlpUint(REFUSALS.indexOf(answer.code));
    default:
      return answer satisfies never;
  }
}

function readAnswer(kind: SnapshotAnswer["kind"], item: RlpItem | undefined): SnapshotAnswer {
  switch (kind) {
    case "pins":
      return { kind, pins: readSome(item, "pins", MAX_PINS).map(readPin) };
    case "sets":
      return {
        kind,
        steps: readSome(item, "steps", MAX_SET_STEPS).map((step) => {
          const [certificate, set] = readRlpList(step, "step", 2);
          return { certificate: readRlpBytes(certificate, "certificate"), set: readRlpBytes(set, "set") };
        }),
      };
    case "block":
      return { kind, block: readBlock(item) };
    case "accounts": {
      const [accounts, proof, isComplete] = readRlpList(item, kind, 3);
      const read = readSome(accounts, "accounts", MAX_RANGE_ENTRIES).map((entry) => {
        const [address, value] = readRlpList(entry, "account", 2);
        return {
          address: Address(readRlpBytes(address, "address", 20)),
          value: readRlpBytes(value, "value"),
        };
      });
      return { kind, range: { accounts: read, proof: readProof(proof), isComplete: readFlag(isComplete) } };
    }
    case "slots":
      return { kind, ranges: readSome(item, "ranges", MAX_OWNERS).map(readSlotRange) };
    case "codes":
      return { kind, codes: readSome(item, "codes", MAX_CODES).map((code) => readRlpBytes(code, "code")) };
    case "refused": {
      const code = REFUSALS[readRlpCount(item, "refusal")];
      if (code === undefined) throw new RlpError("rlp/wrong-shape", "no reason for a refusal");
      return { kind, code };
    }
    default:
      return kind satisfies never;
  }
}

/** A node serves so many states at one time. */
export const MAX_PINS = 2;
const MAX_HEADERS = 512;
const MAX_EXTRAS = 16;
const HASH_BYTES = 32;
const WORD_BYTES = 32;

function readBlock(item: RlpItem | undefined): PinnedBlock {
  const [headers, certificate, ordered, sealProof, body, extras] = readRlpList(item, "block", 6);
  return {
    headers: readSome(headers, "headers", MAX_HEADERS).map((header) => readRlpBytes(header, "header")),
    certificate: readRlpBytes(certificate, "certificate"),
    ordered: readSome(ordered, "ordered", MAX_HEADERS).map((record) => {
      const [block, finalization] = readRlpList(record, "ordered block", 2);
      return {
        block: readRlpBytes(block, "block"),
        finalization: readRlpBytes(finalization, "finalization"),
      };
    }),
    sealProof: readRlpBytes(sealProof, "seal proof"),
    body: readBody(body),
    extras: readSome(extras, "extras", MAX_EXTRAS).map((extra) => {
      const [name, value] = readRlpList(extra, "extra", 2);
      return {
        name: new TextDecoder().decode(readRlpBytes(name, "name")),
        value: readRlpBytes(value, "value"),
      };
    }),
  };
}

function readBody(item: RlpItem | undefined): PinnedBody | undefined {
  if (readRlpList(item, "body").length === 0) return undefined;
  const [transactions, receipts] = readRlpList(item, "body", 2);
  return {
    transactions: readSome(transactions, "transactions", MAX_PAYLOAD_TRANSACTIONS).map((raw) =>
      readRlpBytes(raw, "transaction"),
    ),
    receipts: readRlpBytes(receipts, "receipts"),
  };
}

function readSlotRange(item: RlpItem): SlotRange {
  const [slots, proof, isComplete] = readRlpList(item, "slots", 3);
  const read = readSome(slots, "slots", MAX_RANGE_ENTRIES).map((entry) => {
    const [slot, value] = readRlpList(entry, "slot", 2);
    return { slot: readWord(slot, "slot"), value: readWord(value, "value") };
  });
  return { slots: read, proof: readProof(proof), isComplete: readFlag(isComplete) };
}

function readProof(item: RlpItem | undefined): readonly Bytes[] {
  return readSome(item, "proof", MAX_RANGE_PROOF_NODES).map((node) => readRlpBytes(node, "node"));
}

function readOwner(item: RlpItem): SlotOwner {
  const [accountHash, start] = readRlpList(item, "owner", 2);
  return { accountHash: Hash(readKey(accountHash)), start: readKey(start) };
}

function readWord(item: RlpItem | undefined, what: string): bigint {
  const bytes = readRlpBytes(item, what);
  if (bytes.length > WORD_BYTES || bytes[0] === 0)
    throw new RlpError("rlp/non-canonical", `${what}: no word without leading zeros`);
  return bytesToBigint(bytes);
}

function readKey(item: RlpItem | undefined): Bytes {
  return readRlpBytes(item, "key", HASH_BYTES);
}

function pinItem({ height, blockHash }: Pin): RlpItem {
  return [rlpUint(height), blockHash];
}

function readPin(item: RlpItem | undefined): Pin {
  const [height, blockHash] = readRlpList(item, "pin", 2);
  return { height: readRlpCount(height, "height"), blockHash: Hash(readKey(blockHash)) };
}

function flagItem(flag: boolean): RlpItem {
  return rlpUint(flag ? 1 : 0);
}

function readFlag(item: RlpItem | undefined): boolean {
  const value = readRlpCount(item, "flag");
  if (value > 1) throw new RlpError("rlp/wrong-shape", "a flag is 0 or 1");
  return value === 1;
}

function readSome(item: RlpItem | undefined, what: string, most: number): readonly RlpItem[] {
  const list = readRlpList(item, what);
  if (list.length > most)
    throw new RlpError("rlp/too-many-items", `${what}: ${list.length}, at most ${most}`);
  return list;
}
