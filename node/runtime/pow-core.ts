import { type Address, type Bytes, type Failure, type Hash, type Result, toHex } from "@ostrom/base";
import {
  decodePowMessage,
  encodePowMessage,
  type PowEffect,
  type PowMessage,
  type PowState,
  startPow,
  stepPow,
} from "@ostrom/consensus";
import type { Channel, NetworkHandlers, PeerId } from "@ostrom/network";
import type { MiningReport } from "@ostrom/rpc";
import { finalizedHeightOperations, readCertifiedHeight } from "@ostrom/storage";
import type { PoolContent, TransactionPool } from "@ostrom/txpool";
import { headersAfter, isInChain, readChainPoint, readPowBlock, recoverPowChain } from "./pow-chain-store.ts";
import { PowConduct } from "./pow-conduct.ts";
import type { PowCoreOptions } from "./pow-core-options.ts";
import { type PowEvent, PowExecutor } from "./pow-executor.ts";
import { PowMining } from "./pow-mining.ts";
import { TransactionTraffic } from "./transaction-traffic.ts";

type EffectOf<Kind extends PowEffect["kind"]> = Extract<PowEffect, { readonly kind: Kind }>;

/** A node of a mined chain between its ports: fork choice, execution and its way back, mining, pool and gossip, wired together. The
 * same in production and under the simulator. */
export class PowCore {
  readonly handlers: NetworkHandlers;
  readonly #options: PowCoreOptions;
  readonly #traffic: TransactionTraffic;
  readonly #executor: PowExecutor;
  readonly #mining: PowMining;
  readonly #conduct: PowConduct;
  readonly #firstEffects: PowEffect[];
  #state: PowState;
  #inputs: PowEvent[] = [];
  #isStepping = false;
  #cancelTimer: () => void = () => undefined;
  #finalized: number;
  /** Of headers that peers sent and that broke no rule. */
  #highestHeader = 0;
  #stopped = false;

