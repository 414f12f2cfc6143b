import { useEffect, useState } from "react";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Icon } from "./icon.tsx";

const SHOWN_MS = 1_500;

/** Puts a text on the clipboard, and says so. */
export function Copy({ text, subject }: { readonly text: string; readonly subject?: string }) {
  const t = useText(shell);
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isDone]);
  const label = isDone ? t("copied") : t("copy");
  return (
    <button
      type="button"
      className="copy"
      data-done={isDone}
      title={label}
      aria-label={subject === undefined ? label : `${label}: ${subject}`}
      onClick={(event) => {
        // Inside a row that leads elsewhere.
        event.stopPropagation();
        void navigator.clipboard.writeText(text).then(() => setDone(true));
      }}
    >
      <Icon name={isDone ? "check" : "copy"} size={13} />
      <span className="visually-hidden" aria-live="polite">
        {isDone ? t("copied") : ""}
      </span>
    </button>
  );
}
