import { NEW_PROBE } from "../../../node/runtime/testing/probe-module.ts";
import { startProgram } from "../ostrom.ts";

// A program that has today's modules and yesterday's rule sets.
await startProgram({ main: import.meta.filename, modules: [NEW_PROBE], forks: ["cancun", "prague"] });
