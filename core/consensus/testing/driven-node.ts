import {
  assert,
  type Bytes,
  EMPTY_BYTES,
  Epoch,
  type Hash,
  Height,
  must,
  View,
  ZERO_HASH,
} from "@ostrom/base";
import {
  type Certificate,
  type CertificateKind,
  type Effect,
  type Executed,
  executedSigningBytes,
  type FinalizedTip,
  genesisTip,
  type Input,
  type LogRecord,
  leaderOf,
  type Message,
  type OrderedBlock,
  orderDigest,
  recoverSimplex,
  type SignedVote,
  type SimplexConfig,
  type SimplexState,
  type StateCertificate,
  stepSimplex,
  ValidatorIndex,
  type Vote,
  type VoteKind,
  voteSigningBytes,
} from "../index.ts";
import { voteKindOf } from "../signing.ts";
import { writeSignerBitmap } from "../validator-set.ts";
import { simulatedDomain, simulatedSet, simulatedSign } from "./signatures.ts";

/** One validator driven by hand: the test plays the network, the clock and the other validators. */
export const GENESIS_MS = 1_000_000;

export const TEST_CONFIG: SimplexConfig = {
  domain: simulatedDomain,
  validators: simulatedSet([1, 1, 1, 1]),
  earlierValidators: [],
  own: ValidatorIndex(0),
  deltaMs: 100,
  deltaGrowthPercent: 200,
  maxDeltaMs: 1_000,
  minBlockIntervalMs: 10,
  emptyBlockIntervalMs: 500,
  standstillMs: 1_000,
  fetchRetryMs: 50,
  lostLog: false,
  lastHeight: Height(1_000),
  leastCertified: Height(0),
};

export function leader(view: number, config: SimplexConfig = TEST_CONFIG): ValidatorIndex {
  return leaderOf(config.domain, config.validators, View(view));
}

/** The first view from `from` on that the validator leads, or, negated, does not lead. */
export function viewLedBy(validator: number, from = 1): number {
  for (let view = from; ; view++) if (leader(view) === validator) return view;
}

export function signedBy(index: number, vote: Vote, config: SimplexConfig = TEST_CONFIG): SignedVote {
  const key = must(config.validators.validators[index], "the validator must exist").consensusKey;
  return {
    vote,
    signer: ValidatorIndex(index),
    signature: simulatedSign(key, voteSigningBytes(config.domain, vote)),
  };
}

export function voteFor(kind: VoteKind, view: number, digest: Hash = ZERO_HASH): Vote {
  return { kind, epoch: Epoch(0), view: View(view), digest };
}

export function certificateOf(
  kind: CertificateKind,
  view: number,
  digest: Hash = ZERO_HASH,
  signers: readonly number[] = [1, 2, 3],
): Certificate {
  const vote = voteFor(voteKindOf(kind), view, digest);
  const { domain, validators } = TEST_CONFIG;
  const signatures = signers.map((index) => signedBy(index, vote).signature);
  return {
    kind,
    schemeId: domain.signatures.schemeId,
    epoch: Epoch(0),
    view: View(view),
    digest,
    signers: writeSignerBitmap(validators, signers.map(ValidatorIndex)),
    signature: must(domain.signatures.aggregate(signatures), "simulated signatures must have an aggregate"),
  };
}

export function stateCertificateOf(
  height: number,
  orderedAs: Hash = ZERO_HASH,
  signers: readonly number[] = [1, 2, 3],
  executedHash: Hash = ZERO_HASH,
): StateCertificate {
  const { domain, validators } = TEST_CONFIG;
  const executed: Executed = {
    epoch: Epoch(0),
    height: Height(height),
    orderDigest: orderedAs,
    executedHash,
    nextSetHash: ZERO_HASH,
  };
  const message = executedSigningBytes(domain, executed);
  const signatures = signers.map((index) =>
    simulatedSign(validators.validators[index]!.consensusKey, message),
  );
  return {
    schemeId: domain.signatures.schemeId,
    executed,
    signers: writeSignerBitmap(validators, signers.map(ValidatorIndex)),
    signature: must(domain.signatures.aggregate(signatures), "simulated signatures must have an aggregate"),
  };
}

