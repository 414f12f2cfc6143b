import { type ChildProcess, fork } from "node:child_process";
import { setPriority } from "node:os";
import { join } from "node:path";
import { ask } from "../../apps/cli/rpc-client.ts";
import { AgreementChecker } from "../../apps/cli/testing/agreement.ts";
import { waitUntil } from "../../apps/cli/testing/wait-until.ts";
import { ProgressMonitor } from "./progress.ts";
import type { RelayFigures } from "./relay.ts";
import type { HostsSettings } from "./settings.ts";
import { cutOff, healAll, type Topology } from "./topology.ts";
import { rpcUrl, Validators } from "./validators.ts";

/** A validator that has not caught up after this never will. */
export const RECOVERY_TIMEOUT_MS = 60_000;
const REPORT_INTERVAL_MS = 5_000;
/** Above all validators: a relay that waits for a processor would add to the latency. Root may. */
const RELAY_NICENESS = -10;

/** The validators of a run, what is between them, and what is known of their progress. */
export class Network {
  readonly validators: Validators;
  readonly progress: ProgressMonitor;
  readonly agreement: AgreementChecker = new AgreementChecker();
  readonly indices: readonly number[];
  readonly #topology: Topology;
  readonly startMs: number = performance.now();
  readonly #signal: AbortSignal;
  #relay: ChildProcess | undefined;
  #reporter: NodeJS.Timeout | undefined;

  /** @param signal ends all waiting. */
  constructor(topology: Topology, directory: string, signal: AbortSignal) {
    this.#topology = topology;
    this.#signal = signal;
    this.indices = Array.from({ length: topology.validators }, (_, index) => index);
    this.progress = new ProgressMonitor(topology.validators, this.startMs);
    this.validators = new Validators(topology, directory, (index, report) => {
      this.agreement.add(report);
      if (report.kind === "block") this.progress.block(index, report.number, performance.now());
      if (report.kind === "failed") this.say(`validator ${index + 1} failed: ${report.message}`);
    });
  }

  get pids(): readonly number[] {
    return [...this.validators.pids, ...(this.#relay?.pid === undefined ? [] : [this.#relay.pid])];
  }

  async start({ validators, latencyMs }: HostsSettings): Promise<void> {
    const relay = fork(join(import.meta.dirname, "relay.ts"), [String(validators), String(latencyMs)]);
    this.#relay = relay;
    setPriority(relay.pid!, RELAY_NICENESS);
    await new Promise<void>((resolve, reject) => {
      relay.once("message", () => resolve());
      relay.once("exit", () => reject(new Error("the relay ended")));
    });
    await Promise.all(this.indices.map((index) => this.validators.start(index)));
    this.#reporter = setInterval(() => this.say("  ..."), REPORT_INTERVAL_MS);
  }

  async relayFigures(): Promise<RelayFigures> {
    const relay = this.#relay!;
    const answer = new Promise<RelayFigures>((resolve) => relay.once("message", resolve));
    relay.send("figures");
    return answer;
  }

  /** Stops all processes. */
  async stop(): Promise<void> {
    clearInterval(this.#reporter);
    await this.validators.stopAll();
    if (this.#relay?.connected === true) this.#relay.disconnect();
  }

  /** A line of the timeline. */
  say(what: string): void {
    const seconds = ((performance.now() - this.startMs) / 1_000).toFixed(1).padStart(6);
    console.log(
      `${seconds} s  heights ${this.progress.heights.map((height) => String(height).padStart(4)).join(" ")}  ${what}`,
    );
  }

  cut(listener: number, speakers: readonly number[]): Promise<void> {
    return cutOff(this.#topology, listener, speakers);
  }

  /** These and the others hear nothing of each other from now on. */
  async separate(part: readonly number[]): Promise<void> {
    const others = this.indices.filter((index) => !part.includes(index));
    await Promise.all([
      ...others.map((index) => this.cut(index, part)),
      ...part.map((index) => this.cut(index, others)),
    ]);
  }

  heal(): Promise<void> {
    return healAll(this.#topology);
  }

  expect(index: number, isExpected: boolean): void {
    this.progress.expect(index, isExpected, performance.now());
  }

  quorumConnected(isConnected: boolean): void {
    this.progress.quorum(isConnected, performance.now());
  }

  /** Waits until it has caught up with the quorum. @returns how long that took. */
  async recovery(index: number): Promise<number> {
    const startMs = performance.now();
    const hadHeight = this.progress.heights[index]!;
    await this.waitUntil(`validator ${index + 1} catches up`, RECOVERY_TIMEOUT_MS, () => {
      return this.progress.heights[index]! > hadHeight && this.progress.hasCaughtUp(index);
    });
    this.expect(index, true);
    const tookMs = Math.round(performance.now() - startMs);
    this.say(`  validator ${index + 1} has caught up, after ${tookMs} ms`);
    return tookMs;
  }

  /** Waits until every validator has a link with every other one. */
  async linked(): Promise<void> {
    const others = this.indices.length - 1;
    await this.waitUntil("all links are up", RECOVERY_TIMEOUT_MS, async () => {
      const counts = await Promise.all(
        this.indices.map((index) => ask<string>(rpcUrl(index), "net_peerCount")),
      );
      return counts.every((count) => Number(count) === others);
    });
  }

  async waitUntil(what: string, timeoutMs: number, done: () => Promise<boolean> | boolean): Promise<void> {
    await waitUntil(what, timeoutMs, () => {
      this.#signal.throwIfAborted();
      const [unexpected] = this.validators.unexpectedEnds;
      if (unexpected !== undefined) throw new Error(unexpected);
      return done();
    });
  }

  /** Lets time pass. @throws at once if the run is ended or a validator ends. */
  async sleep(ms: number): Promise<void> {
    const endMs = performance.now() + ms;
    await this.waitUntil("time passes", 2 * ms + RECOVERY_TIMEOUT_MS, () => performance.now() >= endMs);
  }
}
