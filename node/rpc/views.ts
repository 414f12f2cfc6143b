import { toHex } from "@ostrom/base";
import { checksumAddress, quantity } from "@ostrom/rpc-schema";
import type { ChainReads } from "./backend.ts";
import { countOrNumber } from "./decode.ts";
import type { Json, JsonObject } from "./json.ts";
import { defineMethod, type Method, optional } from "./method.ts";
import type { BlockRecord, SimplexViewRecord, ViewReads, ViewRecord } from "./view-records.ts";

/** Records in one answer, and in one piece of news. */
export const MAX_VIEWS = 256;
const DEFAULT_VIEWS = 64;

/** How the chain's blocks were agreed on, as this node saw it. */
export const viewMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getViews",
    summary: `What this node saw of the newest views of consensus, or of the newest blocks where nobody votes: who led, who voted when, how long each step took. At most ${MAX_VIEWS} records; without \`from\`, the newest. Records are numbered from 1 since the node's start. null: it keeps none.`,
    parameters: [optional("from", countOrNumber, undefined), optional("count", countOrNumber, DEFAULT_VIEWS)],
    returns:
      "null or {engine, capacity, oldest, next, views}; of simplex: {number, engine, epoch, view, leader, validators, startedAt (ms since 1970), " +
      "steps: {entered, proposed, notarized, nullified, finalized, executed, certified, leaderTimeout, advanceTimeout: ms after startedAt or null}, payloadBytes, " +
      "height, transactions, gasUsed, votes: {notarize, nullify, finalize, executed: [ms or null]}, signers: {notarization, nullification, finalization: bitmap or null}}; " +
      "of pow and instant: {number, engine, height, hash, parentHash, startedAt, finalized, unwound, transactions, gasUsed, coinbase, difficulty}",
    run: ({ backend }, from, count) => {
      const { views, chain } = backend;
      if (views === undefined) return null;
      const most = Math.min(count, MAX_VIEWS);
      const next = views.next();
      return {
        engine: views.engine,
        capacity: views.capacity(),
        oldest: Math.max(1, next - views.capacity()),
        next,
        views: views.read(from ?? Math.max(1, next - most), most).map((record) => viewToJson(record, chain)),
      };
    },
  }),
];

/** Records that have changed, as news: undefined if there are none. */
export function changedViews(
  views: ViewReads,
  chain: Pick<ChainReads, "header">,
  since: number,
): Json | undefined {
  const changed = views.changedSince(since, MAX_VIEWS);
  return changed.length === 0 ? undefined : changed.map((record) => viewToJson(record, chain));
}

/** Times are JSON numbers in milliseconds, to a hundredth. */
function viewToJson(record: ViewRecord, chain: Pick<ChainReads, "header">): JsonObject {
  switch (record.engine) {
    case "simplex":
      return simplexToJson(record);
    case "pow":
    case "instant":
      return blockToJson(record, chain);
    default:
      return record satisfies never;
  }
}

function simplexToJson(record: SimplexViewRecord): JsonObject {
  const { number, engine, epoch, view, leader, validators, steps, votes, signers, height, executed } = record;
  return {
    number,
    engine,
    epoch,
    view,
    leader,
    validators,
    startedAt: rounded(record.startedAtMs),
    steps: {
      entered: rounded(steps.entered),
      proposed: rounded(steps.proposed),
      notarized: rounded(steps.notarized),
      nullified: rounded(steps.nullified),
      finalized: rounded(steps.finalized),
      executed: rounded(steps.executed),
      certified: rounded(steps.certified),
      leaderTimeout: rounded(steps.leaderTimeout),
      advanceTimeout: rounded(steps.advanceTimeout),
    },
    payloadBytes: record.proposal?.payloadBytes ?? null,
    height: height ?? null,
    transactions: executed?.transactions ?? null,
    gasUsed: executed?.gasUsed ?? null,
    votes: {
      notarize: votes.notarize.map(rounded),
      nullify: votes.nullify.map(rounded),
      finalize: votes.finalize.map(rounded),
      executed: votes.executed.map(rounded),
    },
    signers: {
      notarization: hexOrNull(signers.notarization),
      nullification: hexOrNull(signers.nullification),
      finalization: hexOrNull(signers.finalization),
    },
  };
}

function blockToJson(record: BlockRecord, chain: Pick<ChainReads, "header">): JsonObject {
  const { number, engine, height, hash, parentHash, transactions, gasUsed } = record;
  const stored = record.mined === undefined ? chain.header(height) : undefined;
  const isStored = stored !== undefined && toHex(stored.hash) === toHex(hash);
  const mined = isStored ? stored.header : record.mined;
  return {
    number,
    engine,
    height,
    hash: toHex(hash),
    parentHash: toHex(parentHash),
    startedAt: rounded(record.startedAtMs),
    finalized: rounded(record.finalized),
    unwound: rounded(record.unwound),
    transactions,
    gasUsed,
    coinbase: mined === undefined ? null : checksumAddress(mined.coinbase),
    difficulty: mined === undefined ? null : quantity(mined.difficulty),
  };
}

const PER_MILLISECOND = 100;

function rounded(time: number | undefined): number | null {
  return time === undefined ? null : Math.round(time * PER_MILLISECOND) / PER_MILLISECOND;
}

function hexOrNull(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : toHex(bytes);
}
