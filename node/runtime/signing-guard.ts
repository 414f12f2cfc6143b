import { type Bytes, type Failure, fail, ok, type Result, toHexDigits } from "@ostrom/base";
import { decodeRlpWith, type RlpItem, readRlpBytes, readRlpCount, readRlpList } from "@ostrom/codec";
import { isAfter, type ViewPosition } from "./journal-records.ts";

/** Votes of a key that are remembered; of older ones only that they are over. */
const MAX_VOTES = 8_192;
/** Results this far below the newest are over too. */
const RESULT_HEIGHTS = 8_192;

/** Of epochs this far below the newest, no checkpoint is signed. */
const CHECKPOINT_EPOCHS = 8_192;

const DOMAIN = "ostrom/consensus/1";
const CHECKPOINT_DOMAIN = "ostrom/checkpoint/1";
const HASH_LENGTH = 32;
const KINDS = ["notarize", "nullify", "finalize", "executed"] as const;

/** What a validator's signature says, read from the bytes that are signed (core/consensus/signing.ts). */
export type Statement = {
  /** undefined: of a checkpoint, which keys of several schemes may sign. */
  readonly schemeId: number | undefined;
  readonly genesis: string;
  readonly kind: (typeof KINDS)[number] | "checkpoint";
  readonly epoch: number;
  /** View of a vote, height of a result or a checkpoint. */
  readonly place: number;
  /** Hex digits of what is voted for, or of the result. */
  readonly digest: string;
};

export type GuardFailure = Failure<"signer/malformed" | "signer/contradiction" | "signer/over">;

/** Reads what is to be signed. Errors: `signer/malformed`: nothing that a validator signs, so nothing that is signed here. */
export function readStatement(message: Bytes): Result<Statement, GuardFailure> {
  const read = decodeRlpWith(message, (item) => {
    const items = readRlpList(item, "statement");
    if (textOf(items[0]) === CHECKPOINT_DOMAIN) return readCheckpointStatement(items);
    const kind = KINDS[readRlpCount(items[4], "kind") - 1];
    const isResult = kind === "executed";
    const isOurs = textOf(items[0]) === DOMAIN;
    if (kind === undefined || !isOurs || items.length !== (isResult ? 10 : 8)) return undefined;
    readRlpCount(items[2], "hash function");
    const hashes = items.slice(7).map((hash) => toHexDigits(readRlpBytes(hash, "hash", HASH_LENGTH)));
    return {
      schemeId: readRlpCount(items[1], "scheme"),
      genesis: toHexDigits(readRlpBytes(items[3], "genesis", HASH_LENGTH)),
      kind,
      epoch: readRlpCount(items[5], "epoch"),
      place: readRlpCount(items[6], "view or height"),
      digest: hashes.join(""),
    };
  });
  return read.ok && read.value !== undefined
    ? ok(read.value)
    : fail("signer/malformed", "these bytes are no vote and no result of a validator");
}

function textOf(item: RlpItem | undefined): string {
  return new TextDecoder().decode(readRlpBytes(item, "domain"));
}

/** core/consensus/checkpoints/checkpoint-codec.ts. */
function readCheckpointStatement(items: readonly RlpItem[]): Statement | undefined {
  if (items.length !== 8) return undefined;
  readRlpCount(items[1], "hash function");
  const hashes = items.slice(5).map((hash) => toHexDigits(readRlpBytes(hash, "hash", HASH_LENGTH)));
  return {
    schemeId: undefined,
    genesis: toHexDigits(readRlpBytes(items[2], "genesis", HASH_LENGTH)),
    kind: "checkpoint",
    epoch: readRlpCount(items[3], "epoch"),
    place: readRlpCount(items[4], "height"),
    digest: hashes.join(""),
  };
}

type Remembered = { readonly statement: Statement; readonly message: Bytes };

/** What one key has signed on one chain. */
type Memory = {
  readonly votes: Map<string, Remembered>;
  readonly results: Map<number, Remembered>;
  /** By epoch. */
  readonly checkpoints: Map<number, Remembered>;
  /** Votes of this view and before it are over. */
  floor: ViewPosition;
  /** Results of this height and below are over. */
  resultFloor: number;
};

/** Refuses what contradicts anything that a key ever signed: two votes of a kind for one view, finalize and nullify for one view, two results
 * for one height. The same statement may be signed again. */
export class SigningGuard {
  readonly #memories = new Map<string, Memory>();

  /** @param publicKey in hex digits. Errors: `signer/contradiction`; `signer/over`: so old that what was signed is forgotten. */
  check(publicKey: string, statement: Statement): Result<undefined, GuardFailure> {
    const memory = this.#memoryOf(publicKey, statement.genesis);
    const { kind, epoch, place, digest } = statement;
    if (kind === "checkpoint") {
      const same = memory.checkpoints.get(epoch)?.statement;
      if (same !== undefined)
        return same.digest === digest && same.place === place
          ? ok(undefined)
          : contradiction(`another checkpoint of epoch ${epoch} was signed`);
      return epoch > newestEpoch(memory) - CHECKPOINT_EPOCHS ? ok(undefined) : over(`epoch ${epoch}`);
    }
    if (kind === "executed") {
      const same = memory.results.get(place);
      if (same !== undefined)
        return same.statement.digest === digest && same.statement.epoch === epoch
          ? ok(undefined)
          : contradiction(`another result of block ${place} was signed`);
      return place > memory.resultFloor ? ok(undefined) : over(`block ${place}`);
    }
    if (!isAfter({ epoch, view: place }, memory.floor)) return over(`epoch ${epoch}, view ${place}`);
    const same = memory.votes.get(voteKey(statement));
    if (same !== undefined && same.statement.digest !== digest)
      return contradiction(`another ${kind} vote of epoch ${epoch}, view ${place} was signed`);
    const opposite = kind === "finalize" ? "nullify" : kind === "nullify" ? "finalize" : undefined;
    if (opposite !== undefined && memory.votes.has(voteKey({ ...statement, kind: opposite })))
      return contradiction(`a ${opposite} vote of epoch ${epoch}, view ${place} was signed`);
    return ok(undefined);
  }

