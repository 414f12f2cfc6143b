import { Address, concatBytes, type Hash, must, utf8 } from "@ostrom/base";
import { earliestTimestampMs, genesisPoint, nextTarget, pointAfter } from "../chain-point.ts";
import { headerId, payloadHash } from "../header.ts";
import { keyOf } from "../state.ts";
import {
  type ChainPoint,
  MAX_HEADERS_PER_MESSAGE,
  type PowBlock,
  type PowConfig,
  type PowHeader,
  type PowMessage,
} from "../types.ts";
import { sealed, sha256, type World } from "./world.ts";

type Known = { readonly header: PowHeader; readonly point: ChainPoint; readonly executedHash: Hash };

/** The strategy of Eyal and Sirer, "Majority is not Enough" (2014), figure 1: blocks are held back, and published just when that makes
 * others' work worthless. It trusts headers, which is cheaper and right here: honest miners make no invalid blocks. */
export class SelfishMiner {
  readonly name: string;
  readonly world: World;
  readonly config: PowConfig;
  readonly address: Address;
  readonly #known = new Map<string, Known>();
  readonly #payloads = new Map<string, Uint8Array>();
  readonly #published = new Set<string>();
  readonly #peers = new Set<string>();
  readonly #hashesPerMs: number;
  /** Own blocks above the point where the private branch leaves the public chain. */
  #privateTip: Known;
  #publicTip: Known;
  #branchLength = 0;
  #mineRound = 0;

  constructor(world: World, name: string, config: PowConfig, hashesPerMs: number) {
    this.world = world;
    this.name = name;
    this.config = config;
    this.address = Address(sha256(utf8(name)).slice(0, 20));
    this.#hashesPerMs = hashesPerMs;
    const point = genesisPoint(config);
    const genesis = {
      header: undefined as unknown as PowHeader,
      point,
      executedHash: config.genesis.executedHash,
    };
    this.#known.set(keyOf(point.id), genesis);
    this.#privateTip = genesis;
    this.#publicTip = genesis;
    world.join(this);
    world.after(0, () => this.#mine());
  }

  onLink(peer: string, isUp: boolean): void {
    if (!isUp) {
      this.#peers.delete(peer);
      return;
    }
    this.#peers.add(peer);
    const { point } = this.#publicTip;
    this.world.send(this.name, peer, {
      kind: "inventory",
      tip: { height: point.height, id: point.id },
      totalWork: point.totalWork,
    });
  }

  onMessage(from: string, message: PowMessage): void {
    if (message.kind === "announce" || message.kind === "headers") {
      for (const header of message.headers) this.#learn(header);
      const last = message.headers.at(-1);
      if (last !== undefined && !this.#known.has(keyOf(headerId(this.config.domain, last)))) this.#ask(from);
    } else if (message.kind === "inventory") {
      if (!this.#known.has(keyOf(message.tip.id))) this.#ask(from);
    } else if (message.kind === "get-block") {
      const key = keyOf(message.block.id);
      const payload = this.#payloads.get(key);
      const known = this.#known.get(key);
      if (payload === undefined || known === undefined || !this.#published.has(key)) return;
      this.world.send(this.name, from, { kind: "block", block: { header: known.header, payload } });
    } else if (message.kind === "get-headers") {
      this.#serveHeaders(from, message.locator);
    }
  }

  #ask(peer: string): void {
    const locator: { height: ChainPoint["height"]; id: Hash }[] = [];
    for (let at = this.#publicTip; locator.length < 30; at = this.#parentOf(at)) {
      locator.push({ height: at.point.height, id: at.point.id });
      if (at.point.height === 0) break;
    }
    this.world.send(this.name, peer, { kind: "get-headers", locator });
  }

  #serveHeaders(to: string, locator: readonly { readonly id: Hash }[]): void {
    const asked = new Set(locator.map(({ id }) => keyOf(id)));
    const headers: PowHeader[] = [];
    for (let at = this.#newestPublished(); at.point.height > 0; at = this.#parentOf(at)) {
      if (asked.has(keyOf(at.point.id))) break;
      headers.push(at.header);
    }
    const answer = headers.reverse().slice(0, MAX_HEADERS_PER_MESSAGE);
    this.world.send(this.name, to, { kind: "headers", headers: answer });
  }

  #newestPublished(): Known {
    let at = this.#privateTip;
    while (this.#payloads.has(keyOf(at.point.id)) && !this.#published.has(keyOf(at.point.id))) {
      at = this.#parentOf(at);
    }
    return at.point.totalWork > this.#publicTip.point.totalWork ? at : this.#publicTip;
  }

  #learn(header: PowHeader): void {
    const id = headerId(this.config.domain, header);
    if (this.#known.has(keyOf(id))) return;
    const known = this.#add(header, id);
    if (known !== undefined && known.point.totalWork > this.#publicTip.point.totalWork) {
      this.#publicTip = known;
      this.#onPublicBlock(known);
    }
  }

  #add(header: PowHeader, id: Hash): Known | undefined {
    const parent = this.#known.get(keyOf(header.parent));
    if (parent === undefined) return undefined;
    const known = {
      header,
      point: pointAfter(parent.point, header, id),
      executedHash: sha256(concatBytes(parent.executedHash, id)),
    };
    this.#known.set(keyOf(id), known);
    return known;
  }

