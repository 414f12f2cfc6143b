export { isPrecompile, type PrecompileResult, precompileAddresses, runPrecompile } from "./registry.ts";
