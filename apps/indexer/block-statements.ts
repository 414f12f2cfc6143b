import { assert } from "@ostrom/base";
import type { ReadBlock, ReceiptAnswer, Tip, TransactionAnswer } from "./chain-answers.ts";
import { bytes, bytesArray, plainArray, type Statement } from "./database.ts";
import { positionOf } from "./position.ts";
import { tokenMovements } from "./token-events.ts";
import { type Movement, tokenStatements } from "./token-statements.ts";

/** What blocks become in the database: statements of one transaction, which writes all of them or nothing. Rows go in by columns, one
 * statement a table, however many blocks there are. */

/** Bits of appearances.roles. */
export const ROLE = { sends: 1, called: 2, created: 4, transfer: 8, emits: 16 } as const;

const SECONDS_A_MINUTE = 60;

/** One block, or a run of blocks of which each is the parent of the next. @param tip the newest block in the index before them. */
export function blockStatements(blocks: readonly ReadBlock[], tip: Tip | undefined): readonly Statement[] {
  const last = blocks.at(-1);
  assert(last !== undefined, "there is something to write");
  const movements = blocks.map(movementsOf);
  return [
    {
      text: "SELECT expect_tip($1::bigint, $2::bytea)",
      parameters: [tip?.number ?? -1, tip === undefined ? null : bytes(tip.hash)],
    },
    insertBlocks(blocks, movements),
    ...insertTransactions(blocks),
    ...insertLogs(blocks),
    ...insertAppearances(blocks, movements.flat()),
    ...insertContracts(blocks),
    ...tokenStatements(movements.flat(), "add"),
    insertMinutes(blocks, movements),
    {
      text: "UPDATE progress SET number = $1::bigint, hash = $2::bytea WHERE id = 1",
      parameters: [Number(last.block.number), bytes(last.block.hash)],
    },
  ];
}

/** What its logs move, with the position of each one's transaction. */
export function movementsOf({ block, receipts }: ReadBlock): readonly Movement[] {
  return receipts.flatMap(({ logs }, index) => {
    if (logs.length === 0) return [];
    const position = positionOf(Number(block.number), index);
    return logs.flatMap((log) => tokenMovements(log).map((movement) => ({ ...movement, position })));
  });
}

function feeOf({ gasUsed, effectiveGasPrice }: ReceiptAnswer): bigint {
  return BigInt(gasUsed) * BigInt(effectiveGasPrice);
}

function feesOf({ receipts }: ReadBlock): bigint {
  return receipts.reduce((sum, receipt) => sum + feeOf(receipt), 0n);
}

function failedIn({ receipts }: ReadBlock): number {
  return receipts.filter(({ status }) => status === "0x0").length;
}

function insertBlocks(blocks: readonly ReadBlock[], movements: readonly (readonly Movement[])[]): Statement {
  const of = <T>(read: (block: ReadBlock["block"]) => T): T[] => blocks.map(({ block }) => read(block));
  return {
    text: `INSERT INTO blocks SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[], $6::integer[],
      $7::integer[], $8::integer[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[], $13::bigint[])`,
    parameters: [
      plainArray(of(({ number }) => Number(number))),
      bytesArray(of(({ hash }) => hash)),
      bytesArray(of(({ parentHash }) => parentHash)),
      plainArray(of(({ timestamp }) => Number(timestamp))),
      bytesArray(of(({ miner }) => miner)),
      plainArray(of(({ transactions }) => transactions.length)),
      plainArray(blocks.map(failedIn)),
      plainArray(movements.map(({ length }) => length)),
      plainArray(of(({ gasUsed }) => BigInt(gasUsed))),
      plainArray(of(({ gasLimit }) => BigInt(gasLimit))),
      plainArray(of(({ baseFeePerGas }) => (baseFeePerGas === undefined ? null : BigInt(baseFeePerGas)))),
      plainArray(blocks.map(feesOf)),
      plainArray(of(({ size }) => Number(size))),
    ],
  };
}

type Entry = {
  readonly position: number;
  readonly transaction: TransactionAnswer;
  readonly receipt: ReceiptAnswer;
};

function entriesOf(blocks: readonly ReadBlock[]): readonly Entry[] {
  return blocks.flatMap(({ block, receipts }) =>
    block.transactions.map((transaction, index) => {
      const receipt = receipts[index];
      assert(receipt?.transactionHash === transaction.hash, "receipts are in the order of the transactions");
      return { position: positionOf(Number(block.number), index), transaction, receipt };
    }),
  );
}

function insertTransactions(blocks: readonly ReadBlock[]): readonly Statement[] {
  const entries = entriesOf(blocks);
  if (entries.length === 0) return [];
  const of = <T>(read: (entry: Entry) => T): T[] => entries.map(read);
  return [
    {
      text: `INSERT INTO transactions SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::bytea[], $5::bytea[], $6::bytea[],
      $7::bigint[], $8::numeric[], $9::boolean[], $10::bigint[], $11::bigint[], $12::numeric[], $13::integer[], $14::bytea[])`,
      parameters: [
        plainArray(of(({ position }) => position)),
        bytesArray(of(({ transaction }) => transaction.hash)),
        plainArray(of(({ transaction }) => Number(transaction.type))),
        bytesArray(of(({ transaction }) => transaction.from)),
        bytesArray(of(({ transaction }) => transaction.to)),
        bytesArray(of(({ receipt }) => receipt.contractAddress)),
        plainArray(of(({ transaction }) => BigInt(transaction.nonce))),
        plainArray(of(({ transaction }) => BigInt(transaction.value))),
        plainArray(of(({ receipt }) => receipt.status !== "0x0")),
        plainArray(of(({ transaction }) => BigInt(transaction.gas))),
        plainArray(of(({ receipt }) => BigInt(receipt.gasUsed))),
        plainArray(of(({ receipt }) => BigInt(receipt.effectiveGasPrice))),
        plainArray(of(({ receipt }) => receipt.logs.length)),
        bytesArray(of(({ transaction }) => transaction.input)),
      ],
    },
  ];
}