  /** Others found a block. */
  #onPublicBlock(tip: Known): void {
    const lead = this.#privateTip.point.height - tip.point.height;
    if (lead < 0) {
      this.#privateTip = tip;
      this.#branchLength = 0;
      this.#mine();
    } else if (lead === 1) {
      this.#publishThrough(this.#privateTip.point.height);
      this.#publicTip = this.#privateTip;
      this.#branchLength = 0;
    } else {
      // A race at equal length, or a lead so long that one block shown for each of theirs keeps it.
      this.#publishThrough(tip.point.height);
    }
  }

  /** The own branch grew. */
  #onOwnBlock(): void {
    const lead = this.#privateTip.point.height - this.#publicTip.point.height;
    const wasRace = lead === 1 && this.#branchLength >= 2;
    if (!wasRace) return;
    this.#publishThrough(this.#privateTip.point.height);
    this.#publicTip = this.#privateTip;
    this.#branchLength = 0;
  }

  #publishThrough(height: number): void {
    const headers: PowHeader[] = [];
    for (let at = this.#privateTip; at.point.height > 0; at = this.#parentOf(at)) {
      const key = keyOf(at.point.id);
      if (!this.#payloads.has(key) || this.#published.has(key)) break;
      if (at.point.height > height) continue;
      this.#published.add(key);
      headers.push(at.header);
    }
    if (headers.length === 0) return;
    headers.reverse();
    for (const peer of this.#peers) this.world.send(this.name, peer, { kind: "announce", headers });
  }

  #mine(): void {
    const round = ++this.#mineRound;
    const parent = this.#privateTip;
    const timeMs = this.world.miningTimeMs(nextTarget(this.config, parent.point), this.#hashesPerMs);
    this.world.after(timeMs, () => {
      if (round !== this.#mineRound) return;
      const block = this.#assemble(parent);
      const id = headerId(this.config.domain, block.header);
      this.#privateTip = must(this.#add(block.header, id), "the own branch is known");
      this.#payloads.set(keyOf(id), block.payload);
      this.#branchLength++;
      this.#onOwnBlock();
      this.#mine();
    });
  }

  #assemble({ point, executedHash }: Known): PowBlock {
    const payload = this.world.random.bytes(8);
    payload[0] = 0;
    return {
      header: {
        parent: point.id,
        height: (point.height + 1) as ChainPoint["height"],
        timestampMs: Math.max(earliestTimestampMs(point), Math.floor(this.world.timeMs)),
        target: nextTarget(this.config, point),
        payloadHash: payloadHash(this.config.domain, payload),
        parentExecutedHash: executedHash,
        miner: this.address,
        nonce: sealed(),
      },
      payload,
    };
  }

  #parentOf({ header }: Known): Known {
    return must(this.#known.get(keyOf(header.parent)), "all ancestors are known");
  }
}

/** The share of the chain's blocks that the strategy earns in the long run: Eyal and Sirer, equation 8.
 * @param share of all work that is the attacker's, below 1/2. @param gamma of the others that side with it in a race. */
export function selfishRevenue(share: number, gamma: number): number {
  const won = share * (1 - share) ** 2 * (4 * share + gamma * (1 - 2 * share)) - share ** 3;
  return won / (1 - share * (1 + (2 - share) * share));
}
