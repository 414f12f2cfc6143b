export { CRYPTOGRAPHY_PRECOMPILES, SM3_ADDRESS, verifyAddress } from "./cryptography.ts";
export { createEmittedBlake2 } from "./emitted-blake2.ts";
export { createEmittedKeccak } from "./emitted-keccak.ts";
export { createEmittedModular } from "./emitted-modular.ts";
export {
  callPrecompile,
  isPrecompile,
  type PrecompileResult,
  precompileAddresses,
  runPrecompile,
} from "./registry.ts";
