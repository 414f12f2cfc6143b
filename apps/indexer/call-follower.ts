import type { CallFrame } from "./chain-answers.ts";
import { type ChainSource, SourceError } from "./chain-source.ts";
import { bytesArray, type Database, plainArray, type Statement, textArray } from "./database.ts";
import { positionOf } from "./position.ts";

/** Internal calls, by geth's callTracer: they lag behind the blocks, and a node that does not trace leaves them out. */

const BLOCKS_AT_ONCE = 8;
/** Of one transaction: a loop of calls must not fill the index. */
export const MAX_CALLS = 1_000;
const METHOD_NOT_FOUND = -32_601;
const NOT_ALLOWED = 4_100;
const MAX_ERROR = 200;

/** Traces the blocks after `traced`, at most a few. @returns the newest traced block; undefined where the node does not trace. */
export async function traceBlocks(
  database: Database,
  source: ChainSource,
  traced: number,
  indexed: number,
): Promise<number | undefined> {
  const last = Math.min(indexed, traced + BLOCKS_AT_ONCE);
  const numbers = Array.from({ length: last - traced }, (_, index) => traced + 1 + index);
  // Genesis has no transactions, and some tracers refuse it.
  const asked = numbers.filter((number) => number > 0);
  const answers = await source.askMany(
    asked.map((number) => ({
      method: "debug_traceBlockByNumber",
      params: [`0x${number.toString(16)}`, { tracer: "callTracer" }],
    })),
  );
  const refused = answers.find(({ error }) => error !== undefined)?.error;
  if (refused?.code === METHOD_NOT_FOUND || refused?.code === NOT_ALLOWED) return undefined;
  if (refused !== undefined) throw new SourceError(`calls of blocks: ${refused.message}`, refused.code);
  const rows = asked.flatMap((number, index) =>
    (answers[index]!.result as readonly { readonly result?: CallFrame }[]).flatMap(({ result }, place) =>
      result === undefined ? [] : rowsOf(positionOf(number, place), result),
    ),
  );
  await database.transaction([
    ...insertCalls(rows),
    ...insertCreated(rows),
    {
      text: "UPDATE progress SET traced = $1::bigint WHERE id = 1 AND traced = $2::bigint AND number >= $1::bigint",
      parameters: [last, traced],
    },
  ]);
  return last;
}

type CallRow = {
  readonly position: number;
  readonly ordinal: number;
  readonly path: string;
  readonly frame: CallFrame;
};

/** The calls below a transaction's own, in the order in which they begin. */
function rowsOf(position: number, root: CallFrame): readonly CallRow[] {
  const rows: CallRow[] = [];
  const visit = ({ calls = [] }: CallFrame, prefix: string): void => {
    calls.forEach((frame, index) => {
      if (rows.length >= MAX_CALLS) return;
      const path = `${prefix}${index}`;
      rows.push({ position, ordinal: rows.length, path, frame });
      visit(frame, `${path}.`);
    });
  };
  visit(root, "");
  return rows;
}

function insertCalls(rows: readonly CallRow[]): readonly Statement[] {
  if (rows.length === 0) return [];
  const of = <T>(read: (frame: CallFrame) => T): T[] => rows.map(({ frame }) => read(frame));
  return [
    {
      text: `INSERT INTO internal_calls SELECT * FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::bytea[], $6::bytea[],
        $7::numeric[], $8::bigint[], $9::bytea[], $10::text[]) ON CONFLICT (position, ordinal) DO NOTHING`,
      parameters: [
        plainArray(rows.map(({ position }) => position)),
        plainArray(rows.map(({ ordinal }) => ordinal)),
        textArray(rows.map(({ path }) => path)),
        textArray(of(({ type }) => type)),
        bytesArray(of(({ from }) => from)),
        bytesArray(of(({ to }) => to ?? null)),
        plainArray(of(({ value }) => BigInt(value ?? "0x0"))),
        plainArray(of(({ gasUsed }) => BigInt(gasUsed))),
        bytesArray(of(({ input }) => (input.length >= 10 ? input.slice(0, 10) : null))),
        textArray(of(({ error }) => error?.slice(0, MAX_ERROR) ?? null)),
      ],
    },
  ];
}

/** Contracts that contracts made. */
function insertCreated(rows: readonly CallRow[]): readonly Statement[] {
  const created = rows.filter(
    ({ frame }) => frame.type.startsWith("CREATE") && frame.error === undefined && frame.to !== undefined,
  );
  if (created.length === 0) return [];
  return [
    {
      text: `INSERT INTO contracts (address, creator, position) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bigint[])
        ON CONFLICT (address) DO NOTHING`,
      parameters: [
        bytesArray(created.map(({ frame }) => frame.to!)),
        bytesArray(created.map(({ frame }) => frame.from)),
        plainArray(created.map(({ position }) => position)),
      ],
    },
  ];
}
