import assert from "node:assert/strict";
import { test } from "node:test";
import { hashFromWord } from "@ostrom/base";
import type { NodeReads, PeerReport } from "./node-reads.ts";
import { createRpcServer } from "./server.ts";
import { createFakeBackend, type FakeBackend } from "./testing/fake-backend.ts";
import { post, result } from "./testing/http-client.ts";
import type { BlockRecord, SimplexViewRecord, ViewReads, ViewRecord } from "./view-records.ts";

const NO_STEPS = {
  entered: 0,
  proposed: undefined,
  notarized: undefined,
  nullified: undefined,
  finalized: undefined,
  executed: undefined,
  certified: undefined,
  leaderTimeout: undefined,
  advanceTimeout: undefined,
};

function viewOf(number: number): SimplexViewRecord {
  return {
    engine: "simplex",
    number,
    epoch: 0,
    view: number,
    leader: number % 4,
    validators: 4,
    startedAtMs: 1_700_000_000_000.126,
    steps: { ...NO_STEPS, proposed: 1.23456, finalized: 3 },
    proposal: { payloadBytes: 2 },
    height: number,
    executed: { transactions: 5, gasUsed: 105_000 },
    votes: {
      notarize: [1, 2, undefined, 3],
      nullify: [undefined, undefined, undefined, undefined],
      finalize: [2, 3, 4, undefined],
      executed: [undefined, undefined, undefined, undefined],
    },
    signers: { finalization: Uint8Array.of(7) },
  };
}

/** Records in a list; `grow` adds one. */
function fakeViews(records: ViewRecord[], engine: ViewReads["engine"] = "simplex"): ViewReads {
  return {
    engine,
    capacity: () => 8,
    next: () => records.length + 1,
    read: (from, count) =>
      records.filter(({ number }) => number >= from && number > records.length - 8).slice(0, count),
    changes: () => records.length,
    changedSince: (since, count) => records.filter(({ number }) => number > since).slice(-count),
  };
}

async function serving(backend: FakeBackend, work: (url: string) => Promise<void>): Promise<void> {
  const server = createRpcServer({ backend, host: "127.0.0.1", port: 0, log: () => undefined });
  const { port } = await server.start();
  try {
    await work(`http://127.0.0.1:${port}`);
  } finally {
    await server.stop();
  }
}

test("ostrom_getViews: the newest records without a number, from one on with it, at most so many", async () => {
  const records: ViewRecord[] = Array.from({ length: 20 }, (_, index) => viewOf(index + 1));
  await serving(createFakeBackend({ views: fakeViews(records) }), async (url) => {
    type Answer = { oldest: number; next: number; capacity: number; views: { number: number }[] };
    const newest = (await result(url, "ostrom_getViews", [null, 3])) as Answer;
    assert.deepEqual(
      newest.views.map(({ number }) => number),
      [18, 19, 20],
    );
    assert.deepEqual([newest.oldest, newest.next, newest.capacity], [13, 21, 8]);
    const from = (await result(url, "ostrom_getViews", [14, "0x2"])) as Answer;
    assert.deepEqual(
      from.views.map(({ number }) => number),
      [14, 15],
    );
    assert.equal(((await result(url, "ostrom_getViews", [100])) as Answer).views.length, 0);
  });
});

test("ostrom_getViews: a view of simplex is told in plain JSON, what was not seen as null", async () => {
  await serving(createFakeBackend({ views: fakeViews([viewOf(1)]) }), async (url) => {
    const { views } = (await result(url, "ostrom_getViews")) as { readonly views: readonly unknown[] };
    const none = [null, null, null, null];
    assert.deepEqual(views, [
      {
        number: 1,
        engine: "simplex",
        epoch: 0,
        view: 1,
        leader: 1,
        validators: 4,
        startedAt: 1_700_000_000_000.13,
        steps: {
          entered: 0,
          proposed: 1.23,
          notarized: null,
          nullified: null,
          finalized: 3,
          executed: null,
          certified: null,
          leaderTimeout: null,
          advanceTimeout: null,
        },
        payloadBytes: 2,
        height: 1,
        transactions: 5,
        gasUsed: 105_000,
        votes: { notarize: [1, 2, null, 3], nullify: none, finalize: [2, 3, 4, null], executed: none },
        signers: { notarization: null, nullification: null, finalization: "0x07" },
      },
    ]);
  });
});

