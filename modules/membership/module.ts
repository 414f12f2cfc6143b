import type { ModuleManifest } from "@ostrom/runtime";

export const membership: ModuleManifest = {
  name: "membership",
  summary: "organisations, their nodes and accounts, admitted by the members' vote",
  chain: new URL("./chain/index.ts", import.meta.url).href,
  service: new URL("./service/index.ts", import.meta.url).href,
};
