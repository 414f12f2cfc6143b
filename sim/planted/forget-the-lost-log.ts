import type { PlantedBug } from "./planted-bug.ts";

/** A validator whose log is gone takes itself for a new one (telcoin-network#391). */
export const forgetTheLostLog: PlantedBug = {
  name: "forget the lost log",
  seams: {
    environment: (environment) => ({
      ...environment,
      votedMark: () => ({ epoch: undefined, write: async () => undefined }),
    }),
  },
  faults: ["lost-log", "lost-database", "crash", "loss", "partition"],
  epochs: false,
  breaks: ["contradiction"],
  within: 30,
};
