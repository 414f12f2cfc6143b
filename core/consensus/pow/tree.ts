import { must } from "@ostrom/base";
import { pointAfter } from "./chain-point.ts";
import { copyHeader } from "./header.ts";
import { entryOf, shardedMap, valuesOf, withEntry } from "./sharded-map.ts";
import {
  baseOf,
  changeState,
  type Draft,
  type HeaderRecord,
  headOf,
  keyOf,
  lowestFork,
  type PowState,
  recordOf,
  refOf,
} from "./state.ts";
import type { BlockRef, ChainPoint, PowHeader } from "./types.ts";

/** The base moves up when so many blocks more than the deepest reorganisation are held: rebuilding the maps has its price. */
const PRUNE_SLACK = 64;
/** When side headers exceed their limit, this share of them goes at once. */
const EVICTED_SHARE = 4;
/** More references below the base than this are thinned out. */
const MAX_OLDER = 32;

/** Puts a checked header into the tree (W5). */
export function addRecord(draft: Draft, header: PowHeader, id: ChainPoint["id"]): HeaderRecord {
  const { state } = draft;
  const parent = must(recordOf(state, keyOf(header.parent)), "a header is added to its parent");
  const key = keyOf(id);
  const record: HeaderRecord = {
    key,
    point: pointAfter(parent.point, header, id),
    header: copyHeader(header),
    parentKey: parent.key,
    skipKey: skipKeyOf(state, parent, header.height),
    order: state.nextOrder,
  };
  changeState(draft, {
    records: withEntry(state.records, key, record),
    nextOrder: state.nextOrder + 1,
  });
  if (state.invalid.has(parent.key)) {
    changeState(draft, { invalid: new Set(state.invalid).add(key) });
    return record;
  }
  const leaves = new Map(state.leaves);
  leaves.delete(parent.key);
  changeState(draft, { leaves: leaves.set(key, record) });
  return record;
}

/** The ancestor of that height, the record itself included. @returns undefined below the base and above the record. */
export function ancestorAt(state: PowState, record: HeaderRecord, height: number): HeaderRecord | undefined {
  let at: HeaderRecord | undefined = record;
  if (height > record.point.height || height < state.baseHeight) return undefined;
  while (at !== undefined && at.point.height > height) {
    const skip: HeaderRecord | undefined =
      skipHeight(at.point.height) >= height && at.skipKey !== undefined
        ? recordOf(state, at.skipKey)
        : undefined;
    at = skip ?? (at.parentKey === undefined ? undefined : recordOf(state, at.parentKey));
  }
  return at;
}

/** Whether `record` is `of` or an ancestor of it. */
export function isAncestor(state: PowState, record: HeaderRecord, of: HeaderRecord): boolean {
  return ancestorAt(state, of, record.point.height)?.key === record.key;
}

/** Where the record's chain leaves the executed chain: the highest executed ancestor. */
export function forkOf(state: PowState, record: HeaderRecord): HeaderRecord {
  let low = state.baseHeight as number;
  let high = Math.min(record.point.height, headOf(state).point.height) as number;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const ancestor = must(ancestorAt(state, record, middle), "every record descends from the base");
    if (entryOf(state.executed, ancestor.key) === undefined) high = middle - 1;
    else low = middle;
  }
  return must(ancestorAt(state, record, low), "the base is executed");
}

/** Leaves that are not known to be invalid and have more work than the head, the most first, the first seen of equal ones (W6). */
export function heavierLeaves(state: PowState): readonly HeaderRecord[] {
  const head = headOf(state);
  const heavier: HeaderRecord[] = [];
  for (const leaf of state.leaves.values()) {
    if (leaf.point.totalWork > head.point.totalWork) heavier.push(leaf);
  }
  return heavier.sort(compareByWork);
}

/** The leaf with the most work; the head, if none has more. */
export function bestLeaf(state: PowState): HeaderRecord {
  return heavierLeaves(state)[0] ?? headOf(state);
}

/** Marks a block and its descendants invalid, for as long as they could be followed (W9). */
export function markInvalid(draft: Draft, key: string): void {
  const { state } = draft;
  const invalid = new Set(state.invalid).add(key);
  for (const record of byHeight(state)) {
    if (record.parentKey !== undefined && invalid.has(record.parentKey)) invalid.add(record.key);
  }
  changeState(draft, { invalid, leaves: findLeaves([...valuesOf(state.records)], invalid) });
}

/** Forgets what cannot be followed any more, and the least of side branches if there are too many (W5). */
export function prune(draft: Draft): void {
  const { state } = draft;
  const base = baseOf(state);
  const lowest = lowestFork(state);
  const isLong = lowest - base.point.height > PRUNE_SLACK;
  const best = bestLeaf(state);
  const sideCount = state.records.size - (best.point.height - base.point.height + 1);
  if (!isLong && sideCount <= sideLimit(state)) return;
  const newBase = isLong
    ? must(ancestorAt(state, headOf(state), lowest), "the head is above the lowest fork")
    : base;
  const kept = new Set([newBase.key]);
  const records = byHeight(state);
  for (const record of records) {
    if (record.parentKey !== undefined && kept.has(record.parentKey)) kept.add(record.key);
  }
  evictSides(state, kept, best);
  keepOnly(draft, newBase, kept);
}

