import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Block,
  Contract,
  ContractFactory,
  type ContractTransactionReceipt,
  type ContractTransactionResponse,
  HDNodeWallet,
  isError,
  JsonRpcProvider,
  Mnemonic,
  parseEther,
  WebSocketProvider,
} from "ethers";
import { ledgerContract } from "./testing/ledger-contract.ts";
import { type ServedChain, serveChain } from "./testing/served-chain.ts";

const { abi, bytecode } = ledgerContract();
const mnemonic = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
const SUPPLY = 1_000_000n;

for (const transportName of ["http", "webSocket"] as const) {
  describe(`ethers over ${transportName}`, () => {
    let served: ServedChain;
    let provider: JsonRpcProvider | WebSocketProvider;
    let alice: HDNodeWallet;
    let bob: string;
    let ledger: Contract;

    before(async () => {
      served = await serveChain();
      provider =
        transportName === "http"
          ? new JsonRpcProvider(served.http, undefined, { cacheTimeout: -1, pollingInterval: 20 })
          : new WebSocketProvider(served.webSocket, undefined, { cacheTimeout: -1 });
      alice = HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0/0").connect(provider);
      bob = HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0/1").address;
      const factory = new ContractFactory(abi as never, bytecode, alice);
      const deployed = await factory.deploy(SUPPLY);
      await deployed.waitForDeployment();
      ledger = new Contract(await deployed.getAddress(), abi as never, alice);
    });
    after(async () => {
      await provider.destroy();
      await served.stop();
    });

    const move = async (to: string, amount: bigint, note: string): Promise<ContractTransactionReceipt> => {
      const sent = (await ledger.move!(to, amount, note)) as ContractTransactionResponse;
      const receipt = await sent.wait();
      assert.ok(receipt !== null);
      return receipt;
    };

    test("deploys, writes, reads", async () => {
      assert.equal((await provider.getNetwork()).chainId, 1337n);
      assert.equal(await ledger.total!(), SUPPLY);
      const receipt = await move(bob, 5n, "hello");
      assert.deepEqual([receipt.status, receipt.logs.length], [1, 1]);
      assert.equal(await ledger.balanceOf!(bob), 5n);
      const transaction = await provider.getTransaction(receipt.hash);
      assert.equal(transaction?.blockHash, receipt.blockHash);
      const block = (await provider.getBlock(receipt.blockNumber, true)) as Block;
      assert.equal(block.prefetchedTransactions[0]?.hash, receipt.hash);
      assert.equal(BigInt(await provider.getStorage(await ledger.getAddress(), 0)), SUPPLY);
    });

    test("queries events", async () => {
      const { blockNumber } = await move(bob, 7n, "queried");
      const events = await ledger.queryFilter(ledger.filters.Moved!(null, bob), blockNumber);
      assert.deepEqual(
        events.map((event) => ("args" in event ? event.args.note : undefined)),
        ["queried"],
      );
    });

    test("listens to events", async () => {
      const heard = Promise.withResolvers<unknown>();
      await ledger.on("Moved", (_from, _to, _amount, note: string) => heard.resolve(note));
      // Listening begins with requests of its own; moves go on until one is heard.
      let isDone = false;
      const note = heard.promise.finally(() => (isDone = true));
      while (!isDone) await move(bob, 1n, "heard");
      assert.equal(await note, "heard");
      await ledger.removeAllListeners();
    });

    test("decodes custom errors and reasons", async () => {
      await assert.rejects(ledger.refuse!.staticCall(), (error: unknown) => {
        assert.ok(isError(error, "CALL_EXCEPTION"));
        assert.equal(error.reason, "not today");
        return true;
      });
      await assert.rejects(ledger.move!.staticCall(bob, 10n ** 12n, ""), (error: unknown) => {
        assert.ok(isError(error, "CALL_EXCEPTION"));
        assert.equal(error.revert?.name, "Insufficient");
        return true;
      });
      // Sending estimates gas first, which fails with the same error.
      await assert.rejects(ledger.move!(bob, 10n ** 12n, ""), (error: unknown) => {
        assert.ok(isError(error, "CALL_EXCEPTION"));
        assert.equal(error.action, "estimateGas");
        assert.equal(ledger.interface.parseError(error.data ?? "0x")?.name, "Insufficient");
        return true;
      });
    });

    test("recognizes what the pool refuses", async () => {
      const codeOf = async (sending: Promise<unknown>): Promise<unknown> => {
        return sending.then(
          () => assert.fail("it must be refused"),
          (error: { code?: unknown }) => error.code,
        );
      };
      assert.equal(
        await codeOf(alice.sendTransaction({ to: bob, nonce: 0, gasLimit: 21_000 })),
        "NONCE_EXPIRED",
      );
      assert.equal(
        await codeOf(alice.sendTransaction({ to: bob, value: parseEther("1000000"), gasLimit: 21_000 })),
        "INSUFFICIENT_FUNDS",
      );
      assert.equal(await codeOf(provider.send("eth_nonsense", [])), "UNSUPPORTED_OPERATION");
    });

    test("suggests fees and estimates gas", async () => {
      const fees = await provider.getFeeData();
      assert.ok((fees.gasPrice ?? 0n) > 0n && (fees.maxFeePerGas ?? 0n) > 0n);
      assert.equal(await provider.estimateGas({ to: bob, value: 1n, from: alice.address }), 21_000n);
    });

    test("sends legacy and access-list transactions", async () => {
      for (const type of [0, 1]) {
        const sent = await alice.sendTransaction({ to: bob, value: 1n, type });
        assert.equal((await sent.wait())?.type, type);
      }
    });
  });
}
