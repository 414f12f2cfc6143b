import { type Address, type Failure, fail, type Hash, must, ok, type Result } from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import type { Block, BlockHeader, ChainReads, DropReason, StateView } from "@ostrom/rpc";
import {
  commitState,
  createCodeCache,
  historicalReader,
  historicalTries,
  mergeUndos,
  proveAccount,
  readUndo,
  type StateHistory,
  type StateReader,
  type StateUndo,
  storeReader,
  storeTries,
} from "@ostrom/state";
import {
  isLogIndexed,
  readBlockNumber,
  readBody,
  readCertifiedHeight,
  readFloor,
  readHead,
  readHeader,
  readLogHeights,
  readLogIndexStart,
  readMeta,
  readReceipts,
  readSkipped,
  readTransactionLocation,
  type Store,
  type StoreSnapshot,
} from "@ostrom/storage";
import { CODE_CACHE_BYTES } from "./executor.ts";

/** Reverse differences that one read of old state may walk through: bounds what a request costs. */
const MAX_UNDO_ACCOUNTS = 2_000_000;

export type StateFailure = Failure<"rpc/unknown-block" | "rpc/state-too-old">;

/** The chain of a database as JSON-RPC sees it; each thread that reads has its own.
 * @param historyBlocks as the executor that writes it keeps them.
 * @param dropReason what this node's pool remembers of dropped transactions. */
export function createChainReads(
  store: Store,
  historyBlocks: number,
  dropReason: (hash: Hash) => DropReason | undefined,
): ChainReads {
  return {
    heads: () => {
      const latest = must(readHead(store), "an open chain has a head").height;
      // While a mined chain is reorganised, its head may be below.
      const certified = Math.min(latest, readCertifiedHeight(store) ?? 0);
      const { bodies, state } = readFloor(store);
      return {
        latest,
        certified,
        earliest: Math.min(bodies, latest),
        earliestState: Math.max(state, latest - historyBlocks),
      };
    },
    header: (blockNumber) => readBlockHeader(store, blockNumber),
    block: (blockNumber) => readBlock(store, blockNumber),
    receipts: (blockNumber) => readReceipts(store, blockNumber),
    blockNumberOf: (blockHash) => readBlockNumber(store, blockHash),
    transactionLocation: (hash) => readTransactionLocation(store, hash),
    logIndex: {
      start: () => readLogIndexStart(store),
      heights: (term, from, to, limit) => readLogHeights(store, term, from, to, limit),
      has: (term, blockNumber) => isLogIndexed(store, term, blockNumber),
    },
    dropReason: (hash) => readSkipped(store, hash)?.reason ?? dropReason(hash),
    newestState: codes.reader(storeReader(store)),
    stateAt: (blockNumber) => openStateView(store, blockNumber),
  };
}

function readBlockHeader(store: Store, blockNumber: number): BlockHeader | undefined {
  const stored = readHeader(store, blockNumber);
  return stored === undefined ? undefined : { hash: stored.hash, header: stored.header };
}

function readBlock(store: Store, blockNumber: number): Block | undefined {
  const header = readBlockHeader(store, blockNumber);
  const transactions = header === undefined ? undefined : readBody(store, blockNumber);
  return header === undefined || transactions === undefined ? undefined : { ...header, transactions };
}

/** Of this thread: code is the same in whichever state it is found. */
const codes = createCodeCache(CODE_CACHE_BYTES);

/** State as of a block, on a snapshot of the database: later blocks do not change what it reads.
 * Errors: `rpc/unknown-block`, `rpc/state-too-old`. */
export function openStateView(store: Store, blockNumber: number): Result<StateView, StateFailure> {
  const snapshot = store.snapshot();
  const release = (): void => void snapshot.release();
  const opened = historyOf(snapshot, blockNumber);
  if (!opened.ok) {
    release();
    return opened;
  }
  const { headRoot, history } = opened.value;
  const hash = chainHash(must(readMeta(snapshot), "an open chain has a name"));
  const stored = {
    reader: codes.reader(storeReader(snapshot)),
    tries: storeTries(snapshot),
    stateRoot: headRoot,
  };
  const reader: StateReader =
    history.accounts.size === 0 ? stored.reader : historicalReader(stored.reader, history);
  return ok({
    reader,
    prove: (address: Address, slots: readonly bigint[]) => {
      const tries = history.accounts.size === 0 ? stored.tries : historicalTries(stored, history, hash);
      return ok(proveAccount({ reader, tries, stateRoot: history.stateRoot }, address, slots, hash));
    },
    rootAfter: (changes) => {
      const tries = history.accounts.size === 0 ? stored.tries : historicalTries(stored, history, hash);
      return commitState({ reader, tries, slots: () => [], stateRoot: history.stateRoot }, changes, hash)
        .stateRoot;
    },
    release,
  });
}

function historyOf(
  snapshot: StoreSnapshot,
  blockNumber: number,
): Result<{ readonly headRoot: Hash; readonly history: StateHistory }, StateFailure> {
  const head = must(readHead(snapshot), "an open chain has a head").height;
  if (blockNumber > head || blockNumber < 0)
    return fail("rpc/unknown-block", `there is no block ${blockNumber} yet`);
  const headRoot = must(readHeader(snapshot, head), "the head's header is stored").header.stateRoot;
  const undos: StateUndo[] = [];
  let accounts = 0;
  for (let height = head; height > blockNumber; height--) {
    const undo = readUndo(snapshot, height);
    accounts += undo?.accounts.length ?? 0;
    if (undo === undefined || accounts > MAX_UNDO_ACCOUNTS) {
      return fail("rpc/state-too-old", `the state of block ${blockNumber} is no longer kept (head ${head})`);
    }
    undos.push(undo);
  }
  return ok({ headRoot, history: mergeUndos(headRoot, undos) });
}