/** References for a locator, from `tip` downward: dense at first, then at doubling distances; genesis at the end. */
export function makeLocator(state: PowState, tip: HeaderRecord, maxEntries: number): readonly BlockRef[] {
  const locator: BlockRef[] = [];
  const base = baseOf(state);
  const dense = 10;
  for (let height = tip.point.height as number, step = 1; height > base.point.height; height -= step) {
    const record = must(ancestorAt(state, tip, height), "every record descends from the base");
    locator.push(refOf(record.point));
    if (locator.length >= dense) step *= 2;
  }
  const genesis: BlockRef = { height: 0 as BlockRef["height"], id: state.config.domain.genesisHash };
  locator.push(...[refOf(base.point), ...state.older.toReversed()].slice(0, maxEntries - 1 - locator.length));
  if (locator.at(-1)?.height !== 0) locator.push(genesis);
  return locator;
}

/** The longest branch that may be followed fits beside the best chain, and others. */
function sideLimit({ config }: PowState): number {
  return config.maxSideHeaders + config.maxReorgDepth;
}

/** Without the lowest bit 1. By arithmetic, because shifts stop at 32 bits. */
function skipHeight(height: number): number {
  let bit = 1;
  while (bit < height && height % (2 * bit) === 0) bit *= 2;
  return height - bit;
}

function skipKeyOf(state: PowState, parent: HeaderRecord, height: number): string | undefined {
  return ancestorAt(state, parent, skipHeight(height))?.key;
}

function compareByWork(a: HeaderRecord, b: HeaderRecord): number {
  if (a.point.totalWork !== b.point.totalWork) return a.point.totalWork > b.point.totalWork ? -1 : 1;
  return a.order - b.order;
}

/** Parents before children. */
function byHeight(state: PowState): readonly HeaderRecord[] {
  return [...valuesOf(state.records)].sort((a, b) => a.point.height - b.point.height || a.order - b.order);
}

function findLeaves(
  records: readonly HeaderRecord[],
  invalid: ReadonlySet<string>,
): ReadonlyMap<string, HeaderRecord> {
  const valid = records.filter((record) => !invalid.has(record.key));
  const leaves = new Map(valid.map((record) => [record.key, record]));
  for (const { parentKey } of valid) if (parentKey !== undefined) leaves.delete(parentKey);
  return leaves;
}

/** Takes branches with the least work out of `kept`, from their ends, if there are too many headers beside the best chain. */
function evictSides(state: PowState, kept: Set<string>, best: HeaderRecord): void {
  const limit = sideLimit(state);
  const spared = new Set(chainDown(state, best));
  for (const key of chainDown(state, headOf(state))) spared.add(key);
  if (state.pending !== undefined) spared.add(state.pending.key);
  const sides = [...kept].filter((key) => !spared.has(key));
  if (sides.length <= limit) return;
  // A child has more work than its parent, so a parent is never taken out before it.
  const heaviestBelow = new Map<string, HeaderRecord>();
  const records = sides.map((key) => must(recordOf(state, key), "kept records are in the tree"));
  for (const record of records.toSorted((a, b) => b.point.height - a.point.height)) {
    const end = heaviestBelow.get(record.key) ?? record;
    heaviestBelow.set(record.key, end);
    if (record.parentKey === undefined) continue;
    const known = heaviestBelow.get(record.parentKey);
    if (known === undefined || compareByWork(end, known) < 0) heaviestBelow.set(record.parentKey, end);
  }
  const endOf = (record: HeaderRecord): HeaderRecord => heaviestBelow.get(record.key) ?? record;
  const order = records.toSorted(
    (a, b) => compareByWork(endOf(b), endOf(a)) || b.point.height - a.point.height,
  );
  const excess = sides.length - limit + Math.floor(limit / EVICTED_SHARE);
  for (const record of order.slice(0, excess)) kept.delete(record.key);
}

function chainDown(state: PowState, record: HeaderRecord): readonly string[] {
  const keys: string[] = [];
  for (let at: HeaderRecord | undefined = record; at !== undefined; ) {
    keys.push(at.key);
    at = at.parentKey === undefined ? undefined : recordOf(state, at.parentKey);
  }
  return keys;
}

function keepOnly(draft: Draft, newBase: HeaderRecord, kept: ReadonlySet<string>): void {
  const { state } = draft;
  const records: HeaderRecord[] = [];
  for (const record of byHeight(state)) {
    if (!kept.has(record.key)) continue;
    records.push(
      record.key === newBase.key ? { ...record, parentKey: undefined, skipKey: undefined } : record,
    );
  }
  const executed = records.flatMap(({ key }) => {
    const hash = entryOf(state.executed, key);
    return hash === undefined ? [] : [[key, hash] as const];
  });
  const invalid = new Set([...state.invalid].filter((key) => kept.has(key)));
  const bodies = new Map([...state.bodies].filter(([key]) => kept.has(key)));
  const requests = new Map([...state.requests].filter(([key]) => kept.has(key)));
  changeState(draft, {
    records: shardedMap(records.map((record) => [record.key, record])),
    executed: shardedMap(executed),
    leaves: findLeaves(records, invalid),
    invalid,
    bodies,
    requests,
    bodyBytes: [...bodies.values()].reduce((sum, body) => sum + body.length, 0),
    ...(newBase.key === state.baseKey
      ? {}
      : { baseKey: newBase.key, baseHeight: newBase.point.height, older: moreOlder(state) }),
  });
}

/** The base becomes one of the older references; the lower half is thinned out when there are many. */
function moreOlder(state: PowState): readonly BlockRef[] {
  const older = [...state.older, refOf(baseOf(state).point)];
  if (older.length <= MAX_OLDER) return older;
  return older.filter((_, index) => index >= older.length / 2 || index % 2 === 0);
}