test("ostrom_getViews: of a mined block in the chain the header is told, of one that is gone what was written down", async () => {
  const backend = createFakeBackend();
  const { hash } = backend.grow();
  const block: BlockRecord = {
    engine: "pow",
    number: 1,
    height: 1,
    hash,
    parentHash: hashFromWord(1n),
    startedAtMs: 5,
    finalized: undefined,
    unwound: undefined,
    transactions: 0,
    gasUsed: 0,
    mined: undefined,
  };
  const lost: BlockRecord = { ...block, number: 2, hash: hashFromWord(9n), unwound: 4 };
  await serving({ ...backend, views: fakeViews([block, lost], "pow") }, async (url) => {
    const { views } = (await result(url, "ostrom_getViews")) as { views: Record<string, unknown>[] };
    assert.deepEqual([views[0]?.["difficulty"], views[0]?.["unwound"]], ["0x0", null]);
    assert.deepEqual([views[1]?.["difficulty"], views[1]?.["unwound"]], [null, 4]);
  });
});

test("ostrom_getViews: null where a node keeps no records", async () => {
  await serving(createFakeBackend(), async (url) => {
    assert.equal(await result(url, "ostrom_getViews"), null);
    assert.equal(await result(url, "ostrom_nodeInfo"), null);
    assert.deepEqual(await result(url, "ostrom_getPeers"), []);
  });
});

test("the subscription views: what has changed is pushed, in lists", async () => {
  const records: ViewRecord[] = [viewOf(1)];
  await serving(createFakeBackend({ views: fakeViews(records) }), async (url) => {
    const socket = new WebSocket(url.replace("http", "ws"));
    const messages: { readonly result?: string; readonly params?: { readonly result: unknown[] } }[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.onopen = () =>
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["views"] }));
    socket.onmessage = ({ data }) => {
      messages.push(JSON.parse(String(data)));
      if (messages.length === 1) records.push(viewOf(2), viewOf(3));
      else resolve();
    };
    await promise;
    socket.close();
    assert.equal(typeof messages[0]?.result, "string");
    assert.deepEqual(
      messages[1]?.params?.result.map((one) => (one as { number: number }).number),
      [2, 3],
    );
  });
});

const PEER: PeerReport = {
  peerId: "ab",
  name: "validator-2",
  isConnected: true,
  isDialed: true,
  isAccepted: false,
  address: "10.0.0.1:30310",
  connectedMs: 5,
  roundTripMs: 1.234567,
  sent: { frames: 1, bytes: 2 },
  received: { frames: 3, bytes: 4 },
  queuedBytes: 0,
  dropped: { consensus: 0 },
  dials: 1,
  strikes: 0,
  lastDownReason: undefined,
  version: "Ostrom/v0.1.0/typescript",
  height: 17,
};

const NODE: NodeReads = {
  about: {
    name: "validator-1",
    version: "Ostrom/v0.1.0/typescript",
    engine: "simplex",
    profile: "dev",
    suite: { consensus: "bls12-381", hash: "keccak256", transport: "ed25519" },
    peerId: "cd",
    mode: "full",
    sync: "replay",
    historyBlocks: 64,
    startedAtMs: 1_000,
  },
  peers: async () => [PEER],
};

test("ostrom_getPeers: addresses are told to programs that may operate the node, and to no page of a browser", async () => {
  await serving(createFakeBackend({ node: NODE }), async (url) => {
    const [own] = (await result(url, "ostrom_getPeers")) as { address: string | null; direction: string }[];
    assert.equal(own?.address, "10.0.0.1:30310");
    assert.equal(own?.direction, "outbound");
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ostrom_getPeers", params: [] });
    const { text } = await post(url, body, { origin: "http://localhost:8500" });
    const [page] = (JSON.parse(text) as { result: { address: string | null; roundTripMs: number }[] }).result;
    assert.equal(page?.address, null);
    assert.equal(page?.roundTripMs, 1.23);
  });
});

test("ostrom_nodeInfo: what the node is", async () => {
  await serving(createFakeBackend({ node: NODE }), async (url) => {
    const info = (await result(url, "ostrom_nodeInfo")) as Record<string, unknown>;
    assert.equal(info["engine"], "simplex");
    assert.equal(info["role"], "follower");
    assert.deepEqual(info["modes"], { keeps: "full", sync: "replay", historyBlocks: 64, mining: false });
    assert.ok((info["uptimeMs"] as number) > 0);
  });
});
