import { useEffect, useRef } from "react";
import { useNode } from "./network.ts";

/** Hears of a subscription's news (`eth_subscribe`) from the chosen node while the component is shown.
 * @param subject `undefined`: nothing is subscribed to. */
export function useSubscription(
  subject: string | undefined,
  detail: unknown,
  listener: (news: unknown) => void,
): void {
  const node = useNode();
  const newest = useRef(listener);
  newest.current = listener;
  const detailKey = JSON.stringify(detail);
  useEffect(() => {
    if (subject === undefined) return;
    const parsed: unknown = detailKey === undefined ? undefined : JSON.parse(detailKey);
    return node.socket().subscribe(subject, parsed, (news) => newest.current(news));
  }, [node, subject, detailKey]);
}
