import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import {
  DESKTOP,
  noBrowser,
  type OpenOptions,
  type PagesWorld,
  PHONE,
  startPagesWorld,
} from "./testing/pages-world.ts";

const WAIT = { timeout: 60_000 };
const DEAD = 3;
const NAMES = ["validator-1", "validator-2", "validator-3", "validator-4"];
const LOOKS: readonly Required<OpenOptions>[] = [
  { theme: "light", language: "en", width: DESKTOP },
  { theme: "dark", language: "zh", width: DESKTOP },
  { theme: "dark", language: "en", width: PHONE },
  { theme: "light", language: "zh", width: PHONE },
];

describe("consensus, validators and peers (Chromium, four validators)", { skip: noBrowser }, () => {
  let world: PagesWorld;
  before(async () => {
    world = await startPagesWorld();
  });
  after(() => world?.dispose());

  const row = (page: Page, name: string) => page.locator("tbody tr", { hasText: name });
  const newestView = async (page: Page): Promise<number> =>
    Number(await page.locator(".strip").getAttribute("aria-valuemax"));
  /** Pictures of a page for people to look at; nothing of it is wider than the screen. */
  const lookAt = async (path: string, name: string): Promise<void> => {
    for (const look of LOOKS) {
      const page = await world.open(path, look);
      await page.locator(".card").nth(1).waitFor(WAIT);
      await page.locator("tbody tr").nth(2).waitFor(WAIT);
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      await world.screenshot(page, `${name}-${look.width}-${look.theme}-${look.language}`);
      assert.ok(overflow <= 0, `${path} is ${overflow} pixels wider than a screen of ${look.width}`);
      await page.close();
    }
  };

  test("views come by themselves, and each can be looked into by keyboard", async () => {
    const page = await world.open("/consensus");
    const strip = page.locator(".strip");
    await strip.waitFor(WAIT);
    const first = await newestView(page);
    await page.waitForFunction(
      (seen) => Number(document.querySelector(".strip")?.getAttribute("aria-valuemax")) > seen + 1,
      first,
      WAIT,
    );
    await strip.focus();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("button", { name: "Back to live" }).waitFor(WAIT);
    const stopped = await newestView(page);
    const chosen = await strip.getAttribute("aria-valuetext");
    assert.match(
      chosen ?? "",
      /^View \d+, led by validator-\d: Final\. [34] of 4 voted to notarize, [34] to finalize\.$/,
    );
    await page.locator(".timeline").focus();
    await page.keyboard.press("ArrowRight");
    await page.locator(".timeline-text", { hasText: "proposal of validator-" }).waitFor(WAIT);
    await page.keyboard.press("ArrowRight");
    await page.locator(".timeline-text", { hasText: "votes to notarize" }).waitFor(WAIT);
    // All nodes saw it.
    for (const name of NAMES)
      await page
        .locator("table", { hasText: "Proposal" })
        .locator("tr", { hasText: name })
        .first()
        .waitFor(WAIT);
    assert.equal(await newestView(page), stopped, "what is paused stands still");
    await page.getByRole("button", { name: "Back to live" }).click();
    await page.waitForFunction(
      (seen) => Number(document.querySelector(".strip")?.getAttribute("aria-valuemax")) > seen,
      stopped,
      WAIT,
    );
  });

  test("all validators are connected, know each other's program, and are linked with all", async () => {
    const page = await world.open("/validators");
    for (const name of NAMES) await row(page, name).locator(".badge", { hasText: "Connected" }).waitFor(WAIT);
    await page.waitForFunction(
      () => document.body.textContent?.match(/Ostrom\/v[0-9.]+\/typescript/g)?.length === 4,
      undefined,
      WAIT,
    );
    await page.goto(`${world.console.url}/peers`);
    await page.waitForFunction(
      () => document.querySelectorAll('.matrix [data-link="up"]').length === 12,
      undefined,
      WAIT,
    );
  });

  test("a validator killed by SIGKILL is seen as dead: on validators, on peers, and in the views that it should lead", async () => {
    await world.network.kill(DEAD, "SIGKILL");
    const name = NAMES[DEAD]!;
    const page = await world.open("/validators");
    await row(page, name).locator(".badge", { hasText: "Away" }).waitFor(WAIT);
    await page.locator(".stat", { hasText: "enough to go on" }).waitFor(WAIT);
    await page.goto(`${world.console.url}/peers`);
    await page.waitForFunction(
      () => document.querySelectorAll('.matrix [data-link="down"]').length === 3,
      undefined,
      WAIT,
    );
    await row(page, name).locator(".badge", { hasText: "no answer" }).waitFor(WAIT);
    await page.goto(`${world.console.url}/consensus`);
    await row(page, name).filter({ hasText: "Given up" }).first().waitFor(WAIT);
    await page.locator("tbody tr", { hasText: "3 / 3" }).first().waitFor(WAIT);
    await page.goto(`${world.console.url}/validators`);
    await page.waitForFunction(
      (dead) => {
        const found = [...document.querySelectorAll("tbody tr")].find((one) =>
          one.textContent?.includes(dead),
        );
        return Number(found?.querySelectorAll("td")[3]?.textContent) > 0;
      },
      name,
      WAIT,
    );
    await lookAt("/consensus", "consensus-dead");
    await lookAt("/validators", "validators-dead");
    await lookAt("/peers", "peers-dead");
  });

  test("started again, it is seen again, and votes", async () => {
    await world.network.start(DEAD);
    const name = NAMES[DEAD]!;
    const page = await world.open("/validators");
    await row(page, name).locator(".badge", { hasText: "Connected" }).waitFor(WAIT);
    await page.goto(`${world.console.url}/peers`);
    await page.waitForFunction(
      () => document.querySelectorAll('.matrix [data-link="up"]').length === 12,
      undefined,
      WAIT,
    );
    await page.goto(`${world.console.url}/consensus`);
    await page.locator("tbody tr", { hasText: "4 / 4" }).first().waitFor(WAIT);
    await lookAt("/consensus", "consensus");
  });

  test("the pages report no errors but that a dead node does not answer", () => {
    const others = world.problems.filter((problem) => !/status of 50[0-9]|WebSocket/.test(problem));
    assert.deepEqual(others, []);
  });
});
