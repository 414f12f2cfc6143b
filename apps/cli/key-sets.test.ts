import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { must } from "@ostrom/base";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { keyPairSigner, toAgileAccount } from "@ostrom/sdk";
import { createPublicClient, createWalletClient, getAddress, http } from "viem";
import { foundry } from "viem/chains";
import { ask } from "./rpc-client.ts";
import { runInProcess } from "./testing/in-process.ts";
import { testKey, testKeyFile, testPublicKey } from "./testing/key-files.ts";
import { createTestNetwork, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./testing/test-network.ts";

// One validator, and accounts that get keys of other kinds. Commands find keys in files of KIND:HEX, so that no passphrase costs time here.

const TIMELOCK = 2;
const RECEIVER = "0x00000000000000000000000000000000000000AA";
const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, 6);
const [ALICE, BOB, CAROL] = [0, 1, 2].map((index) =>
  getAddress(must(accounts[index], "it is derived").address),
) as [string, string, string];
const BREAKERS = [81, 82, 83];
let network: TestNetwork;

before(async () => {
  const breakers = BREAKERS.map((seed) => ({ schemeId: 6, publicKey: testKey("ml-dsa-44", seed).publicKey }));
  network = await createTestNetwork({
    validators: 1,
    keys: { timelockMinimum: TIMELOCK, breakers, breakThreshold: 2 },
  });
  await network.startAll();
});
after(() => network?.dispose());

const key = (scheme: string, seed: number): string => testKeyFile(network.directory, scheme, seed);

const url = (): string => must(network.urls[0], "it runs");

async function ostrom(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runInProcess([...args, "--rpc", url()]);
  return code === 0 ? stdout.trim() : `refused: ${stderr.trim()}`;
}

const pay = (...from: readonly string[]): Promise<string> =>
  ostrom("send", "--to", RECEIVER, "--value", "1wei", ...from).then(
    (text) => /success|refused.*/.exec(text)?.[0] ?? text,
  );

async function keysOf(account: string): Promise<{
  governing?: {
    version: number;
    threshold: number;
    keys: readonly { schemeId: number }[];
    guardian?: object;
    timelockSeconds: number;
  };
  proposal?: { readyAt: number };
  commitment?: { changes: number; since: number };
  isBroken: boolean;
}> {
  return JSON.parse(await ostrom("account", "keys", account, "--json"));
}

async function chainTime(): Promise<number> {
  const block = await ask<{ readonly timestamp: string }>(url(), "eth_getBlockByNumber", ["latest", false]);
  return Number(block.timestamp);
}

/** Waits until the chain has a block of this time, in seconds. */
async function reaches(seconds: number): Promise<void> {
  await waitUntil("a block of that time", LONG_WAIT_MS, async () => (await chainTime()) >= seconds);
}

test("any kind of key sends from its own address", async () => {
  for (const [scheme, seed] of [
    ["sm2", 1],
    ["ed25519", 1],
    ["ml-dsa-44", 1],
    ["p-256", 1],
  ] as const) {
    const file = key(scheme, seed);
    const address = /address (0x[0-9a-f]{40})/.exec(await pay("--key-file", file))?.[1];
    assert.ok(address, scheme);
    assert.match(await ostrom("send", "--to", address, "--value", "1", "--dev", "3"), /success/);
    assert.equal(await pay("--key-file", file), "success", scheme);
  }
});

test("an account of two keys in one file needs both", async () => {
  const path = join(network.directory, "hybrid.key");
  const lines = ["secp256k1", "ml-dsa-44"].map(
    (scheme) => `${scheme}:${Buffer.from(testKey(scheme, 7).secretKey).toString("hex")}`,
  );
  writeFileSync(path, lines.join("\n"), { mode: 0o600 });
  const address = must(
    /address (0x[0-9a-f]{40})/.exec(await pay("--key-file", path))?.[1],
    "an empty account is named",
  );
  await ostrom("send", "--to", address, "--value", "1", "--dev", "3");
  assert.equal(await pay("--key-file", path), "success");
  assert.match(await pay("--key-file", key("ml-dsa-44", 7), "--sender", address), /refused/);
});

