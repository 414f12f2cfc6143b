import { assert, equalBytes, Height, toHexDigits } from "@ostrom/base";
import { verifyExecuted, verifyStateCertificate } from "../certificates.ts";
import { isHeightOfEpoch } from "../epoch-heights.ts";
import { assertSchemeOfSet } from "../signatures.ts";
import { executedSigningBytes } from "../signing.ts";
import { countTally, type Tally, withEntry } from "../tally.ts";
import type {
  ConsensusDomain,
  Executed,
  Message,
  SignedExecuted,
  StateCertificate,
  ValidatorIndex,
} from "../types.ts";
import { quorumWeight } from "../validator-set.ts";
import {
  CERTIFICATION_WINDOW,
  type CertificationConfig,
  type CertificationEffect,
  type CertificationInput,
} from "./types.ts";

/** What a validator knows about results that are not certified yet. Plain data, never mutated. */
export type CertificationState = {
  readonly config: CertificationConfig;
  readonly quorum: number;
  /** Newest certificate that this node's own result agrees with. */
  readonly tip: StateCertificate | undefined;
  /** A verified certificate above everything this node has executed: its own result is compared when it is there. */
  readonly ahead: StateCertificate | undefined;
  /** Height of the newest own result. */
  readonly executedHeight: Height;
  /** Own results above the tip, the newest CERTIFICATION_WINDOW of them. */
  readonly results: ReadonlyMap<Height, Executed>;
  readonly newestOwnVote: SignedExecuted | undefined;
  readonly tallies: ReadonlyMap<Height, Tally<Executed>>;
  /** Validators caught with two results or a wrong signature, by height. */
  readonly ignored: ReadonlyMap<Height, ReadonlySet<ValidatorIndex>>;
  readonly timerArmed: boolean;
  /** How many peers were asked for a certificate: the next one is another. */
  readonly asked: number;
  /** Our result is not the quorum's: nothing is signed or served any more. */
  readonly diverged: boolean;
};

export type CertificationStep = {
  readonly state: CertificationState;
  readonly effects: readonly CertificationEffect[];
};

type Draft = { state: CertificationState; readonly effects: CertificationEffect[] };

/** Starts or restarts certification.
 * @param tip newest stored certificate.
 * @param results own durable results above it, in height order. They are signed again, which changes nothing. */
export function startCertification(
  config: CertificationConfig,
  tip: StateCertificate | undefined,
  results: readonly Executed[],
): CertificationStep {
  assertSchemeOfSet(config.domain, config.validators);
  const draft: Draft = {
    state: {
      config,
      quorum: quorumWeight(config.validators),
      tip,
      ahead: undefined,
      executedHeight: tip?.executed.height ?? Height(0),
      results: new Map(),
      newestOwnVote: undefined,
      tallies: new Map(),
      ignored: new Map(),
      timerArmed: false,
      asked: 0,
      diverged: false,
    },
    effects: [],
  };
  for (const executed of results) onExecuted(draft, executed);
  settleTimer(draft);
  return draft;
}

/** Height that `safe` and `finalized` mean; 0 before the first certificate. */
export function certifiedHeight(state: CertificationState): Height {
  return state.tip?.executed.height ?? Height(0);
}

/** What follows from one input. Pure; never changes the state it is given. */
export function stepCertification(state: CertificationState, input: CertificationInput): CertificationStep {
  if (state.diverged) return { state, effects: [] };
  const draft: Draft = { state, effects: [] };
  switch (input.kind) {
    case "executed":
      onExecuted(draft, input.executed);
      break;
    case "signed":
      onSigned(draft, input.vote);
      break;
    case "message":
      onMessage(draft, input.from, input.message);
      break;
    case "certificate":
      onCertificate(draft, undefined, input.certificate);
      break;
    case "timer":
      change(draft, { timerArmed: false });
      resend(draft);
      break;
    default:
      input satisfies never;
  }
  settleTimer(draft);
  return draft;
}

function onExecuted(draft: Draft, executed: Executed): void {
  const { config, ahead, executedHeight, results } = draft.state;
  if (executed.height <= certifiedHeight(draft.state)) return;
  assert(executed.height > executedHeight, "a block is executed once, in height order");
  const kept = [...results, [executed.height, executed] as const].slice(-CERTIFICATION_WINDOW);
  change(draft, { executedHeight: executed.height, results: new Map(kept) });
  pruneBelowWindow(draft);
  if (ahead !== undefined && ahead.executed.height === executed.height) {
    change(draft, { ahead: undefined });
    adopt(draft, ahead);
  } else if (ahead !== undefined && ahead.executed.height > executed.height) {
    // A quorum has certified a descendant already: this signature is of no use to anybody.
    return;
  }
  if (draft.state.diverged || executed.height <= certifiedHeight(draft.state)) return;
  if (config.own !== undefined && executed.epoch === config.validators.epoch) {
    draft.effects.push({ kind: "sign", executed });
  }
  count(draft, executed);
}

