import { useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import { useFailureWords } from "./failure-words.ts";
import { leadReport, type ProofReport } from "./proof-model.ts";
import { numberOf } from "./steps.ts";

/** What came out, in one glance. */
export function Verdict({ report }: { readonly report: ProofReport | undefined }) {
  const t = useText(prove);
  const words = useFailureWords();
  const outcome = report?.outcome ?? "running";
  const lead = report === undefined ? undefined : leadReport(report.nodes);
  const liars = report?.nodes.filter(({ state }) => state === "refused").map(({ node }) => node) ?? [];
  if (outcome === "running") {
    return (
      <div className="verdict" data-outcome="running" role="status">
        <p>{t("running")}</p>
      </div>
    );
  }
  if (outcome === "proved") {
    return (
      <>
        <div className="verdict" data-outcome="proved" role="status">
          <strong>{t("proved")}</strong>
          <p>{t("provedWords")}</p>
        </div>
        {liars.length === 0 ? null : (
          <div className="verdict" data-outcome="refused" role="alert">
            <strong>{t("refused")}</strong>
            <p>{t("someRefused", { count: liars.length, names: liars.join(", ") })}</p>
          </div>
        )}
      </>
    );
  }
  const failed = lead?.failedStep ?? "anchor";
  const reason = lead?.failure === undefined ? "" : words(lead.failure);
  if (outcome === "unavailable") {
    return (
      <div className="verdict" data-outcome="unavailable" role="status">
        <strong>{t("unavailable")}</strong>
        <p>{t("unavailableWords", { message: reason })}</p>
      </div>
    );
  }
  return (
    <div className="verdict" data-outcome="refused" role="alert">
      <strong>{t("refused")}</strong>
      <p>{t("refusedWords", { step: numberOf(failed, lead?.facts ?? []), name: t(`step_${failed}`) })}</p>
      <p>{reason}</p>
    </div>
  );
}
