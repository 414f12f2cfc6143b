import { fail, must, ok } from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import type { Block, BlockHeader, ChainReads, LogIndexReads } from "@ostrom/rpc";
import {
  commitState,
  historicalReader,
  historicalTries,
  mergeUndos,
  proveAccount,
  readUndo,
  type StateReader,
  type StateUndo,
  storeTries,
} from "@ostrom/state";
import {
  isLogIndexed,
  readBlockNumber,
  readBody,
  readHead,
  readHeader,
  readLogIndexStart,
  readReceipts,
  readTransactionLocation,
} from "@ostrom/storage";
import type { BlockMaker } from "./block-maker.ts";
import { rangeOf, readReservedRanges } from "./reserved-blocks.ts";
import type { RewindableStore } from "./rewindable-store.ts";

/** The chain of a store as JSON-RPC reads it: every block is final, and every state is kept. */
export function createChainReads(store: RewindableStore, maker: BlockMaker, hashId: number): ChainReads {
  const hash = chainHash({ hashId });
  const header = (blockNumber: number): BlockHeader | undefined => {
    const stored = readHeader(store, blockNumber);
    return stored === undefined ? undefined : { hash: stored.hash, header: stored.header };
  };
  const head = (): number => must(readHead(store), "an open chain has a head").height;
  return {
    heads: () => {
      const latest = head();
      return { latest, certified: latest, earliest: 0, earliestState: 0 };
    },
    header,
    block: (blockNumber): Block | undefined => {
      const found = header(blockNumber);
      const transactions = found === undefined ? undefined : readBody(store, blockNumber);
      return found === undefined || transactions === undefined ? undefined : { ...found, transactions };
    },
    receipts: (blockNumber) => readReceipts(store, blockNumber),
    blockNumberOf: (blockHash) => readBlockNumber(store, blockHash),
    transactionLocation: (transactionHash) => readTransactionLocation(store, transactionHash),
    logIndex: createLogIndex(store),
    dropReason: () => undefined,
    newestState: maker.state,
    stateAt: (blockNumber) => {
      const latest = head();
      if (blockNumber < 0 || blockNumber > latest) {
        return fail("rpc/unknown-block", `there is no block ${blockNumber} yet`);
      }
      const undos = undosBetween(store, latest, blockNumber);
      const base = { reader: maker.state, tries: storeTries(store), stateRoot: maker.stateRoot };
      const history = mergeUndos(maker.stateRoot, undos);
      const isNewest = history.accounts.size === 0;
      const reader: StateReader = isNewest ? base.reader : historicalReader(base.reader, history);
      const { stateRoot } = history;
      return ok({
        reader,
        prove: (address, slots) => {
          const tries = isNewest ? base.tries : historicalTries(base, history, hash);
          return ok(proveAccount({ reader, tries, stateRoot }, address, slots, hash));
        },
        rootAfter: (changes) => {
          const tries = isNewest ? base.tries : historicalTries(base, history, hash);
          return commitState({ reader, tries, slots: () => [], stateRoot }, changes, hash).stateRoot;
        },
        release: () => undefined,
      });
    },
  };
}

/** The way back from the newest state to an older block's, newest first: reserved blocks have changed nothing. */
function undosBetween(store: RewindableStore, latest: number, blockNumber: number): StateUndo[] {
  const undos: StateUndo[] = [];
  for (let at = latest; at > blockNumber; at--) {
    const undo = readUndo(store, at);
    if (undo === undefined) at = must(rangeOf(store, at), "a block that was made can be undone").first;
    else undos.push(undo);
  }
  return undos;
}

/** Where logs are: each block that is not a reserved one is asked. */
function createLogIndex(store: RewindableStore): LogIndexReads {
  const hasAny = (number: number): boolean =>
    readHeader(store, number)?.header.logsBloom.some((byte) => byte !== 0) ?? false;
  return {
    start: () => readLogIndexStart(store),
    has: (term, number) => isLogIndexed(store, term, number),
    heights: async (term, fromBlock, toBlock, limit) => {
      const found: number[] = [];
      const ranges = readReservedRanges(store);
      for (let number = fromBlock; number <= toBlock && found.length < limit; number++) {
        const reserved = ranges.find(({ first, last }) => first <= number && number <= last);
        if (reserved !== undefined) number = reserved.last;
        else if (term === undefined ? hasAny(number) : isLogIndexed(store, term, number)) found.push(number);
      }
      return found;
    },
  };
}
