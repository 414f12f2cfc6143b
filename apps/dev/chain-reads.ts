import { fail, must, ok } from "@ostrom/base";
import { chainHash } from "@ostrom/execution";
import type { Block, BlockHeader, ChainReads } from "@ostrom/rpc";
import {
  historicalReader,
  historicalTries,
  mergeUndos,
  proveAccount,
  readUndos,
  type StateReader,
  storeTries,
} from "@ostrom/state";
import {
  readBlockNumber,
  readBody,
  readHead,
  readHeader,
  readReceipts,
  readTransactionLocation,
} from "@ostrom/storage";
import type { BlockMaker } from "./block-maker.ts";
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
    dropReason: () => undefined,
    newestState: maker.state,
    stateAt: (blockNumber) => {
      const latest = head();
      if (blockNumber < 0 || blockNumber > latest) {
        return fail("rpc/unknown-block", `there is no block ${blockNumber} yet`);
      }
      const undos = readUndos(store, latest, blockNumber);
      if (undos === undefined) return fail("rpc/state-too-old", `the state of block ${blockNumber} is gone`);
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
        release: () => undefined,
      });
    },
  };
}
