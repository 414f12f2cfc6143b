import { resolve } from "node:path";
import { startNode } from "@ostrom/runtime";
import type { Command } from "../command.ts";
import type { NodeReport } from "../supervisor.ts";

export const run: Command = {
  name: "run",
  summary: "run one node",
  usage: "--data-dir DIR [flags]",
  flags: [
    { name: "data-dir", kind: "text", placeholder: "DIR", help: "the node's folder, made by ostrom init or ostrom up", default: "." },
    { name: "rpc-host", kind: "text", placeholder: "HOST", help: "where JSON-RPC listens (default: node.json, else 127.0.0.1)" },
    { name: "rpc-port", kind: "number", help: "JSON-RPC port (default: node.json)" },
    { name: "link-host", kind: "text", placeholder: "HOST", help: "where links from other validators are accepted (default: node.json)" },
    { name: "link-port", kind: "number", help: "port for links (default: node.json)" },
    { name: "log-level", kind: "text", placeholder: "LEVEL", help: "debug, info, warn or error (default: node.json, else info)" },
  ],
  examples: [
    "ostrom run --data-dir network/validator-1",
    "ostrom run --data-dir validator-2 --link-host 0.0.0.0 --log-level debug",
  ],
  run: async ({ values }) => {
    const folder = resolve(String(values["dataDir"]));
    const report = (entry: NodeReport): void => {
      // The supervisor may be gone; then the node is on its way out as well.
      if (process.connected) process.send?.(entry);
    };
    let name = folder;
    const started = await startNode(folder, {
      rpcHost: values["rpcHost"] as string | undefined,
      rpcPort: values["rpcPort"] as number | undefined,
      linkHost: values["linkHost"] as string | undefined,
      linkPort: values["linkPort"] as number | undefined,
      logLevel: values["logLevel"] as string | undefined,
      onBlock: (block) => report({ kind: "block", name, ...block }),
    });
    if (!started.ok) {
      report({ kind: "failed", name, message: started.error.message });
      console.error(`ostrom run: ${started.error.message}`);
      if (process.connected) process.disconnect?.();
      return 1;
    }
    const node = started.value;
    name = node.name;
    const { head, certified } = node.heads();
    report({ kind: "ready", name, rpc: node.rpcUrl, head, certified });
    if (process.send === undefined) {
      const shown = { name, rpc: node.rpcUrl, head, certified, folder };
      console.log(values["json"] === true ? JSON.stringify(shown) : `${name} follows the chain at ${node.rpcUrl}, block ${head}. Ctrl-C stops it.`);
    }
    const reason = await Promise.race([signalled(), node.failed]);
    await node.stop();
    if (reason !== undefined) {
      report({ kind: "failed", name, message: reason.message });
      console.error(`ostrom run: ${reason.message}`);
    }
    // The channel to the supervisor would keep this process alive.
    if (process.connected) process.disconnect?.();
    return reason === undefined ? 0 : 1;
  },
};

/** Resolves when somebody asks the process to stop, or the process that started it is gone. */
function signalled(): Promise<undefined> {
  return new Promise((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop(undefined));
    process.once("disconnect", () => stop(undefined));
  });
}
