import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { JsonRpcProvider } from "ethers";
import { createTestClient, http, parseEther, publicActions, walletActions } from "viem";
import { hardhat } from "viem/chains";

const MAIN = join(import.meta.dirname, "main.ts");
const CONTRACT = "0x00000000000000000000000000000000000000c0";
/** Returns slot 0. */
const READER = "0x60005460005260206000f3";

type Started = { readonly rpc: string; readonly stop: () => Promise<void> };

/** `ostrom dev` as a process of its own, on a port of the system's choice. */
async function startDev(context: TestContext, ...flags: readonly string[]): Promise<Started> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, "dev", "--port", "0", "--json", ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);
  };
  let isStopped = false;
  context.after(() => (isStopped ? undefined : stop()));
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await once(lines, "line")) as [string];
  const ready = JSON.parse(line) as { readonly event: string; readonly rpc: string };
  assert.equal(ready.event, "ready");
  return {
    rpc: ready.rpc,
    stop: () => {
      isStopped = true;
      return stop();
    },
  };
}

type Mode = "hardhat" | "anvil";

const ALICE = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

function createClient(rpc: string, mode: Mode) {
  return createTestClient({ chain: hardhat, mode, transport: http(rpc), pollingInterval: 10, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions);
}

type Client = ReturnType<typeof createClient>;

async function changeAccounts(client: Client): Promise<void> {
  const sent = await client.sendTransaction({ account: ALICE, to: BOB, value: parseEther("1") });
  assert.equal((await client.getTransactionReceipt({ hash: sent })).status, "success");

  await client.setBalance({ address: BOB, value: 5n });
  assert.equal(await client.getBalance({ address: BOB }), 5n);
  await client.setCode({ address: CONTRACT, bytecode: READER });
  await client.setStorageAt({ address: CONTRACT, index: 0, value: `0x${"0".repeat(62)}2a` });
  assert.equal(BigInt((await client.call({ to: CONTRACT })).data ?? "0x"), 42n);
  await client.setNonce({ address: BOB, nonce: 420 });
  assert.equal(await client.getTransactionCount({ address: BOB }), 420);

  const before = await client.getBlockNumber();
  const id = await client.snapshot();
  await client.mine({ blocks: 5, interval: 100 });
  assert.equal(await client.getBlockNumber(), before + 5n);
  await client.revert({ id });
  assert.equal(await client.getBlockNumber(), before);
}

async function changeBlocks(client: Client): Promise<void> {
  const { timestamp } = await client.getBlock();
  await client.increaseTime({ seconds: 1_000 });
  await client.mine({ blocks: 1 });
  const later = (await client.getBlock()).timestamp;
  assert.ok(later >= timestamp + 1_000n);
  await client.setNextBlockTimestamp({ timestamp: later + 77n });
  await client.setNextBlockBaseFeePerGas({ baseFeePerGas: 20n });
  await client.setBlockGasLimit({ gasLimit: 40_000_000n });
  await client.setCoinbase({ address: BOB });
  await client.mine({ blocks: 1 });
  const told = await client.getBlock();
  assert.deepEqual(
    [told.timestamp, told.baseFeePerGas, told.gasLimit, told.miner],
    [later + 77n, 20n, 40_000_000n, BOB.toLowerCase()],
  );
}

async function changeMining(client: Client): Promise<void> {
  await client.setBalance({ address: CONTRACT, value: parseEther("2") });
  await client.impersonateAccount({ address: CONTRACT });
  await client.sendTransaction({ account: CONTRACT, to: ALICE, value: 1n });
  await client.stopImpersonatingAccount({ address: CONTRACT });

  await client.setAutomine(false);
  const waiting = await client.sendTransaction({ account: ALICE, to: BOB, value: 7n, gas: 21_000n });
  const dropped = await client.sendTransaction({ account: ALICE, to: BOB, value: 8n, gas: 21_000n });
  assert.deepEqual(await client.getTxpoolStatus(), { pending: 2, queued: 0 });
  assert.equal(Object.keys((await client.getTxpoolContent()).pending).length, 1);
  await client.inspectTxpool();
  await client.dropTransaction({ hash: dropped });
  await client.mine({ blocks: 1 });
  assert.equal((await client.getTransactionReceipt({ hash: waiting })).status, "success");
  await client.setAutomine(true);
  assert.equal(await client.getAutomine(), true);
  await client.setIntervalMining({ interval: 0 });
  await client.setMinGasPrice({ gasPrice: 0n });
  await client.setLoggingEnabled(false);
  await client.sendUnsignedTransaction({ from: ALICE, to: BOB, value: 1n });
}

for (const mode of ["hardhat", "anvil"] as const) {
  test(`every action of viem's test client works (${mode})`, async (context) => {
    const { rpc } = await startDev(context);
    const client = createClient(rpc, mode);
    assert.deepEqual((await client.getAddresses()).slice(0, 2), [ALICE, BOB]);
    await changeAccounts(client);
    await changeBlocks(client);
    await changeMining(client);
    if (mode === "anvil") {
      const state = await client.dumpState();
      const head = await client.getBlock();
      await client.mine({ blocks: 3 });
      await client.loadState({ state });
      assert.equal((await client.getBlock()).hash, head.hash);
      await client.setBlockTimestampInterval({ interval: 5 });
      await client.mine({ blocks: 2 });
      assert.equal((await client.getBlock()).timestamp, head.timestamp + 10n);
      await client.removeBlockTimestampInterval();
    }
    await client.reset();
    assert.equal(await client.getBlockNumber({ cacheTime: 0 }), 0n);
  });
}

test("ethers sends, waits, and reads why a call reverts", async (context) => {
  const { rpc } = await startDev(context);
  const provider = new JsonRpcProvider(rpc, undefined, { staticNetwork: true, pollingInterval: 10 });
  context.after(() => provider.destroy());
  const signer = await provider.getSigner(0);
  const sent = await signer.sendTransaction({ to: CONTRACT, value: 1n });
  assert.equal((await sent.wait())?.status, 1);
  const signature = await signer.signMessage("hello");
  assert.equal(signature.length, 132);
  // Reverts with Error("no").
  const code = `0x7f08c379a0${"0".repeat(56)}600052602060045260026024527f6e6f${"0".repeat(60)}60445260646000fd`;
  await provider.send("hardhat_setCode", [CONTRACT, code]);
  await assert.rejects(provider.call({ to: CONTRACT }), { code: "CALL_EXCEPTION", reason: "no" });
});

test("--state takes up the chain where the last run left it", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-dev-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "chain.state");
  const first = await startDev(context, "--state", path);
  const client = (rpc: string) =>
    createTestClient({ chain: hardhat, mode: "anvil", transport: http(rpc), cacheTime: 0 }).extend(
      publicActions,
    );
  await client(first.rpc).setBalance({ address: CONTRACT, value: 99n });
  await client(first.rpc).mine({ blocks: 3 });
  await first.stop();
  const second = await startDev(context, "--state", path);
  assert.equal(await client(second.rpc).getBlockNumber(), 3n);
  assert.equal(await client(second.rpc).getBalance({ address: CONTRACT }), 99n);
  await second.stop();
});