  constructor(options: PowCoreOptions) {
    const { genesis, config, store, network, clock, log, checker, head } = options;
    this.#options = options;
    const failed = (error: unknown): void => this.#fail(error);
    const { punish } = options;
    this.#finalized = readCertifiedHeight(store) ?? 0;
    this.#conduct = new PowConduct({ clock, log, punish });
    this.#traffic = new TransactionTraffic({
      rules: genesis.rules,
      modules: options.modules,
      baseFee: head.nextBaseFee,
      store,
      network,
      clock,
      checker,
      relays: true,
      punish,
      admitted: (transactions) => {
        options.listener.admitted(transactions);
        this.#mining.poolChanged();
      },
      failed,
    });
    this.#executor = new PowExecutor(options, this.#traffic);
    this.#mining = new PowMining({
      ...options,
      pool: this.#traffic.pool,
      baseFee: () => this.#executor.nextBaseFee,
      renew: () => this.#input({ kind: "pool" }),
      mined: (block) => this.#input({ kind: "mined", block }),
    });
    const started = startPow(config, recoverPowChain(store, config), clock.nowMs());
    this.#state = started.state;
    this.#firstEffects = [...started.effects];
    this.handlers = {
      onFrame: (peerId, channel, payload) => this.#frame(peerId, channel, payload),
      onUp: (peerId) => {
        log("info", "link up", { peerId });
        this.#traffic.peerUp(peerId);
        this.#input({ kind: "peer-connected", peer: peerId });
      },
      onDown: (peerId, reason) => {
        log("info", "link down", { peerId, reason });
        this.#traffic.peerDown(peerId);
        this.#input({ kind: "peer-disconnected", peer: peerId });
      },
    };
  }

  get pool(): TransactionPool {
    return this.#traffic.pool;
  }

  /** Begins to take part. */
  start(): void {
    this.#perform(this.#firstEffects.splice(0));
  }

  /** What this node knows of where the chain is; `certified` is the newest block that is told to be final. */
  heads(): { readonly executed: number; readonly certified: number; readonly highestHeard: number } {
    const executed = this.#executor.height;
    return { executed, certified: this.#finalized, highestHeard: Math.max(executed, this.#highestHeader) };
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    const { records, bodies, bodyBytes, requests, peers } = this.#state;
    const { pending, queued } = this.pool.status();
    return {
      headers: records.size,
      bodies: bodies.size,
      bodyBytes,
      requests: requests.size,
      peers: peers.size,
      transactions: pending + queued,
      inputs: this.#inputs.length,
    };
  }

  mining(): MiningReport {
    return this.#mining.report();
  }

  submit(raws: readonly Bytes[]): Promise<readonly Result<Hash, Failure>[]> {
    return this.#traffic.submit(raws);
  }

  pendingNonce(address: Address): bigint {
    return this.#traffic.pendingNonce(address);
  }

  poolContent(sender: Address | undefined): PoolContent {
    return this.#traffic.poolContent(sender);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#mining.stop();
    this.#traffic.stop();
  }

  #frame(peerId: PeerId, channel: Channel, payload: Bytes): void {
    if (this.#stopped) return;
    if (channel === "transactions") {
      this.#traffic.receive(peerId, payload);
      return;
    }
    const message = decodePowMessage(payload);
    if (!message.ok) {
      this.#conduct.fault(peerId, message.error.code, message.error.message);
    } else if (this.#conduct.allows(peerId, message.value)) {
      this.#input({ kind: "message", from: peerId, message: message.value });
    }
  }

  /** Steps the engine with what happens, one thing after another, however deep it is called. */
  #input(input: PowEvent): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const { state, effects } = stepPow(this.#state, { ...next, nowMs: this.#options.clock.nowMs() });
        this.#state = state;
        if (next.kind === "message") this.#hear(next.message);
        this.#perform(effects);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isStepping = false;
    }
  }

  #hear(message: PowMessage): void {
    if (message.kind !== "headers" && message.kind !== "announce") return;
    // Headers with work only: what a message says its headers are may be made up.
    for (const { point } of this.#state.leaves.values())
      this.#highestHeader = Math.max(this.#highestHeader, point.height);
  }

  #perform(effects: readonly PowEffect[]): void {
    for (const effect of effects) {
      if (this.#stopped) return;
      this.#performOne(effect);
    }
  }

  #performOne(effect: PowEffect): void {
    const { clock, store, config } = this.#options;
    switch (effect.kind) {
      case "send":
        this.#send(effect.to, effect.message);
        return;
      case "setTimer":
        this.#cancelTimer();
        this.#cancelTimer = clock.after(effect.delayMs, () => this.#input({ kind: "timer" }));
        return;
      case "connect":
      case "disconnect":
        this.#change(effect);
        return;
      case "finalized":
        this.#finalize(effect.block.height);
        return;
      case "mine":
        this.#mining.mine(effect);
        return;
      case "stopMining":
        this.#mining.pause();
        return;
      case "halt":
        this.#fail(Object.assign(new Error(effect.message), { code: effect.reason }));
        return;
      case "serveBlock": {
        const { height } = effect.block;
        const block = isInChain(store, effect.block) ? readPowBlock(store, height) : undefined;
        if (block !== undefined) this.#send(effect.to, { kind: "block", block });
        return;
      }
      case "serveHeaders":
        this.#send(effect.to, { kind: "headers", headers: headersAfter(store, effect.locator) });
        return;
      case "readChainPoint": {
        const { block } = effect;
        const point = isInChain(store, block) ? readChainPoint(store, config, block.height) : undefined;
        this.#input({ kind: "chain-point", block, point });
        return;
      }
      case "fault":
        this.#conduct.fault(effect.peer, effect.code, effect.message);
        return;
      case "invalid":
        this.#options.log("warn", "a block is not valid", {
          height: effect.block.height,
          id: toHex(effect.block.id),
          reason: effect.reason,
        });
        return;
      default:
        effect satisfies never;
    }
  }

  /** One block on or off; the engine waits for the answer before it asks for the next. */
  #change(effect: EffectOf<"connect"> | EffectOf<"disconnect">): void {
    const changed =
      effect.kind === "connect" ? this.#executor.connect(effect) : this.#executor.disconnect(effect);
    changed.then(
      (answer) => this.#input(answer),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Not synced: after a crash the height is found again, by its depth. */
  #finalize(height: number): void {
    const { store, listener } = this.#options;
    this.#finalized = Math.max(this.#finalized, height);
    store
      .write(finalizedHeightOperations(store, height), { sync: false })
      .then(() => listener.finalized(height))
      .catch((error: unknown) => this.#fail(error));
  }

  #send(to: PeerId, message: PowMessage): void {
    this.#options.network.send(to, channelOf(message), encodePowMessage(message));
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    // It says and mines nothing more from here on, whatever its listener does.
    void this.stop();
    const { message, code, stack } = error as { message?: string; code?: string; stack?: string };
    this.#options.log("error", "the node cannot go on", { code, reason: message ?? String(error), stack });
    this.#options.listener.failed({ code: code ?? "node/failed", message: message ?? String(error) });
  }
}

/** What is new comes before what is old. */
function channelOf(message: PowMessage): Channel {
  switch (message.kind) {
    case "inventory":
    case "announce":
    case "get-headers":
    case "get-block":
      return "consensus";
    case "headers":
    case "block":
      return "sync";
    default:
      return message satisfies never;
  }
}
