import type { ChainModule } from "@ostrom/execution";
import { probe } from "./probe-module.ts";

export const chainModules: readonly ChainModule[] = [probe(1)];
