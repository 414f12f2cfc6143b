import { type Bytes, Epoch, type Failure, fail, Height, type Result, View } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  type RlpErrorCode,
  type RlpItem,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import {
  blockFromRlp,
  blocksFromRlp,
  blocksToRlp,
  blockToRlp,
  readHash,
  readOptional,
  stateCertificateFromRlp,
  stateCertificateToRlp,
} from "./block.ts";
import { checkpointVotesFromRlp, checkpointVotesToRlp } from "./checkpoints/checkpoint-codec.ts";
import {
  certificateFromRlp,
  certificateToRlp,
  readKind,
  readSignature,
  signedExecutedFromRlp,
  signedExecutedToRlp,
  signedVoteFromRlp,
  signedVoteToRlp,
} from "./signed-codec.ts";
import {
  type CertificateKind,
  MAX_MESSAGE_BYTES,
  MAX_RANGE_BLOCKS,
  MAX_SEALING_BLOCKS,
  type Message,
  type MessageKind,
} from "./types.ts";

/** First entry of every message. A node drops what it does not know. */
export const MESSAGE_FORMAT_VERSION = 1;

/** The position is the wire code. */
const MESSAGE_KINDS: readonly MessageKind[] = [
  "proposal",
  "vote",
  "certificate",
  "certificate-request",
  "block-request",
  "block",
  "block-range-request",
  "block-range",
  "view-request",
  "view-report",
  "executed",
  "state-certificate",
  "state-certificate-request",
  "checkpoint-votes",
  "checkpoint-request",
];

const WANTED_KINDS: readonly (CertificateKind | "any")[] = [
  "any",
  "notarization",
  "nullification",
  "finalization",
];

/** One answer may hold so many. */
const MOST_RANGE_BLOCKS = MAX_RANGE_BLOCKS + MAX_SEALING_BLOCKS;

export type MessageErrorCode = RlpErrorCode | "message/too-long";

/** [version, kind, ...fields]. */
export function encodeMessage(message: Message): Bytes {
  return encodeRlp([
    rlpUint(MESSAGE_FORMAT_VERSION),
    rlpUint(MESSAGE_KINDS.indexOf(message.kind)),
    ...fieldsOf(message),
  ]);
}

/** More items than the longest answer to a range request has (some 25 a block): a message of small items costs its reader far more than
 * its bytes. */
const MAX_MESSAGE_ITEMS = 32 * (MAX_RANGE_BLOCKS + MAX_SEALING_BLOCKS);

/** Reads one message; payloads, signatures and digests in it share memory with `bytes`.
 * Errors: `message/too-long`; `rlp/too-many-items`; those of decodeRlpWith, `rlp/wrong-shape` also for unknown versions, kinds and where a
 * limit is exceeded. */
export function decodeMessage(bytes: Bytes): Result<Message, Failure<MessageErrorCode>> {
  if (bytes.length > MAX_MESSAGE_BYTES) return fail("message/too-long", `a message of ${bytes.length} bytes`);
  const read = (item: RlpItem): Message => {
    const entries = readRlpList(item, "message");
    if (readRlpCount(entries[0], "message.version") !== MESSAGE_FORMAT_VERSION) {
      throw new RlpError("rlp/wrong-shape", "message.version: unknown");
    }
    return messageFrom(readKind(entries[1], "message.kind", MESSAGE_KINDS), entries.slice(2));
  };
  return decodeRlpWith(bytes, read, MAX_MESSAGE_ITEMS);
}

function fieldsOf(message: Message): readonly RlpItem[] {
  switch (message.kind) {
    case "proposal":
      return [blockToRlp(message.block), message.signature];
    case "vote":
      return [signedVoteToRlp(message.vote)];
    case "certificate":
      return [certificateToRlp(message.certificate)];
    case "certificate-request":
      return [rlpUint(message.epoch), rlpUint(message.view), rlpUint(WANTED_KINDS.indexOf(message.want))];
    case "block-request":
      return [rlpUint(message.epoch), rlpUint(message.view), message.digest];
    case "block":
      return [blockToRlp(message.block)];
    case "block-range-request":
      return [rlpUint(message.fromHeight)];
    case "block-range":
      return [blocksToRlp(message.blocks), certificateToRlp(message.finalization)];
    case "view-request":
      return [rlpUint(message.epoch)];
    case "view-report": {
      const { certificate } = message;
      const proof = certificate === undefined ? [] : certificateToRlp(certificate);
      return [rlpUint(message.epoch), rlpUint(message.view), proof];
    }
    case "executed":
      return [signedExecutedToRlp(message.executed)];
    case "state-certificate":
      return [stateCertificateToRlp(message.certificate)];
    case "state-certificate-request":
      return [rlpUint(message.height)];
    case "checkpoint-votes":
      return checkpointVotesToRlp(message.votes);
    case "checkpoint-request":
      return [rlpUint(message.epoch)];
    default:
      return message satisfies never;
  }
}

function messageFrom(kind: MessageKind, fields: readonly RlpItem[]): Message {
  switch (kind) {
    case "proposal":
      expectFields(fields, 2);
      return {
        kind,
        block: blockFromRlp(fields[0]),
        signature: readSignature(fields[1], "proposal.signature"),
      };
    case "vote":
      expectFields(fields, 1);
      return { kind, vote: signedVoteFromRlp(fields[0]) };
    case "certificate":
      expectFields(fields, 1);
      return { kind, certificate: certificateFromRlp(fields[0]) };
    case "certificate-request":
      expectFields(fields, 3);
      return { kind, ...epochAndView(fields), want: readKind(fields[2], "want", WANTED_KINDS) };
    case "block-request":
      expectFields(fields, 3);
      return { kind, ...epochAndView(fields), digest: readHash(fields[2], "digest") };
    case "block":
      expectFields(fields, 1);
      return { kind, block: blockFromRlp(fields[0]) };
    case "block-range-request":
      expectFields(fields, 1);
      return { kind, fromHeight: Height(readRlpCount(fields[0], "fromHeight")) };
    case "block-range":
      expectFields(fields, 2);
      return {
        kind,
        blocks: blocksFromRlp(fields[0], "blocks", MOST_RANGE_BLOCKS),
        finalization: certificateFromRlp(fields[1]),
      };
    case "view-request":
      expectFields(fields, 1);
      return { kind, epoch: Epoch(readRlpCount(fields[0], "epoch")) };
    case "view-report":
      expectFields(fields, 3);
      return { kind, ...epochAndView(fields), certificate: readOptional(fields[2], certificateFromRlp) };
    case "executed":
      expectFields(fields, 1);
      return { kind, executed: signedExecutedFromRlp(fields[0]) };
    case "state-certificate":
      expectFields(fields, 1);
      return { kind, certificate: stateCertificateFromRlp(fields[0]) };
    case "state-certificate-request":
      expectFields(fields, 1);
      return { kind, height: Height(readRlpCount(fields[0], "height")) };
    case "checkpoint-votes":
      return { kind, votes: checkpointVotesFromRlp(fields) };
    case "checkpoint-request":
      expectFields(fields, 1);
      return { kind, epoch: Epoch(readRlpCount(fields[0], "epoch")) };
    default:
      return kind satisfies never;
  }
}

function expectFields(fields: readonly RlpItem[], count: number): void {
  readRlpList(fields, "message", count);
}

function epochAndView(fields: readonly RlpItem[]): { readonly epoch: Epoch; readonly view: View } {
  return { epoch: Epoch(readRlpCount(fields[0], "epoch")), view: View(readRlpCount(fields[1], "view")) };
}
