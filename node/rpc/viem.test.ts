import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { verifyMerkleProof } from "@ethereumjs/mpt";
import {
  BaseError,
  type Chain,
  ContractFunctionRevertedError,
  createPublicClient,
  createWalletClient,
  defineChain,
  fromRlp,
  getAddress,
  getContract,
  type Hex,
  hexToBytes,
  http,
  InsufficientFundsError,
  keccak256,
  type Log,
  NonceTooLowError,
  pad,
  parseEther,
  toBytes,
  toHex,
  webSocket,
} from "viem";
import { ledgerContract } from "./testing/ledger-contract.ts";
import { ACCOUNTS, type ServedChain, serveChain } from "./testing/served-chain.ts";

const [alice, bob, carol] = ACCOUNTS as [(typeof ACCOUNTS)[0], (typeof ACCOUNTS)[0], (typeof ACCOUNTS)[0]];
const { abi, bytecode } = ledgerContract();
const SUPPLY = 1_000_000n;

for (const transportName of ["http", "webSocket"] as const) {
  describe(`viem over ${transportName}`, () => {
    let served: ServedChain;
    let chain: Chain;
    let ledger: Hex;
    const clients = () => {
      const transport =
        transportName === "http"
          ? http(served.http, { batch: true, retryCount: 0 })
          : webSocket(served.webSocket, { retryCount: 0, reconnect: false });
      return {
        reader: createPublicClient({ chain, transport, pollingInterval: 20, cacheTime: 0 }),
        wallet: createWalletClient({ chain, transport, account: alice }),
      };
    };
    type Clients = ReturnType<typeof clients>;
    let reader: Clients["reader"];
    let wallet: Clients["wallet"];

    before(async () => {
      served = await serveChain();
      chain = defineChain({
        id: 1337,
        name: "test",
        nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
        rpcUrls: { default: { http: [served.http] } },
      });
      ({ reader, wallet } = clients());
      const hash = await wallet.deployContract({ abi, bytecode, args: [SUPPLY], value: 5n });
      const receipt = await reader.waitForTransactionReceipt({ hash });
      ledger = receipt.contractAddress as Hex;
    });
    after(async () => {
      const { getRpcClient } = reader.transport as { getRpcClient?: () => Promise<{ close: () => void }> };
      (await getRpcClient?.())?.close();
      await served.stop();
    });

    const move = (to: Hex, amount: bigint, note = "hello"): Promise<Hex> =>
      wallet.writeContract({ address: ledger, abi, functionName: "move", args: [to, amount, note] });

    test("deploys, writes, reads", async () => {
      assert.equal(await reader.getChainId(), 1337);
      const code = await reader.getCode({ address: ledger });
      assert.ok(code !== undefined && code.length > 100);
      const contract = getContract({ address: ledger, abi, client: { public: reader, wallet } });
      assert.equal(await contract.read.total!(), SUPPLY);
      const receipt = await reader.waitForTransactionReceipt({ hash: await move(bob.address, 5n) });
      assert.deepEqual([receipt.status, receipt.logs.length, receipt.type], ["success", 1, "eip1559"]);
      assert.equal(await contract.read.balanceOf!([bob.address]), 5n);
      const transaction = await reader.getTransaction({ hash: receipt.transactionHash });
      assert.deepEqual(
        [transaction.from, transaction.to],
        [alice.address.toLowerCase(), ledger.toLowerCase()],
      );
      const block = await reader.getBlock({ blockHash: receipt.blockHash, includeTransactions: true });
      assert.equal(block.transactions[0]?.hash, receipt.transactionHash);
      assert.equal(await reader.getBalance({ address: ledger }), 5n);
      assert.equal(BigInt((await reader.getStorageAt({ address: ledger, slot: "0x0" })) ?? 0), SUPPLY);
    });

    test("reads events over a range, by topic", async () => {
      const event = { type: "event", name: "Moved" } as const;
      const first = await reader.getBlockNumber();
      await reader.waitForTransactionReceipt({ hash: await move(bob.address, 1n, "one") });
      await reader.waitForTransactionReceipt({ hash: await move(carol.address, 2n, "two") });
      const get = (args: Record<string, Hex>): Promise<readonly Log[]> =>
        reader.getContractEvents({
          address: ledger,
          abi,
          eventName: event.name,
          args,
          fromBlock: first + 1n,
        });
      const all = (await get({})) as unknown as { args: { note: string } }[];
      assert.deepEqual(
        all.map(({ args }) => args.note),
        ["one", "two"],
      );
      const toCarol = (await get({ to: carol.address })) as unknown as { args: { amount: bigint } }[];
      assert.deepEqual(
        toCarol.map(({ args }) => args.amount),
        [2n],
      );
      assert.equal((await get({ from: bob.address })).length, 0);
    });

    test("watches events and blocks", async () => {
      const event = Promise.withResolvers<unknown>();
      const block = Promise.withResolvers<bigint | null>();
      const unwatchEvent = reader.watchContractEvent({
        address: ledger,
        abi,
        eventName: "Moved",
        onLogs: ([log]) => event.resolve((log as unknown as { args: { note: string } }).args.note),
        onError: event.reject,
      });
      const unwatchBlocks = reader.watchBlocks({
        onBlock: ({ number }) => block.resolve(number),
        onError: block.reject,
      });
      // Watching begins with requests of its own; moves go on until it sees one.
      let isDone = false;
      const seen = Promise.all([event.promise, block.promise]).finally(() => (isDone = true));
      while (!isDone) {
        await reader.waitForTransactionReceipt({ hash: await move(bob.address, 1n, "watched") });
      }
      const [note, number] = await seen;
      assert.equal(note, "watched");
      assert.ok((number ?? 0n) > 0n);
      unwatchEvent();
      unwatchBlocks();
    });

    test("decodes custom errors, reasons and panics", async () => {
      const revertOf = async (call: Promise<unknown>): Promise<ContractFunctionRevertedError> => {
        const error = await call.then(
          () => assert.fail("it must revert"),
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof BaseError);
        const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
        assert.ok(revert instanceof ContractFunctionRevertedError, String(error));
        return revert;
      };
      const read = (functionName: string, args: readonly unknown[] = []): Promise<unknown> =>
        reader.readContract({ address: ledger, abi, functionName, args });
      assert.equal((await revertOf(read("refuse"))).reason, "not today");
      assert.match((await revertOf(read("divide", [0n]))).shortMessage, /Division or modulo by zero/);
      const request = {
        address: ledger,
        abi,
        functionName: "move",
        args: [bob.address, 1n, ""],
        account: carol,
      } as const;
      const simulated = await revertOf(
        reader.simulateContract({ ...request, args: [bob.address, 10n ** 9n, ""] }),
      );
      assert.equal(simulated.data?.errorName, "Insufficient");
      assert.equal((simulated.data.args as bigint[])[1], 10n ** 9n);
      // Gas estimation fails with the same reason.
      const estimated = await revertOf(
        reader.estimateContractGas({ ...request, args: [bob.address, 10n ** 9n, ""] }),
      );
      assert.equal(estimated.data?.errorName, "Insufficient");
    });

    test("estimates gas, fees and access lists", async () => {
      assert.equal(await reader.estimateGas({ account: alice, to: bob.address, value: 1n }), 21_000n);
      const fees = await reader.estimateFeesPerGas();
      assert.ok(fees.maxFeePerGas > 0n && fees.maxFeePerGas >= fees.maxPriorityFeePerGas);
      assert.ok((await reader.getGasPrice()) > 0n);
      const history = await reader.getFeeHistory({ blockCount: 3, rewardPercentiles: [10, 50, 90] });
      assert.equal(history.baseFeePerGas.length, 4);
      assert.equal(history.gasUsedRatio.length, 3);
      assert.equal(history.reward?.[0]?.length, 3);
      const { accessList } = await reader.createAccessList({ to: ledger, data: toHex(0x2ddbd13a) });
      assert.deepEqual(accessList, [{ address: ledger, storageKeys: [pad("0x0")] }]);
    });

    test("simulates with state and block overrides", async () => {
      const total = await reader.readContract({
        address: ledger,
        abi,
        functionName: "total",
        stateOverride: [{ address: ledger, stateDiff: [{ slot: pad("0x0"), value: pad("0x7") }] }],
      });
      assert.equal(total, 7n);
      const surroundings = (await reader.readContract({
        address: ledger,
        abi,
        functionName: "surroundings",
        account: bob,
        blockOverrides: { number: 77n, time: 99n },
      })) as bigint[];
      assert.deepEqual(surroundings, [77n, 99n, getAddress(bob.address), 1337n]);
    });

    test("proofs verify with an independent trie against the block's state root", async () => {
      const { stateRoot, number } = await reader.getBlock();
      const proof = await reader.getProof({
        address: ledger,
        storageKeys: [pad("0x0"), pad("0xff")],
        blockNumber: number,
      });
      const account = await verifyMerkleProof(
        hexToBytes(ledger),
        proof.accountProof.map((node) => hexToBytes(node)),
        {
          root: hexToBytes(stateRoot),
          useKeyHashing: true,
        },
      );
      assert.ok(account !== null);
      const [nonce, balance, storageHash, codeHash] = fromRlp(account, "hex") as Hex[];
      assert.deepEqual([BigInt(nonce!), BigInt(balance!)], [1n, 5n]);
      assert.deepEqual([storageHash, codeHash], [proof.storageHash, proof.codeHash]);
      assert.equal(keccak256((await reader.getCode({ address: ledger }))!), proof.codeHash);
      const options = { root: hexToBytes(proof.storageHash), useKeyHashing: true };
      const [total, absent] = await Promise.all(
        proof.storageProof.map(({ key, proof: nodes }) =>
          verifyMerkleProof(
            hexToBytes(pad(key as Hex)),
            nodes.map((node) => hexToBytes(node)),
            options,
          ),
        ),
      );
      assert.equal(BigInt(fromRlp(total!, "hex") as Hex), SUPPLY);
      assert.deepEqual([absent, proof.storageProof[1]?.value], [null, 0n]);
    });

    test("proofs of older blocks verify against those blocks", async () => {
      const older = await reader.getBlock();
      await reader.waitForTransactionReceipt({ hash: await move(bob.address, 3n) });
      const proof = await reader.getProof({
        address: alice.address,
        storageKeys: [],
        blockNumber: older.number,
      });
      const account = await verifyMerkleProof(
        toBytes(alice.address),
        proof.accountProof.map((node) => hexToBytes(node)),
        {
          root: hexToBytes(older.stateRoot),
          useKeyHashing: true,
        },
      );
      assert.equal(BigInt((fromRlp(account!, "hex") as Hex[])[1]!), proof.balance);
      assert.equal(
        await reader.getBalance({ address: alice.address, blockNumber: older.number }),
        proof.balance,
      );
    });

    test("sends a batch and waits for each receipt", async () => {
      const nonce = await reader.getTransactionCount({ address: alice.address, blockTag: "pending" });
      const fees = await reader.estimateFeesPerGas();
      const hashes = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          wallet.sendTransaction({ to: bob.address, value: 1n, nonce: nonce + i, gas: 21_000n, ...fees }),
        ),
      );
      const receipts = await Promise.all(hashes.map((hash) => reader.waitForTransactionReceipt({ hash })));
      assert.ok(receipts.every(({ status }) => status === "success"));
      assert.equal(await reader.getTransactionCount({ address: alice.address }), nonce + 20);
    });

    test("waits for the receipt in the call itself (EIP-7966)", async () => {
      const request = await wallet.prepareTransactionRequest({ to: bob.address, value: parseEther("1") });
      const serializedTransaction = await wallet.signTransaction(request);
      const receipt = await wallet.sendRawTransactionSync({ serializedTransaction });
      assert.equal(receipt.status, "success");
      assert.equal(receipt.transactionHash, keccak256(serializedTransaction));
      // A second time it is known already, and its receipt is the answer again.
      assert.equal(
        (await wallet.sendRawTransactionSync({ serializedTransaction })).blockHash,
        receipt.blockHash,
      );
    });

    test("recognizes what the pool refuses", async () => {
      const causeOf = async (sending: Promise<unknown>): Promise<BaseError> => {
        const error = await sending.then(
          () => assert.fail("it must be refused"),
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof BaseError);
        return error;
      };
      const low = await causeOf(wallet.sendTransaction({ to: bob.address, nonce: 0, gas: 21_000n }));
      assert.ok(
        low.walk((cause) => cause instanceof NonceTooLowError),
        low.message,
      );
      const poor = await causeOf(
        wallet.sendTransaction({ to: bob.address, value: parseEther("1000000"), gas: 21_000n }),
      );
      assert.ok(
        poor.walk((cause) => cause instanceof InsufficientFundsError),
        poor.message,
      );
    });

    test("polls filters of blocks, events and pending transactions", async () => {
      const [blocks, events, pending] = await Promise.all([
        reader.createBlockFilter(),
        reader.createContractEventFilter({ address: ledger, abi, eventName: "Moved" }),
        reader.createPendingTransactionFilter(),
      ]);
      const hash = await move(bob.address, 1n, "polled");
      const { blockHash } = await reader.waitForTransactionReceipt({ hash });
      assert.deepEqual(await reader.getFilterChanges({ filter: blocks }), [blockHash]);
      assert.deepEqual(await reader.getFilterChanges({ filter: pending }), [hash]);
      const logs = (await reader.getFilterChanges({ filter: events })) as unknown as {
        args: { note: string };
      }[];
      assert.deepEqual(
        logs.map(({ args }) => args.note),
        ["polled"],
      );
      assert.deepEqual(await reader.getFilterChanges({ filter: events }), []);
      assert.equal(await reader.uninstallFilter({ filter: events }), true);
      assert.equal(await reader.uninstallFilter({ filter: events }), false);
      await assert.rejects(reader.getFilterChanges({ filter: events }), /filter not found/);
    });

    test("delegates an account with EIP-7702 and runs its code", async () => {
      const authorization = await wallet.signAuthorization({ account: bob, contractAddress: ledger });
      const hash = await wallet.sendTransaction({
        to: bob.address,
        authorizationList: [authorization],
        data: "0x2ddbd13a",
      });
      const receipt = await reader.waitForTransactionReceipt({ hash });
      assert.deepEqual([receipt.type, receipt.status], ["eip7702", "success"]);
      assert.equal(
        await reader.getCode({ address: bob.address }),
        `0xef0100${ledger.slice(2).toLowerCase()}`,
      );
      assert.equal(
        (await reader.getDelegation({ address: bob.address }))?.toLowerCase(),
        ledger.toLowerCase(),
      );
    });
  });
}
