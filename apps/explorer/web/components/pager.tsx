import { useState } from "react";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";

/** Where in a list a reader is: keyset cursors know only the way on, so the way back is remembered. */
export type Cursors = {
  /** Of the page that is shown; `undefined`: the first. */
  readonly current: string | undefined;
  readonly isFirst: boolean;
  readonly goOn: (next: string) => void;
  readonly goBack: () => void;
  readonly reset: () => void;
};

/** The cursors of one list. */
export function useCursors(): Cursors {
  const [trail, setTrail] = useState<readonly string[]>([]);
  return {
    current: trail.at(-1),
    isFirst: trail.length === 0,
    goOn: (next) => setTrail([...trail, next]),
    goBack: () => setTrail(trail.slice(0, -1)),
    reset: () => setTrail([]),
  };
}

type PagerProps = {
  readonly cursors: Cursors;
  /** The answer's cursor of the page that follows; null after the last. */
  readonly next: string | null | undefined;
  readonly note?: string;
};

/** The way through a list that is too long for one page. Nothing is drawn where one page has it all. */
export function Pager({ cursors, next, note }: PagerProps) {
  const t = useText(shell);
  if (cursors.isFirst && (next === null || next === undefined)) return null;
  return (
    <nav className="pager" aria-label={t("navigation")}>
      {note === undefined ? null : <span className="pager-note">{note}</span>}
      <Button size="small" disabled={cursors.isFirst} onClick={cursors.reset}>
        {t("newest")}
      </Button>
      <Button size="small" disabled={cursors.isFirst} onClick={cursors.goBack}>
        <Icon name="left" size={12} /> {t("newer")}
      </Button>
      <Button
        size="small"
        disabled={next === null || next === undefined}
        onClick={() => {
          if (typeof next === "string") cursors.goOn(next);
        }}
      >
        {t("older")} <Icon name="chevron" size={12} />
      </Button>
    </nav>
  );
}
