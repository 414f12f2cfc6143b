import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { createTestNetwork, type TestNetwork } from "../../cli/testing/test-network.ts";
import { type Console, startConsole } from "../index.ts";

const CHROMIUM = "/usr/bin/chromium";

/** Why the pages cannot be tested here; `false`: they can. */
export const noBrowser: string | false = existsSync(CHROMIUM)
  ? false
  : `no ${CHROMIUM}: apt-get install chromium`;

/** A network of four validators, its console, and a browser. */
export type PagesWorld = {
  readonly network: TestNetwork;
  readonly console: Console;
  readonly browser: Browser;
  /** What the pages said was wrong, by the browser's console or as an uncaught error. */
  readonly problems: string[];
  readonly open: (path: string, options?: OpenOptions) => Promise<Page>;
  readonly screenshot: (page: Page, name: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
};

export type OpenOptions = {
  readonly theme?: "light" | "dark";
  readonly language?: "en" | "zh";
  readonly width?: number;
};

export const DESKTOP = 1_440;
export const PHONE = 390;
const HEIGHT = 900;
/** What an index that is still starting answers is no fault of the pages. */
const EXPECTED_PROBLEM = /status of (?:503|404)/;

export async function startPagesWorld(options: { readonly index?: boolean } = {}): Promise<PagesWorld> {
  const network = await createTestNetwork({ validators: 4 });
  await network.startAll();
  const folder = mkdtempSync(join(tmpdir(), "ostrom-console-"));
  const server = await startConsole({
    port: 0,
    chainName: "Ostrom test",
    nodes: network.file.nodes.map(({ name }, index) => ({
      name,
      url: network.urls[index]!,
      folder: network.folder(index),
    })),
    database: options.index === true ? join(folder, "index") : undefined,
    dist: join(folder, "dist"),
  });
  await server.prepared;
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--js-flags=--expose-gc"],
  });
  const problems: string[] = [];
  const contexts: BrowserContext[] = [];
  const shots = process.env["OSTROM_SCREENSHOTS"] ?? join(folder, "screenshots");
  mkdirSync(shots, { recursive: true });
  return {
    network,
    console: server,
    browser,
    problems,
    open: async (path, { theme = "light", language = "en", width = DESKTOP } = {}) => {
      const context = await browser.newContext({
        viewport: { width, height: HEIGHT },
        colorScheme: theme,
        locale: language === "zh" ? "zh-CN" : "en-US",
        hasTouch: width === PHONE,
      });
      contexts.push(context);
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error" && !EXPECTED_PROBLEM.test(message.text()))
          problems.push(message.text());
      });
      await page.goto(`${server.url}${path}`);
      return page;
    },
    screenshot: async (page, name) => {
      await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
    },
    dispose: async () => {
      for (const context of contexts) await context.close();
      await browser.close();
      await server.close();
      await network.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
