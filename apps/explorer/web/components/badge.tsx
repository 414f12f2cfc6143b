import type { ReactNode } from "react";

export type Tone = "quiet" | "good" | "warn" | "bad" | "info" | "accent";

/** A short word about a state. The colour is never alone: the word says it too. */
export function Badge({ tone = "quiet", children }: { readonly tone?: Tone; readonly children: ReactNode }) {
  return (
    <span className="badge" data-tone={tone}>
      {children}
    </span>
  );
}

type NoticeProps = { readonly tone?: "info" | "good" | "warn" | "bad"; readonly children: ReactNode };

/** One or two sentences that the reader must not overlook. */
export function Notice({ tone = "info", children }: NoticeProps) {
  return (
    <div className="notice" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      {children}
    </div>
  );
}
