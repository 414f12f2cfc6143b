import type { ColumnSource } from "hyparquet-writer";

/** A block with whole transactions, as eth_getBlockByNumber answers. */
export type BlockAnswer = {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly miner: string;
  readonly gasUsed: string;
  readonly gasLimit: string;
  readonly baseFeePerGas: string;
  readonly stateRoot: string;
  readonly size: string;
  readonly transactions: readonly TransactionAnswer[];
};

type TransactionAnswer = {
  readonly hash: string;
  readonly transactionIndex: string;
  readonly type: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly gas: string;
  readonly input: string;
};

/** Of eth_getBlockReceipts. */
export type ReceiptAnswer = {
  readonly transactionHash: string;
  readonly status: string;
  readonly gasUsed: string;
  readonly effectiveGasPrice: string;
  readonly contractAddress: string | null;
  readonly logs: readonly {
    readonly logIndex: string;
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

export type TableName = "blocks" | "transactions" | "logs";

type ColumnType = "INT32" | "INT64" | "STRING" | "TIMESTAMP";
type Cell = number | bigint | string | Date | undefined;
type Row = readonly Cell[];

/** A table's columns in their order. Amounts are decimal text: DuckDB's HUGEINT holds what any chain has coins of (`value::HUGEINT`), and no
 * digit is lost where it does not. Hashes, addresses and data are hex in small letters. */
const TABLES: Readonly<Record<TableName, readonly (readonly [string, ColumnType])[]>> = {
  blocks: [
    ["number", "INT64"],
    ["hash", "STRING"],
    ["parent_hash", "STRING"],
    ["timestamp", "TIMESTAMP"],
    ["proposer", "STRING"],
    ["transactions", "INT32"],
    ["gas_used", "INT64"],
    ["gas_limit", "INT64"],
    ["base_fee_per_gas", "STRING"],
    ["state_root", "STRING"],
    ["size", "INT32"],
  ],
  transactions: [
    ["block_number", "INT64"],
    ["block_timestamp", "TIMESTAMP"],
    ["transaction_index", "INT32"],
    ["hash", "STRING"],
    ["type", "INT32"],
    ["sender", "STRING"],
    ["receiver", "STRING"],
    ["nonce", "INT64"],
    ["value", "STRING"],
    ["gas_limit", "INT64"],
    ["gas_used", "INT64"],
    ["effective_gas_price", "STRING"],
    ["fee", "STRING"],
    ["status", "INT32"],
    ["contract_address", "STRING"],
    ["selector", "STRING"],
    ["input", "STRING"],
  ],
  logs: [
    ["block_number", "INT64"],
    ["block_timestamp", "TIMESTAMP"],
    ["transaction_hash", "STRING"],
    ["transaction_index", "INT32"],
    ["log_index", "INT32"],
    ["address", "STRING"],
    ["topic0", "STRING"],
    ["topic1", "STRING"],
    ["topic2", "STRING"],
    ["topic3", "STRING"],
    ["data", "STRING"],
  ],
};

export const TABLE_NAMES: readonly TableName[] = ["blocks", "transactions", "logs"];

/** Rows of one part of a chain, by table. */
export type TableRows = { readonly [name in TableName]: Row[] };

const MS_PER_SECOND = 1_000;
/** 0x and four bytes. */
const SELECTOR_CHARACTERS = 10;
/** Columns of which only few values are there, or which are looked for: others gain nothing from a dictionary. */
const NULLABLE: ReadonlySet<string> = new Set([
  "receiver",
  "contract_address",
  "selector",
  "topic0",
  "topic1",
  "topic2",
  "topic3",
]);

export function emptyRows(): TableRows {
  return { blocks: [], transactions: [], logs: [] };
}

/** Adds a block's rows. Throws where receipts are not those of its transactions. */
export function addBlock(rows: TableRows, block: BlockAnswer, receipts: readonly ReceiptAnswer[]): void {
  const number = BigInt(block.number);
  const time = new Date(Number(block.timestamp) * MS_PER_SECOND);
  rows.blocks.push([
    number,
    block.hash,
    block.parentHash,
    time,
    block.miner.toLowerCase(),
    block.transactions.length,
    BigInt(block.gasUsed),
    BigInt(block.gasLimit),
    decimal(block.baseFeePerGas),
    block.stateRoot,
    Number(block.size),
  ]);
  for (const [index, transaction] of block.transactions.entries()) {
    const receipt = receipts[index];
    if (receipt?.transactionHash !== transaction.hash)
      throw new Error(`block ${number}: the receipts are not those of its transactions`);
    rows.transactions.push(transactionRow(number, time, transaction, receipt));
    for (const log of receipt.logs) {
      const [topic0, topic1, topic2, topic3] = log.topics;
      rows.logs.push([
        number,
        time,
        transaction.hash,
        index,
        Number(log.logIndex),
        log.address.toLowerCase(),
        topic0,
        topic1,
        topic2,
        topic3,
        log.data,
      ]);
    }
  }
}

function transactionRow(number: bigint, time: Date, sent: TransactionAnswer, receipt: ReceiptAnswer): Row {
  const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice);
  return [
    number,
    time,
    Number(sent.transactionIndex),
    sent.hash,
    Number(sent.type),
    sent.from.toLowerCase(),
    sent.to?.toLowerCase(),
    BigInt(sent.nonce),
    decimal(sent.value),
    BigInt(sent.gas),
    BigInt(receipt.gasUsed),
    decimal(receipt.effectiveGasPrice),
    fee.toString(),
    Number(receipt.status),
    receipt.contractAddress?.toLowerCase(),
    sent.input.length >= SELECTOR_CHARACTERS ? sent.input.slice(0, SELECTOR_CHARACTERS) : undefined,
    sent.input,
  ];
}

function decimal(quantity: string): string {
  return BigInt(quantity).toString();
}

/** The columns of one table, as the Parquet writer takes them. */
export function columnsOf(name: TableName, rows: readonly Row[]): ColumnSource[] {
  return TABLES[name].map(([column, type], index) => ({
    name: column,
    type,
    nullable: NULLABLE.has(column),
    data: rows.map((row) => row[index]),
  }));
}
