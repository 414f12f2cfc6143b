export { createEmittedBlake2 } from "./emitted-blake2.ts";
export { createEmittedKeccak } from "./emitted-keccak.ts";
export { createEmittedModular } from "./emitted-modular.ts";
export { isPrecompile, type PrecompileResult, precompileAddresses, runPrecompile } from "./registry.ts";
