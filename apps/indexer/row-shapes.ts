import type { Row } from "./database.ts";
import { blockOf, indexOf } from "./position.ts";
import type {
  Hex,
  RestBlock,
  RestContract,
  RestInternalCall,
  RestLog,
  RestToken,
  RestTransaction,
  RestTransfer,
  SourceMatch,
  TokenKind,
} from "./rest-types.ts";
import { hex } from "./unwind.ts";

/** What is selected for each kind of answer, and how a row becomes one. Amounts and bytes are selected as text. */

export const BLOCK_COLUMNS: string = `b.number::text, ${hex("b.hash")} AS hash, ${hex("b.parent_hash")} AS parent_hash, b.time::text,
  ${hex("b.leader")} AS leader, b.transaction_count, b.failed_count, b.gas_used::text, b.gas_limit::text, b.base_fee::text, b.fees::text,
  b.size::text`;

export function blockOfRow(row: Row): RestBlock {
  return {
    number: Number(row["number"]),
    hash: row["hash"] as Hex,
    parentHash: row["parent_hash"] as Hex,
    timestamp: Number(row["time"]),
    leader: row["leader"] as Hex,
    transactionCount: Number(row["transaction_count"]),
    failedCount: Number(row["failed_count"]),
    gasUsed: Number(row["gas_used"]),
    gasLimit: Number(row["gas_limit"]),
    baseFeePerGas: textOf(row["base_fee"]),
    fees: String(row["fees"]),
    size: Number(row["size"]),
  };
}

/** Of a transaction `x` in its block `b`. */
export const TRANSACTION_COLUMNS: string = `x.position::text, ${hex("x.hash")} AS hash, ${hex("b.hash")} AS block_hash, b.time::text, x.type,
  ${hex("x.sender")} AS sender, ${hex("x.recipient")} AS recipient, ${hex("x.created")} AS created, x.nonce::text, x.value::text, x.succeeded,
  x.gas_limit::text, x.gas_used::text, x.gas_price::text, (x.gas_used * x.gas_price)::text AS fee, x.log_count, length(x.input) AS input_bytes,
  CASE WHEN length(x.input) >= 4 AND x.recipient IS NOT NULL THEN ${hex("substring(x.input FROM 1 FOR 4)")} END AS selector,
  (SELECT g.signature FROM signatures g WHERE length(x.input) >= 4 AND x.recipient IS NOT NULL
    AND g.selector = substring(x.input FROM 1 FOR 4) ORDER BY g.signature LIMIT 1) AS method`;
export const TRANSACTION_FROM: string = "transactions x JOIN blocks b ON b.number = x.position / 1048576";

export function transactionOfRow(row: Row): RestTransaction {
  const position = Number(row["position"]);
  return {
    hash: row["hash"] as Hex,
    blockNumber: blockOf(position),
    blockHash: row["block_hash"] as Hex,
    index: indexOf(position),
    timestamp: Number(row["time"]),
    type: Number(row["type"]),
    from: row["sender"] as Hex,
    to: row["recipient"] as Hex | null,
    created: row["created"] as Hex | null,
    nonce: Number(row["nonce"]),
    value: String(row["value"]),
    succeeded: row["succeeded"] === true,
    gasLimit: Number(row["gas_limit"]),
    gasUsed: Number(row["gas_used"]),
    gasPrice: String(row["gas_price"]),
    fee: String(row["fee"]),
    selector: row["selector"] as Hex | null,
    method: textOf(row["method"]),
    inputBytes: Number(row["input_bytes"]),
    logCount: Number(row["log_count"]),
  };
}

const PLACE_COLUMNS = `${hex("x.hash")} AS transaction_hash, b.time::text`;
const placeFrom = (table: string, alias: string): string =>
  `${table} ${alias} JOIN transactions x ON x.position = ${alias}.position JOIN blocks b ON b.number = ${alias}.position / 1048576`;

function placeOf(row: Row): {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly timestamp: number;
} {
  return {
    blockNumber: blockOf(Number(row["position"])),
    transactionHash: row["transaction_hash"] as Hex,
    timestamp: Number(row["time"]),
  };
}

export const LOG_COLUMNS: string = `l.position::text, ${PLACE_COLUMNS}, l.log_index, ${hex("l.address")} AS address,
  (SELECT coalesce(string_agg('0x' || encode(topic, 'hex'), ',' ORDER BY n), '') FROM unnest(l.topics) WITH ORDINALITY AS t (topic, n)) AS topics,
  ${hex("l.data")} AS data`;
