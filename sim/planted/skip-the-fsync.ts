import type { Disk, DiskFile } from "@ostrom/storage";
import type { PlantedBug } from "./planted-bug.ts";

/** Votes leave before they are on the disk. */
export const skipTheSync: PlantedBug = {
  name: "skip the fsync",
  seams: {
    environment: (environment) => ({ ...environment, openDisk: () => withoutSync(environment.openDisk()) }),
  },
  faults: ["crash", "crash-at-await", "crash-of-all", "loss", "partition"],
  epochs: false,
  breaks: ["contradiction"],
  within: 20,
};

/** Only of what is appended: a log that is made or rewritten is still whole. */
function withoutSync(disk: Disk): Disk {
  const lying = (file: DiskFile): DiskFile => {
    let isFirst = true;
    return {
      ...file,
      sync: async () => {
        if (isFirst) await file.sync();
        isFirst = false;
      },
    };
  };
  return {
    ...disk,
    create: async (name) => lying(await disk.create(name)),
    open: async (name) => lying(await disk.open(name)),
  };
}
