import { type FormEvent, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { Icon } from "../components/icon.tsx";
import { directTarget } from "../data/search-target.ts";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";

/** One field for blocks, transactions, addresses and names. The key `/` goes to it from everywhere. */
export function SearchBox() {
  const t = useText(shell);
  const field = useRef<HTMLInputElement>(null);
  const [query, setQuery] = useState("");
  const [, navigate] = useLocation();
  useSlashKey(() => field.current?.focus());
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const wanted = query.trim();
    if (wanted === "") return;
    navigate(directTarget(wanted) ?? `/search?q=${encodeURIComponent(wanted)}`);
    setQuery("");
    field.current?.blur();
  };
  return (
    <search className="search">
      <form onSubmit={submit} style={{ display: "contents" }}>
        <input
          ref={field}
          type="search"
          name="q"
          autoComplete="off"
          spellCheck={false}
          aria-label={t("search")}
          aria-keyshortcuts="/"
          placeholder={t("searchHint")}
          value={query}
          onChange={({ currentTarget }) => setQuery(currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => {
            if (key === "Escape") currentTarget.blur();
          }}
        />
        <Icon name="search" size={15} />
        <kbd>/</kbd>
      </form>
    </search>
  );
}

function useSlashKey(act: () => void): void {
  const newest = useRef(act);
  newest.current = act;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { key, ctrlKey, metaKey, altKey, target } = event;
      if (key !== "/" || ctrlKey || metaKey || altKey) return;
      if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]"))
        return;
      event.preventDefault();
      newest.current();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}