  /** Remembers what `check` let through. @returns whether it is new. */
  remember(publicKey: string, statement: Statement, message: Bytes): boolean {
    const memory = this.#memoryOf(publicKey, statement.genesis);
    if (statement.kind === "checkpoint") {
      if (memory.checkpoints.has(statement.epoch)) return false;
      memory.checkpoints.set(statement.epoch, { statement, message });
      const oldest = newestEpoch(memory) - CHECKPOINT_EPOCHS;
      for (const epoch of memory.checkpoints.keys()) if (epoch <= oldest) memory.checkpoints.delete(epoch);
      return true;
    }
    if (statement.kind === "executed") {
      if (memory.results.has(statement.place)) return false;
      memory.results.set(statement.place, { statement, message });
      if (memory.results.size > 2 * RESULT_HEIGHTS) forgetResults(memory);
      return true;
    }
    if (memory.votes.has(voteKey(statement))) return false;
    memory.votes.set(voteKey(statement), { statement, message });
    if (memory.votes.size > 2 * MAX_VOTES) forgetVotes(memory);
    return true;
  }

  /** All that must be written down to remember as much: keys, floors and messages. */
  entries(): readonly Bytes[] {
    return [...this.#memories].flatMap(([name, { votes, results, checkpoints, floor, resultFloor }]) => [
      encodeFloor(name, floor, resultFloor),
      ...[...votes.values(), ...results.values(), ...checkpoints.values()].map(({ message }) =>
        encodeSigned(name.split(":")[0]!, message),
      ),
    ]);
  }

  /** Takes what `entries` or `encodeSigned` gave. @throws if it is neither. */
  replay(record: Bytes): void {
    const { name, floor, message } = JSON.parse(new TextDecoder().decode(record)) as SignedRecord;
    if (floor !== undefined) {
      const memory = this.#memoryAt(name);
      memory.floor = { epoch: floor[0], view: floor[1] };
      memory.resultFloor = floor[2];
      return;
    }
    const bytes = new Uint8Array(Buffer.from(message ?? "", "hex"));
    const statement = readStatement(bytes);
    if (!statement.ok) throw new Error("the signer's log holds a record of an unknown kind");
    this.remember(name, statement.value, bytes);
  }

  #memoryOf(publicKey: string, genesis: string): Memory {
    return this.#memoryAt(`${publicKey}:${genesis}`);
  }

  #memoryAt(name: string): Memory {
    const found = this.#memories.get(name);
    if (found !== undefined) return found;
    const made: Memory = {
      votes: new Map(),
      results: new Map(),
      checkpoints: new Map(),
      floor: { epoch: -1, view: 0 },
      resultFloor: -1,
    };
    this.#memories.set(name, made);
    return made;
  }
}

type SignedRecord = {
  /** The public key; of a floor, with the chain. */
  readonly name: string;
  readonly message?: string;
  readonly floor?: readonly [number, number, number];
};

/** The record of one signature: written and synced before the signature leaves. */
export function encodeSigned(publicKey: string, message: Bytes): Bytes {
  return new TextEncoder().encode(JSON.stringify({ name: publicKey, message: toHexDigits(message) }));
}

function encodeFloor(name: string, { epoch, view }: ViewPosition, resultFloor: number): Bytes {
  return new TextEncoder().encode(JSON.stringify({ name, floor: [epoch, view, resultFloor] }));
}

function forgetVotes(memory: Memory): void {
  const all = [...memory.votes].sort(([, one], [, other]) =>
    isAfter(positionOf(one), positionOf(other)) ? 1 : -1,
  );
  const forgotten = all.slice(0, all.length - MAX_VOTES);
  for (const [key] of forgotten) memory.votes.delete(key);
  memory.floor = positionOf(forgotten.at(-1)![1]);
}

function forgetResults(memory: Memory): void {
  const heights = [...memory.results.keys()].sort((a, b) => a - b);
  const forgotten = heights.slice(0, heights.length - RESULT_HEIGHTS);
  for (const height of forgotten) memory.results.delete(height);
  memory.resultFloor = forgotten.at(-1)!;
}

function newestEpoch({ checkpoints }: Memory): number {
  return [...checkpoints.keys()].reduce((newest, epoch) => Math.max(newest, epoch), -1);
}

function positionOf({ statement }: Remembered): ViewPosition {
  return { epoch: statement.epoch, view: statement.place };
}

function voteKey({ epoch, place, kind }: Statement): string {
  return `${epoch}:${place}:${kind}`;
}

function contradiction(message: string): Result<never, GuardFailure> {
  return fail("signer/contradiction", message);
}

function over(what: string): Result<never, GuardFailure> {
  return fail("signer/over", `${what} is so far back that what was signed there is forgotten`);
}
