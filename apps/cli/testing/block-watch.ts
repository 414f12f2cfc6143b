import { ask } from "../rpc-client.ts";

const LOOK_MS = 50;

/** How a chain goes on while other things happen: asked of several nodes, because one of them may be busy or gone. */
export type BlockWatch = {
  readonly head: () => number;
  /** The longest time between two looks at which the chain had grown, and the block before it. */
  readonly longestGap: () => { readonly ms: number; readonly after: number };
  readonly stop: () => Promise<void>;
};

export function watchBlocks(urls: () => readonly string[]): BlockWatch {
  let head = 0;
  let grewMs = performance.now();
  let longest = { ms: 0, after: 0 };
  let isOver = false;
  const look = async (): Promise<void> => {
    const heads = await Promise.all(
      urls().map((url) => ask<string>(url, "eth_blockNumber").then(Number, () => 0)),
    );
    const highest = Math.max(0, ...heads);
    const nowMs = performance.now();
    if (highest <= head) return;
    if (head > 0 && nowMs - grewMs > longest.ms) longest = { ms: nowMs - grewMs, after: head };
    head = highest;
    grewMs = nowMs;
  };
  const watching = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  return {
    head: () => head,
    longestGap: () => longest,
    stop: async () => {
      isOver = true;
      await watching;
    },
  };
}
