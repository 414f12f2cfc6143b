import { Card } from "../components/page.tsx";
import { consensus } from "../i18n/consensus.ts";
import { useText } from "../i18n/language.ts";

const ENTRIES = [
  { mark: "leader", name: "legendProposal", text: "legendProposalText" },
  { mark: "notarize", name: "legendNotarize", text: "legendNotarizeText" },
  { mark: "finalize", name: "legendFinalize", text: "legendFinalizeText" },
  { mark: "nullify", name: "legendNullify", text: "legendNullifyText" },
  { mark: "executed", name: "legendExecute", text: "legendExecuteText" },
  { mark: "none", name: "legendMissing", text: "legendMissingText" },
] as const;

const MARKS: Readonly<Record<(typeof ENTRIES)[number]["mark"], string>> = {
  leader: "M12 4l8 8-8 8-8-8z",
  notarize: "M5 12a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
  finalize: "M5.5 5.5h13v13h-13z",
  nullify: "M5 5l14 14M19 5L5 19",
  executed: "M12 4.5l7.5 14.5H4.5z",
  none: "M5.5 5.5h13v13h-13z",
};

/** Simplex in six sentences, each beside the mark that stands for it in the pictures. */
export function Legend() {
  const t = useText(consensus);
  return (
    <Card title={t("legendTitle")}>
      <ol className="legend">
        {ENTRIES.map(({ mark, name, text }) => (
          <li key={mark}>
            <svg aria-hidden="true" width={24} height={24} viewBox="0 0 24 24">
              <path className={mark === "leader" ? "cell-leader" : "mark"} data-kind={mark} d={MARKS[mark]} />
            </svg>
            <div>
              <strong>{t(name)}</strong>
              <p>{t(text)}</p>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
