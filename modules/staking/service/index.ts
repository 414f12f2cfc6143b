import type { ServiceModule } from "@ostrom/runtime";
import { holderCommands } from "./holder-commands.ts";
import { stakingKeys } from "./keys.ts";
import { lookCommands } from "./look-commands.ts";
import { stakingMethods } from "./methods.ts";
import { stakingSettings } from "./settings.ts";
import { validatorCommands } from "./validator-commands.ts";
import { runValidatorService } from "./validator-service.ts";

/** What the module has beside the chain. */
export const serviceModule: ServiceModule = {
  name: "staking",
  commands: [...lookCommands, ...validatorCommands, ...holderCommands],
  keys: stakingKeys,
  settings: stakingSettings,
  rpc: stakingMethods,
  service: runValidatorService,
};
export { callOfAct, stakingCall } from "./act-calls.ts";
export type { Asker, DutyView, OwnDuties, Reportable } from "./duty-view.ts";
export { type Act, type ActMemory, commitmentOf, NO_MEMORY, nextActs } from "./next-acts.ts";
export { readDuties, type SeenEvidence } from "./read-duties.ts";
