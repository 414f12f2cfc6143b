import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import networkHelpersPlugin from "@nomicfoundation/hardhat-network-helpers";
import type { NetworkHelpers } from "@nomicfoundation/hardhat-network-helpers/types";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { EthereumProvider } from "hardhat/types/providers";
import { type DevProcess, startDev } from "./testing/dev-process.ts";

const STRANGER = "0x1111111111111111111111111111111111111111";
const ETHER = 10n ** 18n;
/** Returns 42. */
const ANSWER_CODE = "0x602a60005260206000f3";
/** Returns PREVRANDAO. */
const RANDAO_CODE = "0x4460005260206000f3";

type Network = { readonly helpers: NetworkHelpers; readonly provider: EthereumProvider };

/** Every helper of @nomicfoundation/hardhat-network-helpers on Hardhat's own network, to be sure that the rule is Hardhat's, and on
 * `ostrom dev`. */
for (const name of ["default", "ostrom"]) {
  describe(`Hardhat's network helpers on ${name === "ostrom" ? "ostrom dev" : "Hardhat's own network"}`, () => {
    let dev: DevProcess | undefined;
    let network: Network;
    let from: string;
    let close: () => Promise<void>;

    before(async () => {
      if (name === "ostrom") dev = await startDev();
      const environment = await createHardhatRuntimeEnvironment({
        plugins: [networkHelpersPlugin],
        networks: { ostrom: { type: "http", url: dev?.url ?? "http://127.0.0.1:1" } },
      });
      const connection = await environment.network.create(name);
      network = { helpers: connection.networkHelpers, provider: connection.provider };
      close = () => connection.close();
      const [first] = (await ask("eth_accounts")) as string[];
      from = first ?? "";
    });

    after(async () => {
      await close();
      await dev?.stop();
    });

    const ask = (method: string, ...params: unknown[]): Promise<unknown> =>
      network.provider.request({ method, params });
    const amount = async (method: string, ...params: unknown[]): Promise<bigint> =>
      BigInt((await ask(method, ...params)) as string);
    const balanceOf = (address: string): Promise<bigint> => amount("eth_getBalance", address, "latest");
    const newest = async (): Promise<Readonly<Record<string, string>>> =>
      (await ask("eth_getBlockByNumber", "latest", false)) as Record<string, string>;
    const send = async (fields: object = {}): Promise<string> =>
      (await ask("eth_sendTransaction", { from, to: STRANGER, value: "0x1", ...fields })) as string;

    test("setBalance, setNonce, setCode, setStorageAt and getStorageAt change an account at once", async () => {
      const { helpers } = network;
      await helpers.setBalance(STRANGER, 7n * ETHER);
      assert.equal(await balanceOf(STRANGER), 7n * ETHER);
      await helpers.setNonce(STRANGER, 5);
      assert.equal(await amount("eth_getTransactionCount", STRANGER, "latest"), 5n);
      await helpers.setCode(STRANGER, ANSWER_CODE);
      assert.equal(await ask("eth_getCode", STRANGER, "latest"), ANSWER_CODE);
      assert.equal(await amount("eth_call", { to: STRANGER }, "latest"), 42n);
      await helpers.setStorageAt(STRANGER, 3, 99);
      assert.equal(BigInt(await helpers.getStorageAt(STRANGER, 3)), 99n);
      await helpers.setCode(STRANGER, "0x");
    });

    test("setNonce refuses to go back", async () => {
      await network.helpers.setNonce(STRANGER, 9);
      await assert.rejects(network.helpers.setNonce(STRANGER, 1));
    });

    test("mine makes blocks, as far apart as is asked; mineUpTo stops at a height", async () => {
      const { helpers } = network;
      const [height, time] = [await helpers.time.latestBlock(), await helpers.time.latest()];
      await helpers.mine();
      assert.equal(await helpers.time.latestBlock(), height + 1);
      await helpers.mine(1_000, { interval: 60 });
      assert.equal(await helpers.time.latestBlock(), height + 1_001);
      assert.ok((await helpers.time.latest()) - time >= 999 * 60);
      await helpers.mineUpTo(height + 1_500);
      assert.equal(await helpers.time.latestBlock(), height + 1_500);
      await assert.rejects(helpers.mineUpTo(height));
    });

    test("time.increase, increaseTo and setNextBlockTimestamp move the clock of blocks, forward only", async () => {
      const { time } = network.helpers;
      const start = await time.latest();
      assert.equal(await time.increase(3_600), start + 3_600);
      assert.equal(await time.latest(), start + 3_600);
      await time.increaseTo(start + 10_000);
      assert.equal(await time.latest(), start + 10_000);
      await time.setNextBlockTimestamp(start + 20_000);
      await send();
      assert.equal(await time.latest(), start + 20_000);
      await assert.rejects(time.setNextBlockTimestamp(start));
      await assert.rejects(time.increaseTo(start));
    });

    test("setNextBlockBaseFeePerGas, setPrevRandao, setCoinbase and setBlockGasLimit are in the blocks to come", async () => {
      const { helpers } = network;
      await helpers.setNextBlockBaseFeePerGas(3n * 10n ** 9n);
      await helpers.setPrevRandao(12_345n);
      await helpers.setCoinbase(STRANGER);
      await helpers.setBlockGasLimit(20_000_000n);
      await helpers.mine();
      const block = await newest();
      assert.equal(BigInt(block["baseFeePerGas"] ?? 0), 3n * 10n ** 9n);
      assert.equal(BigInt(block["mixHash"] ?? 0), 12_345n);
      assert.equal(block["miner"], STRANGER);
      assert.equal(BigInt(block["gasLimit"] ?? 0), 20_000_000n);
      await helpers.setCode(STRANGER, RANDAO_CODE);
      assert.equal(await amount("eth_call", { to: STRANGER }, block["number"]), 12_345n);
      await helpers.setCode(STRANGER, "0x");
    });

    test("impersonateAccount lets anybody send; stopImpersonatingAccount ends it", async () => {
      const { helpers } = network;
      const contract = "0x2222222222222222222222222222222222222222";
      await helpers.setBalance(contract, ETHER);
      await helpers.impersonateAccount(contract);
      const hash = await send({ from: contract });
      const receipt = (await ask("eth_getTransactionReceipt", hash)) as Record<string, string>;
      assert.equal(receipt["from"], contract);
      assert.equal(receipt["status"], "0x1");
      await helpers.stopImpersonatingAccount(contract);
      await assert.rejects(send({ from: contract }));
    });

    test("dropTransaction takes a pending transaction away; one in a block stays", async () => {
      const { helpers } = network;
      await ask("evm_setAutomine", false);
      const hash = await send();
      assert.equal(await helpers.dropTransaction(hash), true);
      assert.equal(await ask("eth_getTransactionByHash", hash), null);
      assert.equal(await helpers.dropTransaction(hash), false);
      await ask("evm_setAutomine", true);
      const mined = await send();
      await assert.rejects(helpers.dropTransaction(mined));
    });

    test("takeSnapshot restores balances, height, and automine; snapshots nest, and restore as often as one likes", async () => {
      const { helpers } = network;
      const height = await helpers.time.latestBlock();
      const outer = await helpers.takeSnapshot();
      await helpers.setBalance(STRANGER, 1n);
      const inner = await helpers.takeSnapshot();
      await helpers.setBalance(STRANGER, 2n);
      await helpers.mine(3);
      await inner.restore();
      assert.equal(await balanceOf(STRANGER), 1n);
      await helpers.setBalance(STRANGER, 3n);
      await inner.restore();
      assert.equal(await balanceOf(STRANGER), 1n);
      await outer.restore();
      assert.equal(await helpers.time.latestBlock(), height);
      await assert.rejects(inner.restore());
    });

    test("loadFixture runs a fixture once, and goes back to what it left", async () => {
      const { helpers } = network;
      let runs = 0;
      const fixture = async (): Promise<bigint> => {
        runs++;
        await helpers.setBalance(STRANGER, 11n * ETHER);
        return balanceOf(STRANGER);
      };
      assert.equal(await helpers.loadFixture(fixture), 11n * ETHER);
      await send();
      assert.equal(await helpers.loadFixture(fixture), 11n * ETHER);
      assert.equal(await balanceOf(STRANGER), 11n * ETHER);
      assert.equal(runs, 1);
      helpers.clearSnapshots();
    });
  });
}
