/** Microseconds that one call costs inside the server, beyond the backend: `node node/rpc/dispatch.bench.ts`. */

import { ANONYMOUS_SESSION } from "./access-control.ts";
import { createDispatcher, type Dispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { createServices } from "./services.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";

const ROUNDS = 200;
const BATCH = 100;

const services = createServices({ backend: createFakeBackend() }, DEFAULT_LIMITS, console.error);
const dispatch: Dispatcher = createDispatcher(services.methods, DEFAULT_LIMITS, console.error);
const context = { ...services, connection: undefined, session: ANONYMOUS_SESSION };

async function measure(name: string, request: (id: number) => unknown): Promise<void> {
  const single = JSON.stringify(request(1));
  const batch = JSON.stringify(Array.from({ length: BATCH }, (_, id) => request(id)));
  for (const [kind, message, calls] of [
    ["single", single, 1],
    ["batch of 100", batch, BATCH],
  ] as const) {
    const rounds = (ROUNDS * BATCH) / calls;
    for (let i = 0; i < rounds / 4; i++) await dispatch(message, context);
    const start = performance.now();
    for (let i = 0; i < rounds; i++) await dispatch(message, context);
    const microseconds = ((performance.now() - start) * 1000) / (rounds * calls);
    console.log(`${name.padEnd(28)} ${kind.padEnd(14)} ${microseconds.toFixed(2)} us a call`);
  }
}

const raw = `0x02${"ab".repeat(110)}`;
await measure("eth_blockNumber", (id) => ({ jsonrpc: "2.0", id, method: "eth_blockNumber", params: [] }));
await measure("eth_getBalance", (id) => ({
  jsonrpc: "2.0",
  id,
  method: "eth_getBalance",
  params: [`0x${"12".repeat(20)}`, "latest"],
}));
await measure("eth_sendRawTransaction", (id) => ({
  jsonrpc: "2.0",
  id,
  method: "eth_sendRawTransaction",
  params: [raw],
}));
await measure("eth_getTransactionReceipt", (id) => ({
  jsonrpc: "2.0",
  id,
  method: "eth_getTransactionReceipt",
  params: [`0x${"12".repeat(32)}`],
}));
