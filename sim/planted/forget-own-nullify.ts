import type { PlantedBug } from "./planted-bug.ts";

/** A restarted validator remembers what it was for, and not which views it has given up (commonware #4275). */
export const forgetOwnNullify: PlantedBug = {
  name: "forget own nullify",
  seams: {
    replayed: (replayed) => ({
      ...replayed,
      records: replayed.records.filter(
        (record) => record.kind !== "vote" || record.vote.vote.kind !== "nullify",
      ),
    }),
  },
  faults: ["crash", "crash-at-await", "crash-of-all", "loss", "reordering", "partition", "slow-disk"],
  epochs: false,
  breaks: ["contradiction"],
  within: 60,
};
