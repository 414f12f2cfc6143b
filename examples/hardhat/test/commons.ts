import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { getAddress, parseEther } from "viem";

const connection = await network.create();
const { viem } = connection;

describe("Commons", () => {
  const limit = parseEther("1");

  it("lets a member take up to the limit, once a season", async () => {
    const [owner] = await viem.getWalletClients();
    assert.ok(owner);
    const commons = await viem.deployContract("Commons", [limit]);
    await commons.write.join({ value: parseEther("3") });
    await commons.write.take([limit]);
    assert.equal(await commons.read.takenIn([0n, owner.account.address]), limit);
    await commons.write.beginSeason();
    await commons.write.take([limit]);
    const client = await viem.getPublicClient();
    assert.equal(await client.getBalance({ address: commons.address }), parseEther("1"));
  });

  it("refuses what is beyond the limit with the contract's own error", async () => {
    const commons = await viem.deployContract("Commons", [limit]);
    await commons.write.join({ value: parseEther("3") });
    await assert.rejects(commons.write.take([limit + 1n]), /BeyondLimit/);
  });

  it("refuses strangers", async () => {
    const [, stranger] = await viem.getWalletClients();
    assert.ok(stranger);
    const commons = await viem.deployContract("Commons", [limit]);
    await assert.rejects(commons.write.take([1n], { account: stranger.account }), /NotMember/);
  });

  it("tells of joins in its events", async () => {
    const [owner] = await viem.getWalletClients();
    assert.ok(owner);
    const commons = await viem.deployContract("Commons", [limit]);
    const hash = await commons.write.join({ value: 5n });
    const client = await viem.getPublicClient();
    const receipt = await client.waitForTransactionReceipt({ hash });
    const events = await commons.getEvents.Joined({}, { fromBlock: receipt.blockNumber });
    assert.equal(events.length, 1);
    assert.equal(events[0]?.args.member, getAddress(owner.account.address));
    assert.equal(events[0]?.args.amount, 5n);
  });
});
