import { Address, bytesToBigint, Hash } from "@ostrom/base";
import type { BlockRecord, RecordedVote, SimplexViewRecord, ViewReads, ViewRecord } from "@ostrom/rpc";
import {
  BITMAP_ROWS,
  copied,
  countsOf,
  FIELD,
  type Field,
  type Slot,
  slotsOf,
  TEXT,
  type ViewPage,
  VOTE_ROWS,
} from "./view-page.ts";

/** What a page holds, for JSON-RPC. @param page asked anew each time: it may have moved. */
export function createViewReads(page: () => ViewPage): ViewReads {
  let opened = open(page());
  const current = (): OpenedPage => {
    if (opened.page.memory !== page().memory) opened = open(page());
    return opened;
  };
  return {
    engine: page().engine,
    capacity: () => current().page.capacity,
    next: () => current().counts.next(),
    read: (from, count) => readFrom(current(), from, count),
    changes: () => current().counts.changes(),
    changedSince: (since, count) => changedSince(current(), since, count),
  };
}

type OpenedPage = {
  readonly page: ViewPage;
  readonly slots: readonly Slot[];
  readonly counts: ReturnType<typeof countsOf>;
};

function open(page: ViewPage): OpenedPage {
  return { page, slots: slotsOf(page), counts: countsOf(page) };
}

function readFrom({ page, slots, counts }: OpenedPage, from: number, count: number): readonly ViewRecord[] {
  const next = counts.next();
  const first = Math.max(from, next - page.capacity, 1);
  const records: ViewRecord[] = [];
  for (let number = first; number < next && records.length < count; number++) {
    const record = readRecord(page, slots[number % page.capacity]!, number);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function changedSince(
  { page, slots, counts }: OpenedPage,
  since: number,
  count: number,
): readonly ViewRecord[] {
  // Differences of counters that wrap at 32 bits.
  const isNewer = ({ fields }: Slot): boolean => ((fields[FIELD.change]! - since) | 0) > 0;
  const next = counts.next();
  const numbers: number[] = [];
  for (let number = next - 1; number >= Math.max(1, next - page.capacity); number--) {
    if (isNewer(slots[number % page.capacity]!)) numbers.push(number);
    if (numbers.length >= count) break;
  }
  return numbers
    .reverse()
    .map((number) => readRecord(page, slots[number % page.capacity]!, number))
    .filter((record) => record !== undefined);
}

/** undefined: the record was overwritten meanwhile. */
function readRecord({ engine }: ViewPage, slot: Slot, number: number): ViewRecord | undefined {
  const isIt = (): boolean => slot.fields[FIELD.number] === number;
  if (!isIt()) return undefined;
  const record = engine === "simplex" ? readView(slot, number) : readBlock(engine, slot, number);
  return isIt() ? record : undefined;
}

function readView(slot: Slot, number: number): SimplexViewRecord {
  const at = reader(slot);
  const payloadBytes = at("payloadBytes");
  const gasUsed = at("gasUsed");
  const validators = at("validators") ?? 0;
  const votes = (kind: RecordedVote): readonly (number | undefined)[] =>
    Array.from(slot.votes[VOTE_ROWS[kind]]!.subarray(0, validators), known);
  return {
    engine: "simplex",
    number,
    epoch: at("epoch") ?? 0,
    view: at("view") ?? 0,
    leader: at("leader") ?? 0,
    validators,
    startedAtMs: at("startedAtMs") ?? 0,
    steps: {
      entered: at("entered"),
      proposed: at("proposed"),
      notarized: at("notarized"),
      nullified: at("nullified"),
      finalized: at("finalized"),
      executed: at("executed"),
      certified: at("certified"),
      leaderTimeout: at("leaderTimeout"),
      advanceTimeout: at("advanceTimeout"),
    },
    proposal: payloadBytes === undefined ? undefined : { payloadBytes },
    height: at("height"),
    executed: gasUsed === undefined ? undefined : { transactions: at("transactions") ?? 0, gasUsed },
    votes: {
      notarize: votes("notarize"),
      nullify: votes("nullify"),
      finalize: votes("finalize"),
      executed: votes("executed"),
    },
    signers: signersOf(slot, validators),
  };
}

const BITS = 8;

function signersOf({ bitmaps }: Slot, validators: number): SimplexViewRecord["signers"] {
  const signers: {
    -readonly [Kind in keyof SimplexViewRecord["signers"]]: SimplexViewRecord["signers"][Kind];
  } = {};
  for (const kind of ["notarization", "nullification", "finalization"] as const) {
    const bitmap = copied(bitmaps[BITMAP_ROWS[kind]]!, 0, Math.ceil(validators / BITS));
    if (bitmap.some((byte) => byte !== 0)) signers[kind] = bitmap;
  }
  return signers;
}

function readBlock(engine: BlockRecord["engine"], slot: Slot, number: number): BlockRecord {
  const at = reader(slot);
  const text = (part: keyof typeof TEXT): Uint8Array => copied(slot.text, TEXT[part].at, TEXT[part].length);
  return {
    engine,
    number,
    height: at("height") ?? 0,
    hash: Hash(text("hash")),
    parentHash: Hash(text("parentHash")),
    startedAtMs: at("startedAtMs") ?? 0,
    finalized: at("finalized"),
    unwound: at("unwound"),
    transactions: at("transactions") ?? 0,
    gasUsed: at("gasUsed") ?? 0,
    mined:
      at("isMined") === undefined
        ? undefined
        : { coinbase: Address(text("coinbase")), difficulty: bytesToBigint(text("difficulty")) },
  };
}

function reader({ fields }: Slot): (field: Field) => number | undefined {
  return (field) => known(fields[FIELD[field]]!);
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