/** A child of genesis, or of another block, proposed by the leader of its view. */
export function blockAt(
  view: number,
  parent?: OrderedBlock,
  change: Partial<OrderedBlock> = {},
): OrderedBlock {
  return {
    epoch: Epoch(0),
    view: View(view),
    height: Height((parent?.height ?? 0) + 1),
    parent: parent === undefined ? simulatedDomain.genesisHash : digestOf(parent),
    parentView: parent?.view ?? View(0),
    timestampMs: (parent?.timestampMs ?? GENESIS_MS) + 100,
    proposer: leader(view),
    stateCertificate: parent?.stateCertificate,
    payload: EMPTY_BYTES,
    ...change,
  };
}

export function digestOf(block: OrderedBlock): Hash {
  return orderDigest(simulatedDomain, block);
}

export function proposalOf(block: OrderedBlock): Message {
  const signed = signedBy(leader(block.view), voteFor("notarize", block.view, digestOf(block)));
  return { kind: "proposal", block, signature: signed.signature };
}

export class DrivenNode {
  state: SimplexState;
  readonly log: LogRecord[] = [];
  /** Effects since they were last taken. */
  effects: Effect[] = [];
  readonly config: SimplexConfig;

  constructor(change: Partial<SimplexConfig> = {}, tip?: FinalizedTip, records: readonly LogRecord[] = []) {
    this.config = { ...TEST_CONFIG, ...change };
    const step = recoverSimplex(this.config, tip ?? genesisTip(this.config, GENESIS_MS), records);
    this.state = step.state;
    this.log.push(...records);
    this.#perform(step.effects);
  }

  get view(): number {
    return this.state.view;
  }

  input(input: Input): void {
    const step = stepSimplex(this.state, input);
    this.state = step.state;
    this.#perform(step.effects);
  }

  receive(from: number, message: Message): void {
    this.input({ kind: "message", from: ValidatorIndex(from), message });
  }

  receiveVote(from: number, vote: Vote): void {
    this.receive(from, { kind: "vote", vote: signedBy(from, vote) });
  }

  /** A certificate that validator 1 passes on. */
  receiveCertificate(kind: CertificateKind, view: number, digest: Hash = ZERO_HASH): void {
    this.receive(1, { kind: "certificate", certificate: certificateOf(kind, view, digest) });
  }

  /** The leader's proposal, and the runtime's approval if it is asked. */
  propose(block: OrderedBlock, valid = true): void {
    this.receive(leader(block.view), proposalOf(block));
    if (this.effects.some((effect) => effect.kind === "checkBlock")) {
      this.input({ kind: "verdict", digest: digestOf(block), valid });
    }
  }

  timeout(id: Extract<Input, { kind: "timer" }>["id"]): void {
    this.input({ kind: "timer", id, token: this.state.view });
  }

  buildPayload(payload: Bytes = EMPTY_BYTES, stateCertificate?: StateCertificate): void {
    this.input({
      kind: "payload",
      view: this.state.view,
      timestampMs: GENESIS_MS + 5_000,
      payload,
      stateCertificate,
    });
  }

  take<Kind extends Effect["kind"]>(kind: Kind): readonly Extract<Effect, { kind: Kind }>[] {
    const found = this.effects.filter(
      (effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind,
    );
    this.effects = this.effects.filter((effect) => effect.kind !== kind);
    return found;
  }

  /** Kinds of own votes of a view that are on disk. */
  signedIn(view: number): readonly VoteKind[] {
    return this.log.flatMap((record) =>
      record.kind === "vote" && record.vote.vote.view === view ? [record.vote.vote.kind] : [],
    );
  }

  messages(): readonly Message[] {
    return this.effects.flatMap((effect) =>
      effect.kind === "broadcast" || effect.kind === "send" ? [effect.message] : [],
    );
  }

  #perform(effects: readonly Effect[]): void {
    this.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind === "persist") this.log.push(effect.record);
      if (effect.kind !== "sign") continue;
      assert(this.config.own !== undefined, "a follower must not sign");
      const vote = signedBy(this.config.own, effect.vote, this.config);
      this.log.push({ kind: "vote", vote });
      this.input({ kind: "signed", vote });
    }
  }
}

/** Validator 0 is driven; this is the first view from `from` on in which it votes as a follower. */
export function notLed(from = 1): number {
  return leader(from) === 0 ? notLed(from + 1) : from;
}

/** A node that has come to `view` by nullifications of all views before; its effects are forgotten. */
export function nodeIn(view: number): DrivenNode {
  const node = new DrivenNode();
  for (let passed = 1; passed < view; passed++) node.receiveCertificate("nullification", passed);
  node.effects = [];
  return node;
}
