import { OLD_PROBE } from "../../../node/runtime/testing/probe-module.ts";
import { startProgram } from "../ostrom.ts";

// A program of yesterday: version 1 of the probe alone.
await startProgram({ main: import.meta.filename, modules: [OLD_PROBE] });
