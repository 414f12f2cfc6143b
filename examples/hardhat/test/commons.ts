import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { getAddress, type Hash, parseEther } from "viem";

const connection = await network.create();
const { viem } = connection;
// Blocks come several times a second here; the default asks every four seconds.
const client = await viem.getPublicClient({ pollingInterval: 50 });

/** Waits until a transaction is in a block: on a chain with real blocks a later call sees only what has been executed. */
async function included(transaction: Promise<Hash>): Promise<bigint> {
  const receipt = await client.waitForTransactionReceipt({ hash: await transaction });
  assert.equal(receipt.status, "success");
  return receipt.blockNumber;
}

describe("Commons", () => {
  const limit = parseEther("1");

  it("lets a member take up to the limit, once a season", async () => {
    const [owner] = await viem.getWalletClients();
    assert.ok(owner);
    const commons = await viem.deployContract("Commons", [limit], { client: { public: client } });
    await included(commons.write.join({ value: parseEther("3") }));
    await included(commons.write.take([limit]));
    assert.equal(await commons.read.takenIn([0n, owner.account.address]), limit);
    await included(commons.write.beginSeason());
    await included(commons.write.take([limit]));
    assert.equal(await client.getBalance({ address: commons.address }), parseEther("1"));
  });

  it("refuses what is beyond the limit with the contract's own error", async () => {
    const commons = await viem.deployContract("Commons", [limit], { client: { public: client } });
    await included(commons.write.join({ value: parseEther("3") }));
    await assert.rejects(commons.write.take([limit + 1n]), /BeyondLimit/);
  });

  it("refuses strangers", async () => {
    const [, stranger] = await viem.getWalletClients();
    assert.ok(stranger);
    const commons = await viem.deployContract("Commons", [limit], { client: { public: client } });
    await assert.rejects(commons.write.take([1n], { account: stranger.account }), /NotMember/);
  });

  it("tells of joins in its events", async () => {
    const [owner] = await viem.getWalletClients();
    assert.ok(owner);
    const commons = await viem.deployContract("Commons", [limit], { client: { public: client } });
    const fromBlock = await included(commons.write.join({ value: 5n }));
    const events = await commons.getEvents.Joined({}, { fromBlock });
    assert.equal(events.length, 1);
    assert.equal(events[0]?.args.member, getAddress(owner.account.address));
    assert.equal(events[0]?.args.amount, 5n);
  });
});
