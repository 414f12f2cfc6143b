import { bytesArray, plainArray, type Statement, textArray } from "./database.ts";
import { blockOf } from "./position.ts";
import type { TokenKind } from "./rest-types.ts";
import { NO_TOKEN_ID, type TokenMovement, ZERO_ADDRESS } from "./token-events.ts";

/** A movement and the position of its transaction. */
export type Movement = TokenMovement & { readonly position: number };

/** What a run of movements changes: tokens, their transfers, and balances, which are sums of them.
 * @param direction "remove": the blocks that told of them are gone; their rows of transfers are deleted elsewhere. */
export function tokenStatements(
  movements: readonly Movement[],
  direction: "add" | "remove",
): readonly Statement[] {
  if (movements.length === 0) return [];
  const sign = direction === "add" ? 1 : -1;
  const tokens = insertOrCountTokens(movements, sign);
  const balances = changeBalances(movements, BigInt(sign));
  return direction === "add" ? [tokens, insertTransfers(movements), ...balances] : [tokens, ...balances];
}

type Counted = { kind: TokenKind; count: number; firstBlock: number; isStale: boolean };

function insertOrCountTokens(movements: readonly Movement[], sign: number): Statement {
  const tokens = new Map<string, Counted>();
  for (const { token, kind, position, from, to } of movements) {
    const counted = tokens.get(token) ?? { kind, count: 0, firstBlock: blockOf(position), isStale: false };
    counted.count += sign;
    // What there is of it has changed.
    if (from === ZERO_ADDRESS || to === ZERO_ADDRESS) counted.isStale = true;
    tokens.set(token, counted);
  }
  const counts = [...tokens.values()];
  return {
    text: `INSERT INTO tokens AS t (address, kind, transfer_count, holder_count, first_block, is_stale)
      SELECT address, kind, count, 0, first_block, true
      FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[]) AS given (address, kind, count, first_block)
      ON CONFLICT (address) DO UPDATE SET transfer_count = t.transfer_count + excluded.transfer_count,
        is_stale = t.is_stale OR excluded.address = ANY ($5::bytea[])`,
    parameters: [
      bytesArray([...tokens.keys()]),
      textArray(counts.map(({ kind }) => kind)),
      plainArray(counts.map(({ count }) => count)),
      plainArray(counts.map(({ firstBlock }) => firstBlock)),
      bytesArray([...tokens].filter(([, { isStale }]) => isStale).map(([address]) => address)),
    ],
  };
}

function insertTransfers(movements: readonly Movement[]): Statement {
  const of = <T>(read: (movement: Movement) => T): T[] => movements.map(read);
  return {
    text: `INSERT INTO transfers SELECT * FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::bytea[], $5::bytea[], $6::bytea[],
      $7::numeric[], $8::numeric[])`,
    parameters: [
      plainArray(of(({ position }) => position)),
      plainArray(of(({ logIndex }) => logIndex)),
      plainArray(of(({ item }) => item)),
      bytesArray(of(({ token }) => token)),
      bytesArray(of(({ from }) => from)),
      bytesArray(of(({ to }) => to)),
      plainArray(of(({ tokenId }) => tokenId)),
      plainArray(of(({ amount }) => amount)),
    ],
  };
}

type Change = { readonly token: string; readonly holder: string; readonly tokenId: bigint; delta: bigint };

function changesOf(movements: readonly Movement[], sign: bigint): readonly Change[] {
  const changes = new Map<string, Change>();
  const change = (token: string, holder: string, tokenId: bigint, delta: bigint): void => {
    if (holder === ZERO_ADDRESS) return;
    const key = `${token}${holder}${tokenId}`;
    const known = changes.get(key);
    if (known === undefined) changes.set(key, { token, holder, tokenId, delta });
    else known.delta += delta;
  };
  for (const { token, from, to, tokenId, amount } of movements) {
    for (const id of tokenId === NO_TOKEN_ID ? [NO_TOKEN_ID] : [NO_TOKEN_ID, tokenId]) {
      change(token, from, id, -amount * sign);
      change(token, to, id, amount * sign);
    }
  }
  return [...changes.values()].filter(({ delta }) => delta !== 0n);
}

/** Both counts are taken in one statement, whose parts see the balances as they were before it: what a holder had, and what it has. */
function changeBalances(movements: readonly Movement[], sign: bigint): readonly Statement[] {
  const changes = changesOf(movements, sign);
  if (changes.length === 0) return [];
  return [
    {
      text: `WITH given AS (SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::numeric[], $4::numeric[]) AS g (token, holder, token_id, delta)),
      before AS (
        SELECT b.token, count(*) AS holders FROM given g JOIN balances b ON b.token = g.token AND b.holder = g.holder AND b.token_id = -1
        WHERE g.token_id = -1 AND b.amount > 0 GROUP BY b.token),
      changed AS (
        INSERT INTO balances AS b SELECT * FROM given
        ON CONFLICT (token, holder, token_id) DO UPDATE SET amount = b.amount + excluded.amount
        RETURNING b.token, b.token_id, b.amount),
      after AS (SELECT token, count(*) FILTER (WHERE amount > 0) AS holders FROM changed WHERE token_id = -1 GROUP BY token)
      UPDATE tokens AS t SET holder_count = t.holder_count + after.holders - coalesce(before.holders, 0)
      FROM after LEFT JOIN before ON before.token = after.token WHERE t.address = after.token`,
      parameters: [
        bytesArray(changes.map(({ token }) => token)),
        bytesArray(changes.map(({ holder }) => holder)),
        plainArray(changes.map(({ tokenId }) => tokenId)),
        plainArray(changes.map(({ delta }) => delta)),
      ],
    },
  ];
}