function onSigned(draft: Draft, signed: SignedExecuted): void {
  assert(signed.signer === draft.state.config.own, "only own results are signed here");
  const { newestOwnVote } = draft.state;
  if (signed.executed.height > (newestOwnVote?.executed.height ?? -1))
    change(draft, { newestOwnVote: signed });
  broadcast(draft, { kind: "executed", executed: signed });
  if (signed.executed.height <= certifiedHeight(draft.state)) return;
  addToTally(draft, signed, true);
  count(draft, signed.executed);
}

function onMessage(draft: Draft, from: ValidatorIndex, message: Message): void {
  const { config, tip, ahead } = draft.state;
  if (from === config.own || config.validators.validators[from] === undefined) return;
  if (message.kind === "executed") onVote(draft, from, message.executed);
  else if (message.kind === "state-certificate") onCertificate(draft, from, message.certificate);
  else if (message.kind === "state-certificate-request") {
    const newest = ahead ?? tip;
    if (newest === undefined || newest.executed.height < message.height) return;
    draft.effects.push({
      kind: "send",
      to: from,
      message: { kind: "state-certificate", certificate: newest },
    });
  }
}

function onVote(draft: Draft, from: ValidatorIndex, signed: SignedExecuted): void {
  const { config, executedHeight, ignored, tallies } = draft.state;
  const { executed, signer } = signed;
  // In another epoch the same index is another validator.
  if (executed.epoch !== config.validators.epoch) return;
  if (signer !== from) {
    fault(draft, from, "certification/wrong-sender", `sent a result of validator ${signer}`);
    return;
  }
  const { height } = executed;
  if (height <= certifiedHeight(draft.state)) return;
  if (!isHeightOfEpoch(config, executed.epoch, height)) {
    fault(
      draft,
      from,
      "certification/wrong-epoch",
      `signed block ${height}, which is not of epoch ${executed.epoch}`,
    );
    return;
  }
  if (Math.abs(height - executedHeight) > CERTIFICATION_WINDOW || ignored.get(height)?.has(signer)) return;
  const existing = tallies.get(height)?.get(signer);
  if (existing === undefined) {
    addToTally(draft, signed, false);
    count(draft, executed);
  } else if (existing.key !== keyOf(executed)) {
    const earlier = { executed: existing.statement, signer, signature: existing.signature };
    settleContradiction(draft, earlier, signed);
  }
}

/** Two results of one validator for one height: evidence, if it signed both. */
function settleContradiction(draft: Draft, earlier: SignedExecuted, signed: SignedExecuted): void {
  const { domain, validators } = draft.state.config;
  const { height } = signed.executed;
  ignore(draft, height, signed.signer);
  const isEarlierGood = verifyExecuted(domain, validators, earlier);
  if (isEarlierGood && verifyExecuted(domain, validators, signed)) {
    draft.effects.push({ kind: "evidence", first: earlier, second: signed });
    return;
  }
  if (!isEarlierGood) {
    const tally = new Map(draft.state.tallies.get(height));
    tally.delete(signed.signer);
    change(draft, { tallies: new Map(draft.state.tallies).set(height, tally) });
  }
  fault(
    draft,
    signed.signer,
    "certification/bad-signature",
    `its result of height ${height} is not signed by it`,
  );
}

/** Forms the certificate that a vote may have completed. */
function count(draft: Draft, executed: Executed): void {
  const { config, quorum, tallies } = draft.state;
  const tally = tallies.get(executed.height);
  if (tally === undefined || executed.height <= certifiedHeight(draft.state)) return;
  const { domain, validators } = config;
  const messageOf = (bound: ConsensusDomain): Uint8Array => executedSigningBytes(bound, executed);
  const counted = countTally(domain, validators, quorum, tally, keyOf(executed), messageOf);
  if (counted.tally !== tally)
    change(draft, { tallies: new Map(tallies).set(executed.height, counted.tally) });
  for (const signer of counted.bad) {
    ignore(draft, executed.height, signer);
    fault(
      draft,
      signer,
      "certification/bad-signature",
      `its result of height ${executed.height} is not signed by it`,
    );
  }
  if (counted.aggregate === undefined) return;
  adopt(draft, { schemeId: validators.schemeId, executed, ...counted.aggregate });
}

