import type { consensus } from "../i18n/consensus.ts";
import { isNumber } from "./view-model.ts";
import type { SimplexView, Step, VoteKind } from "./view-types.ts";

/** One thing that happened in a view. `validator` is its lane; undefined: of the view as a whole. */
export type StoryEvent = {
  readonly id: string;
  /** Milliseconds after the first of them. */
  readonly atMs: number;
  readonly kind: Step | VoteKind;
  readonly validator: number | undefined;
  readonly text: keyof (typeof consensus)["en"];
};

const STEP_TEXTS = {
  proposed: "eventProposed",
  notarized: "eventNotarized",
  nullified: "eventNullified",
  finalized: "eventFinalized",
  executed: "eventExecuted",
  certified: "eventCertified",
  leaderTimeout: "eventLeaderTimeout",
  advanceTimeout: "eventAdvanceTimeout",
} as const;

const VOTE_TEXTS = {
  notarize: "eventNotarize",
  nullify: "eventNullify",
  finalize: "eventFinalize",
  executed: "eventExecute",
} as const;

/** How long the node waited in a view before anything happened: with nothing to include, leaders take their time. */
export function waitOf({ steps, votes }: SimplexView): number {
  const { entered, ...others } = steps;
  const times = [...Object.values(others), ...Object.values(votes).flat()].filter(isNumber);
  return times.length === 0 ? 0 : Math.max(0, Math.min(...times) - (entered ?? 0));
}

/** All that a node saw of a view but its own coming to it, in the order in which it saw it. */
export function storyOf(view: SimplexView): readonly StoryEvent[] {
  const events: StoryEvent[] = [];
  for (const [step, text] of Object.entries(STEP_TEXTS) as [Step, StoryEvent["text"]][]) {
    const atMs = view.steps[step];
    if (atMs !== null) events.push({ id: step, atMs, kind: step, validator: undefined, text });
  }
  for (const [kind, text] of Object.entries(VOTE_TEXTS) as [VoteKind, StoryEvent["text"]][]) {
    for (const [validator, atMs] of view.votes[kind].entries()) {
      // The leader's vote to notarize is its proposal.
      if (!isNumber(atMs) || (kind === "notarize" && validator === view.leader)) continue;
      events.push({ id: `${kind}-${validator}`, atMs, kind, validator, text });
    }
  }
  const first = Math.min(...events.map(({ atMs }) => atMs));
  return events.map((event) => ({ ...event, atMs: event.atMs - first })).sort((a, b) => a.atMs - b.atMs);
}
