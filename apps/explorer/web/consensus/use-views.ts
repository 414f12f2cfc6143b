import { useCallback, useEffect, useMemo, useState } from "react";
import { type NetworkNode, useNode } from "../data/network.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useSubscription } from "../data/use-subscription.ts";
import { mergeRecords } from "./view-model.ts";
import type { ViewRecord, ViewsAnswer } from "./view-types.ts";

/** Records kept in the browser. */
export const MAX_KEPT = 512;
const ASKED = 256;
/** News are drawn at most so often. */
const DRAW_MS = 100;
/** How often a node is asked, where its news do not come by themselves. */
const POLL_MS = 4_000;

export type Views = {
  readonly engine: ViewsAnswer["engine"] | undefined;
  readonly records: readonly ViewRecord[];
  readonly isPaused: boolean;
  readonly setPaused: (paused: boolean) => void;
  readonly answer: { readonly error?: unknown; readonly isLoading: boolean; readonly retry: () => void };
  /** null: the node keeps no records. */
  readonly isKept: boolean;
};

/** The newest views of the chosen node, live. While paused, what is shown stands still, and what happens is kept for later. */
export function useViews(): Views {
  const { path, rpc } = useNode();
  const answer = useAnswer(
    `${path} views`,
    () => rpc.call<ViewsAnswer | null>("ostrom_getViews", [null, ASKED]),
    {
      everyMs: POLL_MS,
    },
  );
  const { shown, take } = useThrottled(path);
  const [frozen, setFrozen] = useState<readonly ViewRecord[]>();
  const { value } = answer;
  useEffect(() => {
    if (value !== undefined && value !== null) take(value.views);
  }, [value, take]);
  useSubscription("views", undefined, (news) => take(news as readonly ViewRecord[]));
  const setPaused = useCallback((paused: boolean) => setFrozen(paused ? shown : undefined), [shown]);
  return useMemo(
    () => ({
      engine: value?.engine,
      records: frozen ?? shown,
      isPaused: frozen !== undefined,
      setPaused,
      answer,
      isKept: value !== null,
    }),
    [value, frozen, shown, setPaused, answer],
  );
}

/** Gathers records, and draws them a few times a second. */
function useThrottled(path: string): {
  readonly shown: readonly ViewRecord[];
  readonly take: (changed: readonly ViewRecord[]) => void;
} {
  const [shown, setShown] = useState<readonly ViewRecord[]>([]);
  const gathered = useMemo(() => ({ path, records: [] as readonly ViewRecord[], isDue: false }), [path]);
  useEffect(() => {
    setShown(gathered.records);
    const timer = setInterval(() => {
      if (!gathered.isDue || document.visibilityState === "hidden") return;
      gathered.isDue = false;
      setShown(gathered.records);
    }, DRAW_MS);
    return () => clearInterval(timer);
  }, [gathered]);
  const take = useCallback(
    (changed: readonly ViewRecord[]) => {
      gathered.records = mergeRecords(gathered.records, changed, MAX_KEPT);
      gathered.isDue = true;
    },
    [gathered],
  );
  return { shown, take };
}

/** How other nodes saw one view. */
export async function askView(
  node: NetworkNode,
  epoch: number,
  view: number,
): Promise<ViewRecord | undefined> {
  const answer = await node.rpc.call<ViewsAnswer | null>("ostrom_getViews", [null, ASKED]);
  return answer?.views.find((one) => one.engine === "simplex" && one.epoch === epoch && one.view === view);
}
