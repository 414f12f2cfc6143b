import type { Failure, Result } from "@ostrom/base";
import type { CertificateErrorCode, CheckpointErrorCode } from "@ostrom/consensus";
import type { ProofErrorCode } from "@ostrom/state";

/** Why the light client refuses an answer, or cannot give one. Codes are stable; README.md says what each means. */
export type LightErrorCode =
  | CertificateErrorCode
  | CheckpointErrorCode
  | ProofErrorCode
  | "proof/malformed-value"
  | "light/unreachable"
  | "light/malformed"
  | "light/server-error"
  | "light/not-available"
  | "light/wrong-chain"
  | "light/wrong-header"
  | "light/wrong-set"
  | "light/wrong-epoch"
  | "light/wrong-value"
  | "light/time-order"
  | "light/curves-broken"
  | "light/from-the-future"
  | "light/checkpoint-malformed"
  | "light/checkpoint-too-old"
  | "light/head-too-old"
  | "light/equivocation"
  | "light/servers-disagree"
  | "light/beyond-reach"
  | "light/too-large"
  | "light/execution"
  | "light/module-missing"
  | "light/storage";

export type LightFailure = Failure<LightErrorCode> & {
  /** What a server's JSON-RPC error had besides its message. */
  readonly rpc?: { readonly code: number; readonly data?: unknown };
};

export type LightResult<T> = Result<T, LightFailure>;

/** Carries a failure out of nested reading; `attempt` turns it into a Result at the public face. */
export class Refusal extends Error {
  override readonly name: string = "Refusal";
  /** Nothing else can be right any more: it goes up to the face, whoever would go on without. */
  readonly isFinal: boolean = false;
  readonly failure: LightFailure;
  constructor(failure: LightFailure) {
    super(`${failure.code}: ${failure.message}`);
    this.failure = failure;
  }
}

/** Ends what is being read or checked with a failure. */
export function refuse(code: LightErrorCode, message: string): never {
  throw new Refusal({ code, message });
}

/** The value of a result, or its failure as a refusal. */
export function accept<T>(result: Result<T, Failure<LightErrorCode>>): T {
  if (!result.ok) throw new Refusal(result.error);
  return result.value;
}

/** Runs what may refuse. Other errors are broken invariants and go on. */
export async function attempt<T>(run: () => Promise<T>): Promise<LightResult<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: error.failure };
    throw error;
  }
}

/** As `attempt`, for what does not wait; what is final goes on up. */
export function attemptNow<T>(run: () => T): LightResult<T> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (error instanceof Refusal && !error.isFinal) return { ok: false, error: error.failure };
    throw error;
  }
}
