import type { RpcBackend } from "./backend.ts";
import type { Json } from "./json.ts";
import { changedViews } from "./views.ts";

/** Looks for changed records while somebody wants to know of them. */
export type ViewNews = {
  /** Does nothing if it looks already. */
  readonly start: (tell: (views: Json) => void) => void;
  readonly stop: () => void;
};

/** How often records are looked at: what happened in between is told at once, and disturbs the node's own threads never. */
const LOOK_MS = 50;

/** undefined: there are no records. */
export function createViewNews({ views, chain }: Pick<RpcBackend, "views" | "chain">): ViewNews | undefined {
  if (views === undefined) return undefined;
  let timer: NodeJS.Timeout | undefined;
  let seen = 0;
  return {
    start: (tell) => {
      if (timer !== undefined) return;
      seen = views.changes();
      timer = setInterval(() => {
        const changes = views.changes();
        if (changes === seen) return;
        const news = changedViews(views, chain, seen);
        seen = changes;
        if (news !== undefined) tell(news);
      }, LOOK_MS);
      timer.unref();
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
