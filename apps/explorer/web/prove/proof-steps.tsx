import { type Text, useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import { useFailureWords } from "./failure-words.ts";
import type { NodeReport, ProofStepName, StepFacts } from "./proof-model.ts";
import { StepDetails } from "./step-details.tsx";
import { listedSteps } from "./steps.ts";

type StepState = "done" | "refused" | "open" | "running";
type ProveText = Text<keyof (typeof prove)["en"]>;

const MARKS: Readonly<Record<StepState, string>> = { done: "✓", refused: "✕", open: "", running: "…" };

/** The steps of one node's proof: what was checked, what it means, and where it ended. */
export function ProofSteps({ report }: { readonly report: NodeReport }) {
  const t = useText(prove);
  const words = useFailureWords();
  const { facts, failedStep, failure } = report;
  const steps = listedSteps(facts, failedStep);
  return (
    <ol className="proof-steps">
      {steps.map((step, index) => {
        const shown = facts.find((one) => one.step === step);
        const state = stateOf(step, steps, report);
        return (
          <li key={step} className="proof-step" data-step={step} data-state={state}>
            <span className="proof-mark" aria-hidden="true">
              {state === "open" ? index + 1 : MARKS[state]}
            </span>
            <div>
              <h4>
                {t(`step_${step}`)}
                <span className="proof-state">{t(`state_${state}`)}</span>
              </h4>
              <p>{wordsOf(step, shown, t)}</p>
              {state === "refused" && failure !== undefined ? (
                <p className="proof-reason">
                  {words(failure)} <code>{failure.code}</code>
                  <br />
                  <span className="mono">{failure.message}</span>
                </p>
              ) : null}
              {shown === undefined ? null : <StepDetails facts={shown} />}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function stateOf(
  step: ProofStepName,
  steps: readonly ProofStepName[],
  { facts, failedStep, state }: NodeReport,
): StepState {
  if (failedStep === undefined) {
    if (facts.some((one) => one.step === step)) return "done";
    return state === "running" && steps.find((one) => facts.every((known) => known.step !== one)) === step
      ? "running"
      : "open";
  }
  if (step === failedStep) return state === "unreachable" ? "open" : "refused";
  return steps.indexOf(step) < steps.indexOf(failedStep) ? "done" : "open";
}

function wordsOf(step: ProofStepName, facts: StepFacts | undefined, t: ProveText): string {
  switch (facts?.step) {
    case undefined:
      return t(`generic_${step}`);
    case "validators":
      return t("words_validators", { epoch: facts.epoch });
    case "certificate":
      return t("words_certificate", {
        signers: facts.signers,
        validators: facts.validators,
        weight: facts.weight,
        total: facts.total,
        needed: facts.needed,
        scheme: facts.scheme,
      });
    case "ancestor":
      return t(`words_ancestor_${facts.way}`, { height: String(facts.height) });
    case "value":
      return facts.isAbsent ? t("words_absent") : t("words_value");
    default:
      return t(`words_${facts?.step ?? "header"}`);
  }
}
