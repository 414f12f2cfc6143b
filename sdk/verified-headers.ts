import { equalBytes, type Hash, hashFromWord, must, toHex } from "@ostrom/base";
import { type ValidatorSet, validatorSetHash } from "@ostrom/consensus";
import {
  chainHash,
  decodeHeader,
  epochOfHeight,
  type Header,
  HISTORY_STORAGE_ADDRESS,
  hashHeader,
} from "@ostrom/execution";
import { readClaim, readSet, verifyCertified } from "./certified-header.ts";
import type { LightChain } from "./chain.ts";
import { accept, refuse } from "./failure.ts";
import { readArray, readData } from "./read-json.ts";
import type { LightServer } from "./server.ts";
import { type Answers, type Ask, askOne } from "./servers.ts";
import { verifyStateProof } from "./state-proof.ts";
import type { Trust } from "./trust.ts";

/** A header that is known to be in the chain. */
export type VerifiedHeader = {
  readonly header: Header;
  readonly hash: Hash;
  /** Of the chain's hash function: the header's roots are by it, too. */
  readonly hashId: number;
};

/** Blocks whose hashes the state of a block holds. Source: EIP-2935, HISTORY_SERVE_WINDOW. */
const HISTORY_WINDOW = 8_191;
/** From a header to an older one by its parents, at most. */
const MAX_PARENTS = 1_024;
/** Headers in one answer. */
const HEADERS_AT_ONCE = 512;
/** From the head to so near an ancestor by its parents: that is shorter than a proof. */
const NEAR = 16;
const MAX_KEPT = 4_096;

/** Reads a header's RLP, which must be of this height. Refuses with `light/malformed`. */
export function readHeader(value: unknown, height: number, hashId: number): VerifiedHeader {
  const decoded = decodeHeader(readData(value, "header"));
  if (!decoded.ok) return refuse("light/malformed", decoded.error.message);
  if (decoded.value.number !== height) refuse("light/malformed", `the header is not of block ${height}`);
  return { header: decoded.value, hash: hashHeader(decoded.value, hashId), hashId };
}

export type HeaderGround = {
  readonly chain: LightChain;
  readonly ask: Ask;
  readonly trust: () => Trust;
  readonly nowMs: () => number;
  readonly trustingPeriodMs: number;
};

/** Finds older headers under the newest verified one. Methods throw a Refusal; `light/beyond-reach` is for what nothing proves any
 * more: the state holds 8,191 hashes, and the signatures of sets that have long gone count for nothing. */
export class VerifiedHeaders {
  readonly #ground: HeaderGround;
  readonly #kept = new Map<number, VerifiedHeader>();

  constructor(ground: HeaderGround) {
    this.#ground = ground;
  }

