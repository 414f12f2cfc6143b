import { Address, concatBytes, type Hash, Height, must } from "@ostrom/base";
import { earliestTimestampMs, genesisPoint, nextTarget, pointAfter } from "../chain-point.ts";
import { headerId, payloadHash } from "../header.ts";
import { keyOf } from "../state.ts";
import {
  type BlockRef,
  type ChainPoint,
  MAX_HEADERS_PER_MESSAGE,
  type PowConfig,
  type PowHeader,
  type PowMessage,
} from "../types.ts";
import { sealed, sha256, type World } from "./world.ts";

/** A peer without a node, that says what a test has it say. */
export class HostilePeer {
  readonly name: string;
  readonly world: World;
  readonly config: PowConfig;
  readonly heard: { readonly from: string; readonly message: PowMessage }[] = [];
  readonly linked: Set<string> = new Set();
  answer: (from: string, message: PowMessage) => void = () => undefined;

  constructor(world: World, name: string, config: PowConfig) {
    this.world = world;
    this.name = name;
    this.config = config;
    world.join(this);
  }

  onLink(peer: string, isUp: boolean): void {
    if (isUp) this.linked.add(peer);
    else this.linked.delete(peer);
  }

  onMessage(from: string, message: PowMessage): void {
    this.heard.push({ from, message });
    this.answer(from, message);
  }

  say(to: string, message: PowMessage): void {
    this.world.send(this.name, to, message);
  }

  /** Blocks on a point, with work unless it is said otherwise. Execution takes them if the point is genesis. */
  forge(start: ChainPoint, count: number, options: ForgeOptions = {}): readonly ForgedHeader[] {
    const forged: ForgedHeader[] = [];
    let executedHash = this.config.genesis.executedHash;
    for (let point = start; forged.length < count; ) {
      const payload = this.world.random.bytes(4);
      payload[0] = 0;
      const earliestMs = earliestTimestampMs(point);
      const header: PowHeader = {
        parent: point.id,
        height: Height(point.height + 1),
        timestampMs: options.timestampMs?.(forged.length, earliestMs) ?? earliestMs,
        target: nextTarget(this.config, point),
        payloadHash: payloadHash(this.config.domain, payload),
        parentExecutedHash: executedHash,
        miner: Address(new Uint8Array(20).fill(0xbb)),
        nonce: options.lacksWork === true ? 0n : sealed(),
        ...options.change,
      };
      const id = headerId(this.config.domain, header);
      point = pointAfter(point, header, id);
      executedHash = sha256(concatBytes(executedHash, id));
      forged.push({ header, point, payload });
    }
    return forged;
  }

  /** Answers questions for headers, and if it is said so for bodies, out of one chain. */
  serve(chain: readonly ForgedHeader[], servesBodies = false): void {
    const heights = new Map<string, number>([[keyOf(genesisPoint(this.config).id), 0]]);
    for (const { point } of chain) heights.set(keyOf(point.id), point.height);
    this.answer = (from, message) => {
      if (message.kind === "get-block" && servesBodies) {
        const block = chain.find(({ point }) => keyOf(point.id) === keyOf(message.block.id));
        if (block !== undefined) this.say(from, { kind: "block", block });
      }
      if (message.kind !== "get-headers") return;
      const known = message.locator.find(({ id }) => heights.has(keyOf(id)));
      const above = known === undefined ? 0 : must(heights.get(keyOf(known.id)), "it was found");
      const headers = chain
        .filter(({ point }) => point.height > above)
        .slice(0, MAX_HEADERS_PER_MESSAGE)
        .map(({ header }) => header);
      this.say(from, { kind: "headers", headers });
    };
  }

  claim(to: string, tip: BlockRef, totalWork: bigint): void {
    this.say(to, { kind: "inventory", tip, totalWork });
  }
}

export type ForgedHeader = {
  readonly header: PowHeader;
  readonly point: ChainPoint;
  readonly payload: Uint8Array;
};

export type ForgeOptions = {
  readonly lacksWork?: boolean;
  readonly change?: Partial<PowHeader>;
  readonly timestampMs?: (index: number, earliestMs: number) => number;
};

export function idOf(ref: { readonly id: Hash }): string {
  return keyOf(ref.id);
}
