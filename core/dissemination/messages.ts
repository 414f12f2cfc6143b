import { type Bytes, type Failure, fail, Hash, ok, type Result } from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  RlpError,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  readRlpListUpTo,
  rlpUint,
} from "@ostrom/codec";
import { MAX_CERTIFICATE_SIGNERS } from "@ostrom/crypto";
import {
  attestationFromRlp,
  attestationToRlp,
  CERTIFIED_ITEMS,
  certifiedFromRlp,
  certifiedToRlp,
  readBatchBytes,
} from "./batch-codec.ts";
import type { Attestation, CertifiedBatch } from "./types.ts";

/** Most batches that one request asks for, and one answer holds. */
export const MAX_FETCHED_BATCHES = 16;

/** What validators tell each other about batches. */
export type BatchMessage =
  /** An author's new batch, with its own attestation. */
  | { readonly kind: "batch"; readonly attestation: Attestation; readonly batch: Bytes }
  /** To the author. */
  | { readonly kind: "attestation"; readonly attestation: Attestation }
  /** From the author to all. */
  | { readonly kind: "certified"; readonly certified: CertifiedBatch }
  /** For batches that were referred to and did not come. */
  | { readonly kind: "wanted"; readonly digests: readonly Hash[] }
  /** Those of them that the sender has. */
  | { readonly kind: "found"; readonly batches: readonly Bytes[] };

const KINDS: readonly BatchMessage["kind"][] = ["batch", "attestation", "certified", "wanted", "found"];
const DIGEST_LENGTH = 32;
/** No message has more than one certificate of all signers that there may be. */
const MAX_MESSAGE_ITEMS = CERTIFIED_ITEMS + MAX_CERTIFICATE_SIGNERS + 2;

/** [kind, content...]. */
export function encodeBatchMessage(message: BatchMessage): Bytes {
  const kind = rlpUint(KINDS.indexOf(message.kind));
  switch (message.kind) {
    case "batch":
      return encodeRlp([kind, attestationToRlp(message.attestation), message.batch]);
    case "attestation":
      return encodeRlp([kind, attestationToRlp(message.attestation)]);
    case "certified":
      return encodeRlp([kind, certifiedToRlp(message.certified)]);
    case "wanted":
      return encodeRlp([kind, message.digests]);
    case "found":
      return encodeRlp([kind, message.batches]);
  }
}

/** Errors: `batch/unreadable-message`. Shares memory. */
export function decodeBatchMessage(bytes: Bytes): Result<BatchMessage, Failure<"batch/unreadable-message">> {
  const decoded = decodeRlpWith(
    bytes,
    (item): BatchMessage => {
      const fields = readRlpList(item, "message");
      const kind = KINDS[readRlpCount(fields[0], "kind")];
      if (kind === undefined || fields.length !== (kind === "batch" ? 3 : 2))
        throw new RlpError("rlp/wrong-shape", "a message of an unknown kind");
      switch (kind) {
        case "batch":
          return { kind, attestation: attestationFromRlp(fields[1]), batch: readBatchBytes(fields[2]) };
        case "attestation":
          return { kind, attestation: attestationFromRlp(fields[1]) };
        case "certified":
          return { kind, certified: certifiedFromRlp(fields[1]) };
        case "wanted":
          return {
            kind,
            digests: readRlpListUpTo(fields[1], "digests", MAX_FETCHED_BATCHES).map((digest) =>
              Hash(readRlpBytes(digest, "digest", DIGEST_LENGTH)),
            ),
          };
        case "found":
          return {
            kind,
            batches: readRlpListUpTo(fields[1], "batches", MAX_FETCHED_BATCHES).map(readBatchBytes),
          };
      }
    },
    MAX_MESSAGE_ITEMS,
  );
  return decoded.ok ? ok(decoded.value) : fail("batch/unreadable-message", decoded.error.message);
}
