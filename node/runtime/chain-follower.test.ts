import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes, toHexDigits, unwrap, ZERO_HASH } from "@ostrom/base";
import { decodeBlock, decodeCertificate, type Executed } from "@ostrom/consensus";
import { ChainFollower } from "./chain-follower.ts";
import type { ExecutionReport, OrderedInput } from "./execution-port.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { unpackSenderEntries } from "./sender-entries.ts";
import { endOfTurn } from "./testing/manual-clock.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedTransfer } from "./testing/simulated-genesis.ts";

installNativeCrypto();

function setUp() {
  const chain = new OrderedChain();
  const asked: { readonly input: OrderedInput; readonly done: PromiseWithResolvers<ExecutionReport> }[] = [];
  const executed: Executed[] = [];
  const failures: unknown[] = [];
  const transfers = [simulatedTransfer(0, 0), simulatedTransfer(1, 0)];
  const follower = new ChainFollower({
    execution: {
      execute: (input) => {
        const done = Promise.withResolvers<ExecutionReport>();
        asked.push({ input, done });
        return done.promise;
      },
      stop: async () => undefined,
    },
    resolve: () => undefined,
    checkedIn: () => transfers,
    validatorsOf: () => chain.validators,
    executed: (_report, result) => executed.push(result),
    failed: (error) => failures.push(error),
  });
  const finalize = (height: number, finalizedAt = height): void =>
    follower.finalized({ ...chain.at(height), finalization: chain.finalizationOf(finalizedAt) });
  const finish = async (index: number): Promise<void> => {
    const { input, done } = asked[index]!;
    const { height, view, epoch, orderDigest } = input;
    done.resolve({
      height,
      view,
      epoch,
      orderDigest,
      executedHash: orderDigest,
      nextSetHash: ZERO_HASH,
      nextBaseFee: 1n,
      gasUsed: 0n,
      included: [],
      skipped: [],
      changed: [],
    });
    await endOfTurn();
  };
  return { chain, follower, asked, executed, failures, transfers, finalize, finish };
}

test("execution is given the block, its proposer's address, its finalization and the known senders", () => {
  const { chain, asked, transfers, finalize } = setUp();
  chain.append(transfers);
  finalize(1);
  const { input } = asked[0]!;
  const { block, digest } = chain.at(1);
  assert.deepEqual([input.height, input.view, input.timestampMs], [1, 1, block.timestampMs]);
  assert.ok(equalBytes(input.orderDigest, digest));
  assert.deepEqual(input.proposer, chain.validators.validators[block.proposer]!.address);
  assert.deepEqual(unwrap(decodeBlock(input.orderedBlock)), block);
  assert.deepEqual(unwrap(decodeCertificate(input.finalization)), chain.finalizationOf(1));
  const senders = unpackSenderEntries(input.senders);
  for (const { hash, sender } of transfers) assert.deepEqual(senders.get(toHexDigits(hash)), { sender });
});

test("blocks go to execution in the order of finality, without waiting for each other", async () => {
  const { chain, asked, executed, finalize, finish } = setUp();
  for (let height = 1; height <= 3; height++) {
    chain.append();
    finalize(height);
  }
  assert.deepEqual(
    asked.map(({ input }) => input.height),
    [1, 2, 3],
  );
  for (const index of [0, 1, 2]) await finish(index);
  assert.deepEqual(
    executed.map(({ height }) => height),
    [1, 2, 3],
  );
});

test("while too many blocks wait there is no room for more from sync", async () => {
  const { chain, follower, finalize, finish } = setUp();
  for (let height = 1; height <= 64; height++) {
    assert.equal(follower.hasRoom(), true);
    chain.append();
    finalize(height);
  }
  assert.equal(follower.hasRoom(), false);
  await finish(0);
  assert.equal(follower.hasRoom(), true);
});

test("a block that cannot be executed stops the node, with the code of what went wrong", async () => {
  const { chain, asked, executed, failures, finalize } = setUp();
  chain.append();
  finalize(1);
  asked[0]!.done.reject(Object.assign(new Error("the disk is full"), { code: "storage/disk-full" }));
  await endOfTurn();
  assert.deepEqual(
    failures.map((failure) => (failure as { code: string }).code),
    ["storage/disk-full"],
  );
  assert.deepEqual(executed, []);
});
