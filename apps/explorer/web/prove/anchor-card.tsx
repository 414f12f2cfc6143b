import { useId, useState } from "react";
import { Button } from "../components/button.tsx";
import { useStore } from "../data/use-store.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { prove } from "../i18n/prove.ts";
import { anchorStore, fingerprint, forgetAnchor, giveCheckpoint } from "./kept-anchor.ts";
import type { NodeReport } from "./proof-model.ts";

type AnchorProps = { readonly report: NodeReport; readonly onChange: () => void };

/** What the browser trusts, how to compare it, and how to trust something else. */
export function AnchorCard({ report, onChange }: AnchorProps) {
  const t = useText(prove);
  const formats = useFormats();
  const { pin, pinnedAtMs } = useStore(anchorStore);
  const isChanged = report.failure?.code === "anchor/changed";
  const facts = report.facts.find((one) => one.step === "anchor");
  const isFirst = facts?.step === "anchor" && facts.isFirst;
  return (
    <section className="prove-section prove-anchor" data-changed={isChanged}>
      <h3>{isChanged ? t("changedTitle") : t("anchorTitle")}</h3>
      {pin === undefined ? null : (
        <p className="mono prove-fingerprint" data-testid="fingerprint">
          {fingerprint(pin.genesisHash)}
        </p>
      )}
      <p className="small soft">
        {isFirst || pinnedAtMs === undefined
          ? t("anchorFirst")
          : t("anchorKept", { since: formats.moment(pinnedAtMs) })}
      </p>
      {isChanged ? <p className="proof-reason mono">{report.failure?.message}</p> : null}
      <CheckpointField isWanted={report.failure?.code === "light/checkpoint-too-old"} onChange={onChange} />
      {pin === undefined ? null : (
        <Button
          size="small"
          onClick={() => {
            forgetAnchor();
            onChange();
          }}
        >
          {t("forget")}
        </Button>
      )}
    </section>
  );
}

type CheckpointProps = { readonly isWanted: boolean; readonly onChange: () => void };

function CheckpointField({ isWanted, onChange }: CheckpointProps) {
  const t = useText(prove);
  const id = useId();
  const [text, setText] = useState("");
  return (
    <details open={isWanted}>
      <summary>{t("checkpoint")}</summary>
      <form
        className="field"
        onSubmit={(event) => {
          event.preventDefault();
          giveCheckpoint(text.trim());
          onChange();
        }}
      >
        <label htmlFor={id} className="field-hint">
          {t("checkpointHint")}
        </label>
        <input
          id={id}
          className="input mono"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="ostrom-checkpoint-1:…"
          spellCheck={false}
          autoComplete="off"
        />
        <div>
          <Button size="small" type="submit" disabled={text.trim() === ""}>
            {t("useCheckpoint")}
          </Button>
        </div>
      </form>
    </details>
  );
}
