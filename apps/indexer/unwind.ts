import type { Tip } from "./chain-answers.ts";
import { bytes, type Database, type Row, type Statement } from "./database.ts";
import { positionOf } from "./position.ts";
import type { TokenKind } from "./rest-types.ts";
import { type Movement, tokenStatements } from "./token-statements.ts";

/** Takes the blocks after `kept` out of the index, as if they had never been: the chain has others there now.
 * @param kept -1: all of them. @returns the tip that is left. */
export async function unwindTo(database: Database, kept: number, tip: Tip): Promise<Tip | undefined> {
  const from = positionOf(kept + 1, 0);
  const rows = await database.query({
    text: `SELECT f.position::text, f.log_index, f.item, ${hex("f.token")} AS token, t.kind, ${hex("f.sender")} AS sender,
      ${hex("f.recipient")} AS recipient, f.token_id::text, f.amount::text
      FROM transfers f JOIN tokens t ON t.address = f.token WHERE f.position >= $1::bigint`,
    parameters: [from],
  });
  const left = await tipAt(database, kept);
  const above = [from];
  await database.transaction([
    {
      text: "SELECT expect_tip($1::bigint, $2::bytea)",
      parameters: [tip.number, bytes(tip.hash)],
    },
    ...tokenStatements(rows.map(movementOf), "remove"),
    ...["internal_calls", "transfers", "logs", "appearances", "transactions"].map((table) => ({
      text: `DELETE FROM ${table} WHERE position >= $1::bigint`,
      parameters: above,
    })),
    {
      text: `DELETE FROM sources WHERE address IN (SELECT address FROM contracts WHERE position >= $1::bigint)`,
      parameters: above,
    },
    { text: "DELETE FROM contracts WHERE position >= $1::bigint", parameters: above },
    {
      text: "DELETE FROM balances WHERE amount = 0 AND token IN (SELECT address FROM tokens WHERE first_block > $1::bigint)",
      parameters: [kept],
    },
    { text: "DELETE FROM tokens WHERE first_block > $1::bigint", parameters: [kept] },
    ...recountMinutes(kept),
    {
      text: "UPDATE progress SET number = $1::bigint, hash = $2::bytea, traced = least(traced, $1::bigint) WHERE id = 1",
      parameters: [kept, left === undefined ? null : bytes(left.hash)],
    },
  ]);
  return left;
}

/** Those of the first deleted block's minute and all after it are counted again from the blocks that are left. */
function recountMinutes(kept: number): readonly Statement[] {
  return [
    {
      text: "DELETE FROM minutes WHERE minute >= (SELECT min(time) / 60 FROM blocks WHERE number > $1::bigint)",
      parameters: [kept],
    },
    {
      text: `INSERT INTO minutes SELECT time / 60, count(*), sum(transaction_count), sum(failed_count), sum(transfer_count), sum(gas_used), sum(fees)
        FROM blocks WHERE number <= $1::bigint AND time / 60 >= (SELECT min(time) / 60 FROM blocks WHERE number > $1::bigint) GROUP BY time / 60`,
      parameters: [kept],
    },
    { text: "DELETE FROM blocks WHERE number > $1::bigint", parameters: [kept] },
  ];
}

/** The block of a number as the index has it. */
export async function tipAt(database: Database, number: number): Promise<Tip | undefined> {
  const [row] = await database.query({
    text: `SELECT ${hex("hash")} AS hash FROM blocks WHERE number = $1::bigint`,
    parameters: [number],
  });
  return row === undefined ? undefined : { number, hash: String(row["hash"]) };
}

/** Selects bytes as 0x-prefixed hex. */
export function hex(column: string): string {
  return `'0x' || encode(${column}, 'hex')`;
}

function movementOf(row: Row): Movement {
  return {
    position: Number(row["position"]),
    logIndex: Number(row["log_index"]),
    item: Number(row["item"]),
    token: String(row["token"]),
    kind: row["kind"] as TokenKind,
    from: String(row["sender"]),
    to: String(row["recipient"]),
    tokenId: BigInt(String(row["token_id"])),
    amount: BigInt(String(row["amount"])),
  };
}