test("viem deploys and calls by a key of ML-DSA, and reads its blocks untouched", async () => {
  const account = toAgileAccount({
    signers: [keyPairSigner(testKey("ml-dsa-65", 30))],
    validForSeconds: 600,
  });
  await ostrom("send", "--to", account.address, "--value", "1", "--dev", "3");
  const chain = { ...foundry, rpcUrls: { default: { http: [url()] } } };
  const wallet = createWalletClient({ account, chain, transport: http(url()) });
  const client = createPublicClient({ chain, transport: http(url()), pollingInterval: 50 });
  // Init code that leaves code which answers 42.
  const bytecode = "0x69602a5f5260205ff300005f5260086016f3";
  const deployed = await client.waitForTransactionReceipt({
    hash: await wallet.deployContract({ abi: [], bytecode }),
  });
  assert.equal(deployed.status, "success");
  const to = must(deployed.contractAddress ?? undefined, "a contract was created");
  assert.equal(BigInt((await client.call({ to })).data ?? "0x"), 42n);
  const hash = await wallet.sendTransaction({ to, value: 0n, data: "0x01" });
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.from, account.address);
  const [transaction, block] = await Promise.all([
    client.getTransaction({ hash }),
    client.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true }),
  ]);
  assert.equal(transaction.from, account.address);
  assert.equal(block.transactions.find((found) => found.hash === hash)?.typeHex, "0x60");
});

test("ostrom init writes into genesis who may declare elliptic curves broken, and how long changes of keys wait", async () => {
  const init = async (name: string, ...flags: readonly string[]): Promise<string> => {
    const out = join(network.directory, name);
    const funds = ["--chain-id", "77", "--validators", "1", "--fund", `${RECEIVER}=1`];
    const { code, stderr } = await runInProcess(["init", "--out", out, ...funds, ...flags]);
    if (code !== 0) return stderr;
    const { keys } = JSON.parse(readFileSync(join(out, "validator-1/genesis.json"), "utf8"));
    const schemes = keys.breakers.map(({ scheme }: { readonly scheme: string }) => scheme);
    return `${keys.timelockMinimum} ${keys.breakThreshold} ${schemes}`;
  };
  const breakers = [1, 2].flatMap((seed) => ["--breaker", testPublicKey("ml-dsa-44", seed)]);
  assert.equal(
    await init("one", ...breakers, "--break-threshold", "1", "--key-timelock", "60"),
    "60 1 ml-dsa-44,ml-dsa-44",
  );
  assert.match(
    await init("many", ...breakers, "--break-threshold", "3"),
    /--break-threshold: expected 1 to 2/,
  );
  assert.match(
    await init("weak", "--breaker", testPublicKey("sm2", 1)),
    /must be a post-quantum scheme|expected one of/,
  );
});

