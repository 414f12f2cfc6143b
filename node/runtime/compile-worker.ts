import { type MessagePort, workerData } from "node:worker_threads";
import { compileModule, compileRiscv, createRiscvWarmer, createWarmer } from "@ostrom/vm";
import type { CompileAnswer, CompileRequest } from "./compile-thread.ts";
import { joinMetrics } from "./metrics-thread.ts";

// Compiles what compile-thread.ts asks for. The bytes of a module and V8's machine code for it are shared by all threads that
// have the module, so what is made ready here is ready where it runs.
joinMetrics();
const port = workerData as MessagePort;
const warm = createWarmer();
const warmRiscv = createRiscvWarmer();

function compile(request: CompileRequest): CompileAnswer {
  const { kind, key } = request;
  if (kind === "riscv") {
    const compiled = compileRiscv(request.file);
    if (compiled !== undefined) warmRiscv(compiled);
    return { kind, finished: { key, compiled } };
  }
  const finished = compileModule(key, request.code, request.fork);
  if (finished.kind === "compiled") warm(finished.module);
  return { kind, finished };
}

port.on("message", (request: CompileRequest) => port.postMessage(compile(request)));
