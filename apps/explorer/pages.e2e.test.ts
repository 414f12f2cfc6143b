import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { brotliCompressSync } from "node:zlib";
import type { ConsoleDescription } from "@ostrom/indexer";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import type { Page } from "playwright-core";
import { createPublicClient, createWalletClient, type Hex, http, type PublicClient } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { nextNonce, signTransfers, submit } from "../cli/testing/load.ts";
import {
  DESKTOP,
  noBrowser,
  type OpenOptions,
  type PagesWorld,
  PHONE,
  startPagesWorld,
} from "./testing/pages-world.ts";
import { compileWriter } from "./testing/traced-contracts.ts";

const MOST_FIRST_VIEW_BYTES = 200_000;
const LIVE_TRANSACTIONS = 10_000;
const BATCH = 500;
/** Of DOM nodes and of JavaScript's memory between an idle page and one that saw ten thousand transactions. */
const MOST_MORE_NODES = 3_000;
const MOST_MORE_HEAP_BYTES = 24_000_000;
/** Accounts 0 to 3 send what the tests look at, this one the load. */
const LOAD_ACCOUNT = 4;
const WAIT = { timeout: 60_000 };

type Sent = { readonly create: Hex; readonly set: Hex; readonly failed: Hex; readonly block: number };

describe("the explorer's pages (Chromium, four validators)", { skip: noBrowser }, () => {
  let world: PagesWorld;
  let client: PublicClient;
  let sent: Sent;

  before(async () => {
    world = await startPagesWorld();
    client = createPublicClient({ transport: http(world.network.urls[0]) });
    sent = await sendExamples(world.network.urls[0]!, client);
    const response = await fetch(`${world.console.url}/console.json`);
    const { services, genesis } = (await response.json()) as ConsoleDescription;
    assert.deepEqual(services, { index: false, docs: true, verification: false, traces: true });
    assert.deepEqual(genesis, JSON.parse(readFileSync(`${world.network.folder(0)}/genesis.json`, "utf8")));
  });
  after(() => world?.dispose());

  test("the first view loads less than 200 KB of compressed JavaScript, plots included", async (t) => {
    const page = await world.open("/nowhere");
    await page.locator("h1").waitFor(WAIT);
    const scripts = new Set<string>();
    page.on("request", (request) => {
      if (request.resourceType() === "script") scripts.add(request.url());
    });
    await page.goto(`${world.console.url}/`);
    await page.locator(".uplot").first().waitFor(WAIT);
    const sizes = await Promise.all(
      [...scripts].map(async (url) => {
        const body = await (await fetch(url)).arrayBuffer();
        return brotliCompressSync(new Uint8Array(body)).length;
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${total} bytes in ${sizes.length} files`);
    assert.ok(sizes.length > 1);
    assert.ok(total < MOST_FIRST_VIEW_BYTES, `${total} bytes`);
  });

  test("a new block and its transaction appear by themselves, and become certified", async (t) => {
    const page = await world.open("/");
    await page.locator(".stat-value").first().filter({ hasText: /\d/ }).waitFor(WAIT);
    const [transfer] = signTransfers(0, await nextNonce(world.network.urls[0]!, 0), 1);
    await submit(world.network.urls[0]!, [transfer!]);
    const startMs = performance.now();
    const { blockNumber } = await client.waitForTransactionReceipt({
      hash: transfer!.hash as Hex,
      pollingInterval: 20,
    });
    const executedMs = performance.now();
    await page.locator(`[data-row="${transfer!.hash}"]`).waitFor(WAIT);
    const row = page.locator(`[data-row="${blockNumber}"]`);
    await row.waitFor(WAIT);
    await row.getByText("Certified").waitFor(WAIT);
    t.diagnostic(
      `receipt ${Math.round(executedMs - startMs)} ms after sending, certified on the page ${Math.round(performance.now() - executedMs)} ms later`,
    );
    assert.deepEqual(world.problems, []);
  });

  test("everything is reached by keyboard: skip link, search by /, rows by arrows and Enter, tabs by arrows", async () => {
    const page = await world.open("/blocks");
    await page.locator("tr[data-row]").first().waitFor(WAIT);
    await page.keyboard.press("Tab");
    assert.equal(await focusedText(page), "Skip to content");
    await page.locator("tr[data-row]").first().focus();
    await page.keyboard.press("ArrowDown");
    const row = await page.evaluate(() => document.activeElement?.getAttribute("data-row"));
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/block/${row}`);
    await page.getByRole("tab", { name: "Header" }).focus();
    await page.keyboard.press("ArrowRight");
    assert.match(await focusedText(page), /^Transactions/);
    await page.keyboard.press("/");
    await page.keyboard.type("1");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/block/1");
    await page.getByRole("heading", { name: "Block 1", exact: true }).waitFor(WAIT);
  });

  test("a block shows its header explained, its transactions, and at least three of four signers", async () => {
    const page = await world.open(`/block/${sent.block}`);
    await page.getByRole("button", { name: "State root" }).hover();
    await page.getByRole("tooltip").getByText("Every balance can be proved").waitFor(WAIT);
    await page.getByRole("tab", { name: /^Transactions/ }).click();
    await page.locator(`[data-row="${sent.set}"]`).waitFor(WAIT);
    await page.getByRole("tab", { name: "Certificate" }).click();
    await page.locator(".signers li").first().waitFor(WAIT);
    const signed = await page.locator(".signers .badge[data-tone=good]").count();
    assert.ok(signed >= 3, `${signed} signers`);
    assert.equal(await page.locator(".signers li").count(), 4);
  });

  test("a transaction shows where it stands, its call and its logs", async () => {
    const page = await world.open(`/tx/${sent.set}`);
    await page.locator(".life li[aria-current=step]").getByText("Certified").waitFor(WAIT);
    await page.getByText("set(uint256)").waitFor(WAIT);
    await page.getByRole("tab", { name: "Logs (1)" }).click();
    await page.locator(".logs li").first().waitFor(WAIT);
    await page.getByRole("tab", { name: "Raw" }).click();
    await page.locator(".json-tree").first().waitFor(WAIT);
  });

  test("a transaction shows its inner calls, what it changed, and where its gas went", async () => {
    const page = await world.open(`/tx/${sent.set}`);
    await page.getByRole("tab", { name: "Internal calls" }).click();
    await page.locator(".calls li").nth(1).waitFor(WAIT);
    await page.getByRole("tab", { name: "State changes" }).click();
    await page.locator(".change").first().waitFor(WAIT);
    await page.locator(".state-changes").getByText("Slot").first().waitFor(WAIT);
    await page.getByRole("tab", { name: "Gas" }).click();
    await page.locator(".icicle li").nth(1).waitFor(WAIT);
    await page.locator('[data-row="SSTORE"]').waitFor(WAIT);
  });

  test("a transaction that failed says so, and where and why", async () => {
    const page = await world.open(`/tx/${sent.failed}`);
    await page.getByText("Reverted", { exact: true }).waitFor(WAIT);
    await page.getByRole("alert").getByText("Why it failed").waitFor(WAIT);
    await page.getByRole("alert").getByText("execution reverted").waitFor(WAIT);
  });

  test("what is not there is said: unknown transactions, heights ahead, foreign paths", async () => {
    const page = await world.open(`/tx/0x${"12".repeat(32)}`);
    await page.getByText("No node knows this transaction").waitFor(WAIT);
    await page.goto(`${world.console.url}/block/999999999`);
    await page.getByText("There is no such block").waitFor(WAIT);
    await page.goto(`${world.console.url}/nowhere`);
    await page.getByText("There is no page here").waitFor(WAIT);
    await page.goto(`${world.console.url}/search?q=${sent.set}`);
    await page.waitForURL(`**/tx/${sent.set}`);
  });

  test("theme and language are chosen by the browser, switched by buttons, and kept", async () => {
    const page = await world.open("/settings", { theme: "dark", language: "zh" });
    await page.getByRole("heading", { name: "设置" }).waitFor(WAIT);
    assert.equal(await themeOf(page), "dark");
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "Settings" }).waitFor(WAIT);
    await page.getByRole("button", { name: /^Theme/ }).click();
    assert.equal(await themeOf(page), "light");
    await page.reload();
    await page.getByRole("heading", { name: "Settings" }).waitFor(WAIT);
    assert.equal(await themeOf(page), "light");
  });

  test("no page is wider than its window, in either theme, language and width (screenshots)", async () => {
    const paths = {
      overview: "/",
      blocks: "/blocks",
      block: `/block/${sent.block}`,
      transaction: `/tx/${sent.set}`,
      failed: `/tx/${sent.failed}`,
      search: "/search",
      settings: "/settings",
      missing: "/nowhere",
    };
    const variants: readonly Required<OpenOptions>[] = [
      { theme: "light", language: "en", width: DESKTOP },
      { theme: "dark", language: "zh", width: DESKTOP },
      { theme: "dark", language: "en", width: PHONE },
      { theme: "light", language: "zh", width: PHONE },
    ];
    for (const variant of variants) {
      const page = await world.open("/", variant);
      for (const [name, path] of Object.entries(paths)) {
        await page.goto(`${world.console.url}${path}`);
        await page.locator("h1").waitFor(WAIT);
        await page.waitForLoadState("networkidle").catch(() => undefined);
        const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(excess <= 0, `${name} at ${variant.width}: ${excess} px too wide`);
        await world.screenshot(page, `${name}-${variant.theme}-${variant.language}-${variant.width}`);
      }
    }
    assert.deepEqual(world.problems, []);
  });

  test("ten thousand live transactions leave the overview's nodes and memory bounded", async (t) => {
    const page = await world.open("/");
    await page.locator(".uplot").first().waitFor(WAIT);
    const url = world.network.urls[0]!;
    const transfers = signTransfers(LOAD_ACCOUNT, await nextNonce(url, LOAD_ACCOUNT), LIVE_TRANSACTIONS);
    // A page that has seen some is what is compared with: its rings are as full as they get.
    await sendAll(url, client, transfers.slice(0, BATCH));
    const idle = await measure(page);
    await sendAll(url, client, transfers.slice(BATCH));
    await page.locator(`[data-row="${transfers.at(-1)!.hash}"]`).waitFor(WAIT);
    const busy = await measure(page);
    t.diagnostic(`nodes ${idle.nodes} -> ${busy.nodes}, heap ${idle.heap} -> ${busy.heap}`);
    assert.ok(busy.nodes - idle.nodes < MOST_MORE_NODES, `${busy.nodes - idle.nodes} more nodes`);
    assert.ok(busy.heap - idle.heap < MOST_MORE_HEAP_BYTES, `${busy.heap - idle.heap} more bytes`);
    assert.deepEqual(world.problems, []);
  });
});

