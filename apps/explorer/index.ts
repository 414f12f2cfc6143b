export {
  type ConsoleNode,
  type ConsoleOptions,
  type ConsoleReport,
  DEFAULT_CONSOLE_HOST,
  DEFAULT_CONSOLE_PORT,
} from "./console-options.ts";
export { type ConsoleProcess, startConsoleProcess } from "./console-process.ts";
export { type Console, startConsole } from "./console-server.ts";
export { createIndexMount, type IndexMount } from "./index-mount.ts";
