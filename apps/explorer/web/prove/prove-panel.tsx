import { useEffect, useId, useRef, useState } from "react";
import { Button } from "../components/button.tsx";
import { Copy } from "../components/copy.tsx";
import { Icon } from "../components/icon.tsx";
import { useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import { AnchorCard } from "./anchor-card.tsx";
import { leadReport, type NodeReport, type ProofQuestion, type ProofReport } from "./proof-model.ts";
import { ProofSteps } from "./proof-steps.tsx";
import { useProof } from "./use-proof.ts";
import { Verdict } from "./verdict.tsx";

type PanelProps = { readonly question: ProofQuestion; readonly onClose: () => void };

/** A panel beside the page in which one answer is checked step by step. Escape closes it. */
export default function ProvePanel({ question, onClose }: PanelProps) {
  const t = useText(prove);
  const title = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const { report, start, isRunning } = useProof(question);
  useEffect(() => {
    dialog.current?.showModal();
    start();
  }, [start]);
  return (
    <dialog
      ref={dialog}
      className="prove-panel"
      aria-labelledby={title}
      data-outcome={isRunning && report?.outcome !== "proved" ? "running" : (report?.outcome ?? "running")}
      data-final={report?.isFinal ?? false}
      onClose={onClose}
    >
      <header className="prove-head">
        <h2 id={title}>{t(`title_${question.kind}`)}</h2>
        <button
          type="button"
          className="icon-button"
          aria-label={t("close")}
          title={t("close")}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      <div className="prove-body">
        <Subject question={question} />
        <Verdict report={report} />
        {report === undefined ? null : <Findings report={report} onChange={start} />}
        <div className="row">
          <Button onClick={start} disabled={isRunning}>
            {t("again")}
          </Button>
        </div>
        <p className="prove-limits">{t("limits")}</p>
      </div>
    </dialog>
  );
}

function Subject({ question }: { readonly question: ProofQuestion }) {
  const text = "hash" in question ? question.hash : question.address;
  return (
    <p className="prove-subject mono">
      {text}
      {question.kind === "storage" ? ` [${question.slot}]` : ""} <Copy text={text} />
    </p>
  );
}

type FindingsProps = { readonly report: ProofReport; readonly onChange: () => void };

function Findings({ report, onChange }: FindingsProps) {
  const t = useText(prove);
  const [chosen, setChosen] = useState<string>();
  const shown = report.nodes.find(({ node }) => node === chosen) ?? leadReport(report.nodes);
  if (shown === undefined) return null;
  return (
    <>
      {report.nodes.length < 2 ? null : (
        <section className="prove-section">
          <h3>{t("nodes")}</h3>
          <p className="small soft">{t("nodesWords")}</p>
          <div className="prove-nodes">
            {report.nodes.map((node) => (
              <NodeChoice
                key={node.node}
                node={node}
                isShown={node === shown}
                onChoose={() => setChosen(node.node)}
              />
            ))}
          </div>
        </section>
      )}
      <section className="prove-section">
        <h3>{t("steps")}</h3>
        <ProofSteps report={shown} />
      </section>
      <AnchorCard report={shown} onChange={onChange} />
    </>
  );
}

type ChoiceProps = { readonly node: NodeReport; readonly isShown: boolean; readonly onChoose: () => void };

function NodeChoice({ node, isShown, onChoose }: ChoiceProps) {
  const t = useText(prove);
  return (
    <button
      type="button"
      className="prove-node"
      data-state={node.state}
      aria-pressed={isShown}
      onClick={onChoose}
    >
      <span>{node.node}</span>
      <span className="prove-node-state">{t(`node_${node.state}`)}</span>
    </button>
  );
}
