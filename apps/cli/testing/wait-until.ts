const POLL_INTERVAL_MS = 25;

/** Bound of waiting for what must come some time, however slow the machine is. */
export const LONG_WAIT_MS = 60_000;

/** Asks until `done` says so. @throws after `timeoutMs`, naming `what`; and whatever asking throws. */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  done: () => Promise<boolean> | boolean,
  intervalMs: number = POLL_INTERVAL_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (await done()) return;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
  throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
}
