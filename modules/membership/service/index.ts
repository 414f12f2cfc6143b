import type { ServiceModule } from "@ostrom/runtime";
import { membershipAccess } from "./access.ts";
import { membershipCommands } from "./commands.ts";
import { membershipAuthority } from "./contract.ts";
import { membershipMethods } from "./rpc-methods.ts";
import { membershipSettings } from "./settings.ts";

/** What the module has beside the chain. */
export const serviceModule: ServiceModule = {
  name: "membership",
  commands: membershipCommands,
  rpc: membershipMethods,
  settings: membershipSettings,
  access: membershipAccess,
  authority: membershipAuthority,
};

export { contractCall, describeCall, proposeCall } from "./contract.ts";
