import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import {
  Address,
  type Bytes,
  concatBytes,
  type Failure,
  Hash,
  must,
  type Result,
  ZERO_HASH,
} from "@ostrom/base";
import { validatorScheme } from "@ostrom/crypto";
import {
  type AccountKey,
  type ChainRules,
  decodeTransaction,
  hasValidSignatures,
  keysDigest,
  recoverSender,
  type SignedTransaction,
} from "@ostrom/execution";
import type { BatchCheck, CheckedBatch } from "./batch-check.ts";
import { type PackedBytes, packBytes } from "./packed-bytes.ts";
import type { VerifyStatements } from "./statement-desk.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Tells who signed each transaction, or what is wrong with it. Takes the cost off the caller's thread. */
export type SignatureChecker = {
  /** @param keys of those agile transactions that are signed by keys in state (`keysOfAuthorizations`), at their places. */
  readonly check: (raws: readonly Bytes[], keys?: KeysOfTransactions) => Promise<readonly CheckedSender[]>;
  /** Reads a batch of transactions, and checks its signatures or believes its claims; where it is not there, this node takes no part in batches. */
  readonly checkBatch?: ((check: BatchCheck) => Promise<CheckedBatch>) | undefined;
  /** Checks statements of validators; where it is not there, they are checked where they are counted. */
  readonly verify?: VerifyStatements | undefined;
  readonly stop: () => Promise<void>;
};

export type KeysOfTransactions = readonly (readonly AccountKey[] | undefined)[];

/** The sender's 20 bytes, then the 32 of `verifiedKeys` if keys in state have made the signatures; or a failure of the transaction's form or
 * signature. That keys in state have not made it is no failure: who votes does not look at state. */
export type CheckedSender = Bytes | Failure;

export type SignatureWorkerVocabulary = {
  readonly check: {
    readonly argument: { readonly raws: PackedBytes; readonly keys: KeysOfTransactions | undefined };
    readonly answer: PackedSenders;
  };
  readonly checkBatch: { readonly argument: BatchCheck; readonly answer: CheckedBatch };
  readonly verify: {
    readonly argument: { readonly schemeId: number; readonly statements: PackedBytes };
    readonly answer: Bytes;
  };
};

/** Senders and the digests of their keys, 52 bytes each, one after another; zeros where there is no digest, or a failure, by index. */
export type PackedSenders = {
  readonly senders: Bytes;
  readonly failures: readonly { readonly index: number; readonly failure: Failure }[];
};

const ADDRESS_LENGTH = 20;
const ENTRY_LENGTH = 52;

/** What a signature worker answers. */
export function packSenders(checked: readonly CheckedSender[]): PackedSenders {
  const senders = new Uint8Array(checked.length * ENTRY_LENGTH);
  const failures: { readonly index: number; readonly failure: Failure }[] = [];
  checked.forEach((entry, index) => {
    if (entry instanceof Uint8Array) senders.set(entry, index * ENTRY_LENGTH);
    else failures.push({ index, failure: entry });
  });
  return { senders, failures };
}

function unpackSenders({ senders, failures }: PackedSenders): readonly CheckedSender[] {
  const checked: CheckedSender[] = Array.from({ length: senders.length / ENTRY_LENGTH }, (_, index) => {
    const start = index * ENTRY_LENGTH;
    const [endOfSender, end] = [start + ADDRESS_LENGTH, start + ENTRY_LENGTH];
    const hasKeys = senders.subarray(endOfSender, end).some((byte) => byte !== 0);
    return senders.slice(start, hasKeys ? end : endOfSender);
  });
  for (const { index, failure } of failures) checked[index] = failure;
  return checked;
}

/** The answer names no transaction. */
const HASH_NOBODY_ASKS_FOR = ZERO_HASH;

