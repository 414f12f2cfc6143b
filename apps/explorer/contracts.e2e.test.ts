import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import type { Locator, Page } from "playwright-core";
import {
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  type PublicClient,
  type WalletClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { LONG_WAIT_MS, waitUntil } from "../cli/testing/test-network.ts";
import { type CompiledDemo, compileDemoToken } from "./testing/demo-token.ts";
import {
  noBrowser,
  type OpenOptions,
  type PagesWorld,
  PHONE,
  startPagesWorld,
} from "./testing/pages-world.ts";
import { injectWallet } from "./testing/test-wallet.ts";

const WAIT = { timeout: 60_000 };
const SUPPLY = 1_000_000n * 10n ** 18n;
const [OWNER, OTHER] = deriveAccounts(DEVELOPMENT_MNEMONIC, 2);

describe("contracts, tokens and the mempool (Chromium, four validators)", { skip: noBrowser }, () => {
  let world: PagesWorld;
  let client: PublicClient;
  let wallet: WalletClient;
  let chainId: number;
  let compiled: CompiledDemo;
  let token: Hex;

  before(async () => {
    world = await startPagesWorld({ index: true });
    const transport = http(world.network.urls[0]);
    client = createPublicClient({ transport, pollingInterval: 100 });
    wallet = createWalletClient({ account: privateKeyToAccount(OWNER!.secretKey), transport });
    chainId = await client.getChainId();
    compiled = compileDemoToken();
    const { abi, bytecode } = compiled;
    const hash = await wallet.deployContract({
      abi,
      bytecode,
      args: [SUPPLY],
      chain: null,
      account: wallet.account!,
    });
    const { contractAddress } = await client.waitForTransactionReceipt({ hash });
    token = contractAddress!.toLowerCase() as Hex;
    await waitUntil("the index knows the token", LONG_WAIT_MS, async () => {
      return (await fetch(`${world.console.url}/api/v1/tokens/${token}`)).ok;
    });
  });
  after(() => world?.dispose());

  const functionOf = (page: Page, name: string): Locator => page.locator(`[data-function="${name}"]`);
  const holderRows = async (page: Page): Promise<readonly string[]> =>
    (await page.locator("tr[data-row]").allTextContents()).map((text) => text.trim());

  test("a source that is not the contract's is refused with the reason", async () => {
    const page = await world.open(`/contract/${token}`);
    await page
      .getByLabel("Standard JSON input", { exact: true })
      .fill(compiled.input.replace("return 18;", "return 17;"), WAIT);
    await page.getByRole("button", { name: "Verify" }).click(WAIT);
    await page.locator('.notice[data-tone="bad"]').filter({ hasText: "Not verified" }).waitFor(WAIT);
    await world.screenshot(page, "verify-refused");
    await page.getByLabel("Standard JSON input", { exact: true }).fill("{", WAIT);
    await page.getByRole("button", { name: "Verify" }).click(WAIT);
    await page.getByText("This is no JSON").waitFor(WAIT);
    await page.close();
  });

  test("the demo's ERC-20 is verified through the page, and its source is shown in colours", async () => {
    const page = await world.open(`/contract/${token}`);
    await page.getByLabel("Standard JSON input", { exact: true }).fill(compiled.input, WAIT);
    await page.getByRole("button", { name: "Verify" }).click(WAIT);
    await page.getByText("Full match").waitFor(WAIT);
    await page.locator('[data-token="keyword"]').first().waitFor(WAIT);
    assert.ok((await page.locator(".source-file").count()) > 3);
    await page.getByRole("button", { name: "@openzeppelin/contracts/token/ERC20/ERC20.sol" }).click(WAIT);
    await page.locator(".source-text").getByText("ERC20InsufficientBalance").first().waitFor(WAIT);
    await world.screenshot(page, "source");
    await page.close();
  });

  test("a view function is asked through its form", async () => {
    const page = await world.open(`/contract/${token}`);
    await page.getByRole("tab", { name: "Read" }).click(WAIT);
    const form = functionOf(page, "balanceOf");
    await form.locator("summary").click(WAIT);
    await form.getByRole("button", { name: "Ask" }).click(WAIT);
    await form.getByRole("alert").filter({ hasText: "An address" }).waitFor(WAIT);
    await form.locator("input").fill(OWNER!.address);
    await form.getByRole("button", { name: "Ask" }).click(WAIT);
    const returned = form.getByTestId("returned");
    await returned.waitFor(WAIT);
    assert.equal(await returned.textContent(), SUPPLY.toString());
    await world.screenshot(page, "read");
    await page.close();
  });

  test("a transfer is tried, sent through an injected wallet, and seen on the token's page", async () => {
    const page = await world.open("/");
    const sent = await injectWallet(page, wallet, chainId);
    await page.goto(`${world.console.url}/contract/${token}`);
    await page.getByRole("tab", { name: "Write" }).click(WAIT);
    await page.getByRole("button", { name: "Connect Test Wallet" }).click(WAIT);
    await page.getByTestId("connected").waitFor(WAIT);
    const form = functionOf(page, "transfer");
    await form.locator("summary").click(WAIT);
    const [to, value] = [form.locator("input").nth(0), form.locator("input").nth(1)];
    await to.fill(OTHER!.address);
    await value.fill((SUPPLY + 1n).toString());
    await form.getByRole("button", { name: "Try it first" }).click(WAIT);
    await form.getByText("ERC20InsufficientBalance").first().waitFor(WAIT);
    assert.equal(await form.getByRole("button", { name: "Send" }).isDisabled(), true);
    await value.fill("250000 ether");
    await form.getByRole("button", { name: "Try it first" }).click(WAIT);
    await form.getByText("It would succeed").waitFor(WAIT);
    await world.screenshot(page, "write-tried");
    assert.equal(sent.length, 0);
    await form.getByRole("button", { name: "Send" }).click(WAIT);
    await form.getByTestId("included").waitFor(WAIT);
    assert.equal(sent.length, 1);
    await world.screenshot(page, "write-sent");

    await page.goto(`${world.console.url}/token/${token}?tab=holders`);
    await page.locator("tr[data-row]").nth(1).waitFor(WAIT);
    const rows = await holderRows(page);
    assert.equal(rows.length, 2);
    assert.match(rows[0]!, /750,000.*75%/);
    assert.match(rows[1]!, /250,000.*25%/);
    await world.screenshot(page, "token-holders");
    await page.close();
  });

  test("a state variable of the verified contract is shown by name, and proved", async () => {
    const page = await world.open(`/contract/${token}`);
    await page.getByRole("tab", { name: "Storage" }).click(WAIT);
    const supply = page.locator('[data-variable="_totalSupply"]');
    await supply.getByTestId("stored").filter({ hasText: SUPPLY.toString() }).waitFor(WAIT);
    const balances = page.locator('[data-variable="_balances"]');
    await balances.locator("input").fill(OTHER!.address);
    await balances.getByRole("button", { name: "Look up" }).click(WAIT);
    await balances
      .getByTestId("stored")
      .filter({ hasText: (SUPPLY / 4n).toString() })
      .waitFor(WAIT);
    await balances.getByRole("button", { name: /Prove this/ }).click(WAIT);
    const panel = page.locator(".prove-panel[data-final=true]");
    await panel.waitFor(WAIT);
    assert.equal(await panel.getAttribute("data-outcome"), "proved", (await panel.textContent()) ?? "");
    await world.screenshot(page, "storage-proved");
    await page.close();
  });

  test("a transaction that must wait is in the mempool, and leaves it when its time has come", async () => {
    const page = await world.open("/mempool");
    const account = privateKeyToAccount(OTHER!.secretKey);
    const sender = createWalletClient({ account, transport: http(world.network.urls[0]) });
    const nonce = await client.getTransactionCount({ address: account.address });
    const later = await sender.sendTransaction({
      chain: null,
      to: token,
      data: "0x18160ddd",
      nonce: nonce + 1,
    });
    await page.locator(`tr[data-row="${later}"]`).waitFor(WAIT);
    await world.screenshot(page, "mempool");
    await sender.sendTransaction({ chain: null, to: token, data: "0x18160ddd", nonce });
    await client.waitForTransactionReceipt({ hash: later });
    await page.locator(`tr[data-row="${later}"]`).waitFor({ ...WAIT, state: "detached" });
    await page.close();
  });

  test("no page of contracts and tokens is wider than a phone, in both themes and languages", async () => {
    const ways: readonly (OpenOptions & { readonly name: string })[] = [
      { name: "phone-en", width: PHONE },
      { name: "phone-zh-dark", width: PHONE, theme: "dark", language: "zh" },
      { name: "dark-zh", theme: "dark", language: "zh" },
      { name: "light-en" },
    ];
    const paths = [
      ["account", `/address/${OWNER!.address}`],
      ["account-tokens", `/address/${OWNER!.address}?tab=tokens`],
      ["account-keys", `/address/${OWNER!.address}?tab=keys`],
      ["contract", `/contract/${token}`],
      ["contract-logs", `/address/${token}?tab=logs`],
      ["tokens", "/tokens"],
      ["token", `/token/${token}`],
      ["mempool-empty", "/mempool"],
    ] as const;
    for (const { name, ...options } of ways) {
      const page = await world.open("/tokens", options);
      for (const [what, path] of paths) {
        await page.goto(`${world.console.url}${path}`);
        await page.locator("h1").waitFor(WAIT);
        await page
          .locator(".skeleton")
          .first()
          .waitFor({ ...WAIT, state: "detached" });
        const [content, window] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          innerWidth,
        ]);
        await world.screenshot(page, `${what}-${name}`);
        assert.ok(content! <= window!, `${what} ${name}: ${content} of ${window} pixels`);
      }
      await page.close();
    }
    assert.deepEqual(world.problems, []);
  });
});
