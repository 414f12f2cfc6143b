import type { Bytes, Failure, Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpErrorCode,
  type RlpItem,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import { blockFromRlp, blockToRlp } from "./block.ts";
import {
  certificateFromRlp,
  certificateToRlp,
  readKind,
  signedVoteFromRlp,
  signedVoteToRlp,
} from "./signed-codec.ts";
import type { LogRecord } from "./simplex/types.ts";

/** The position is the code in the log. */
const RECORD_KINDS: readonly LogRecord["kind"][] = ["vote", "block", "certificate"];

/** [kind, content]: one record of the write-ahead log, without the log's own framing and checksum. */
export function encodeLogRecord(record: LogRecord): Bytes {
  return encodeRlp([rlpUint(RECORD_KINDS.indexOf(record.kind)), contentOf(record)]);
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeLogRecord(bytes: Bytes): Result<LogRecord, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [code, content] = readRlpList(item, "record", 2);
    const kind = readKind(code, "record.kind", RECORD_KINDS);
    switch (kind) {
      case "vote":
        return { kind, vote: signedVoteFromRlp(content) };
      case "block":
        return { kind, block: blockFromRlp(content) };
      case "certificate":
        return { kind, certificate: certificateFromRlp(content) };
      default:
        return kind satisfies never;
    }
  });
}

function contentOf(record: LogRecord): RlpItem {
  switch (record.kind) {
    case "vote":
      return signedVoteToRlp(record.vote);
    case "block":
      return blockToRlp(record.block);
    case "certificate":
      return certificateToRlp(record.certificate);
    default:
      return record satisfies never;
  }
}
