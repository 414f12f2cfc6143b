import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Address, type Bytes, type Failure, type Result } from "@ostrom/base";
import { decodeSignedTransaction } from "@ostrom/execution";
import { type PackedBytes, packBytes } from "./packed-bytes.ts";
import { connectWorker, type Peer, watchWorker } from "./worker-calls.ts";

/** Tells who signed each transaction, or what is wrong with it. Takes the cost off the caller's thread. */
export type SignatureChecker = {
  readonly check: (raws: readonly Bytes[]) => Promise<readonly CheckedSender[]>;
  readonly stop: () => Promise<void>;
};

/** The sender's 20 bytes, or a failure of the transaction's form or signature. */
export type CheckedSender = Bytes | Failure;

export type SignatureWorkerVocabulary = {
  readonly check: { readonly argument: PackedBytes; readonly answer: PackedSenders };
};

/** Senders of 20 bytes each, one after another; zeros where there is a failure, by index. */
export type PackedSenders = {
  readonly senders: Bytes;
  readonly failures: readonly { readonly index: number; readonly failure: Failure }[];
};

const ADDRESS_LENGTH = 20;

/** What a signature worker answers. */
export function packSenders(checked: readonly CheckedSender[]): PackedSenders {
  const senders = new Uint8Array(checked.length * ADDRESS_LENGTH);
  const failures: { readonly index: number; readonly failure: Failure }[] = [];
  checked.forEach((entry, index) => {
    if (entry instanceof Uint8Array) senders.set(entry, index * ADDRESS_LENGTH);
    else failures.push({ index, failure: entry });
  });
  return { senders, failures };
}

function unpackSenders({ senders, failures }: PackedSenders): readonly CheckedSender[] {
  const checked: CheckedSender[] = Array.from({ length: senders.length / ADDRESS_LENGTH }, (_, index) =>
    senders.slice(index * ADDRESS_LENGTH, (index + 1) * ADDRESS_LENGTH),
  );
  for (const { index, failure } of failures) checked[index] = failure;
  return checked;
}

/** What a signature worker computes; also used directly where there are no threads (the simulator). */
export function checkSenders(raws: readonly Bytes[]): readonly CheckedSender[] {
  return raws.map((raw) => {
    const read = decodeSignedTransaction(raw);
    return read.ok ? read.value.sender : read.error;
  });
}

/** Makes a result of an answer. */
export function senderOf(checked: CheckedSender): Result<Address, Failure> {
  return checked instanceof Uint8Array
    ? { ok: true, value: Address(checked) }
    : { ok: false, error: checked };
}

/** More workers than this do not help one node: its other threads need the cores too. */
const MAX_SIGNATURE_WORKERS = 4;

/** Checks on worker threads, one for every two cores. Batches go to the worker with the least to do.
 * @param onFailure a worker died: the node must stop. */
export function startSignatureWorkers(onFailure: (error: Error) => void): SignatureChecker {
  const count = Math.max(1, Math.min(MAX_SIGNATURE_WORKERS, Math.floor(availableParallelism() / 2)));
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL("./signature-worker.ts", import.meta.url), { name: "signatures" });
    const peer: Peer<SignatureWorkerVocabulary, object, object> = connectWorker(worker, {});
    watchWorker(worker, "signature", peer, onFailure);
    return { worker, peer, load: 0 };
  });
  return {
    check: async (raws) => {
      const chosen = workers.reduce((least, other) => (other.load < least.load ? other : least));
      chosen.load += raws.length;
      try {
        return unpackSenders(await chosen.peer.call("check", packBytes(raws)));
      } finally {
        chosen.load -= raws.length;
      }
    },
    stop: async () => {
      for (const { peer } of workers) peer.close("the node is stopping");
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
