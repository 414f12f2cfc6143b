import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { CATALOG, CHAIN, POOL, PROCESS, RPC, THREAD } from "./metrics-catalog.ts";
import {
  count,
  countMethod,
  countOf,
  createMetricsPage,
  gauge,
  gaugeOf,
  leaveSeat,
  MAX_SEATS,
  nameMethods,
  observe,
  readMethods,
  readSeats,
  takeSeat,
} from "./metrics-counters.ts";
import { MAX_METHODS } from "./metrics-definition.ts";
import { describeMetrics } from "./metrics-text.ts";

/** Lines of a scrape without comments, as series -> value. */
function seriesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

function scrape(page: SharedArrayBuffer, uptimeSeconds = 10): ReadonlyMap<string, number> {
  return seriesOf(describeMetrics(readSeats(page), readMethods(page), new Map(), uptimeSeconds));
}

describe("the metrics of a node", () => {
  afterEach(leaveSeat);

  test("a thread's counts are read from the page, those from before it joined included", () => {
    const page = createMetricsPage();
    count(CHAIN.blocks);
    assert.ok(takeSeat(page, 1));
    count(CHAIN.blocks, 2);
    countOf(POOL.refused, "txpool/full");
    gauge(CHAIN.head, 7);
    const series = scrape(page);
    assert.equal(series.get("ostrom_chain_blocks_total"), 3);
    assert.equal(series.get("ostrom_chain_head_height"), 7);
    assert.equal(series.get('ostrom_pool_refused_total{code="txpool/full"}'), 1);
  });

  test("what has no label's value of its own is counted as other: the number of series is bounded", () => {
    const page = createMetricsPage();
    takeSeat(page, 1);
    const before = scrape(page).size;
    for (let n = 0; n < 1_000; n++) countOf(POOL.refused, `attacker/${n}`);
    nameMethods(page, ["eth_call"]);
    for (let n = 0; n < 1_000; n++) countMethod(RPC.requests, `attacker_${n}`);
    const series = scrape(page);
    assert.equal(series.get('ostrom_pool_refused_total{code="other"}'), 1_000);
    assert.equal(series.get('ostrom_rpc_requests_total{method="other"}'), 1_000);
    assert.equal(series.size, before);
  });

  test("a method is a series from its first call on; beyond the limit methods are counted together", () => {
    const page = createMetricsPage();
    takeSeat(page, 1);
    const names = Array.from({ length: MAX_METHODS + 5 }, (_, index) => `m_${index}`);
    nameMethods(page, names);
    for (const name of names) countMethod(RPC.requests, name);
    const series = scrape(page);
    assert.equal(series.get('ostrom_rpc_requests_total{method="m_0"}'), 1);
    assert.equal(series.get('ostrom_rpc_requests_total{method="other"}'), 5);
  });

  test("a histogram's buckets are cumulative, and its sum and count are those of all values", () => {
    const page = createMetricsPage();
    takeSeat(page, 1);
    for (const seconds of [0.01, 0.05, 0.3, 1_000]) observe(CHAIN.interval, seconds);
    const series = scrape(page);
    const name = "ostrom_chain_block_interval_seconds";
    assert.equal(series.get(`${name}_bucket{le="0.05"}`), 2);
    assert.equal(series.get(`${name}_bucket{le="0.3"}`), 3);
    assert.equal(series.get(`${name}_bucket{le="60"}`), 3);
    assert.equal(series.get(`${name}_bucket{le="+Inf"}`), 4);
    assert.equal(series.get(`${name}_count`), 4);
    assert.equal(series.get(`${name}_sum`), 1_000.36);
  });

  test("a thread that starts again takes the seat of its forerunner: counters go on, gauges begin anew", () => {
    const page = createMetricsPage();
    takeSeat(page, 1);
    count(CHAIN.blocks);
    gauge(CHAIN.head, 7);
    leaveSeat();
    assert.ok(takeSeat(page, 100));
    count(CHAIN.blocks);
    assert.equal(readSeats(page).length, 1);
    const series = scrape(page, 100);
    assert.equal(series.get("ostrom_chain_blocks_total"), 2);
    assert.equal(series.get("ostrom_chain_head_height"), 0);
  });

  test("threads of one name that live at once have a seat each, up to the limit", () => {
    const page = createMetricsPage();
    for (let seat = 0; seat < MAX_SEATS; seat++) {
      assert.ok(takeSeat(page, 1));
      count(CHAIN.blocks);
      leaveSeat();
    }
    assert.equal(takeSeat(page, 1), false);
    count(CHAIN.blocks);
    const series = scrape(page, 1);
    assert.equal(series.get("ostrom_chain_blocks_total"), MAX_SEATS);
    assert.equal(series.get('ostrom_thread_silent_seconds{thread="main"}'), 0);
    assert.ok(series.has(`ostrom_thread_silent_seconds{thread="main-${MAX_SEATS}"}`));
  });

  test("a thread that has long ended is shown no more, and what it counted still is", () => {
    const page = createMetricsPage();
    takeSeat(page, 1);
    count(CHAIN.blocks);
    assert.equal(scrape(page, 100).get('ostrom_thread_silent_seconds{thread="main"}'), 99);
    const later = scrape(page, 10_000);
    assert.equal(later.has('ostrom_thread_silent_seconds{thread="main"}'), false);
    assert.equal(later.get("ostrom_chain_blocks_total"), 1);
  });

  test("every metric has HELP and TYPE, in Prometheus' text format, and labels are escaped", () => {
    const page = createMetricsPage();
    const labels = { name: 'a"b\\c\nd' };
    const computed = new Map([[PROCESS.chain.name, [{ labels, value: 1 }]]]);
    const text = describeMetrics(readSeats(page), [], computed, 1);
    assert.ok(text.endsWith("\n"));
    assert.ok(text.includes('ostrom_chain_info{name="a\\"b\\\\c\\nd"} 1\n'));
    const line = /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{(?:\w+="(?:[^"\\]|\\.)*",?)+\})? [-+\d.e]+)$/;
    for (const one of text.trimEnd().split("\n")) assert.match(one, line);
    for (const { name, kind } of CATALOG.metrics) assert.ok(text.includes(`# TYPE ${name} ${kind}\n`), name);
  });

  test("a gauge takes only what it has a place for", () => {
    assert.throws(() => gaugeOf(POOL.transactions, "elsewhere", 1));
    assert.equal(THREAD.beat.kind, "gauge");
  });
});
