import assert from "node:assert/strict";
import { Address, type Bytes, concatBytes, equalBytes, type Hash, Height, utf8 } from "@ostrom/base";
import { genesisPoint } from "../chain-point.ts";
import { headerId, payloadHash } from "../header.ts";
import { baseOf, headOf, keyOf, type PowState } from "../state.ts";
import { startPow, stepPow } from "../step.ts";
import {
  type BlockRef,
  type ChainPoint,
  MAX_HEADERS_PER_MESSAGE,
  type Mine,
  type PowBlock,
  type PowConfig,
  type PowEffect,
  type PowInputKind,
  type PowMessage,
  type RecoveredChain,
} from "../types.ts";
import { fromGenesis, sealed, sha256, type World } from "./world.ts";

/** A payload that execution refuses begins with this. */
const INVALID_PAYLOAD = 0xee;

/** How a miner may deviate. All of them send what they have. */
export type MinerHabit =
  | "honest"
  /** Writes the greatest time that others take. */
  | "times-ahead"
  /** Writes the least time that the rules allow. */
  | "times-behind"
  /** Commits to a false executed hash of the parent. */
  | "false-executed-hash"
  /** Puts in what execution refuses. */
  | "invalid-payload";

export type MinerOptions = {
  readonly name: string;
  readonly config: PowConfig;
  readonly habit?: MinerHabit;
  /** At a time; 0 does not mine. */
  readonly hashesPerMs?: (timeMs: number) => number;
  readonly maxExecutionMs?: number;
  readonly maxPayloadBytes?: number;
  /** Added to the world's clock. */
  readonly clockSkewMs?: number;
};

type StoredBlock = { readonly block: PowBlock; readonly point: ChainPoint; readonly executedHash: Hash };

/** One node: the engine under test, a store that outlives crashes, an execution that takes its time, and a miner. */
export class MinerNode {
  readonly name: string;
  readonly options: MinerOptions;
  readonly world: World;
  readonly faults: { readonly peer: string; readonly code: string; readonly message: string }[] = [];
  readonly invalid: BlockRef[] = [];
  /** By height, from 1: what execution has made durable. */
  readonly chain: StoredBlock[] = [];
  /** Every block that was told to be final, by height. */
  readonly finalized: Map<number, string> = new Map();
  state: PowState;
  halted: string | undefined;
  isUp = true;
  deepestReorganisation = 0;
  maxRecords = 0;
  maxBodyBytes = 0;
  dropsFaultyPeers = true;
  #life = 0;
  #mineRound = 0;
  #disconnectedInRow = 0;
  readonly #peers = new Set<string>();
  /** What a miner with a bad habit made, to be served although its own engine found it invalid. */
  readonly #rogueBlocks = new Map<string, PowBlock>();

