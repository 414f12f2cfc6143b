import { createHash } from "node:crypto";
import { type Bytes, createRandom, type Failure, must, type Random, toHexDigits, unwrap } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeMessage,
  decodeStateCertificate,
  ethereumDomain,
  type Message,
  orderDigest,
  verifyStateCertificate,
} from "@ostrom/consensus";
import { addressOfSecretKey, type Genesis, genesisHash, type SignedTransaction } from "@ostrom/execution";
import { storeReader } from "@ostrom/state";
import { readCertifiedHeight, readHead, readHeader, readStateCertificate, type Store } from "@ostrom/storage";
import type { ExecutionReport } from "../execution-port.ts";
import { consensusSet } from "../validator-sets.ts";
import { SimulatedClock } from "./simulated-clock.ts";
import { clientKey, simulatedGenesis, simulatedPeerId, simulatedTransfer } from "./simulated-genesis.ts";
import { type LinkConditions, SimulatedLinks } from "./simulated-links.ts";
import { SimulatedValidator } from "./simulated-validator.ts";

export type SimulatedNetworkOptions = {
  readonly seed: number;
  readonly validators: number;
  readonly clients?: number;
  readonly conditions?: Partial<LinkConditions>;
};

const CALM: LinkConditions = { minLatencyMs: 2, jitterMs: 8, lossPerMille: 0 };
const MAX_START_MS = 30;
/** A client that sees no receipt sends its transactions again. */
const CLIENT_PATIENCE_MS = 400;

/** A whole network in one process under one seed: clock, links, disks and crashes are simulated, all else is what runs in
 * production, signatures included. */
export class SimulatedNetwork {
  readonly random: Random;
  readonly clock: SimulatedClock = new SimulatedClock();
  readonly genesis: Genesis;
  readonly links: SimulatedLinks;
  readonly validators: readonly SimulatedValidator[];
  /** Failures of nodes, oldest first. */
  readonly failures: (Failure & { readonly index: number })[] = [];
  /** What went against the rules. */
  readonly problems: string[] = [];
  readonly #domain: ConsensusDomain;
  /** Executed hash by height, the first that was seen. */
  readonly #agreed = new Map<number, string>();
  /** What each validator said, by what it may say once only. */
  readonly #said = new Map<string, string>();
  readonly #trace = createHash("sha256");
  readonly #unsettled = new Map<string, SignedTransaction>();
  readonly #nextNonces: number[];
  #isBusy = false;

  constructor(options: SimulatedNetworkOptions) {
    const { validators, clients = 4 } = options;
    this.random = createRandom(options.seed);
    this.genesis = simulatedGenesis({ validators, clients });
    this.#domain = ethereumDomain(genesisHash(this.genesis));
    this.#nextNonces = Array.from({ length: clients }, () => 0);
    const indices = Array.from({ length: validators }, (_, index) => index);
    this.links = new SimulatedLinks({
      clock: this.clock,
      random: this.random,
      peerIds: indices.map(simulatedPeerId),
      conditions: { ...CALM, ...options.conditions },
      onSent: (from, channel, payload) => {
        if (channel === "consensus") this.#listen(from, unwrap(decodeMessage(payload)));
      },
      onArrived: (from, to, channel, payload) => this.#note(`${from}>${to} ${channel} `, payload),
    });
    this.validators = indices.map(
      (index) =>
        new SimulatedValidator(index, {
          clock: this.clock,
          random: this.random,
          links: this.links,
          genesis: this.genesis,
          executed: (node, report) => this.#executed(node, report),
          failed: (node, failure) => this.failures.push({ index: node, ...failure }),
          accuse: (what) => this.problems.push(what),
        }),
    );
  }

  /** Turns all machines on. */
  start(): void {
    for (const validator of this.validators)
      this.clock.at(this.random.below(MAX_START_MS), () => validator.start());
  }

  /** Hash of everything that arrived and was executed, and when. */
  traceHash(): string {
    return this.#trace.copy().digest("hex");
  }

