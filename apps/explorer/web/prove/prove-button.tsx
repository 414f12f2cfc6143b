import { lazy, Suspense, useState } from "react";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import type { ProofQuestion } from "./proof-model.ts";
import "./prove.css";

const ProvePanel = lazy(() => import("./prove-panel.tsx"));

type ProveProps = {
  readonly question: ProofQuestion;
  /** What the value is called beside which the button stands, for screen readers. */
  readonly subject: string;
};

/** Stands beside a value: the browser then checks it by itself, and shows how. */
export function Prove({ question, subject }: ProveProps) {
  const t = useText(prove);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="prove-button"
        aria-label={`${t("button")}: ${subject}`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="shield" size={13} />
        {t("button")}
      </button>
      {isOpen ? (
        <Suspense fallback={null}>
          <ProvePanel question={question} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
