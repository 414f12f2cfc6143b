import { NEW_PROBE } from "../../../node/runtime/testing/probe-module.ts";
import { startProgram } from "../ostrom.ts";

// A program of today: both versions of the probe.
await startProgram({ main: import.meta.filename, modules: [NEW_PROBE] });