  /** The clients send transfers, over and over, each to some node, and again if they come to nothing. */
  keepBusy(intervalMs: number): void {
    this.#isBusy = true;
    const send = (): void => {
      if (!this.#isBusy) return;
      const client = this.random.below(this.#nextNonces.length);
      const transfer = simulatedTransfer(client, this.#nextNonces[client]!++);
      this.#unsettled.set(toHexDigits(transfer.hash), transfer);
      this.#submit([transfer]);
      this.clock.at(intervalMs, send);
    };
    const insist = (): void => {
      if (this.#unsettled.size > 0) this.#submit([...this.#unsettled.values()]);
      if (this.#isBusy || this.#unsettled.size > 0) this.clock.at(CLIENT_PATIENCE_MS, insist);
    };
    send();
    this.clock.at(CLIENT_PATIENCE_MS, insist);
  }

  /** No new transfers; @returns whether all that were sent are executed and certified everywhere before time is up. */
  async settle(limitMs: number): Promise<boolean> {
    this.#isBusy = false;
    return this.clock.runUntil(
      () => this.validators.every((validator) => validator.isUp && this.#hasAll(validator)),
      limitMs,
    );
  }

  /** Runs until all validators have certified a height. */
  reach(
    height: number,
    limitMs: number,
    among: readonly SimulatedValidator[] = this.validators,
  ): Promise<boolean> {
    return this.clock.runUntil(() => among.every(({ certified }) => certified >= height), limitMs);
  }

  get highest(): number {
    return Math.max(...this.validators.map(({ height }) => height));
  }

  /** Transfers that all clients have sent. */
  get sent(): number {
    return this.#nextNonces.reduce((sum, nonce) => sum + nonce, 0);
  }

  /** Where everybody is, for the message of a failed assertion. */
  describe(): string {
    const nodes = this.validators.map(
      ({ isUp, height, certified }) => `${isUp ? "" : "down "}${height}/${certified}`,
    );
    return `${Math.round(this.clock.timeMs)} ms, ${nodes.join(", ")}, sent ${this.sent}, ${JSON.stringify(this.failures)}`;
  }

  /** What must hold whatever happened. @returns all that does not. */
  check(): readonly string[] {
    const problems = [...this.problems];
    for (const { index, store } of this.validators) {
      if (store === undefined) continue;
      const head = must(readHead(store), "an open chain has a head").height;
      for (let height = 1; height <= head; height++) this.#checkHeight(index, store, height, problems);
      if ((readCertifiedHeight(store) ?? 0) > head)
        problems.push(`${index} certified what it did not execute`);
    }
    return problems;
  }

  #checkHeight(index: number, store: Store, height: number, problems: string[]): void {
    const hash = toHexDigits(must(readHeader(store, height), "a block below the head is stored").hash);
    if (hash !== this.#agreed.get(height)) problems.push(`${index} stores another block ${height}`);
    const bytes = readStateCertificate(store, height);
    if (bytes === undefined) return;
    const certificate = unwrap(decodeStateCertificate(bytes));
    if (toHexDigits(certificate.executed.executedHash) !== hash)
      problems.push(`${index} stores a certificate of another block ${height}`);
    const set = consensusSet(this.genesis.validatorSet, 0);
    if (!verifyStateCertificate(this.#domain, set, certificate).ok)
      problems.push(`${index} stores a wrong certificate of block ${height}`);
  }

  #submit(transfers: readonly SignedTransaction[]): void {
    const { core } = this.validators[this.random.below(this.validators.length)]!;
    void core?.submit(transfers.map(({ raw }) => raw));
  }

  #hasAll({ store, height, certified }: SimulatedValidator): boolean {
    if (store === undefined || certified < height) return false;
    const reader = storeReader(store);
    return this.#nextNonces.every((nonce, client) => {
      const account = reader.account(addressOfSecretKey(clientKey(client)));
      return account?.nonce === BigInt(nonce);
    });
  }

  #executed(index: number, report: ExecutionReport): void {
    const hash = toHexDigits(report.executedHash);
    this.#note(`${index} executed ${report.height} `, report.executedHash);
    const agreed = this.#agreed.get(report.height) ?? hash;
    this.#agreed.set(report.height, agreed);
    if (hash !== agreed) this.problems.push(`${index} executed another block ${report.height}`);
    for (const transaction of report.included) this.#unsettled.delete(toHexDigits(transaction));
  }

  /** No validator ever contradicts itself, over all its lives. */
  #listen(from: number, message: Message): void {
    if (message.kind === "vote" && message.vote.signer === from) {
      const { kind, view, digest } = message.vote.vote;
      if (kind === "notarize") this.#once(`${from} notarizes in ${view}`, toHexDigits(digest));
      else this.#once(`${from} ends ${view}`, `${kind} ${toHexDigits(digest)}`);
    }
    if (message.kind === "proposal" && message.block.proposer === from) {
      const digest = toHexDigits(orderDigest(this.#domain, message.block));
      this.#once(`${from} notarizes in ${message.block.view}`, digest);
    }
    if (message.kind === "executed" && message.executed.signer === from) {
      const { height, executedHash } = message.executed.executed;
      this.#once(`${from} says of ${height}`, toHexDigits(executedHash));
    }
  }

  #once(subject: string, word: string): void {
    const before = this.#said.get(subject) ?? word;
    this.#said.set(subject, before);
    if (before !== word) this.problems.push(`${subject}: ${before}, then ${word}`);
  }

  #note(what: string, bytes: Bytes): void {
    this.#trace.update(`${this.clock.timeMs} ${what}`).update(bytes);
  }
}
