import { equalBytes, type Hash, toHexDigits } from "@ostrom/base";
import type { BuildPayload, CheckBlock, OrderedBlock, StateCertificate } from "@ostrom/consensus";
import {
  type BatchRoom,
  type CertifiedBatch,
  decodeOrderedPayload,
  encodeOrderedPayload,
  inlinePart,
  MAX_PAYLOAD_BATCHES,
} from "@ostrom/dissemination";
import { type ChainRules, EMPTY_PAYLOAD, type SignedTransaction } from "@ostrom/execution";
import type { TransactionPool } from "@ostrom/txpool";
import type { BatchDesk } from "./batch-desk.ts";
import type { BuiltPayload } from "./ordering.ts";
import { checkPayload, type PayloadToCheck } from "./payload-check.ts";
import { type PayloadFacts, readPayload, sumOf } from "./payload-facts.ts";
import type { Clock, Log } from "./ports.ts";
import type { SignatureChecker } from "./signature-checker.ts";

/** Beside batches: what these few signatures cost a voter is done in a moment. */
const MAX_INLINE_BESIDE_BATCHES = 64;

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
  /** Where this node takes part in batches. */
  readonly batches?:
    | Pick<BatchDesk, "select" | "refuse" | "ready" | "ownOf" | "names" | "hasWork">
    | undefined;
  /** See `PayloadToCheck`. */
  readonly keysOf?: PayloadToCheck["keysOf"];
  /** Base fee that the next executed block will have, as far as this node knows. */
  readonly baseFee: () => bigint;
  readonly newestCertificate: () => StateCertificate | undefined;
  /** The least height that the state certificate of a block of that height must have (rule E1); 0 if any will do. */
  readonly leastCertified: (height: number) => number;
  /** Tells ordering whether there is something to include. */
  readonly work: (pending: boolean) => void;
  readonly failed: (error: unknown) => void;
};

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
  /** By digest (hex digits). The pool marks their transactions under the same name. */
  readonly #facts = new Map<string, PayloadFacts>();
  /** Gas limits of finalized payloads by height, above the newest certificate that a finalized block carries. */
  readonly #finalizedGas = new Map<number, bigint>();
  /** Finalized blocks that execution has not done yet: names in height order. */
  readonly #unexecuted = new Map<number, string>();
  #open: OpenBuild | undefined;
  #cancelWaitingCheck: () => void = () => undefined;
  #executedHeight = 0;
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
    this.#forgetLosers(request.view, request.ancestors, request.parent);
    this.#tryToBuild();
  }

  /** Call when the pool gained or lost transactions. */
  poolChanged(): void {
    const { pool, batches } = this.#ports;
    const pending =
      batches?.hasWork() === true ||
      pool.hasWork({
        ancestors: [...this.#facts.keys(), ...(batches?.names() ?? [])],
        baseFeePerGas: this.#ports.baseFee(),
        timestamp: Math.floor(this.#ports.clock.nowMs() / 1000),
      });
    if (pending !== this.#told) {
      this.#told = pending;
      this.#ports.work(pending);
    }
    if (pending && this.#open !== undefined) this.#tryToBuild();
  }

  /** Whether there was something to include when the pool changed last. */
  get hasWork(): boolean {
    return this.#told;
  }

  /** Call when there is a newer state certificate: an epoch's first block may have waited for it. */
  certificateChanged(): void {
    if (this.#open !== undefined && this.#ports.leastCertified(this.#open.request.height) > 0)
      this.#tryToBuild();
  }

  /** A block was finalized: until it is executed, its transactions are not proposed again. */
  finalized(block: OrderedBlock, digest: Hash): void {
    const facts = this.#factsOf(toHexDigits(digest), block);
    if (facts.gas > 0n) this.#finalizedGas.set(block.height, facts.gas);
    this.#unexecuted.set(block.height, toHexDigits(digest));
    const certified = block.stateCertificate?.executed.height ?? 0;
    for (const height of this.#finalizedGas.keys())
      if (height <= certified) this.#finalizedGas.delete(height);
  }

  /** Those of an executed block's included transactions that this node had checked itself. */
  transactionsOf(report: {
    readonly orderDigest: Hash;
    readonly included: readonly Hash[];
  }): readonly SignedTransaction[] {
    const facts = this.#facts.get(toHexDigits(report.orderDigest));
    if (facts === undefined) return [];
    const mine = [...facts.transactions, ...facts.own];
    if (mine.length === 0) return [];
    const included = new Set(report.included.map(toHexDigits));
    return mine.filter((transaction) => included.has(toHexDigits(transaction.hash)));
  }

  /** Names in the pool of ordered blocks that are not executed. */
  unexecuted(): readonly string[] {
    return [...this.#facts.keys()];
  }

  /** Transactions that stand in an ordered block whose signatures this node has checked. */
  checkedIn(digest: Hash): readonly SignedTransaction[] {
    return this.#facts.get(toHexDigits(digest))?.transactions ?? [];
  }

  /** A block was executed: it and the proposals that lost against it need no more attention. */
  executed(height: number): void {
    this.#executedHeight = height;
    this.#unexecuted.delete(height);
    for (const [name, facts] of this.#facts) if (facts.height <= height) this.#forget(name);
  }

  /** How much is kept in memory, by what. */
  sizes(): Readonly<Record<string, number>> {
    return {
      facts: this.#facts.size,
      finalizedGas: this.#finalizedGas.size,
      unexecuted: this.#unexecuted.size,
    };
  }

  stop(): void {
    this.#cancelWaitingCheck();
    this.#open?.cancelTimer();
    this.#open = undefined;
  }

  #tryToBuild(): void {
    const open = this.#open;
    if (open === undefined) return;
    open.cancelTimer();
    const { request } = open;
    // Without the certificate that it needs nobody would vote for it. Others' timers go on.
    if (this.#certifiedFor(request) < this.#ports.leastCertified(request.height)) return;
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

  /** Height of the certificate that the block will carry. */
  #certifiedFor(request: BuildPayload): number {
    return Math.max(
      request.parentStateCertificate?.executed.height ?? 0,
      this.#ports.newestCertificate()?.executed.height ?? 0,
    );
  }

  #select(request: BuildPayload): Uint8Array {
    const certified = this.#certifiedFor(request);
    if (this.#gasAbove(certified, request.ancestors, request.parent) > this.#limits.executionWindowGas)
      return EMPTY_PAYLOAD;
    const ancestors = namesOf(request.ancestors, request.parent);
    request.ancestors.forEach((ancestor, index) => {
      this.#factsOf(ancestors[index]!, ancestor);
    });
    const { batches, pool, clock } = this.#ports;
    const room = this.#roomFor(request.height);
    const chosenBatches = batches?.select(room, request.ancestors) ?? [];
    const taken = sumOf(chosenBatches);
    const certificates = encodeOrderedPayload({ inline: [], batches: chosenBatches }).length;
    const chosen = pool.select({
      gasLimit: this.#rules.blockGasLimit - taken.gas,
      maxBytes: this.#limits.maxPayloadBytes - certificates,
      maxCount: chosenBatches.length === 0 ? undefined : MAX_INLINE_BESIDE_BATCHES,
      baseFeePerGas: this.#ports.baseFee(),
      ancestors: [...this.#unexecuted.values(), ...ancestors, ...(batches?.names() ?? [])],
      timestamp: Math.floor(Math.max(clock.nowMs(), request.parentTimestampMs + 1) / 1000),
    });
    if (chosen.length === 0 && chosenBatches.length === 0) return EMPTY_PAYLOAD;
    return encodeOrderedPayload({ inline: chosen.map(({ raw }) => raw), batches: chosenBatches });
  }

  /** What a payload may refer to. */
  #roomFor(height: number): BatchRoom {
    return {
      height,
      gas: this.#rules.blockGasLimit,
      bytes: this.#limits.maxPayloadBytes,
      count: MAX_PAYLOAD_BATCHES,
      payloadBytes: this.#limits.maxPayloadBytes / 2,
    };
  }

  /** Answers once. A timestamp ahead of the clock is waited for, however far, unless the block of another view comes first: then
   * nobody needs the answer any more. Signatures that are not known yet are checked elsewhere. */
  check(request: CheckBlock, answer: (valid: boolean) => void): void {
    this.#cancelWaitingCheck();
    this.#forgetLosers(request.block.view, request.ancestors, request.block.parent);
    this.#checkWhenDue(request, answer);
  }

  #checkWhenDue(request: CheckBlock, answer: (valid: boolean) => void): void {
    const ahead = request.block.timestampMs - this.#limits.clockToleranceMs - this.#ports.clock.nowMs();
    if (ahead > 0) {
      this.#cancelWaitingCheck = this.#ports.clock.after(ahead, () => this.#checkWhenDue(request, answer));
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
    if (block.payload.length > this.#limits.maxPayloadBytes)
      return "the payload is longer than genesis allows";
    const certified = block.stateCertificate?.executed.height ?? 0;
    if (this.#gasAbove(certified, request.ancestors, block.parent) > this.#limits.executionWindowGas) {
      return "the execution window is full: only an empty payload is valid";
    }
    const ordered = decodeOrderedPayload(block.payload);
    if (!ordered.ok) return `${ordered.error.code}: ${ordered.error.message}`;
    const { batches } = ordered.value;
    const refused = this.#refuseBatches(request, batches);
    if (refused !== undefined) return refused;
    const checked = await checkPayload(this.#ports.checker, {
      payload: inlinePart(block.payload, ordered.value),
      rules: this.#rules,
      timestampMs: block.timestampMs,
      maxPayloadBytes: this.#limits.maxPayloadBytes,
      known: (hash) => this.#ports.pool.get(hash),
      keysOf: this.#ports.keysOf,
    });
    if (!checked.ok) return `${checked.error.code}: ${checked.error.message}`;
    const { transactions } = checked.value;
    const gas = checked.value.gasLimit + sumOf(batches).gas;
    if (gas > this.#rules.blockGasLimit) return "the gas limits of all its transactions exceed the block's";
    const problem = batches.length === 0 ? undefined : await this.#ports.batches?.ready(batches);
    if (problem !== undefined) return problem;
    const own = this.#ports.batches?.ownOf(batches) ?? [];
    const { height, view } = block;
    // The others may have been faster than the checker.
    if (height > this.#executedHeight) {
      this.#remember(toHexDigits(request.digest), { height, view, transactions, own, gas });
    }
    return undefined;
  }

  #refuseBatches({ block, ancestors }: CheckBlock, batches: readonly CertifiedBatch[]): string | undefined {
    if (batches.length === 0) return undefined;
    if (this.#ports.batches === undefined) return "it refers to batches, and this node takes part in none";
    if (sumOf(batches).bytes > this.#limits.maxPayloadBytes)
      return "the batches are longer than genesis allows";
    return this.#ports.batches.refuse(block, batches, ancestors);
  }

  /** Gas that is ordered above a certified height: finalized blocks and unfinalized ancestors. */
  #gasAbove(certified: number, ancestors: readonly OrderedBlock[], parent: Hash): bigint {
    const firstUnfinalized = ancestors[0]?.height ?? Number.POSITIVE_INFINITY;
    let gas = 0n;
    for (const [height, one] of this.#finalizedGas)
      if (height > certified && height < firstUnfinalized) gas += one;
    const names = namesOf(ancestors, parent);
    ancestors.forEach((ancestor, index) => {
      if (ancestor.height > certified) gas += this.#factsOf(names[index]!, ancestor).gas;
    });
    return gas;
  }

  /** What is known of a block, read from it where nothing is. */
  #factsOf(name: string, block: OrderedBlock): PayloadFacts {
    const known = this.#facts.get(name);
    if (known !== undefined) return known;
    const { height, view, payload } = block;
    const facts = { height, view, ...readPayload(payload, this.#ports) };
    this.#remember(name, facts);
    return facts;
  }

  #remember(name: string, facts: PayloadFacts): void {
    this.#facts.set(name, facts);
    this.#ports.pool.markInFlight(name, [...facts.transactions, ...facts.own]);
  }

  #forget(name: string): void {
    this.#facts.delete(name);
    this.#ports.pool.unmarkInFlight(name);
  }

  /** Forgets proposals of earlier views that a newer block does not build on: were one of them final after all, it would be read
   * again. So what is kept is bounded by what is ordered, however many views fail. */
  #forgetLosers(view: number, ancestors: readonly OrderedBlock[], parent: Hash): void {
    const kept = new Set([...this.#unexecuted.values(), ...namesOf(ancestors, parent)]);
    for (const [name, facts] of this.#facts) {
      if (facts.view < view && !kept.has(name)) this.#forget(name);
    }
  }
}

/** Digests (hex digits) of consecutive blocks, of which the last is the parent of a new one. */
function namesOf(ancestors: readonly OrderedBlock[], parent: Hash): readonly string[] {
  return ancestors.map((_, index) => toHexDigits(ancestors[index + 1]?.parent ?? parent));
}
