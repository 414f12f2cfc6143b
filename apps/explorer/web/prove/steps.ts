import { PROOF_STEPS, type ProofStepName } from "./proof-model.ts";

/** The number under which a step is listed: the one about an ancestor is there only for older blocks. */
export function numberOf(step: ProofStepName, facts: readonly { readonly step: ProofStepName }[]): number {
  return listedSteps(facts, step).indexOf(step) + 1;
}

/** The steps that are listed. */
export function listedSteps(
  facts: readonly { readonly step: ProofStepName }[],
  failedStep: ProofStepName | undefined,
): readonly ProofStepName[] {
  const hasAncestor = failedStep === "ancestor" || facts.some(({ step }) => step === "ancestor");
  return PROOF_STEPS.filter((step) => step !== "ancestor" || hasAncestor);
}
