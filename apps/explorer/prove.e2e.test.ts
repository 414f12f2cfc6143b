import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { httpServer } from "@ostrom/sdk";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { createPublicClient, createWalletClient, type Hex, http } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { LONG_WAIT_MS, waitUntil } from "../cli/testing/test-network.ts";
import { type Forgery, type ForgingProxy, flipDigit, startForgingProxy } from "./testing/forging-proxy.ts";
import { noBrowser, type PagesWorld, startPagesWorld } from "./testing/pages-world.ts";

const WAIT = { timeout: 90_000 };
const FOREIGN_GENESIS = `0x${"ab".repeat(32)}`;

type Fields = Readonly<Record<string, unknown>>;

/** Changes some fields of one method's answer. */
function forgeFields(method: string, change: (fields: Fields) => Fields): Forgery {
  return (asked, result) =>
    asked === method && typeof result === "object" && result !== null
      ? { ...result, ...change(result as Fields) }
      : result;
}

async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? "";
}

const lastFlipped = (nodes: unknown): readonly string[] => {
  const list = nodes as readonly string[];
  return [...list.slice(0, -1), flipDigit(list.at(-1) ?? "0x00", 0)];
};

describe("prove this: the browser checks, whatever the server says (Chromium, four validators)", {
  skip: noBrowser,
}, () => {
  let world: PagesWorld;
  let proxy: ForgingProxy;
  let context: BrowserContext;
  let sent: Hex;
  let payee: string;
  /** What a console gives that has no node's folder: no genesis.json, but what ostrom_getGenesis answers. */
  let parameters: unknown;

  before(async () => {
    world = await startPagesWorld();
    proxy = await startForgingProxy(world.console.url);
    context = await world.browser.newContext({ viewport: { width: 1_440, height: 1_000 } });
    const url = world.network.urls[0]!;
    const [payer, other] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);
    payee = other!.address.toLowerCase();
    const account = privateKeyToAccount(payer!.secretKey);
    const client = createPublicClient({ transport: http(url), pollingInterval: 100 });
    const wallet = createWalletClient({ account, transport: http(url) });
    sent = await wallet.sendTransaction({ chain: null, to: other!.address, value: 7n });
    await client.waitForTransactionReceipt({ hash: sent });
    [parameters] = (await httpServer(url).ask([{ method: "ostrom_getGenesis", params: [] }])).map((answer) =>
      answer?.ok === true ? answer.value : undefined,
    );
    await waitUntil("a certified block above the transaction's", LONG_WAIT_MS, async () => {
      const { number } = await client.getBlock({ blockTag: "finalized" });
      return number > (await client.getTransactionReceipt({ hash: sent })).blockNumber;
    });
  });
  after(async () => {
    await context?.close();
    await proxy?.close();
    await world?.dispose();
  });

  /** Opens a page through the proxy, presses a button, and waits for the end of the proof. */
  async function prove(path: string, button: string): Promise<Locator> {
    const page: Page = await context.newPage();
    await page.goto(`${proxy.url}${path}`);
    await page.getByRole("button", { name: button }).first().click(WAIT);
    const panel = page.locator(".prove-panel[data-final=true]");
    await panel.waitFor(WAIT);
    return panel;
  }

  async function expectRefused(panel: Locator, step: string, name: string): Promise<void> {
    assert.equal(await panel.getAttribute("data-outcome"), "refused", await textOf(panel));
    const refused = panel.locator('.proof-step[data-state="refused"]');
    assert.equal(await refused.count(), 1);
    assert.equal(await refused.getAttribute("data-step"), step, await textOf(panel));
    await panel.locator('.verdict[data-outcome="refused"][role="alert"]').waitFor(WAIT);
    await world.screenshot(panel.page(), `prove-refused-${name}`);
    await panel.page().close();
  }

  test("an honest balance is proved, step by step, and the chain's fingerprint is pinned and shown", async () => {
    const panel = await prove(`/address/${payee}`, "Prove this: Balance");
    assert.equal(await panel.getAttribute("data-outcome"), "proved", await textOf(panel));
    const steps = panel.locator('.proof-step[data-state="done"]');
    assert.deepEqual(await steps.evaluateAll((all) => all.map((one) => one.getAttribute("data-step"))), [
      "anchor",
      "validators",
      "header",
      "certificate",
      "path",
      "value",
    ]);
    assert.match(await textOf(panel.locator('[data-step="certificate"]')), /[34] of 4 validators/);
    assert.ok((await panel.locator(".tree-node").count()) >= 2);
    assert.match(await textOf(panel.locator('[data-field="balance"] dd')), /10,000\.000000000000000007/);
    const genesis = (
      await createPublicClient({ transport: http(world.network.urls[0]) }).getBlock({ blockNumber: 0n })
    ).hash;
    const shown = await textOf(panel.getByTestId("fingerprint"));
    assert.equal(`0x${shown.replaceAll(/\s/g, "")}`, genesis);
    assert.equal(await panel.locator('.prove-node[data-state="proved"]').count(), 4);
    await world.screenshot(panel.page(), "prove-honest");
    await panel.page().close();
  });

  test("transactions and receipts of older blocks are proved, too", async () => {
    const panel = await prove(`/tx/${sent}`, "Prove this: Receipt");
    assert.equal(await panel.getAttribute("data-outcome"), "proved", await textOf(panel));
    assert.equal(await panel.locator('[data-step="ancestor"][data-state="done"]').count(), 1);
    await world.screenshot(panel.page(), "prove-receipt");
    await panel.page().close();
  });

  const cases: readonly { readonly name: string; readonly step: string; readonly forgery: Forgery }[] = [
    {
      name: "a balance in the proof's own fields",
      step: "value",
      forgery: forgeFields("eth_getProof", () => ({ balance: "0xffffffff" })),
    },
    {
      name: "a balance that is said without proof",
      step: "value",
      forgery: (method, result) => (method === "eth_getBalance" ? "0xffffffff" : result),
    },
    {
      name: "a node of the proof",
      step: "path",
      forgery: forgeFields("eth_getProof", ({ accountProof }) => ({
        accountProof: lastFlipped(accountProof),
      })),
    },
    {
      name: "a proof that ends early",
      step: "path",
      forgery: forgeFields("eth_getProof", ({ accountProof }) => ({
        accountProof: (accountProof as readonly string[]).slice(0, -1),
      })),
    },
    {
      name: "a header",
      step: "header",
      forgery: forgeFields("ostrom_getStateCertificate", ({ header }) => ({
        header: flipDigit(String(header), 0),
      })),
    },
    {
      name: "the signature of a certificate",
      step: "certificate",
      forgery: forgeFields("ostrom_getStateCertificate", ({ certificate }) => ({
        certificate: flipDigit(String(certificate), 0),
      })),
    },
    {
      name: "the set of validators",
      step: "validators",
      forgery: forgeFields("ostrom_getValidators", ({ validators }) => ({
        validators: (validators as readonly Fields[]).map((one) => ({ ...one, weight: "0x2" })),
      })),
    },
  ];

  for (const [index, { name, step, forgery }] of cases.entries()) {
    test(`${name} is forged: the page refuses at the step "${step}"`, async () => {
      proxy.forge(forgery);
      // Whoever has genesis.json asks no node for the first validators.
      if (step === "validators") proxy.describe((description) => ({ ...description, genesis: parameters }));
      else proxy.describe(undefined);
      await expectRefused(await prove(`/address/${payee}`, "Prove this: Balance"), step, String(index));
    });
  }

  test("a receipt that is forged is refused: its status, and its proof", async () => {
    proxy.describe(undefined);
    proxy.forge(forgeFields("eth_getTransactionReceipt", () => ({ status: "0x0" })));
    await expectRefused(await prove(`/tx/${sent}`, "Prove this: Receipt"), "value", "receipt-status");
    proxy.forge(
      forgeFields("ostrom_getReceiptProof", ({ receiptProof }) => ({
        receiptProof: lastFlipped(receiptProof),
      })),
    );
    await expectRefused(await prove(`/tx/${sent}`, "Prove this: Receipt"), "path", "receipt-proof");
  });

  test("one node that lies is refused by name, and the others' answers prove all the same", async () => {
    proxy.forge(
      forgeFields("eth_getProof", () => ({ nonce: "0x99" })),
      [0],
    );
    const panel = await prove(`/address/${payee}`, "Prove this: Nonce");
    assert.equal(await panel.getAttribute("data-outcome"), "proved", await textOf(panel));
    assert.equal(await panel.locator('.prove-node[data-state="refused"]').count(), 1);
    assert.match(await textOf(panel.locator('.verdict[data-outcome="refused"]')), /Refused/);
    await panel.locator('.prove-node[data-state="refused"]').click();
    assert.equal(await panel.locator('[data-step="value"][data-state="refused"]').count(), 1);
    await world.screenshot(panel.page(), "prove-one-liar");
    await panel.page().close();
  });

  test("another chain behind the same address is refused until the user forgets the pinned one", async () => {
    proxy.forge(undefined);
    proxy.describe((description) => ({
      ...description,
      genesis: parameters,
      genesisHash: FOREIGN_GENESIS,
    }));
    const panel = await prove(`/address/${payee}`, "Prove this: Balance");
    assert.match(await textOf(panel), /This is another chain/);
    await expectRefused(panel, "anchor", "other-chain");
    proxy.describe(undefined);
    const again = await prove(`/address/${payee}`, "Prove this: Balance");
    assert.equal(await again.getAttribute("data-outcome"), "proved", await textOf(again));
    await again.page().close();
  });

  test("a node that does not answer proves nothing, and is not called a liar", async () => {
    proxy.forge((method, result) => (method === "ostrom_getStateCertificate" ? null : result));
    const panel = await prove(`/address/${payee}`, "Prove this: Balance");
    assert.equal(await panel.getAttribute("data-outcome"), "unavailable", await textOf(panel));
    assert.equal(await panel.locator('.proof-step[data-state="refused"]').count(), 0);
  });
});
