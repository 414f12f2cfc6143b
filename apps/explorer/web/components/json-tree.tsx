import { useState } from "react";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";
import { Button } from "./button.tsx";

/** Entries of one level that are drawn before the reader asks for more. */
const FIRST_ENTRIES = 100;
const OPEN_DEPTH = 1;

/** Any JSON value, folded below the first level. */
export function JsonTree({ value }: { readonly value: unknown }) {
  return (
    <div className="json-tree">
      <JsonNode value={value} depth={0} />
    </div>
  );
}

type NodeProps = { readonly name?: string; readonly value: unknown; readonly depth: number };

function JsonNode({ name, value, depth }: NodeProps) {
  const label = name === undefined ? null : <span className="json-key">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div>
        {label}
        <Leaf value={value} />
      </div>
    );
  }
  return <Branch label={label} value={value} depth={depth} />;
}

type BranchProps = {
  readonly label: React.ReactNode;
  readonly value: object;
  readonly depth: number;
};

function Branch({ label, value, depth }: BranchProps) {
  const t = useText(shell);
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const [limit, setLimit] = useState(FIRST_ENTRIES);
  const entries = Object.entries(value);
  const brackets = Array.isArray(value) ? "[ ]" : "{ }";
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {label}
        <span className="muted">
          {brackets} {t("items", { count: entries.length })}
        </span>
      </summary>
      {isOpen ? (
        <ul>
          {entries.slice(0, limit).map(([key, each]) => (
            <li key={key}>
              <JsonNode name={key} value={each} depth={depth + 1} />
            </li>
          ))}
          {entries.length > limit ? (
            <li>
              <Button kind="plain" size="small" onClick={() => setLimit(limit * 4)}>
                {t("more")}
              </Button>
            </li>
          ) : null}
        </ul>
      ) : null}
    </details>
  );
}

function Leaf({ value }: { readonly value: unknown }) {
  if (typeof value === "string") return <span className="json-text">"{value}"</span>;
  return <span className="json-literal">{String(value)}</span>;
}
