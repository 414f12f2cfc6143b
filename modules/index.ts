import type { ModuleManifest } from "@ostrom/runtime";
import { membership } from "./membership/module.ts";
import { staking } from "./staking/module.ts";

/** All modules of this program. */
export const MODULES: readonly ModuleManifest[] = [membership, staking];