/** What a signature worker computes; also used directly where there are no threads (the simulator). */
export function checkSenders(raws: readonly Bytes[], keys?: KeysOfTransactions): readonly CheckedSender[] {
  return raws.map((raw, index) => {
    const read = decodeTransaction(raw, HASH_NOBODY_ASKS_FOR);
    if (!read.ok) return read.error;
    const sender = recoverSender(read.value);
    if (!sender.ok) return sender.error;
    const named = keys?.[index];
    if (named === undefined || !hasValidSignatures(read.value, named)) return sender.value;
    return concatBytes(sender.value, keysDigest(named));
  });
}

/** What a signature worker computes of statements: key, message and signature of one after the other. */
export function checkStatements(schemeId: number, parts: readonly Bytes[]): Bytes {
  const scheme = must(validatorScheme(schemeId), "validators vote by known schemes");
  return Uint8Array.from({ length: parts.length / PARTS_OF_A_STATEMENT }, (_, index) => {
    const first = PARTS_OF_A_STATEMENT * index;
    return scheme.verify(parts[first]!, parts[first + 1]!, parts[first + 2]!) ? 1 : 0;
  });
}

const PARTS_OF_A_STATEMENT = 3;

/** Makes a result of an answer. */
export function senderOf(
  checked: CheckedSender,
): Result<Pick<SignedTransaction, "sender" | "verifiedKeys">, Failure> {
  if (!(checked instanceof Uint8Array)) return { ok: false, error: checked };
  if (checked.length === ADDRESS_LENGTH) return { ok: true, value: { sender: Address(checked) } };
  const sender = Address(checked.slice(0, ADDRESS_LENGTH));
  return { ok: true, value: { sender, verifiedKeys: Hash(checked.slice(ADDRESS_LENGTH)) } };
}

/** More workers than this do not help one node: its other threads need the cores too. */
const MAX_SIGNATURE_WORKERS = 4;

/** A transfer, roughly: a batch is worth so many of them to who looks for the least busy worker. */
const BYTES_OF_A_TRANSACTION = 120;

/** So many statements are worth a call. */
const MIN_SHARE = 8;

/** Checks on worker threads, one for every two cores. Batches go to the worker with the least to do.
 * @param rules of the chain, for batches.
 * @param onFailure a worker died: the node must stop. */
export function startSignatureWorkers(
  rules: ChainRules,
  onFailure: (error: Error) => void,
): SignatureChecker {
  const count = Math.max(1, Math.min(MAX_SIGNATURE_WORKERS, Math.floor(availableParallelism() / 2)));
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL("./signature-worker.ts", import.meta.url), {
      name: "signatures",
      workerData: { rules },
    });
    const peer: Peer<SignatureWorkerVocabulary, object, object> = connectWorker(worker, {});
    watchWorker(worker, "signature", peer, onFailure);
    return { worker, peer, load: 0 };
  });
  return {
    check: async (raws, keys) => {
      const chosen = workers.reduce((least, other) => (other.load < least.load ? other : least));
      chosen.load += raws.length;
      try {
        const named = keys?.some((one) => one !== undefined) === true ? keys : undefined;
        return unpackSenders(await chosen.peer.call("check", { raws: packBytes(raws), keys: named }));
      } finally {
        chosen.load -= raws.length;
      }
    },
    checkBatch: async (check) => {
      const chosen = workers.reduce((least, other) => (other.load < least.load ? other : least));
      const load = Math.ceil(check.bytes.length / BYTES_OF_A_TRANSACTION);
      chosen.load += load;
      try {
        return await chosen.peer.call("checkBatch", check);
      } finally {
        chosen.load -= load;
      }
    },
    verify: async (schemeId, statements) => {
      const share = Math.max(MIN_SHARE, Math.ceil(statements.length / workers.length));
      const shares = Array.from({ length: Math.ceil(statements.length / share) }, (_, index) =>
        statements.slice(index * share, (index + 1) * share),
      );
      const answers = shares.map((part, index) => {
        const parts = part.flatMap(({ publicKey, message, signature }) => [publicKey, message, signature]);
        return workers[index]!.peer.call("verify", { schemeId, statements: packBytes(parts) });
      });
      return concatBytes(...(await Promise.all(answers)));
    },
    stop: async () => {
      for (const { peer } of workers) peer.close("the node is stopping");
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
