import type { Bytes, Failure, Result } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, type RlpErrorCode, readRlpList } from "@ostrom/codec";
import { blocksFromRlp, blocksToRlp } from "./block.ts";
import { certificateFromRlp, certificateToRlp } from "./signed-codec.ts";
import { MAX_SEALING_BLOCKS, type SealProof } from "./types.ts";

/** [[sealing block, ...], finalization]: the bytes that a store keeps beside the last block of an epoch. */
export function encodeSealProof({ sealing, finalization }: SealProof): Bytes {
  return encodeRlp([blocksToRlp(sealing), certificateToRlp(finalization)]);
}

/** Errors: those of decodeRlpWith. Shares memory. */
export function decodeSealProof(bytes: Bytes): Result<SealProof, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [blocks, finalization] = readRlpList(item, "seal proof", 2);
    const sealing = blocksFromRlp(blocks, "sealing blocks", MAX_SEALING_BLOCKS);
    return { sealing, finalization: certificateFromRlp(finalization) };
  });
}