/** A contract that made another one, a call through it, and one that fails inside. */
async function sendExamples(url: string, client: PublicClient): Promise<Sent> {
  const key = deriveAccounts(DEVELOPMENT_MNEMONIC, 2)[1]!.secretKey as Hex;
  const wallet = createWalletClient({ account: privateKeyToAccount(key), transport: http(url) });
  const { abi, bytecode } = compileWriter();
  const wait = (hash: Hex) => client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  const create = await wallet.deployContract({ abi, bytecode, chain: null });
  const address = (await wait(create)).contractAddress!;
  const call = { abi, address, functionName: "set", chain: null } as const;
  const set = await wallet.writeContract({ ...call, args: [42n] });
  const { blockNumber } = await wait(set);
  const failed = await wallet.writeContract({ ...call, args: [101n], gas: 200_000n });
  await wait(failed);
  return { create, set, failed, block: Number(blockNumber) };
}

async function sendAll(
  url: string,
  client: PublicClient,
  transfers: ReturnType<typeof signTransfers>,
): Promise<void> {
  for (let from = 0; from < transfers.length; from += BATCH) {
    const batch = transfers.slice(from, from + BATCH);
    assert.deepEqual(await submit(url, batch), []);
    await client.waitForTransactionReceipt({ hash: batch.at(-1)!.hash as Hex, pollingInterval: 50 });
  }
}

async function measure(page: Page): Promise<{ readonly nodes: number; readonly heap: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? 0;
  const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
  await session.detach();
  return { nodes, heap: value("JSHeapUsedSize") };
}

function focusedText(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");
}

function themeOf(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.documentElement.dataset["theme"]);
}
