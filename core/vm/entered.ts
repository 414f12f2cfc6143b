import { type Bytes, EMPTY_BYTES } from "@ostrom/base";
import type { Frame } from "./frame.ts";
import type { FaultCode, Outcome } from "./types.ts";

/** A frame that must run, or, where no code has to run, what came of it. */
export type Entered =
  | { readonly kind: "frame"; readonly frame: Frame }
  | { readonly kind: "done"; readonly outcome: Outcome };

/** @param reason see Outcome. */
export function faultWith(fault: FaultCode, gas: bigint, reason?: string): Entered {
  const outcome: Outcome = { status: "fault", fault, output: EMPTY_BYTES, gasLeft: gas };
  return { kind: "done", outcome: reason === undefined ? outcome : { ...outcome, reason } };
}

export function succeedWith(output: Bytes, gas: bigint): Entered {
  return { kind: "done", outcome: { status: "success", output, gasLeft: gas } };
}
