import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { installNativeCrypto } from "@ostrom/runtime";
import { type Browser, chromium, type Page } from "playwright-core";
import { type SourceServer, serveSources } from "./testing/browser-server.ts";
import { type ServedWorld, serveForgedWorld } from "./testing/forged-world.ts";
import type { ForgeryReport } from "./testing/forgeries.ts";

const CHROMIUM = "/usr/bin/chromium";
const SEED = 20_261_124;
const LEAST = 1_000;
const skip = existsSync(CHROMIUM) ? false : `no ${CHROMIUM}: apt-get install chromium`;

describe("the light client in a browser (Chromium)", { skip }, () => {
  let sources: SourceServer;
  let served: ServedWorld;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  before(async () => {
    installNativeCrypto();
    served = await serveForgedWorld();
    sources = await serveSources();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(sources.url);
  });
  after(async () => {
    await browser?.close();
    await sources?.stop();
    await served?.stop();
  });

  test("it verifies a chain of epochs from genesis and answers from proofs", async (t) => {
    const { genesis, url, nowMs, till } = served.world;
    const found = await page.evaluate(
      async ({ genesis, url, nowMs, till }) => {
        const path: string = "/sdk/index.ts";
        const { createLightClient, createVerifiedProvider } = (await import(
          path
        )) as typeof import("./index.ts");
        const client = createLightClient({ servers: [url], genesis, nowMs: () => nowMs });
        const startMs = performance.now();
        const head = await client.sync();
        const syncMs = performance.now() - startMs;
        const provider = createVerifiedProvider(client);
        const total = await provider.request({
          method: "eth_call",
          params: [{ to: till, data: "0x2ddbd13a" }],
        });
        const code = await provider.request({ method: "eth_getCode", params: [till] });
        return {
          head: head.ok ? head.value.header.number : head.error,
          syncMs,
          total,
          codeBytes: String(code).length / 2 - 1,
        };
      },
      { genesis, url, nowMs, till },
    );
    assert.deepEqual(problems, []);
    assert.equal(found.head, served.world.height);
    assert.equal(BigInt(String(found.total)), 1_000n);
    assert.ok(found.codeBytes > 100);
    t.diagnostic(`${found.head} blocks in ${Math.round(found.syncMs)} ms`);
  });

  test("at least 1,000 forged, truncated, extended, swapped, stale and foreign answers: all refused", async (t) => {
    const report: ForgeryReport = await page.evaluate(
      async ({ world, seed }) => {
        const path: string = "/sdk/testing/forgeries.ts";
        const { tellLies } = (await import(path)) as typeof import("./testing/forgeries.ts");
        return tellLies(world, seed);
      },
      { world: served.world, seed: SEED },
    );
    t.diagnostic(`${report.tried} lies; ${JSON.stringify(report.codes)}`);
    assert.deepEqual(report.believed, []);
    assert.ok(report.tried >= LEAST, `${report.tried} lies`);
  });
});
