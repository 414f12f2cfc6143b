import { acceptAnotherEpoch } from "./accept-another-epoch.ts";
import { BATCH_BUGS } from "./batch-bugs.ts";
import { countWeightAcrossEpochs } from "./count-weight-across-epochs.ts";
import { forgetOwnNullify } from "./forget-own-nullify.ts";
import { forgetTheLostLog } from "./forget-the-lost-log.ts";
import { PARTICIPATION_BUGS } from "./participation-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { signTwoExecuted } from "./sign-two-executed.ts";
import { skipTheSync } from "./skip-the-fsync.ts";
import { voteTwice } from "./vote-twice.ts";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  voteTwice,
  skipTheSync,
  forgetOwnNullify,
  countWeightAcrossEpochs,
  acceptAnotherEpoch,
  signTwoExecuted,
  forgetTheLostLog,
  ...BATCH_BUGS,
  ...PARTICIPATION_BUGS,
];
