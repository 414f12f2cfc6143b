import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { logOfThread } from "./log.ts";
import type { Clock, Log } from "./ports.ts";
import type { ServiceWorkerEvents, ServiceWorkerOptions, ServiceWorkerVocabulary } from "./service-port.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** In a node's folder: what the services of modules keep, each in a folder of its own. */
export const SERVICES_FOLDER = "services";

const FIRST_RESTART_MS = 1_000;
const LONGEST_RESTART_MS = 60_000;
/** A service that has run for so long begins with the shortest wait again. */
const STEADY_MS = 120_000;
/** A service that was asked to end is cut off after this. */
const END_TIMEOUT_MS = 2_000;
const FOLDER_MODE = 0o700;
const MEGABYTES_OF_HEAP = 512;

type RunningService = {
  readonly worker: Worker;
  readonly peer: Peer<ServiceWorkerVocabulary, ServiceWorkerEvents, object>;
  /** Why, or undefined if there is nothing to run. */
  readonly ended: Promise<string | undefined>;
};

/** Runs the service of one module in a thread beside the node, again and again if it ends; whatever becomes of it, the node goes on. */
export class ServiceRunner {
  readonly #options: ServiceWorkerOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  #running: RunningService | undefined;
  #cancelRestart: () => void = () => undefined;
  #waitMs = FIRST_RESTART_MS;
  #isStopping = false;

  constructor(options: ServiceWorkerOptions, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    this.#log = (level, message, fields) => log(level, message, { service: options.name, ...fields });
  }

  start(): void {
    const startedMs = this.#clock.nowMs();
    const running = this.#run();
    this.#running = running;
    // A service's failure is told in the log alone.
    void running.ended.then((reason) => {
      this.#running = undefined;
      if (this.#isStopping || reason === undefined) return;
      if (this.#clock.nowMs() - startedMs >= STEADY_MS) this.#waitMs = FIRST_RESTART_MS;
      const inMs = this.#waitMs;
      this.#waitMs = Math.min(LONGEST_RESTART_MS, 2 * inMs);
      this.#log("warn", "the service of a module ended; it is started again", { reason, inMs });
      this.#cancelRestart = this.#clock.after(inMs, () => this.start());
    });
  }

  /** Lets the service end its work, for a while. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelRestart();
    const running = this.#running;
    if (running === undefined) return;
    const asked = running.peer.call("stop", undefined).catch(() => undefined);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(END_TIMEOUT_MS, resolve);
    await Promise.race([asked.then(() => running.ended), late]);
    cancel();
    running.peer.close("the node is stopping");
    await running.worker.terminate();
  }

  #run(): RunningService {
    const worker = new Worker(new URL("./service-worker.ts", import.meta.url), {
      name: this.#options.name,
      resourceLimits: { maxOldGenerationSizeMb: MEGABYTES_OF_HEAP },
    });
    const peer: RunningService["peer"] = connectWorker(worker, {});
    const log = logOfThread(this.#log, this.#options.name);
    peer.on("log", ({ level, message, fields }) => log(level, message, fields));
    watchWorker(worker, `${this.#options.name} service`, peer, () => undefined);
    const run = async (): Promise<string | undefined> => {
      let reason: string | undefined = "it came to its end";
      try {
        mkdirSync(this.#options.folder, { recursive: true, mode: FOLDER_MODE });
        const answer = await peer.call("run", this.#options);
        if (answer === "none") reason = undefined;
      } catch (error) {
        reason = (error as Error).message;
      }
      peer.close(reason ?? "the module has no service");
      await worker.terminate();
      return reason;
    };
    return { worker, peer, ended: run() };
  }
}

/** Where a service keeps what it keeps. */
export function serviceFolder(nodeFolder: string, module: string): string {
  return join(nodeFolder, SERVICES_FOLDER, module);
}
