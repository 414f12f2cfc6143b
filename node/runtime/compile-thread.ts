import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { type Bytes, must } from "@ostrom/base";
import type { CompiledModule, CompileService, FinishedRiscv, Fork, RiscvCompileService } from "@ostrom/vm";

/** Codes that may wait for the thread; who asks for more asks again later. */
const MAX_WAITING = 64;
/** The largest module that the compiler lets pass takes some 3 s (core/vm/engine/README.md). */
const MAX_COMPILE_MS = 20_000;
/** A thread that has had nothing to do for so long is ended, and started again by the next request. */
const IDLE_MS = 60_000;
/** How long V8's own threads optimize what the thread has made, or so, per emitted byte. The next code waits for it: however many
 * contracts somebody makes worth compiling, compiling takes no more than a thread or so from the others. */
const OPTIMIZING_MS_PER_BYTE = 0.001;
/** JavaScript memory of the thread: what goes beyond it ends the thread, not the node. */
const MAX_HEAP_MB = 256;

/** What the thread is to compile: a contract of the EVM, or an ELF file. */
export type CompileRequest = { readonly key: string } & (
  | { readonly kind: "evm"; readonly code: Bytes; readonly fork: Fork }
  | { readonly kind: "riscv"; readonly file: Bytes }
);

/** What became of it. */
export type CompileAnswer =
  | { readonly kind: "evm"; readonly finished: CompiledModule }
  | { readonly kind: "riscv"; readonly finished: FinishedRiscv };

export type CompileThreadOptions = {
  /** Replaces `compile-worker.ts`, for tests. */
  readonly worker?: URL;
  readonly maxCompileMs?: number;
  readonly idleMs?: number;
};

/** Compiles contracts of the EVM and programs in RISC-V on a thread of its own, one after another; the thread runs only while
 * there is something to do. Code over which it takes too long, or dies, is refused.
 *
 * For the thread that executes: between two messages of a long block its event loop does not turn, so what has been compiled
 * is fetched by `take`, without waiting. */
export class CompileThread {
  readonly evm: CompileService;
  readonly riscv: RiscvCompileService;
  readonly #workerUrl: URL;
  readonly #maxCompileMs: number;
  readonly #idleMs: number;
  readonly #waiting: CompileRequest[] = [];
  #finishedContracts: CompiledModule[] = [];
  #finishedPrograms: FinishedRiscv[] = [];
  #current: { readonly request: CompileRequest; readonly startedAtMs: number } | undefined;
  #running: { readonly worker: Worker; readonly port: MessagePort } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #restsUntilMs = 0;

  constructor(options: CompileThreadOptions = {}) {
    this.#workerUrl = options.worker ?? new URL("./compile-worker.ts", import.meta.url);
    this.#maxCompileMs = options.maxCompileMs ?? MAX_COMPILE_MS;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.evm = {
      request: (key, code, fork) => this.#request({ kind: "evm", key, code, fork }),
      take: () => this.#takeContracts(),
    };
    this.riscv = {
      request: (key, file) => this.#request({ kind: "riscv", key, file }),
      take: () => this.#takePrograms(),
    };
  }

  #request(request: CompileRequest): boolean {
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(request);
    this.#sendNext();
    return true;
  }

  #takeContracts(): readonly CompiledModule[] {
    this.#receive();
    const taken = this.#finishedContracts;
    this.#finishedContracts = [];
    return taken;
  }

  #takePrograms(): readonly FinishedRiscv[] {
    this.#receive();
    const taken = this.#finishedPrograms;
    this.#finishedPrograms = [];
    return taken;
  }

  #receive(): void {
    const { port } = this.#running ?? {};
    if (port !== undefined) {
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
        this.#arrive(next.message as CompileAnswer);
      }
    }
    this.#endIfTooLong();
    this.#sendNext();
  }

  /** Whether a thread runs now. */
  isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Ends the thread; what was asked for is never answered. */
  async stop(): Promise<void> {
    this.#waiting.length = 0;
    this.#current = undefined;
    await this.#end();
  }

  #sendNext(): void {
    if (this.#current !== undefined || this.#waiting.length === 0) return;
    const nowMs = performance.now();
    if (nowMs < this.#restsUntilMs) {
      this.#after(this.#restsUntilMs - nowMs, () => this.#sendNext());
      return;
    }
    const request = must(this.#waiting.shift(), "it is not empty");
    clearTimeout(this.#timer);
    const { port } = this.#thread();
    this.#current = { request, startedAtMs: nowMs };
    port.postMessage(withOwnBytes(request));
  }

  #after(delayMs: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, delayMs);
    this.#timer.unref();
  }

  #thread(): { readonly worker: Worker; readonly port: MessagePort } {
    if (this.#running !== undefined) return this.#running;
    const { port1: port, port2 } = new MessageChannel();
    const worker = new Worker(this.#workerUrl, {
      name: "compiler",
      workerData: port2,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    });
    const running = { worker, port };
    port.on("message", (message: CompileAnswer) => this.#arrive(message));
    // The error is told by its end as well.
    worker.on("error", () => undefined);
    worker.on("exit", () => this.#died(worker));
    // Nobody waits for a compiler.
    worker.unref();
    port.unref();
    this.#running = running;
    return running;
  }

  #arrive(answer: CompileAnswer): void {
    const { kind, key } = this.#current?.request ?? {};
    // What a thread says that has been given up comes too late.
    if (kind !== answer.kind || key !== answer.finished.key) return;
    this.#finish(answer);
  }

  #finish(answer: CompileAnswer): void {
    if (answer.kind === "evm") this.#finishedContracts.push(answer.finished);
    else this.#finishedPrograms.push(answer.finished);
    this.#current = undefined;
    this.#restsUntilMs = performance.now() + OPTIMIZING_MS_PER_BYTE * emittedBytes(answer);
    if (this.#waiting.length === 0) this.#after(this.#idleMs, () => void this.#end());
    this.#sendNext();
  }

  #endIfTooLong(): void {
    const current = this.#current;
    if (current === undefined || performance.now() - current.startedAtMs < this.#maxCompileMs) return;
    void this.#end();
    this.#finish(refusalOf(current.request, "took too long"));
  }

  #died(worker: Worker): void {
    if (this.#running?.worker !== worker) return;
    this.#running = undefined;
    const current = this.#current;
    if (current === undefined) return;
    this.#finish(refusalOf(current.request, "the compiler died"));
  }

  async #end(): Promise<void> {
    clearTimeout(this.#timer);
    const running = this.#running;
    this.#running = undefined;
    running?.port.close();
    await running?.worker.terminate();
  }
}

/** Bytes that are a part of others would be copied with all of these. */
function withOwnBytes(request: CompileRequest): CompileRequest {
  return request.kind === "evm"
    ? { ...request, code: request.code.slice() }
    : { ...request, file: request.file.slice() };
}

function emittedBytes(answer: CompileAnswer): number {
  if (answer.kind === "riscv") return answer.finished.compiled?.emittedBytes ?? 0;
  return answer.finished.kind === "compiled" ? answer.finished.emittedBytes : 0;
}

function refusalOf(
  { kind, key }: CompileRequest,
  reason: "took too long" | "the compiler died",
): CompileAnswer {
  return kind === "evm"
    ? { kind, finished: { key, kind: "refused", reason } }
    : { kind, finished: { key, compiled: undefined } };
}
