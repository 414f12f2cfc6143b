export { runWebAssemblyInReference } from "./reference-runner.ts";
export { validateWebAssembly } from "./validate-webassembly.ts";
export { createWebAssemblyRunner } from "./webassembly-runner.ts";
