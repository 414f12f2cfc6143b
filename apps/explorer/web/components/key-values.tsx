import type { ReactNode } from "react";
import { Hint } from "./hint.tsx";

/** Names and values, one below the other. */
export function KeyValues({ children }: { readonly children: ReactNode }) {
  return <dl className="key-values">{children}</dl>;
}

type KeyValueProps = {
  readonly name: string;
  /** What the name means, for who points at it or focuses it. */
  readonly hint?: string | undefined;
  readonly children: ReactNode;
};

/** One name with its value. */
export function KeyValue({ name, hint, children }: KeyValueProps) {
  return (
    <div className="key-value">
      <dt>{hint === undefined ? name : <Hint text={hint}>{name}</Hint>}</dt>
      <dd>{children}</dd>
    </div>
  );
}
