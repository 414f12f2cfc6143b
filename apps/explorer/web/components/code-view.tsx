import { useMemo, useState } from "react";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Button } from "./button.tsx";
import { Copy } from "./copy.tsx";

/** Lines that are drawn before the reader asks for all: a megabyte of bytecode must not stop the page. */
const FIRST_LINES = 600;

type CodeViewProps = {
  readonly code: string;
  readonly label: string;
  /** Numbers before the lines. */
  readonly numbers?: boolean;
  readonly wrap?: boolean;
};

/** Source text, bytecode or input data in monospace, with a copy button. */
export function CodeView({ code, label, numbers = false, wrap = false }: CodeViewProps) {
  const t = useText(shell);
  const [isWhole, setWhole] = useState(false);
  const lines = useMemo(() => code.split("\n"), [code]);
  const isCut = !isWhole && lines.length > FIRST_LINES;
  const shown = isCut ? lines.slice(0, FIRST_LINES) : lines;
  return (
    <figure>
      <figcaption className="row small soft">
        <span>{label}</span>
        <Copy text={code} subject={label} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section className="code" data-wrap={wrap} aria-label={label} tabIndex={0}>
        <code>
          {numbers ? (
            <pre className="code-numbers" aria-hidden="true">
              {shown.map((_, index) => index + 1).join("\n")}
            </pre>
          ) : (
            <span />
          )}
          <pre>{shown.join("\n")}</pre>
        </code>
      </section>
      {isCut ? (
        <Button kind="plain" onClick={() => setWhole(true)}>
          {t("more")} ({t("rows", { count: lines.length })})
        </Button>
      ) : null}
    </figure>
  );
}
