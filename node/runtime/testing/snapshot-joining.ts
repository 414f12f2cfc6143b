import assert from "node:assert/strict";
import { type Bytes, toHexDigits } from "@ostrom/base";
import { STATE_TABLES } from "@ostrom/state";
import type { Store } from "@ostrom/storage";
import { machineClock } from "../machine.ts";
import { installNativeCrypto } from "../native-crypto.ts";
import type { Clock } from "../ports.ts";
import { SnapshotFetch, type SnapshotOutcome } from "../snapshot-fetch.ts";
import {
  decodeSnapshotMessage,
  encodeSnapshotMessage,
  type SnapshotAnswer,
  type SnapshotQuestion,
} from "../snapshot-messages.ts";
import { SnapshotServer } from "../snapshot-server.ts";
import { CertifiedChain } from "./certified-chain.ts";

/** Blocks of an epoch. */
export const EPOCH: number = 20;
export const HISTORY: number = 64;

/** Runs ahead, because joining nodes wait now and then for others to say something. */
const FASTER = 5;
const clock: Clock = {
  ...machineClock,
  nowMs: () => machineClock.nowMs() * FASTER,
  after: (delayMs, run) => machineClock.after(delayMs / FASTER, run),
};

export type Serve = (question: SnapshotQuestion) => SnapshotAnswer | undefined;

/** A joining node, linked in this process with servers. */
export function join(
  chain: CertifiedChain,
  store: Store,
  servers: Readonly<Record<string, Serve>>,
): {
  readonly fetch: SnapshotFetch;
  readonly punished: readonly string[];
  readonly outcome: Promise<SnapshotOutcome>;
} {
  const punished: string[] = [];
  const fetch: SnapshotFetch = new SnapshotFetch(chain.genesis, chain.domain, {
    clock,
    log: () => undefined,
    store,
    send: (peerId, payload) => {
      const read = decodeSnapshotMessage(payload);
      assert.ok(read.ok && "question" in read.value);
      const { id, question } = read.value;
      const answer = servers[peerId]?.(question);
      if (answer !== undefined)
        setImmediate(() => fetch.frame(peerId, encodeSnapshotMessage({ id, answer })));
    },
    punish: (peerId) => void punished.push(peerId),
  });
  for (const peerId of Object.keys(servers)) fetch.up(peerId);
  const outcome: Promise<SnapshotOutcome> = fetch.run();
  return { fetch, punished, outcome };
}

export async function serverOf(chain: CertifiedChain): Promise<SnapshotServer> {
  const server = new SnapshotServer(chain.store, { schedule: chain.genesis });
  await server.refresh();
  return server;
}

export async function dump(store: Store): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  const { account, code, slot, accountNode, storageNode } = STATE_TABLES;
  for (const table of [account, code, slot, accountNode, storageNode])
    for await (const [key, value] of store.entries({
      start: Uint8Array.of(table),
      end: Uint8Array.of(table + 1),
    }))
      all.set(toHexDigits(key), toHexDigits(value));
  return all;
}

export async function chainOf(blocks: number): Promise<CertifiedChain> {
  installNativeCrypto();
  const chain = new CertifiedChain({ epochLength: EPOCH });
  await chain.grow(blocks);
  return chain;
}

/** One bit of the last bytes: of a signature, a key, a root. */
export function flipped(bytes: Bytes, at: number = Math.max(0, bytes.length - 9)): Bytes {
  const other = bytes.slice();
  other[at] = (other[at] ?? 0) ^ 1;
  return other;
}
