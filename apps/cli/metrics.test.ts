import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askMany } from "./rpc-client.ts";
import { Sender } from "./testing/sender.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";

const VALIDATORS = 4;
const TRANSFERS = 5;

/** `| name | type | labels | ...` of docs/metrics.md. */
const ROW = /^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]*?) ?\|/gm;
const SAMPLE = /^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? ([-+\d.e]+)$/;

let network: TestNetwork;

before(async () => {
  network = await createTestNetwork({ validators: VALIDATORS, hasMetrics: true });
  await network.startAll();
});

after(async () => {
  await network.dispose();
});

function get(index: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${network.file.nodes[index]!.metricsPort}${path}`);
}

async function scrape(index: number): Promise<string> {
  const response = await get(index, "/metrics");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  return response.text();
}

function numberOf(text: string, series: string): number {
  const line = text.split("\n").find((one) => one.startsWith(`${series} `));
  assert.ok(line !== undefined, series);
  return Number(line.slice(series.length));
}

async function readyOf(
  index: number,
): Promise<{ readonly status: number; readonly failing: readonly string[] }> {
  const response = await get(index, "/ready");
  const { failing } = (await response.json()) as { readonly failing: readonly string[] };
  return { status: response.status, failing };
}

test("a node tells of its chain, and every node of the same one", async () => {
  const height = await new Sender().finalize(network.urls, TRANSFERS);
  await waitUntil("all nodes tell of it", LONG_WAIT_MS, async () => {
    const texts = await Promise.all(network.urls.map((_, index) => scrape(index)));
    return texts.every(
      (text) =>
        numberOf(text, "ostrom_chain_certified_height") >= height &&
        numberOf(text, "ostrom_network_linked_weight_ratio") === 1,
    );
  });
  for (const index of network.urls.keys()) {
    const text = await scrape(index);
    assert.equal(numberOf(text, "ostrom_chain_transactions_total"), TRANSFERS);
    assert.equal(numberOf(text, "ostrom_chain_gas_used_total"), TRANSFERS * 21_000);
    assert.ok(numberOf(text, "ostrom_chain_finalized_height") >= height);
    assert.equal(numberOf(text, "ostrom_network_linked_weight_ratio"), 1);
    for (const series of [
      'ostrom_consensus_own_votes_total{kind="finalize"}',
      'ostrom_network_received_bytes_total{channel="consensus"}',
      'ostrom_signatures_checked_total{kind="transaction"}',
      "ostrom_storage_synced_batch_seconds_count",
      "ostrom_storage_log_sync_seconds_count",
      "ostrom_certification_delay_seconds_count",
      "ostrom_execution_block_seconds_count",
      'ostrom_thread_cpu_seconds_total{thread="execution"}',
      'ostrom_storage_bytes{part="chain"}',
      "process_resident_memory_bytes",
    ])
      assert.ok(numberOf(text, series) > 0, `${series} of node ${index}`);
  }
});

test("calls of JSON-RPC are counted by method, and errors by code", async () => {
  const [url] = network.urls;
  await askMany(url!, [
    { method: "eth_chainId", params: [] },
    { method: "eth_chainId", params: [] },
    { method: "eth_noSuchMethod", params: [] },
  ]);
  const text = await scrape(0);
  assert.equal(numberOf(text, 'ostrom_rpc_requests_total{method="eth_chainId"}'), 2);
  assert.equal(numberOf(text, 'ostrom_rpc_errors_total{code="-32601"}'), 1);
});

test("docs/metrics.md explains everything that a running node exposes, with its type and labels, and nothing else", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/metrics.md"), "utf8");
  const told = new Map(
    [...page.matchAll(ROW)].map(([, name, kind, labels]) => [name!, { kind: kind!, labels: labels! }]),
  );
  const text = await scrape(0);
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
  assert.deepEqual(types.sort(), [...told].map(([name, { kind }]) => `${name} ${kind}`).sort());
  const sampled = new Set<string>();
  for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const [, stem = "", labels = ""] = SAMPLE.exec(line) ?? assert.fail(line);
    const whole = line.slice(0, line.search(/[ {]/));
    const row = told.get(whole) ?? told.get(stem);
    assert.ok(row !== undefined, `${line} is not documented`);
    sampled.add(told.has(whole) ? whole : stem);
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, name]) => name).filter((name) => name !== "le");
    assert.equal(names.join(", "), row.labels, line);
  }
  assert.deepEqual(
    [...told.keys()].filter((name) => !sampled.has(name)),
    [],
  );
});

test("a validator whose links are too few for a quorum lives, and is not ready", async () => {
  await waitUntil("all are ready", LONG_WAIT_MS, async () => {
    const answers = await Promise.all(network.urls.map((_, index) => readyOf(index)));
    return answers.every(({ status }) => status === 200);
  });
  await Promise.all([network.kill(2, "SIGTERM"), network.kill(3, "SIGTERM")]);
  await waitUntil("it misses them", LONG_WAIT_MS, async () => (await readyOf(0)).status === 503);
  assert.deepEqual((await readyOf(0)).failing, ["linked"]);
  assert.equal((await get(0, "/health")).status, 200);
  assert.equal((await get(0, "/elsewhere")).status, 404);
});

test("neither metrics nor health say a secret of the node", async () => {
  const told = `${await scrape(0)}${await (await get(0, "/health")).text()}${await (await get(0, "/ready")).text()}`;
  for (const file of ["keys/consensus.key", "keys/operator.secret"]) {
    const secret = readFileSync(join(network.folder(0), file), "utf8").trim();
    assert.equal(told.includes(secret), false, file);
  }
});