function onCertificate(draft: Draft, from: ValidatorIndex | undefined, certificate: StateCertificate): void {
  const { config, ahead } = draft.state;
  const { height, epoch } = certificate.executed;
  if (height <= certifiedHeight(draft.state) || height <= (ahead?.executed.height ?? -1)) return;
  const set = [config.validators, ...config.earlierValidators].find((candidate) => candidate.epoch === epoch);
  if (set === undefined || !isHeightOfEpoch(config, epoch, height)) return;
  const verified = verifyStateCertificate(config.domain, set, certificate);
  if (verified.ok) adopt(draft, certificate);
  else if (from !== undefined) fault(draft, from, "certification/bad-certificate", verified.error.message);
}

/** A quorum's result, already verified: ours must be the same. */
function adopt(draft: Draft, certificate: StateCertificate): void {
  const { results, executedHeight, ahead } = draft.state;
  const { height } = certificate.executed;
  const own = results.get(height);
  if (own === undefined) {
    const isAhead = height > executedHeight && height > (ahead?.executed.height ?? -1);
    if (isAhead) change(draft, { ahead: certificate });
    return;
  }
  if (!isSameResult(own, certificate.executed)) {
    change(draft, { diverged: true });
    draft.effects.push({ kind: "diverged", own, certificate });
    return;
  }
  change(draft, {
    tip: certificate,
    results: above(results, height),
    tallies: above(draft.state.tallies, height),
    ignored: above(draft.state.ignored, height),
  });
  draft.effects.push({ kind: "certified", certificate });
}

/** Says the newest own result again, and asks the next peer whether it is certified. */
function resend(draft: Draft): void {
  const { config, newestOwnVote, asked, executedHeight } = draft.state;
  if (executedHeight <= certifiedHeight(draft.state)) return;
  if (newestOwnVote !== undefined) broadcast(draft, { kind: "executed", executed: newestOwnVote });
  const others = config.validators.validators
    .map((_, index) => index)
    .filter((index) => index !== config.own);
  const peer = others[asked % others.length];
  change(draft, { asked: asked + 1 });
  if (peer === undefined) return;
  const height = Height(certifiedHeight(draft.state) + 1);
  const message: Message = { kind: "state-certificate-request", height };
  draft.effects.push({ kind: "send", to: peer as ValidatorIndex, message });
}

function settleTimer(draft: Draft): void {
  const { config, executedHeight, timerArmed, diverged } = draft.state;
  const isWaiting = !diverged && executedHeight > certifiedHeight(draft.state);
  if (isWaiting === timerArmed) return;
  draft.effects.push(isWaiting ? { kind: "setTimer", delayMs: config.resendMs } : { kind: "cancelTimer" });
  change(draft, { timerArmed: isWaiting });
}

function addToTally(draft: Draft, { executed, signer, signature }: SignedExecuted, verified: boolean): void {
  const { tallies } = draft.state;
  const entry = { key: keyOf(executed), statement: executed, signature, verified };
  const tally = withEntry(tallies.get(executed.height) ?? new Map(), signer, entry);
  change(draft, { tallies: new Map(tallies).set(executed.height, tally) });
}

function pruneBelowWindow(draft: Draft): void {
  const { executedHeight, tallies, ignored } = draft.state;
  const lowest = executedHeight - CERTIFICATION_WINDOW - 1;
  change(draft, { tallies: above(tallies, lowest), ignored: above(ignored, lowest) });
}

function above<Value>(map: ReadonlyMap<Height, Value>, height: number): ReadonlyMap<Height, Value> {
  return new Map([...map].filter(([candidate]) => candidate > height));
}

function ignore(draft: Draft, height: Height, signer: ValidatorIndex): void {
  const { ignored } = draft.state;
  const signers = new Set(ignored.get(height)).add(signer);
  change(draft, { ignored: new Map(ignored).set(height, signers) });
}

function fault(
  draft: Draft,
  peer: ValidatorIndex,
  code: Extract<CertificationEffect, { kind: "fault" }>["code"],
  message: string,
): void {
  draft.effects.push({ kind: "fault", peer, code, message });
}

function broadcast(draft: Draft, message: Message): void {
  draft.effects.push({ kind: "broadcast", message });
}

function change(draft: Draft, changes: Partial<CertificationState>): void {
  draft.state = { ...draft.state, ...changes };
}

function keyOf(executed: Executed): string {
  return (
    toHexDigits(executed.orderDigest) + toHexDigits(executed.executedHash) + toHexDigits(executed.nextSetHash)
  );
}

function isSameResult(a: Executed, b: Executed): boolean {
  return (
    equalBytes(a.orderDigest, b.orderDigest) &&
    equalBytes(a.executedHash, b.executedHash) &&
    equalBytes(a.nextSetHash, b.nextSetHash)
  );
}
