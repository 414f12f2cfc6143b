import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectionStore,
  connectWallet,
  disconnectWallet,
  readAnnouncement,
  switchChain,
} from "./wallets.ts";

type Call = { readonly method: string; readonly params?: readonly unknown[] };

const ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

function walletOf(answer: (call: Call) => unknown): NonNullable<ReturnType<typeof readAnnouncement>> {
  const provider = { request: (call: Call) => Promise.resolve().then(() => answer(call)) };
  const wallet = readAnnouncement({ info: { uuid: "1", name: "Test" }, provider });
  assert.ok(wallet !== undefined);
  return wallet;
}

test("an announcement without a name, an id or a provider is no wallet, and long names are cut", () => {
  const provider = { request: () => Promise.resolve() };
  assert.equal(readAnnouncement(null), undefined);
  assert.equal(readAnnouncement({ info: { uuid: "1" }, provider }), undefined);
  assert.equal(readAnnouncement({ info: { uuid: "1", name: "A" }, provider: {} }), undefined);
  assert.equal(readAnnouncement({ info: { uuid: "1", name: "A".repeat(99) }, provider })?.name.length, 40);
});

test("a connection has the wallet's first account and its chain", async () => {
  const wallet = walletOf(({ method }) => (method === "eth_chainId" ? "0x7a69" : [ACCOUNT]));
  const connection = await connectWallet(wallet);
  assert.deepEqual([connection.account, connection.chainId], [ACCOUNT, 31_337]);
  assert.equal(connectionStore.get(), connection);
  disconnectWallet();
  assert.equal(connectionStore.get(), undefined);
});

test("a wallet that gives no account is not connected", async () => {
  await assert.rejects(connectWallet(walletOf(() => [])), /no account/);
  await assert.rejects(connectWallet(walletOf(() => ["0x12"])), /no account/);
});

test("a wallet that does not know the chain learns it; any other refusal is the user's to read", async () => {
  const asked: string[] = [];
  const chain = { chainId: 31_337, name: "Ostrom", rpcUrl: "http://127.0.0.1:8545" };
  const learning = walletOf(({ method }) => {
    asked.push(method);
    if (method === "wallet_switchEthereumChain") throw Object.assign(new Error("unknown"), { code: 4902 });
    return null;
  });
  await switchChain(learning, chain);
  assert.deepEqual(asked, ["wallet_switchEthereumChain", "wallet_addEthereumChain"]);
  const refusing = walletOf(() => {
    throw Object.assign(new Error("the user said no"), { code: 4001 });
  });
  await assert.rejects(switchChain(refusing, chain), /said no/);
});
