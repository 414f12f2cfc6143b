import { assert, type Height } from "@ostrom/base";
import type { ValidatorSet } from "./types.ts";

/** An epoch, told by its set and its last height. Epoch E orders the heights E * L + 1 to (E + 1) * L, so one tells L. */
export type EpochEnd = { readonly validators: ValidatorSet; readonly lastHeight: Height };

/** Heights in every epoch. A broken invariant if the last height is not a multiple that the epoch's number allows. */
export function epochLengthOf({ validators, lastHeight }: EpochEnd): number {
  const count = validators.epoch + 1;
  assert(lastHeight % count === 0, "all epochs must be equally long");
  return lastHeight / count;
}

/** Whether an epoch's set may sign a result of this height (rule E6): its keys mean nothing above its last block, however many of
 * them somebody has come to hold since. */
export function isHeightOfEpoch(end: EpochEnd, epoch: number, height: number): boolean {
  const length = epochLengthOf(end);
  return height > epoch * length && height <= (epoch + 1) * length;
}
