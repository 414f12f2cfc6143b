import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, nftLog, topicOf, transferLog } from "./testing/simulated-chain.ts";
import { MAX_BATCH_ITEMS, NO_TOKEN_ID, tokenMovements } from "./token-events.ts";

const [TOKEN, FROM, TO, OPERATOR] = [addressOf(1), addressOf(2), addressOf(3), addressOf(4)] as const;
const word = (value: number | bigint): string => value.toString(16).padStart(64, "0");
const SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5dd07e595d983b8c0526c8f7b";
const topics = (event: string): readonly string[] => [event, topicOf(OPERATOR), topicOf(FROM), topicOf(TO)];
const log = (topicList: readonly string[], data: string) => ({
  address: TOKEN,
  topics: topicList,
  data: `0x${data}`,
  logIndex: "0x5",
});

test("Transfer with two indexed parameters is an ERC-20's, with three an ERC-721's", () => {
  const max = 2n ** 256n - 1n;
  const [coin] = tokenMovements({ ...transferLog(TOKEN, FROM, TO, max), logIndex: "0x5" });
  assert.deepEqual(coin, {
    token: TOKEN,
    logIndex: 5,
    item: 0,
    kind: "erc20",
    from: FROM,
    to: TO,
    tokenId: NO_TOKEN_ID,
    amount: max,
  });
  const [nft] = tokenMovements({ ...nftLog(TOKEN, FROM, TO, 7n), logIndex: "0x0" });
  assert.deepEqual([nft!.kind, nft!.tokenId, nft!.amount], ["erc721", 7n, 1n]);
});

test("TransferSingle and TransferBatch are an ERC-1155's", () => {
  const [single] = tokenMovements(log(topics(SINGLE), word(7) + word(3)));
  assert.deepEqual([single!.kind, single!.tokenId, single!.amount, single!.from], ["erc1155", 7n, 3n, FROM]);
  const data = [64, 160, 2, 7, 8, 2, 30, 40].map(word).join("");
  assert.deepEqual(
    tokenMovements(log(topics(BATCH), data)).map(({ item, tokenId, amount }) => [item, tokenId, amount]),
    [
      [0, 7n, 30n],
      [1, 8n, 40n],
    ],
  );
});

test("what only looks like a token's event moves nothing", () => {
  const transfer = transferLog(TOKEN, FROM, TO, 1n);
  const broken = [
    { ...transfer, data: "0x" },
    { ...transfer, data: `${transfer.data}${word(1)}` },
    { ...transfer, topics: transfer.topics.slice(0, 2) },
    { ...transfer, topics: [transfer.topics[0]!, `0x${"ff".repeat(32)}`, transfer.topics[2]!] },
    { ...transfer, topics: [] },
    log(topics(SINGLE), word(7)),
    log(topics(BATCH), [64, 96, 1, 7].map(word).join("")),
    log(topics(BATCH), word(2n ** 255n) + word(64)),
    log(topics(BATCH), [64, 64, MAX_BATCH_ITEMS + 1].map(word).join("")),
  ];
  for (const one of broken) assert.deepEqual(tokenMovements({ ...one, logIndex: "0x0" }), []);
});