export const LOG_FROM: string = placeFrom("logs", "l");

export function logOfRow(row: Row): RestLog {
  const topics = String(row["topics"]);
  return {
    ...placeOf(row),
    logIndex: Number(row["log_index"]),
    address: row["address"] as Hex,
    topics: topics === "" ? [] : (topics.split(",") as Hex[]),
    data: row["data"] as Hex,
  };
}

export const TRANSFER_COLUMNS: string = `f.position::text, ${PLACE_COLUMNS}, f.log_index, ${hex("f.token")} AS token, t.kind, ${hex("f.sender")} AS sender,
  ${hex("f.recipient")} AS recipient, f.amount::text, f.token_id::text, t.symbol, t.decimals`;
export const TRANSFER_FROM: string = `${placeFrom("transfers", "f")} JOIN tokens t ON t.address = f.token`;

export function transferOfRow(row: Row): RestTransfer {
  return {
    ...placeOf(row),
    logIndex: Number(row["log_index"]),
    token: row["token"] as Hex,
    kind: row["kind"] as TokenKind,
    from: row["sender"] as Hex,
    to: row["recipient"] as Hex,
    amount: String(row["amount"]),
    tokenId: tokenIdOf(row["token_id"]),
    symbol: textOf(row["symbol"]),
    decimals: numberOf(row["decimals"]),
  };
}

export const CALL_COLUMNS: string = `c.position::text, ${PLACE_COLUMNS}, c.path, c.type, ${hex("c.sender")} AS sender, ${hex("c.recipient")} AS recipient,
  c.value::text, c.gas_used::text, ${hex("c.selector")} AS selector, c.error`;
export const CALL_FROM: string = placeFrom("internal_calls", "c");

export function callOfRow(row: Row): RestInternalCall {
  return {
    ...placeOf(row),
    path: String(row["path"]),
    type: String(row["type"]),
    from: row["sender"] as Hex,
    to: row["recipient"] as Hex | null,
    value: String(row["value"]),
    gasUsed: Number(row["gas_used"]),
    selector: row["selector"] as Hex | null,
    error: textOf(row["error"]),
  };
}

/** Selected under other names, so that a holding can have both. */
export const TOKEN_COLUMNS: string = `${hex("t.address")} AS token_address, t.kind AS token_kind, t.name AS token_name, t.symbol AS token_symbol,
  t.decimals AS token_decimals, t.total_supply::text AS token_supply, t.transfer_count::text AS token_transfers,
  t.holder_count::text AS token_holders, t.first_block::text AS token_first`;

export function tokenOfRow(row: Row): RestToken {
  return {
    address: row["token_address"] as Hex,
    kind: row["token_kind"] as TokenKind,
    name: textOf(row["token_name"]),
    symbol: textOf(row["token_symbol"]),
    decimals: numberOf(row["token_decimals"]),
    totalSupply: textOf(row["token_supply"]),
    transferCount: Number(row["token_transfers"]),
    holderCount: Number(row["token_holders"]),
    firstBlock: Number(row["token_first"]),
  };
}

export const CONTRACT_COLUMNS: string = `${hex("c.address")} AS address, ${hex("c.creator")} AS creator, ${hex("x.hash")} AS creation_hash,
  c.position::text, b.time::text, ${hex("c.code_hash")} AS code_hash, s.name AS source_name, s.compiler, s.match, s.verified_at::text`;
export const CONTRACT_FROM: string = `contracts c LEFT JOIN transactions x ON x.position = c.position
  LEFT JOIN blocks b ON b.number = c.position / 1048576 LEFT JOIN sources s ON s.address = c.address`;

export function contractOfRow(row: Row): RestContract {
  const position = numberOf(row["position"]);
  return {
    address: row["address"] as Hex,
    creator: row["creator"] as Hex | null,
    creationTransaction: row["creation_hash"] as Hex | null,
    blockNumber: position === null ? null : blockOf(position),
    timestamp: numberOf(row["time"]),
    codeHash: row["code_hash"] as Hex | null,
    verified:
      row["source_name"] === null
        ? null
        : {
            name: String(row["source_name"]),
            compiler: String(row["compiler"]),
            match: row["match"] as SourceMatch,
            verifiedAt: Number(row["verified_at"]),
          },
  };
}

/** -1 in the database: a token without ids. */
export function tokenIdOf(value: Row[string] | undefined): string | null {
  return value === "-1" || value === undefined || value === null ? null : String(value);
}

export function textOf(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

export function numberOf(value: Row[string] | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
