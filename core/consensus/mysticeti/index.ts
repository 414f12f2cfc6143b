export { dagDigest, dagSigningBytes, decodeSignedDagBlock, encodeSignedDagBlock } from "./dag-block.ts";
export { type CommitFloor, FIRST_FLOOR, raiseFloor } from "./recovery.ts";
export { leadersOf } from "./slots.ts";
export type { MysticetiState } from "./state.ts";
export { type MysticetiStep, recoverMysticeti, stepMysticeti } from "./step.ts";
export {
  type BlockReference,
  type Commit,
  type DagBlock,
  type DagEffect,
  type DagFaultCode,
  type DagInput,
  type DagMessage,
  type DagTimerId,
  MAX_BLOCKS_PER_SLOT,
  MAX_REQUESTED_BLOCKS,
  MAX_ROUNDS_AHEAD,
  MAX_WAITING_PER_AUTHOR,
  type MysticetiConfig,
  type Parent,
  Round,
  type SignedDagBlock,
} from "./types.ts";
