import { type Address, equalBytes, type Hash, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  type ChainRules,
  checkPayload,
  decodePayload,
  decodeTransaction,
  EMPTY_PAYLOAD,
  encodePayload,
} from "@ostrom/execution";
import type { BuildPayload, CheckBlock, OrderedBlock, StateCertificate } from "@ostrom/consensus";
import type { TransactionPool } from "@ostrom/txpool";
import type { BuiltPayload } from "./ordering.ts";
import type { Clock, Log } from "./ports.ts";
import { senderOf, type SignatureChecker } from "./signature-checker.ts";

export type PayloadLimits = {
  readonly maxPayloadBytes: number;
  readonly executionWindowGas: bigint;
  /** How far a block's time may be ahead of this node's clock. */
  readonly clockToleranceMs: number;
};

export type PayloadDeskPorts = {
  readonly clock: Clock;
  readonly log: Log;
  readonly pool: TransactionPool;
  readonly checker: SignatureChecker;
  /** Base fee that the next executed block will have, as far as this node knows. */
  readonly baseFee: () => bigint;
  readonly newestCertificate: () => StateCertificate | undefined;
  /** Tells ordering whether there is something to include. */
  readonly work: (pending: boolean) => void;
  readonly failed: (error: unknown) => void;
};

type PayloadFacts = { readonly hashes: readonly Hash[]; readonly gas: bigint };

type OpenBuild = {
  readonly request: BuildPayload;
  readonly answer: (built: BuiltPayload) => void;
  cancelTimer: () => void;
};

/** Makes the payloads of this node's proposals and checks those of others: what consensus itself cannot read. */
export class PayloadDesk {
  readonly #rules: ChainRules;
  readonly #limits: PayloadLimits;
  readonly #ports: PayloadDeskPorts;
  readonly #facts = new Map<string, PayloadFacts>();
  /** Gas limits of finalized payloads by height, from the newest certificate that a finalized block carries upward. */
  readonly #finalizedGas = new Map<number, bigint>();
  /** Finalized blocks that execution has not done yet, by height: digests. */
  readonly #unexecuted = new Map<number, string>();
  #open: OpenBuild | undefined;
  #told = false;

  constructor(rules: ChainRules, limits: PayloadLimits, ports: PayloadDeskPorts) {
    this.#rules = rules;
    this.#limits = limits;
    this.#ports = ports;
  }

  /** Answers when the clock and the pool say so; a newer request replaces an older one. */
  build(request: BuildPayload, answer: (built: BuiltPayload) => void): void {
    this.#open?.cancelTimer();
    this.#open = { request, answer, cancelTimer: () => undefined };
    this.#tryToBuild();
  }

  /** Call when the pool gained or lost transactions. */
  poolChanged(): void {
    const pending = this.#ports.pool.hasWork();
    if (pending !== this.#told) {
      this.#told = pending;
      this.#ports.work(pending);
    }
    if (pending && this.#open !== undefined) this.#tryToBuild();
  }

  /** A block was finalized: until it is executed, its transactions are not proposed again. */
  finalized(block: OrderedBlock, digest: Hash): void {
    const key = toHexDigits(digest);
    this.#finalizedGas.set(block.height, this.#factsOf(key, block).gas);
    this.#unexecuted.set(block.height, key);
    const certified = block.stateCertificate?.executed.height ?? 0;
    for (const height of this.#finalizedGas.keys()) if (height <= certified) this.#finalizedGas.delete(height);
  }

  executed(height: number): void {
    const key = this.#unexecuted.get(height);
    this.#unexecuted.delete(height);
    if (key !== undefined) this.#facts.delete(key);
  }

  stop(): void {
    this.#open?.cancelTimer();
    this.#open = undefined;
  }

  #tryToBuild(): void {
    const open = this.#open;
    if (open === undefined) return;
    open.cancelTimer();
    const { request } = open;
    const now = this.#ports.clock.nowMs();
    const payload = now < request.notBeforeMs ? undefined : this.#select(request);
    const isEmpty = payload === undefined || equalBytes(payload, EMPTY_PAYLOAD);
    if (payload === undefined || (isEmpty && now < request.emptyNotBeforeMs)) {
      const until = now < request.notBeforeMs ? request.notBeforeMs : request.emptyNotBeforeMs;
      open.cancelTimer = this.#ports.clock.after(until - now, () => this.#tryToBuild());
      return;
    }
    this.#open = undefined;
    open.answer({
      payload,
      timestampMs: Math.max(now, request.parentTimestampMs + 1),
      stateCertificate: this.#ports.newestCertificate(),
    });
  }

  #select(request: BuildPayload): Uint8Array {
    const certified = Math.max(
      request.parentStateCertificate?.executed.height ?? 0,
      this.#ports.newestCertificate()?.executed.height ?? 0,
    );
    if (this.#gasAbove(certified, request.ancestors) > this.#limits.executionWindowGas) return EMPTY_PAYLOAD;
    const exclude = new Set<string>();
    for (const key of this.#unexecuted.values()) this.#addHashes(exclude, key);
    for (const ancestor of request.ancestors) this.#addFacts(exclude, this.#factsOf(undefined, ancestor));
    const chosen = this.#ports.pool.select({
      gasLimit: this.#rules.blockGasLimit,
      maxBytes: this.#limits.maxPayloadBytes,
      baseFee: this.#ports.baseFee(),
      exclude,
    });
    return chosen.length === 0 ? EMPTY_PAYLOAD : encodePayload(chosen.map((transaction) => transaction.raw));
  }

