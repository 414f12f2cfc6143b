// node node/runtime/snapshot.bench.ts [--transactions 20000] [--per-block 500] [--accounts 2000]
//
// What a joining node computes, in one process and without links: executing all blocks (signatures included, as whoever trusts nobody does)
// against fetching the state of the newest one. The chain is made of transfers to as many accounts as are asked for, and of some contracts. Prints
// one JSON line; milliseconds are of processor time, the serving node's included for the snapshot.
import { parseArgs } from "node:util";
import { createMemoryStore, type Store } from "@ostrom/storage";
import { Executor } from "./executor.ts";
import { machineClock } from "./machine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { SnapshotFetch } from "./snapshot-fetch.ts";
import { decodeSnapshotMessage, encodeSnapshotMessage } from "./snapshot-messages.ts";
import { SnapshotServer } from "./snapshot-server.ts";
import { CertifiedChain } from "./testing/certified-chain.ts";

const HISTORY_BLOCKS = 8_192;
const MICROSECONDS = 1_000;

const { values } = parseArgs({
  options: {
    transactions: { type: "string", default: "20000" },
    "per-block": { type: "string", default: "500" },
    accounts: { type: "string", default: "2000" },
  },
});
const perBlock = Number(values["per-block"]);
const blocks = Math.ceil(Number(values.transactions) / perBlock);
installNativeCrypto();
const chain = new CertifiedChain({ epochLength: blocks });
const accounts = Number(values.accounts);
await chain.grow(blocks, perBlock, accounts);

const replayMs = await processorMs(async () => {
  const executor = await Executor.open(createMemoryStore(), chain.genesis, HISTORY_BLOCKS);
  for (const input of chain.inputs) await executor.execute(input);
});
const server = new SnapshotServer(chain.store, { schedule: chain.genesis });
const pinMs = await processorMs(async () => void (await server.refresh()));
let bytes = 0;
const snapshotMs = await processorMs(() => fetchInto(createMemoryStore()));
await server.stop();
console.log(
  JSON.stringify({
    bench: "snapshot",
    transactions: blocks * perBlock,
    blocks,
    accounts,
    replayMs,
    snapshotMs,
    pinMs,
    megabytes: Number((bytes / 1e6).toFixed(2)),
    ratio: Number((snapshotMs / replayMs).toFixed(3)),
  }),
);

async function fetchInto(store: Store): Promise<void> {
  const fetch: SnapshotFetch = new SnapshotFetch(chain.genesis, chain.domain, {
    clock: machineClock,
    log: () => undefined,
    store,
    send: (peerId, payload) => {
      const read = decodeSnapshotMessage(payload);
      if (!read.ok || !("question" in read.value)) return;
      const answer = encodeSnapshotMessage({ id: read.value.id, answer: server.answer(read.value.question) });
      bytes += answer.length;
      setImmediate(() => fetch.frame(peerId, answer));
    },
    punish: () => undefined,
  });
  fetch.up("server");
  await fetch.run();
}

async function processorMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / MICROSECONDS);
}
