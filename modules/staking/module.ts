import type { ModuleManifest } from "@ostrom/runtime";

export const staking: ModuleManifest = {
  name: "staking",
  summary: "validators by stake: bonding, delegation, rewards, slashing, drawn committees",
  chain: new URL("./chain/index.ts", import.meta.url).href,
  service: new URL("./service/index.ts", import.meta.url).href,
};
