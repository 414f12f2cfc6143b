import type { NodeReport, ProofFailure, ProofStepName } from "./proof-model.ts";

/** What was being done when an answer was refused. */
export type ProofPhase = "start" | "sync" | "block" | "proof" | "compare";

/** Nothing was wrong in what was said; there was no answer, or none yet. */
const NO_ANSWER: ReadonlySet<string> = new Set([
  "light/unreachable",
  "light/server-error",
  "light/not-available",
  "page/not-certified",
]);

const STEP_OF_CODE: Readonly<Record<string, ProofStepName>> = {
  "anchor/changed": "anchor",
  "anchor/inconsistent": "anchor",
  "anchor/none": "anchor",
  "light/wrong-chain": "anchor",
  "light/checkpoint-malformed": "anchor",
  "light/checkpoint-too-old": "anchor",
  "light/storage": "anchor",
  "light/wrong-set": "validators",
  "light/wrong-epoch": "validators",
  "light/wrong-header": "header",
  "light/time-order": "header",
  "light/from-the-future": "header",
  "light/head-too-old": "header",
  "light/equivocation": "certificate",
  "light/servers-disagree": "certificate",
  "light/curves-broken": "certificate",
  "light/wrong-value": "value",
  "page/other-value": "value",
};

const STEP_OF_PHASE: Readonly<Record<ProofPhase, ProofStepName>> = {
  start: "anchor",
  sync: "certificate",
  block: "ancestor",
  proof: "path",
  compare: "value",
};

/** The step at which a proof failed, by the light client's code and by what was being done. */
export function stepOfFailure(phase: ProofPhase, { code, message }: ProofFailure): ProofStepName {
  if (code.startsWith("certificate/")) return phase === "block" ? "ancestor" : "certificate";
  if (code.startsWith("checkpoint/")) return "validators";
  if (code === "proof/malformed-value") return "value";
  if (phase === "block" && code !== "light/equivocation") return "ancestor";
  if (phase === "sync" && code === "light/malformed" && message.startsWith("header")) return "header";
  return STEP_OF_CODE[code] ?? STEP_OF_PHASE[phase];
}

/** Whether a node said something wrong, or nothing. */
export function stateOfFailure({ code }: ProofFailure): NodeReport["state"] {
  return NO_ANSWER.has(code) ? "unreachable" : "refused";
}
