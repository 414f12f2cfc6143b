import { parentPort } from "node:worker_threads";
import { type Bytes, must } from "@ostrom/base";
import { createSecretToken } from "@ostrom/rpc";
import { machineClock } from "./machine.ts";
import { joinMetrics } from "./metrics-thread.ts";
import { readModuleKey } from "./module-keys.ts";
import { importServiceModule } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { readOperatorSecret } from "./operator-secret.ts";
import type { ServiceWorkerEvents, ServiceWorkerVocabulary } from "./service-port.ts";
import { connectWorker } from "./worker-calls.ts";

joinMetrics();
installNativeCrypto();
const ending = new AbortController();

const node = connectWorker<ServiceWorkerVocabulary, Record<never, never>, ServiceWorkerEvents>(
  must(parentPort ?? undefined, "this file runs in a worker"),
  {
    run: async ({ name, address, nodeFolder, ...context }) => {
      const { service } = await importServiceModule(name, address);
      if (service === undefined) return "none";
      const secret = await readOperatorSecret(nodeFolder).catch(() => undefined);
      await service({
        ...context,
        rpcHeaders: () => (secret === undefined ? {} : ownHeaders(secret)),
        readSecret: (key) => readModuleKey(nodeFolder, key),
        log: (level, message, fields = {}) =>
          node.emit("log", { level, message, fields: JSON.parse(JSON.stringify(fields, writable)) }),
        clock: machineClock,
        signal: ending.signal,
      });
      return "ended";
    },
    stop: () => {
      ending.abort();
      return undefined;
    },
  },
);

function ownHeaders(secret: Bytes): Readonly<Record<string, string>> {
  const token = createSecretToken(secret, Math.floor(machineClock.nowMs() / 1_000));
  return { authorization: `Bearer ${token}` };
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  return value instanceof Error ? (value.stack ?? value.message) : value;
}
