import { ZERO_HASH } from "@ostrom/base";
import type { PlantedBug } from "./planted-bug.ts";

/** After a restart, results that are signed once more name another validator set than before. */
export const signTwoExecuted: PlantedBug = {
  name: "sign two Executed",
  seams: {
    recovered: (recovered) => ({
      ...recovered,
      results: recovered.results.map((result) => ({ ...result, nextSetHash: ZERO_HASH })),
    }),
  },
  faults: ["crash", "crash-at-await", "crash-of-all", "loss", "partition"],
  epochs: false,
  breaks: ["contradiction"],
  within: 10,
};
