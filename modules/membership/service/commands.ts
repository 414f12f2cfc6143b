import type { ModuleCommand } from "@ostrom/runtime";
import { ownCommands } from "./own-commands.ts";
import { proposalCommands } from "./proposal-commands.ts";
import { statusCommands } from "./status-commands.ts";

/** `ostrom membership ...`. */
export const membershipCommands: readonly ModuleCommand[] = [
  ...statusCommands,
  ...proposalCommands,
  ...ownCommands,
];
