// The console's process: the one that forked it sends its options as first message, and hears how the start went.
import type { ConsoleOptions, ConsoleReport } from "./console-options.ts";
import { startConsole } from "./console-server.ts";
import { yieldToNodes } from "./low-priority.ts";

yieldToNodes();

function report(entry: ConsoleReport): void {
  if (process.connected) process.send?.(entry, undefined, undefined, () => undefined);
}

const options = await new Promise<ConsoleOptions>((resolve) => process.once("message", resolve));
try {
  const server = await startConsole(options);
  report({ kind: "ready", url: server.url });
  server.prepared.catch((error: Error) => console.error(`the explorer's pages: ${error.message}`));
  const stop = (): void => {
    void server.close().finally(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  process.once("disconnect", stop);
} catch (error) {
  const { code = "failed", message } = error as Error & { readonly code?: string };
  report({ kind: "failed", code, message });
  console.error(`the console cannot start: ${message}`);
  process.exit(1);
}
