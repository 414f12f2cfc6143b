import type { LightClient, LightResult, VerifiedHeader } from "@ostrom/sdk";
import type { ProofFailure, ProvedField, StepFacts } from "./proof-model.ts";
import type { RecordedServer } from "./recorder.ts";
import type { ProofPhase } from "./refusal.ts";

/** What a question is proved with. */
export type Subject = {
  readonly client: LightClient;
  readonly recorded: RecordedServer;
  /** The newest certified header: what follows is proved under it. */
  readonly head: VerifiedHeader;
  /** Tells of what has been shown. */
  readonly add: (...facts: readonly StepFacts[]) => void;
};

/** A refusal on the way, with what was being done. */
export class Ended extends Error {
  readonly phase: ProofPhase;
  readonly failure: ProofFailure;
  constructor(phase: ProofPhase, failure: ProofFailure) {
    super(failure.message);
    this.phase = phase;
    this.failure = failure;
  }
}

/** The value of a result. @throws Ended */
export function accept<T>(phase: ProofPhase, result: LightResult<T>): T {
  if (!result.ok) throw new Ended(phase, { code: result.error.code, message: result.error.message });
  return result.value;
}

/** The value is proved; what the node says of it without proof must be the same. @throws Ended */
export function finish({ add }: Subject, fields: readonly ProvedField[], isAbsent: boolean): void {
  add({ step: "value", fields, isAbsent });
  const other = fields.find(({ value, said }) => said !== undefined && said !== value);
  if (other === undefined) return;
  const message = `${other.name}: the node says ${other.said}, but ${other.value} is proved`;
  throw new Ended("compare", { code: "page/other-value", message });
}