function insertLogs(blocks: readonly ReadBlock[]): readonly Statement[] {
  const logs = entriesOf(blocks).flatMap(({ position, receipt }) =>
    receipt.logs.map((log) => ({ position, ...log })),
  );
  if (logs.length === 0) return [];
  return [
    {
      // PostgreSQL has no arrays of arrays of unequal length: topics travel as one text each, and are taken apart there.
      text: `INSERT INTO logs SELECT position, log_index, address,
        ARRAY(SELECT substring(topics FROM 1 + 32 * n FOR 32) FROM generate_series(0, length(topics) / 32 - 1) AS n), data
        FROM unnest($1::bigint[], $2::integer[], $3::bytea[], $4::bytea[], $5::bytea[]) AS given (position, log_index, address, topics, data)`,
      parameters: [
        plainArray(logs.map(({ position }) => position)),
        plainArray(logs.map(({ logIndex }) => Number(logIndex))),
        bytesArray(logs.map(({ address }) => address)),
        bytesArray(logs.map(({ topics }) => `0x${topics.map((topic) => topic.slice(2)).join("")}`)),
        bytesArray(logs.map(({ data }) => data)),
      ],
    },
  ];
}

function insertAppearances(
  blocks: readonly ReadBlock[],
  movements: readonly Movement[],
): readonly Statement[] {
  const roles = new Map<number, Map<string, number>>();
  const note = (position: number, address: string | null, role: number): void => {
    if (address === null) return;
    const ofTransaction = roles.get(position) ?? new Map<string, number>();
    if (ofTransaction.size === 0) roles.set(position, ofTransaction);
    ofTransaction.set(address, (ofTransaction.get(address) ?? 0) | role);
  };
  for (const { position, transaction, receipt } of entriesOf(blocks)) {
    note(position, transaction.from, ROLE.sends);
    note(position, transaction.to, ROLE.called);
    note(position, receipt.contractAddress, ROLE.created);
    for (const { address } of receipt.logs) note(position, address, ROLE.emits);
  }
  for (const { position, from, to } of movements) {
    note(position, from, ROLE.transfer);
    note(position, to, ROLE.transfer);
  }
  const rows = [...roles].flatMap(([position, ofTransaction]) =>
    [...ofTransaction].map(([address, bits]) => ({ position, address, bits })),
  );
  if (rows.length === 0) return [];
  return [
    {
      text: "INSERT INTO appearances SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::smallint[])",
      parameters: [
        bytesArray(rows.map(({ address }) => address)),
        plainArray(rows.map(({ position }) => position)),
        plainArray(rows.map(({ bits }) => bits)),
      ],
    },
  ];
}

function insertContracts(blocks: readonly ReadBlock[]): readonly Statement[] {
  const created = entriesOf(blocks).filter(
    ({ receipt }) => receipt.contractAddress !== null && receipt.status !== "0x0",
  );
  if (created.length === 0) return [];
  return [
    {
      text: `INSERT INTO contracts (address, creator, position) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])
        ON CONFLICT (address) DO UPDATE SET creator = excluded.creator, position = excluded.position, code_hash = NULL`,
      parameters: [
        bytesArray(created.map(({ receipt }) => receipt.contractAddress)),
        bytesArray(created.map(({ transaction }) => transaction.from)),
        plainArray(created.map(({ position }) => position)),
      ],
    },
  ];
}

function insertMinutes(blocks: readonly ReadBlock[], movements: readonly (readonly Movement[])[]): Statement {
  type Minute = {
    blocks: number;
    transactions: number;
    failed: number;
    transfers: number;
    gas: bigint;
    fees: bigint;
  };
  const minutes = new Map<number, Minute>();
  blocks.forEach((read, index) => {
    const minute = Math.floor(Number(read.block.timestamp) / SECONDS_A_MINUTE);
    const sum = minutes.get(minute) ?? {
      blocks: 0,
      transactions: 0,
      failed: 0,
      transfers: 0,
      gas: 0n,
      fees: 0n,
    };
    sum.blocks++;
    sum.transactions += read.block.transactions.length;
    sum.failed += failedIn(read);
    sum.transfers += movements[index]!.length;
    sum.gas += BigInt(read.block.gasUsed);
    sum.fees += feesOf(read);
    minutes.set(minute, sum);
  });
  const sums = [...minutes.values()];
  return {
    text: `INSERT INTO minutes AS m SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::numeric[],
      $7::numeric[]) ON CONFLICT (minute) DO UPDATE SET blocks = m.blocks + excluded.blocks, transactions = m.transactions + excluded.transactions,
      failed = m.failed + excluded.failed, transfers = m.transfers + excluded.transfers, gas_used = m.gas_used + excluded.gas_used,
      fees = m.fees + excluded.fees`,
    parameters: [
      plainArray([...minutes.keys()]),
      plainArray(sums.map((sum) => sum.blocks)),
      plainArray(sums.map((sum) => sum.transactions)),
      plainArray(sums.map((sum) => sum.failed)),
      plainArray(sums.map((sum) => sum.transfers)),
      plainArray(sums.map((sum) => sum.gas)),
      plainArray(sums.map((sum) => sum.fees)),
    ],
  };
}