test("enroll, rotate, cancel and apply change an account's keys, and its address stays", async () => {
  const lattice = key("ml-dsa-44", 10);
  const both = ["--dev", "0", "--signer", lattice, "--sender", ALICE];
  const guardian = key("ed25519", 11);
  const enrolled = await ostrom(
    "account",
    "enroll",
    "--dev",
    "0",
    "--keep",
    "--new",
    lattice,
    "--guardian",
    testPublicKey("ed25519", 11),
  );
  assert.match(enrolled, /acts by 2 of these keys/);
  assert.match(await pay("--dev", "0"), /2 keys of the account's key set must sign/);
  assert.equal(await pay(...both), "success");
  assert.match(await ostrom("account", "enroll", ...both, "--new", lattice), /ostrom account rotate/);

  assert.match(await ostrom("account", "rotate", ...both, "--new", key("sm2", 12)), /Proposed at/);
  assert.match(await ostrom("account", "apply", ALICE, "--dev", "1"), /the timelock has not passed/);
  assert.match(await ostrom("account", "cancel", ...both), /Cancelled/);
  await ostrom("account", "rotate", ...both, "--new", key("sm2", 12));
  assert.match(
    await ostrom("account", "cancel", ALICE, "--dev", "1", "--guardian", lattice),
    /has not signed/,
  );
  assert.match(
    await ostrom("account", "cancel", ALICE, "--dev", "1", "--guardian", guardian),
    /guardian's approval/,
  );
  assert.match(await ostrom("account", "rotate", ...both, "--new", key("sm2", 12)), /--approve-with/);
  const approved = ["account", "rotate", ...both, "--new", key("sm2", 12), "--approve-with", guardian];
  assert.match(await ostrom(...approved), /Proposed at/);
  await reaches(must((await keysOf(ALICE)).proposal, "a change waits").readyAt);
  assert.match(await ostrom("account", "apply", ALICE, "--dev", "1"), /acts by its new keys/);

  const { governing } = await keysOf(ALICE);
  assert.deepEqual(
    [governing?.version, governing?.threshold, governing?.keys.map(({ schemeId }) => schemeId)],
    [2, 1, [5]],
  );
  assert.ok(governing?.guardian, "the guardian stays");
  assert.equal(governing.timelockSeconds, TIMELOCK);
  assert.match(await pay(...both), /not \(or no more\) in the account's key set/);
  assert.equal(await pay("--key-file", key("sm2", 12), "--sender", ALICE), "success");
});

test("what the chain would refuse is said before it is sent", async () => {
  assert.match(await pay("--dev-kind", "rsa"), /--dev-kind: expected one of secp256k1/);
  assert.match(await pay("--dev-kind", "sm2"), /insufficient funds/, "no money here");
  assert.match(await ostrom("account", "enroll", "--dev", "4"), /say which keys/);
  assert.match(
    await ostrom("account", "enroll", "--dev", "4", "--keep", "--threshold", "2"),
    /--threshold: expected 1 to 1/,
  );
  assert.match(await ostrom("account", "enroll", "--dev", "4", "--keep", "--timelock", "1"), /2 s at least/);
  assert.match(await ostrom("account", "rotate", "--dev", "4", "--keep"), /ostrom account enroll/);
  assert.match(await ostrom("account", "apply", BOB, "--dev", "4"), /no change that waits/);
  assert.match(await ostrom("account", "protect", "--dev", "4"), /--commit NAME/);
  assert.match(await ostrom("account", "protect", "--dev", "4", "--commit", "ml-dsa-44:1234"), /KIND:HEX/);
});

test("elliptic curves are declared broken by enough of genesis' keys: what was committed acts, secp256k1 no more", async () => {
  const protect = ["account", "protect", "--dev", "2"];
  assert.match(await ostrom(...protect, "--commit", testPublicKey("ml-dsa-44", 20)), /has committed to/);
  assert.match(await ostrom(...protect, "--commit", testPublicKey("ml-dsa-44", 21)), /--committed NAME/);
  const replaced = [
    ...protect,
    "--commit",
    testPublicKey("ml-dsa-44", 21),
    "--committed",
    key("ml-dsa-44", 20),
  ];
  assert.match(await ostrom(...replaced), /has committed to/);
  const { commitment } = await keysOf(CAROL);
  assert.equal(commitment?.changes, 1);
  const byCommitted = ["--key-file", key("ml-dsa-44", 21), "--sender", CAROL];
  assert.match(await pay(...byCommitted), /refused/);

  const [first, second] = BREAKERS as [number, number, number];
  await reaches((commitment?.since ?? 0) + 1);
  const since = String(await chainTime());
  const declare = ["chain", "declare-broken", "--since", since];
  const signed = await ostrom(...declare, "--breaker", key("ml-dsa-44", second), "--sign-only");
  assert.match(signed, /^1:0x[0-9a-f]+$/);
  assert.match(
    await ostrom(...declare, "--breaker", key("ml-dsa-44", first), "--dev", "1"),
    /2 of the 3 keys must sign; 1 have/,
  );
  assert.match(
    await ostrom(...declare, "--breaker", key("ml-dsa-44", 99), "--dev", "1"),
    /genesis does not name/,
  );
  assert.match(
    await ostrom(...declare, "--breaker", key("ml-dsa-44", first), "--signature", signed, "--dev", "1"),
    /Declared/,
  );

  assert.equal(await pay(...byCommitted), "success");
  assert.match(await pay("--dev", "2"), /refused/);
  assert.match(await pay("--dev", "1"), /refused/);
  assert.equal((await keysOf(CAROL)).isBroken, true);
  assert.match(await ostrom(...declare, "--breaker", key("ml-dsa-44", first)), /have been declared broken/);
});
