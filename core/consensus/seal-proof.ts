import type { Bytes, Failure, Result } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, RlpError, type RlpErrorCode, readRlpList } from "@ostrom/codec";
import { blockFromRlp, blockToRlp } from "./block.ts";
import { certificateFromRlp, certificateToRlp } from "./signed-codec.ts";
import { MAX_SEALING_BLOCKS, type SealProof } from "./types.ts";

/** [[sealing block, ...], finalization]: the bytes that a store keeps beside the last block of an epoch. */
export function encodeSealProof({ sealing, finalization }: SealProof): Bytes {
  return encodeRlp([sealing.map(blockToRlp), certificateToRlp(finalization)]);
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeSealProof(bytes: Bytes): Result<SealProof, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [blocks, finalization] = readRlpList(item, "seal proof", 2);
    const sealing = readRlpList(blocks, "sealing blocks");
    if (sealing.length > MAX_SEALING_BLOCKS)
      throw new RlpError("rlp/wrong-shape", `sealing blocks: more than ${MAX_SEALING_BLOCKS}`);
    return { sealing: sealing.map(blockFromRlp), finalization: certificateFromRlp(finalization) };
  });
}
