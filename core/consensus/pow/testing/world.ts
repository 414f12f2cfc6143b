import { createHash } from "node:crypto";
import { type Bytes, createRandom, EventQueue, Hash, must, type Random } from "@ostrom/base";
import { genesisPoint } from "../chain-point.ts";
import { decodePowMessage, encodePowMessage } from "../message-codec.ts";
import type { PowConfig, PowMessage, RecoveredChain } from "../types.ts";

/** Simulated work: only the nonces with this last byte have any, and only `sealed` makes them, when a miner's time has come. */
const WORKING_NONCE = 1n;

export function sha256(data: Bytes): Hash {
  return Hash(new Uint8Array(createHash("sha256").update(data).digest()));
}

/** A chain of blocks a second apart in the mean, under limits so small that rare paths are common. */
export function simulatedConfig(change: Partial<PowConfig> = {}): PowConfig {
  const genesisHash = sha256(new Uint8Array([9]));
  const zero = new Uint8Array(32);
  const ones = new Uint8Array(32).fill(0xff);
  return {
    domain: {
      genesisHash,
      hashId: 2,
      hash: sha256,
      workHash: {
        name: "sha256",
        hash: (bytes) => (bytes.at(-1) === Number(WORKING_NONCE) ? zero : ones),
      },
    },
    genesis: { timestampMs: 1_000_000, executedHash: sha256(new Uint8Array([8])) },
    targetIntervalMs: 1000,
    halflifeMs: 60_000,
    initialTarget: 2n ** 236n,
    finalityDepth: 20,
    maxReorgDepth: 40,
    clockToleranceMs: 2000,
    maxPayloadBytes: 1000,
    fetchRetryMs: 400,
    maxSideHeaders: 512,
    maxHeadersAhead: 1024,
    maxBodyBytes: 200_000,
    ...change,
  };
}

/** Hashes in a millisecond that give the config's interval at its initial target. */
export function steadyRate(config: PowConfig): number {
  return Number(2n ** 256n / config.initialTarget) / config.targetIntervalMs;
}

export function sealed(): bigint {
  return WORKING_NONCE;
}

export function fromGenesis(config: PowConfig): RecoveredChain {
  return {
    base: genesisPoint(config),
    baseExecutedHash: config.genesis.executedHash,
    blocks: [],
    older: [],
  };
}

/** Whoever sits at the end of a link. */
export type Participant = {
  readonly name: string;
  readonly onLink: (peer: string, isUp: boolean) => void;
  readonly onMessage: (peer: string, message: PowMessage) => void;
};

type Event = { readonly timeMs: number; readonly run: () => void };

export type WorldOptions = {
  readonly seed: number;
  readonly minLatencyMs?: number;
  readonly maxLatencyMs?: number;
  readonly lossPerMille?: number;
};

/** Time, chance and links of a simulated network: nothing happens that the seed did not choose. */
export class World {
  readonly random: Random;
  readonly options: WorldOptions;
  lossPerMille: number;
  timeMs = 1_000_000;
  delivered = 0;
  readonly #participants = new Map<string, Participant>();
  readonly #links = new Set<string>();
  readonly #events = new EventQueue<Event>();
  readonly #trace = createHash("sha256");

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = createRandom(options.seed);
    this.lossPerMille = options.lossPerMille ?? 0;
  }

  /** Digest of all that was delivered: equal for equal seeds. */
  get trace(): string {
    return this.#trace.copy().digest("hex");
  }

  join(participant: Participant): void {
    this.#participants.set(participant.name, participant);
  }

  isLinked(a: string, b: string): boolean {
    return this.#links.has(linkName(a, b));
  }

  link(a: string, b: string): void {
    if (a === b || this.isLinked(a, b)) return;
    this.#links.add(linkName(a, b));
    this.#participants.get(a)?.onLink(b, true);
    this.#participants.get(b)?.onLink(a, true);
  }

  unlink(a: string, b: string): void {
    if (!this.#links.delete(linkName(a, b))) return;
    this.#participants.get(a)?.onLink(b, false);
    this.#participants.get(b)?.onLink(a, false);
  }

  send(from: string, to: string, message: PowMessage): void {
    if (!this.isLinked(from, to) || this.random.chance(this.lossPerMille, 1000)) return;
    const { minLatencyMs = 5, maxLatencyMs = 60 } = this.options;
    this.after(minLatencyMs + this.random.below(maxLatencyMs - minLatencyMs + 1), () => {
      if (!this.isLinked(from, to)) return;
      const bytes = encodePowMessage(message);
      const decoded = decodePowMessage(bytes);
      if (!decoded.ok) throw new Error(`${from} sent what nobody reads: ${decoded.error.code}`);
      this.delivered++;
      this.#trace.update(`${this.timeMs} ${from} ${to} `).update(bytes);
      this.#participants.get(to)?.onMessage(from, decoded.value);
    });
  }

  after(delayMs: number, run: () => void): void {
    this.#events.put({ timeMs: this.timeMs + delayMs, run });
  }

  /** Milliseconds until a miner of that rate finds a block: exponentially distributed. */
  miningTimeMs(target: bigint, hashesPerMs: number): number {
    const meanMs = Number(2n ** 256n / (target + 1n)) / hashesPerMs;
    const uniform = (this.random.nextUint32() + 1) / 2 ** 32;
    return -Math.log(uniform) * meanMs;
  }

  runFor(durationMs: number): void {
    const endMs = this.timeMs + durationMs;
    while ((this.#events.nextMs ?? Number.POSITIVE_INFINITY) <= endMs) this.#runNext();
    this.timeMs = endMs;
  }

  /** @returns whether the condition came true in time. */
  runUntil(isDone: () => boolean, limitMs: number): boolean {
    const endMs = this.timeMs + limitMs;
    while (!isDone()) {
      if ((this.#events.nextMs ?? Number.POSITIVE_INFINITY) > endMs) return false;
      this.#runNext();
    }
    return true;
  }

  #runNext(): void {
    const event = must(this.#events.take(), "an event is due");
    this.timeMs = event.timeMs;
    event.run();
  }
}

function linkName(a: string, b: string): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}
