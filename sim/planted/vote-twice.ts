import type { PlantedBug } from "./planted-bug.ts";

/** A restarted validator does not remember its votes. */
export const voteTwice: PlantedBug = {
  name: "vote twice in a view",
  seams: {
    replayed: (replayed) => ({
      ...replayed,
      records: replayed.records.filter(({ kind }) => kind !== "vote"),
    }),
  },
  faults: ["crash", "crash-at-await", "crash-of-all", "loss", "partition"],
  epochs: false,
  breaks: ["contradiction"],
  within: 20,
};
