#!/usr/bin/env node
import { MODULES } from "@ostrom/modules";
import { startProgram } from "./ostrom.ts";

// The composition root: what this program is put together from.
await startProgram({ main: import.meta.filename, modules: MODULES });