  /** Answers once. A timestamp ahead of the clock is waited for; signatures that are not known yet are checked elsewhere. */
  check(request: CheckBlock, answer: (valid: boolean) => void): void {
    const ahead = request.block.timestampMs - this.#limits.clockToleranceMs - this.#ports.clock.nowMs();
    if (ahead > 0) {
      this.#ports.clock.after(ahead, () => this.check(request, answer));
      return;
    }
    this.#check(request).then(
      (problem) => {
        if (problem !== undefined) {
          const { height, view, proposer } = request.block;
          this.#ports.log("warn", "a proposal is not valid", { height, view, proposer, problem });
        }
        answer(problem === undefined);
      },
      (error: unknown) => this.#ports.failed(error),
    );
  }

  /** @returns what is wrong, or undefined. */
  async #check(request: CheckBlock): Promise<string | undefined> {
    const { block } = request;
    if (equalBytes(block.payload, EMPTY_PAYLOAD)) return undefined;
    if (block.payload.length > this.#limits.maxPayloadBytes) return "the payload is longer than genesis allows";
    const certified = block.stateCertificate?.executed.height ?? 0;
    if (this.#gasAbove(certified, request.ancestors) > this.#limits.executionWindowGas) {
      return "the execution window is full: only an empty payload is valid";
    }
    const raws = decodePayload(block.payload);
    if (!raws.ok) return raws.error.message;
    const senders = await this.#sendersOf(raws.value);
    const checked = checkPayload({
      payload: block.payload,
      rules: this.#rules,
      timestampMs: block.timestampMs,
      maxPayloadBytes: this.#limits.maxPayloadBytes,
      senderOf: (transaction) => senders.get(toHexDigits(transaction.hash)),
    });
    return checked.ok ? undefined : `${checked.error.code}: ${checked.error.message}`;
  }

  /** From the pool where it knows the transaction; the others from the checker. */
  async #sendersOf(raws: readonly Uint8Array[]): Promise<ReadonlyMap<string, Address>> {
    const senders = new Map<string, Address>();
    const unknown: { readonly key: string; readonly raw: Uint8Array }[] = [];
    for (const raw of raws) {
      const hash = keccak256(raw);
      const known = this.#ports.pool.get(hash);
      if (known === undefined) unknown.push({ key: toHexDigits(hash), raw });
      else senders.set(toHexDigits(hash), known.sender);
    }
    if (unknown.length === 0) return senders;
    const checked = await this.#ports.checker.check(unknown.map(({ raw }) => raw));
    unknown.forEach(({ key }, index) => {
      const sender = senderOf(checked[index]!);
      if (sender.ok) senders.set(key, sender.value);
    });
    return senders;
  }

  /** Gas that is ordered above a certified height: finalized blocks and unfinalized ancestors. */
  #gasAbove(certified: number, ancestors: readonly OrderedBlock[]): bigint {
    const firstUnfinalized = ancestors[0]?.height ?? Number.POSITIVE_INFINITY;
    let gas = 0n;
    for (const [height, one] of this.#finalizedGas) if (height > certified && height < firstUnfinalized) gas += one;
    for (const ancestor of ancestors) {
      if (ancestor.height > certified) gas += this.#factsOf(undefined, ancestor).gas;
    }
    return gas;
  }

  #addHashes(exclude: Set<string>, key: string): void {
    const facts = this.#facts.get(key);
    if (facts !== undefined) this.#addFacts(exclude, facts);
  }

  #addFacts(exclude: Set<string>, facts: PayloadFacts): void {
    for (const hash of facts.hashes) exclude.add(toHexDigits(hash));
  }

  /** Hashes and gas of a block's payload; kept under `key` while the block waits for its execution. */
  #factsOf(key: string | undefined, block: OrderedBlock): PayloadFacts {
    const known = key === undefined ? undefined : this.#facts.get(key);
    if (known !== undefined) return known;
    const facts = readFacts(block.payload);
    if (key !== undefined) this.#facts.set(key, facts);
    return facts;
  }
}

function readFacts(payload: Uint8Array): PayloadFacts {
  const raws = decodePayload(payload);
  if (!raws.ok) return { hashes: [], gas: 0n };
  let gas = 0n;
  const hashes = raws.value.map((raw) => {
    const transaction = decodeTransaction(raw);
    if (transaction.ok) gas += transaction.value.gasLimit;
    return keccak256(raw);
  });
  return { hashes, gas };
}