  get #hashId(): number {
    return this.#ground.chain.rules.hashId;
  }

  /** The header of a height that is not above the head. */
  async at(height: number): Promise<VerifiedHeader> {
    const [found] = await this.range(height, height);
    return must(found, "a range of one has one");
  }

  /** Headers of heights, both included, in order. */
  async range(from: number, to: number): Promise<readonly VerifiedHeader[]> {
    const { head } = this.#ground.trust();
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) {
      refuse("light/malformed", `there are no blocks ${from} to ${to}`);
    }
    if (to > head.height) refuse("light/not-available", `block ${to} is above the newest verified one`);
    if (to - from >= MAX_PARENTS) refuse("light/too-large", `more than ${MAX_PARENTS} blocks at once`);
    this.#keep({ header: head.header, hash: head.hash, hashId: this.#hashId });
    let anchor = this.#anchorOf(to) ?? (await this.#prove(to));
    const found: VerifiedHeader[] = anchor.header.number <= to ? [anchor] : [];
    while (anchor.header.number > from) {
      const parents = await this.#parents(anchor, from);
      for (const parent of parents) {
        this.#keep(parent);
        if (parent.header.number <= to) found.push(parent);
        anchor = parent;
      }
    }
    return found.reverse();
  }

  /** A known header at or closely above a height. */
  #anchorOf(height: number): VerifiedHeader | undefined {
    for (let number = height; number <= height + NEAR; number++) {
      const kept = this.#kept.get(number);
      if (kept !== undefined) return kept;
    }
    return undefined;
  }

  /** Ancestors of a known header, newest first, down to `from` or as many as fit. */
  async #parents(anchor: VerifiedHeader, from: number): Promise<readonly VerifiedHeader[]> {
    const { number } = anchor.header;
    const kept = this.#kept.get(number - 1);
    if (kept !== undefined && equalBytes(kept.hash, anchor.header.parentHash)) return [kept];
    const count = Math.min(number - from, HEADERS_AT_ONCE);
    const call = { method: "ostrom_getHeaders", params: [toQuantity(number - count), count] };
    return this.#ground.ask([call], (answers) => {
      const texts = readArray(answers.at(0), "headers", count);
      const found: VerifiedHeader[] = [];
      let { parentHash } = anchor.header;
      for (let height = number - 1; height >= number - count; height--) {
        const read = readHeader(texts[height - (number - count)], height, this.#hashId);
        if (!equalBytes(read.hash, parentHash))
          refuse("light/wrong-header", `not the parent of block ${height + 1}`);
        parentHash = read.header.parentHash;
        found.push(read);
      }
      return found;
    });
  }

  /** A header at a height or closely above it: by the hash that the head's state holds, or by a certificate of its own. */
  async #prove(height: number): Promise<VerifiedHeader> {
    const { head } = this.#ground.trust();
    if (height === 0) return this.#genesis();
    if (head.height - height <= HISTORY_WINDOW) {
      const held = await this.#byHistory(height, {
        header: head.header,
        hash: head.hash,
        hashId: this.#hashId,
      });
      if (held !== undefined) return held;
    }
    return this.#byCertificate(height);
  }

  #genesis(): Promise<VerifiedHeader> {
    const call = { method: "ostrom_getHeaders", params: [toQuantity(0), 1] };
    return this.#ground.ask([call], (answers) => {
      const read = readHeader(readArray(answers.at(0), "headers", 1)[0], 0, this.#hashId);
      if (!equalBytes(read.hash, this.#ground.chain.genesisHash))
        refuse("light/wrong-chain", "another genesis");
      this.#keep(read);
      return read;
    });
  }

  /** @returns undefined if this chain's state keeps no hashes (rules before Prague). Source: EIP-2935. */
  #byHistory(height: number, head: VerifiedHeader): Promise<VerifiedHeader | undefined> {
    const slot = BigInt(height % HISTORY_WINDOW);
    const calls = [
      {
        method: "eth_getProof",
        params: [toHex(HISTORY_STORAGE_ADDRESS), [toHex(hashFromWord(slot))], toQuantity(head.header.number)],
      },
      { method: "ostrom_getHeaders", params: [toQuantity(height), 1] },
    ];
    return this.#ground.ask(calls, (answers) => {
      const { stateRoot } = head.header;
      const hash = chainHash(this.#ground.chain.rules);
      const proved = accept(
        verifyStateProof(stateRoot, HISTORY_STORAGE_ADDRESS, [slot], answers.at(0), hash),
      );
      const [word] = proved.slots;
      if (word === undefined || word === 0n) return undefined;
      const read = readHeader(readArray(answers.at(1), "headers", 1)[0], height, this.#hashId);
      if (!equalBytes(read.hash, hashFromWord(word))) refuse("light/wrong-header", `not block ${height}`);
      this.#keep(read);
      return read;
    });
  }

  #byCertificate(height: number): Promise<VerifiedHeader> {
    const { chain, ask } = this.#ground;
    const call = { method: "ostrom_getStateCertificate", params: [toQuantity(height)] };
    return ask([call], async (answers: Answers, server) => {
      const answer = answers.at(0) ?? refuse("light/not-available", `no certificate at block ${height}`);
      const claim = accept(readClaim(answer, this.#hashId));
      const { number } = claim.header;
      if (number < height || number - height > MAX_PARENTS) {
        refuse("light/wrong-header", `the certificate of block ${number} does not help for block ${height}`);
      }
      const epoch = epochOfHeight(chain.epochs, number);
      const set = await this.#setOf(epoch, server);
      const { epochs, head } = this.#ground.trust();
      const { timestamp } = claim.header;
      if (timestamp < (epochs.get(epoch)?.namedAt ?? 0) || timestamp > head.header.timestamp) {
        refuse("light/time-order", `the time of block ${number} contradicts what is known of its epoch`);
      }
      const certified = accept(verifyCertified(chain, set, claim, this.#ground.nowMs()));
      const read = { header: certified.header, hash: certified.hash, hashId: this.#hashId };
      this.#keep(read);
      return read;
    });
  }

  /** The set of an epoch that was proved on the way, if its signatures still count. */
  async #setOf(epoch: number, server: LightServer): Promise<ValidatorSet> {
    const { chain, nowMs, trustingPeriodMs } = this.#ground;
    const { epochs, set } = this.#ground.trust();
    if (set.epoch === epoch) return set;
    const named = epochs.get(epoch);
    const next = epochs.get(epoch + 1);
    if (named === undefined || next === undefined || nowMs() - next.namedAt * 1000 > trustingPeriodMs) {
      refuse(
        "light/beyond-reach",
        `nothing proves blocks of epoch ${epoch} any more: its validators may have left and sold their keys`,
      );
    }
    const answers = await askOne(server, [{ method: "ostrom_getValidators", params: [toQuantity(epoch)] }]);
    const claimed = accept(readSet(answers.at(0)));
    if (claimed.epoch !== epoch || !equalBytes(validatorSetHash(chain.domain, claimed), named.setHash)) {
      refuse("light/wrong-set", `not the set of epoch ${epoch}`);
    }
    return claimed;
  }

  #keep(read: VerifiedHeader): void {
    this.#kept.set(read.header.number, read);
    if (this.#kept.size > MAX_KEPT)
      this.#kept.delete(must(this.#kept.keys().next().value, "it is not empty"));
  }
}

function toQuantity(value: number): string {
  return `0x${value.toString(16)}`;
}