  constructor(world: World, options: MinerOptions) {
    this.world = world;
    this.options = options;
    this.name = options.name;
    world.join(this);
    const { state, effects } = startPow(options.config, fromGenesis(options.config), this.nowMs);
    this.state = state;
    world.after(0, () => this.#perform(effects));
  }

  get nowMs(): number {
    return Math.floor(this.world.timeMs + (this.options.clockSkewMs ?? 0));
  }

  get address(): Address {
    return Address(sha256(utf8(this.name)).slice(0, 20));
  }

  get head(): ChainPoint {
    return headOf(this.state).point;
  }

  /** Hexadecimal id of the executed block of that height. */
  idAt(height: number): string | undefined {
    const stored = this.chain[height - 1];
    return stored === undefined ? undefined : keyOf(stored.point.id);
  }

  onLink(peer: string, isUp: boolean): void {
    if (isUp) this.#peers.add(peer);
    else this.#peers.delete(peer);
    if (this.isUp) this.step({ kind: isUp ? "peer-connected" : "peer-disconnected", peer });
  }

  onMessage(from: string, message: PowMessage): void {
    if (this.isUp) this.step({ kind: "message", from, message });
  }

  step(input: PowInputKind): void {
    const { state, effects } = stepPow(this.state, { ...input, nowMs: this.nowMs });
    this.state = state;
    this.maxRecords = Math.max(this.maxRecords, state.records.size);
    this.maxBodyBytes = Math.max(this.maxBodyBytes, state.bodyBytes);
    this.#perform(effects);
  }

  /** Everything but the store is lost, at any moment. */
  crash(): void {
    this.isUp = false;
    this.#life++;
  }

  restart(): void {
    assert.ok(!this.isUp);
    this.isUp = true;
    const { state, effects } = startPow(this.options.config, this.#recovered(), this.nowMs);
    this.state = state;
    this.#perform(effects);
    for (const peer of this.#peers) this.step({ kind: "peer-connected", peer });
  }

  /** The newest of its blocks as a store gives them, no more than a reorganisation may need. */
  #recovered(): RecoveredChain {
    const { config } = this.options;
    const baseHeight = Math.max(0, this.chain.length - config.maxReorgDepth);
    const base = this.chain[baseHeight - 1];
    if (base === undefined) {
      const blocks = this.chain.map(({ block, executedHash }) => ({ header: block.header, executedHash }));
      return { ...fromGenesis(config), blocks };
    }
    return {
      base: base.point,
      baseExecutedHash: base.executedHash,
      blocks: this.chain
        .slice(baseHeight)
        .map(({ block, executedHash }) => ({ header: block.header, executedHash })),
      older: this.chain
        .slice(0, baseHeight - 1)
        .filter(({ point }) => point.height % 16 === 0)
        .map(({ point }) => ({ height: point.height, id: point.id }))
        .slice(-16),
    };
  }

  #perform(effects: readonly PowEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: PowEffect): void {
    switch (effect.kind) {
      case "send":
        this.world.send(this.name, effect.to, effect.message);
        return;
      case "setTimer":
        this.#later(effect.delayMs, () => this.step({ kind: "timer" }));
        return;
      case "connect":
        this.#later(this.#executionMs(), () => this.#connect(effect.block, effect.point));
        return;
      case "disconnect":
        this.#later(this.#executionMs(), () => this.#disconnect(effect.block));
        return;
      case "finalized":
        this.finalized.set(effect.block.height, keyOf(effect.block.id));
        return;
      case "mine":
        assert.equal(effect.height, this.chain.length + 1, "mining begins on the executed head");
        this.#mine(effect);
        return;
      case "stopMining":
        this.#mineRound++;
        return;
      case "halt":
        this.halted = effect.message;
        return;
      case "serveBlock":
        this.#serveBlock(effect.to, effect.block);
        return;
      case "serveHeaders":
        this.#serveHeaders(effect.to, effect.locator);
        return;
      case "readChainPoint":
        this.#later(1, () => this.#readChainPoint(effect.block));
        return;
      case "fault":
        this.faults.push(effect);
        if (this.dropsFaultyPeers) this.world.after(0, () => this.world.unlink(this.name, effect.peer));
        return;
      case "invalid":
        this.invalid.push(effect.block);
        return;
      default:
        effect satisfies never;
    }
  }

  #later(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.world.after(delayMs, () => {
      if (this.isUp && life === this.#life) run();
    });
  }

  #executionMs(): number {
    return 1 + this.world.random.below(this.options.maxExecutionMs ?? 20);
  }

  #connect(block: PowBlock, point: ChainPoint): void {
    const { domain } = this.options.config;
    const parent = this.chain.at(-1);
    const parentPoint = parent?.point ?? genesisPoint(this.options.config);
    assert.ok(equalBytes(block.header.parent, parentPoint.id), "blocks are executed on their parents");
    assert.equal(point.height, this.chain.length + 1);
    this.#disconnectedInRow = 0;
    const id = headerId(domain, block.header);
    if (block.payload[0] === INVALID_PAYLOAD) {
      this.step({ kind: "rejected", id, reason: "the payload says so" });
      return;
    }
    const executedHash = sha256(concatBytes(this.#executedHashAt(this.chain.length), id));
    this.chain.push({ block, point, executedHash });
    this.step({ kind: "connected", id, executedHash });
  }

  #disconnect(block: BlockRef): void {
    const stored = this.chain.pop();
    assert.ok(stored !== undefined && equalBytes(stored.point.id, block.id), "only the head is taken off");
    this.deepestReorganisation = Math.max(this.deepestReorganisation, ++this.#disconnectedInRow);
    const isAtHand = this.world.random.chance(9, 10);
    this.step({
      kind: "disconnected",
      id: block.id,
      payload: isAtHand ? stored.block.payload : undefined,
    });
  }

  #executedHashAt(height: number): Hash {
    return this.chain[height - 1]?.executedHash ?? this.options.config.genesis.executedHash;
  }

  #mine(template: Mine): void {
    const round = ++this.#mineRound;
    const rate = this.options.hashesPerMs?.(this.world.timeMs) ?? 0;
    if (rate <= 0) {
      if (this.options.hashesPerMs !== undefined) this.#later(1000, () => this.#mineAgain(template, round));
      return;
    }
    const { targetIntervalMs } = this.options.config;
    const timeMs = this.world.miningTimeMs(template.target, rate);
    // Finding is memoryless: a miner whose rate may change draws again now and then.
    if (timeMs > targetIntervalMs) {
      this.#later(targetIntervalMs, () => this.#mineAgain(template, round));
      return;
    }
    this.#later(timeMs, () => {
      if (round !== this.#mineRound) return;
      const block = this.#assemble(template);
      if ((this.options.habit ?? "honest") !== "honest") {
        this.#rogueBlocks.set(keyOf(headerId(this.options.config.domain, block.header)), block);
      }
      this.step({ kind: "mined", block });
    });
  }

  #mineAgain(template: Mine, round: number): void {
    if (round === this.#mineRound) this.#mine(template);
  }

  #assemble(template: Mine): PowBlock {
    const { domain, clockToleranceMs } = this.options.config;
    const { habit = "honest", maxPayloadBytes = 40 } = this.options;
    const payload: Bytes = this.world.random.bytes(1 + this.world.random.below(maxPayloadBytes));
    payload[0] = habit === "invalid-payload" ? INVALID_PAYLOAD : 0;
    const wished =
      habit === "times-ahead" ? this.nowMs + clockToleranceMs : habit === "times-behind" ? 0 : this.nowMs;
    const isFalse = habit === "false-executed-hash";
    return {
      header: {
        parent: template.parent.id,
        height: template.height,
        timestampMs: Math.max(template.earliestTimestampMs, wished),
        target: template.target,
        payloadHash: payloadHash(domain, payload),
        parentExecutedHash: isFalse ? sha256(template.parentExecutedHash) : template.parentExecutedHash,
        miner: this.address,
        nonce: sealed(),
      },
      payload,
    };
  }

  #serveBlock(to: string, { height, id }: BlockRef): void {
    const stored = this.chain[height - 1];
    const isStored = stored !== undefined && equalBytes(stored.point.id, id);
    const block = isStored ? stored.block : this.#rogueBlocks.get(keyOf(id));
    if (block !== undefined) this.world.send(this.name, to, { kind: "block", block });
  }

  #serveHeaders(to: string, locator: readonly BlockRef[]): void {
    const known = locator.find(({ height, id }) => this.idAt(height) === keyOf(id));
    const from = known?.height ?? 0;
    const headers = this.chain.slice(from, from + MAX_HEADERS_PER_MESSAGE).map(({ block }) => block.header);
    this.world.send(this.name, to, { kind: "headers", headers });
  }

  #readChainPoint(block: BlockRef): void {
    const stored = this.chain[block.height - 1];
    const point = block.height === 0 ? genesisPoint(this.options.config) : stored?.point;
    const isSame = point !== undefined && equalBytes(point.id, block.id);
    this.step({ kind: "chain-point", block, point: isSame ? point : undefined });
  }

  /** What must hold at any time. */
  check(): void {
    const { config } = this.options;
    assert.ok(this.state.records.size > 0 && baseOf(this.state).point.height <= this.chain.length);
    assert.ok(this.state.bodyBytes <= config.maxBodyBytes, `${this.name}: bodies are bounded`);
    assert.ok(
      this.deepestReorganisation <= config.maxReorgDepth,
      `${this.name}: reorganisations are no deeper than allowed`,
    );
    for (const [height, id] of this.finalized) {
      if (this.idAt(Height(height)) !== undefined) {
        assert.equal(this.idAt(height), id, `${this.name}: height ${height} was final`);
      }
    }
  }
}
