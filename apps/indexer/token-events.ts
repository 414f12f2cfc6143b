import type { LogAnswer } from "./chain-answers.ts";
import type { TokenKind } from "./rest-types.ts";

/** One movement of one token that a log tells of. */
export type TokenMovement = {
  readonly logIndex: number;
  /** Place in an ERC-1155 batch, else 0. */
  readonly item: number;
  readonly token: string;
  readonly kind: TokenKind;
  readonly from: string;
  readonly to: string;
  /** NO_TOKEN_ID of an ERC-20. */
  readonly tokenId: bigint;
  readonly amount: bigint;
};

export const NO_TOKEN_ID = -1n;
export const ZERO_ADDRESS: string = `0x${"0".repeat(40)}`;

/** keccak256 of Transfer(address,address,uint256): ERC-20 and ERC-721 differ by whether the last is indexed. */
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/** TransferSingle(address,address,address,uint256,uint256) and TransferBatch(address,address,address,uint256[],uint256[]): ERC-1155. */
const TRANSFER_SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const TRANSFER_BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5dd07e595d983b8c0526c8f7b";
const WORD = 64;
/** Of one log: more is not what the log says it is, or meant to fill the index. */
export const MAX_BATCH_ITEMS = 4_096;

/** What a log moves: nothing for one that is no token's event, or that only looks like one. */
export function tokenMovements(log: LogAnswer): readonly TokenMovement[] {
  const [event, ...topics] = log.topics;
  switch (event) {
    case TRANSFER:
      return readTransfer(log, topics);
    case TRANSFER_SINGLE:
      return topics.length === 3 ? readSingle(log, topics) : [];
    case TRANSFER_BATCH:
      return topics.length === 3 ? readBatch(log, topics) : [];
    default:
      return [];
  }
}

function readTransfer(log: LogAnswer, topics: readonly string[]): readonly TokenMovement[] {
  const from = addressOf(topics[0]);
  const to = addressOf(topics[1]);
  if (from === undefined || to === undefined) return [];
  const base = { ...placeOf(log), item: 0, from, to };
  if (topics.length === 2) {
    const amount = word(log.data, 0);
    const isWhole = log.data.length === 2 + WORD;
    if (amount === undefined || !isWhole) return [];
    return [{ ...base, kind: "erc20", tokenId: NO_TOKEN_ID, amount }];
  }
  if (topics.length !== 3 || log.data !== "0x") return [];
  return [{ ...base, kind: "erc721", tokenId: BigInt(topics[2]!), amount: 1n }];
}

function readSingle(log: LogAnswer, topics: readonly string[]): readonly TokenMovement[] {
  const tokenId = word(log.data, 0);
  const amount = word(log.data, 1);
  if (tokenId === undefined || amount === undefined) return [];
  return movements(log, topics, [[tokenId, amount]]);
}

function readBatch(log: LogAnswer, topics: readonly string[]): readonly TokenMovement[] {
  const ids = wordsAt(log.data, 0);
  const amounts = wordsAt(log.data, 1);
  if (ids === undefined || amounts === undefined || ids.length !== amounts.length) return [];
  return movements(
    log,
    topics,
    ids.map((id, index) => [id, amounts[index]!]),
  );
}

function movements(
  log: LogAnswer,
  topics: readonly string[],
  items: readonly (readonly [bigint, bigint])[],
): readonly TokenMovement[] {
  const from = addressOf(topics[1]);
  const to = addressOf(topics[2]);
  if (from === undefined || to === undefined) return [];
  return items.map(([tokenId, amount], item) => ({
    ...placeOf(log),
    item,
    kind: "erc1155",
    from,
    to,
    tokenId,
    amount,
  }));
}

function placeOf({ address, logIndex }: LogAnswer): Pick<TokenMovement, "token" | "logIndex"> {
  return { token: address, logIndex: Number(logIndex) };
}

/** @returns undefined where a topic holds more than an address. */
function addressOf(topic: string | undefined): string | undefined {
  const match = /^0x0{24}([0-9a-f]{40})$/.exec(topic ?? "");
  return match === null ? undefined : `0x${match[1]}`;
}

function word(data: string, index: number): bigint | undefined {
  const start = 2 + index * WORD;
  return start + WORD <= data.length ? BigInt(`0x${data.slice(start, start + WORD)}`) : undefined;
}

/** A dynamic array of words, whose offset is the head's word at `index`. */
function wordsAt(data: string, index: number): readonly bigint[] | undefined {
  const offset = word(data, index);
  if (offset === undefined || offset % 32n !== 0n || offset > BigInt(data.length)) return undefined;
  const first = Number(offset / 32n);
  const length = word(data, first);
  if (length === undefined || length > BigInt(MAX_BATCH_ITEMS)) return undefined;
  const words = Array.from({ length: Number(length) }, (_, i) => word(data, first + 1 + i));
  return words.every((value) => value !== undefined) ? words : undefined;
}
