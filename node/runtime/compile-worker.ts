import { type MessagePort, workerData } from "node:worker_threads";
import { compileModule, createWarmer } from "@ostrom/vm";
import type { CompileRequest } from "./compile-thread.ts";

// Compiles what compile-thread.ts asks for. The bytes of a module and V8's machine code for it are shared by all threads that
// have the module, so what is made ready here is ready where it runs.
const port = workerData as MessagePort;
const warm = createWarmer();

port.on("message", ({ key, code, fork }: CompileRequest) => {
  const compiled = compileModule(key, code, fork);
  if (compiled.kind === "compiled") warm(compiled.module);
  port.postMessage(compiled);
});
