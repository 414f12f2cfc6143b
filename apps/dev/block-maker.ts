import {
  type Address,
  assert,
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  Hash,
  must,
  uint64ToBytes,
} from "@ostrom/base";
import type { BlockPlan } from "@ostrom/consensus";
import {
  type AppliedBlock,
  applyBlock,
  type BlockObserver,
  chainHash,
  type ExecutedBlock,
  encodePayload,
  genesisBlock,
  genesisState,
  type Header,
  type InstantGenesis,
  type SignedTransaction,
  sealBlock,
} from "@ostrom/execution";
import {
  commitOperations,
  commitState,
  createCodeCache,
  emptyTrieRoot,
  encodeUndo,
  type JournaledState,
  mergeUndos,
  readUndo,
  StateOverlay,
  type StateReader,
  type StateUndo,
  storeReader,
  storeState,
  undoKey,
  type WriteOperation,
} from "@ostrom/state";
import { blockOperations, metaOperation, readHead, readHeader } from "@ostrom/storage";
import { reserveOperations } from "./reserved-blocks.ts";
import type { RewindableStore } from "./rewindable-store.ts";
import { unwindTo } from "./unwinding.ts";

/** Where the store keeps the root of the newest state, which a developer may have changed since the newest block. */
const STATE_ROOT_KEY: Bytes = new TextEncoder().encode("dev/state-root");
const CODE_CACHE_BYTES = 2 ** 25;
const MS_PER_SECOND = 1_000;

export type BlockRequest = {
  readonly plan: BlockPlan;
  readonly coinbase: Address;
  readonly blockGasLimit: bigint;
  readonly transactions: readonly SignedTransaction[];
  readonly observer?: BlockObserver | undefined;
};

/** Makes blocks on a store, and changes its state between them: what core/execution computes is written in one batch. */
export class BlockMaker {
  readonly #store: RewindableStore;
  readonly #genesis: InstantGenesis;
  readonly #hash: (data: Bytes) => Hash;
  readonly #codes = createCodeCache(CODE_CACHE_BYTES);
  /** The newest state, for whoever reads it at once. */
  readonly state: StateReader;
  #parent: { readonly header: Header; readonly hash: Hash };
  #stateRoot: Hash;

  private constructor(store: RewindableStore, genesis: InstantGenesis) {
    this.#store = store;
    this.#genesis = genesis;
    this.#hash = chainHash(genesis.rules);
    this.state = this.#codes.reader(storeReader(store));
    this.#parent = readParent(store);
    this.#stateRoot = this.#readRoot();
  }

  /** Opens the chain of a store, which begins with genesis' block if it is empty. */
  static async open(store: RewindableStore, genesis: InstantGenesis): Promise<BlockMaker> {
    if (readHead(store) === undefined) await store.write(genesisOperations(store, genesis), { sync: true });
    return new BlockMaker(store, genesis);
  }

  /** The newest block. */
  get head(): { readonly header: Header; readonly hash: Hash } {
    return this.#parent;
  }

  get stateRoot(): Hash {
    return this.#stateRoot;
  }

  /** What a block would come to; nothing is written. */
  apply({ plan, coinbase, blockGasLimit, transactions, observer }: BlockRequest): AppliedBlock {
    const { header, hash } = this.#parent;
    const height = header.number + 1;
    const senders = transactions.map(({ hash: named, sender }) => ({ hash: named, sender }));
    return applyBlock({
      rules: { ...this.#genesis.rules, blockGasLimit },
      parent: header,
      state: this.state,
      ordered: {
        height,
        timestampMs: plan.timestamp * MS_PER_SECOND,
        orderDigest: this.#hash(concatBytes(hash, uint64ToBytes(height))),
        proposer: coinbase,
        transactions: transactions.map(({ raw }) => raw),
        instant: { baseFeePerGas: plan.baseFeePerGas, prevRandao: plan.prevRandao },
      },
      blockHash: (number) => readHeader(this.#store, Number(number))?.hash,
      signedAt: (index) => senders[index],
      observer,
    });
  }

  /** Appends a block. */
  async commit(applied: AppliedBlock): Promise<ExecutedBlock> {
    const { number } = applied.header;
    assert(number === this.#parent.header.number + 1, "a block follows the newest one");
    const commit = commitState(this.#committed(), applied.changes, this.#hash);
    const block = sealBlock(applied, commit.stateRoot);
    const { hashId } = this.#genesis.rules;
    const timestampMs = block.header.timestamp * MS_PER_SECOND;
    const orderDigest = Hash(block.header.extraData);
    const payload = encodePayload(block.transactions.map(({ raw }) => raw));
    await this.#store.write(
      [
        ...commitOperations(commit, number),
        ...blockOperations(this.#store, {
          block,
          origin: { epoch: 0, view: 0, timestampMs, orderDigest, nextSetHash: orderDigest },
          hashId,
          ordered: { block: payload, finalization: EMPTY_BYTES },
        }),
        rootOperation(commit.stateRoot),
      ],
      { sync: false },
    );
    this.#parent = { header: block.header, hash: block.hash };
    this.#stateRoot = commit.stateRoot;
    return block;
  }

  /** Puts so many empty blocks on top, which are made when they are read. The newest block must be empty.
   * @param spacing seconds between their times. */
  async reserve(count: number, spacing: number): Promise<void> {
    await this.#store.write(
      reserveOperations(this.#store, this.#parent.header, count, spacing, this.#genesis.rules),
      {
        sync: false,
      },
    );
    this.reload();
  }

  /** Takes all blocks above a height off. */
  async unwind(height: number): Promise<void> {
    const root = await unwindTo(this.#store, height, this.#stateRoot, this.#genesis.rules);
    await this.#store.write([rootOperation(root)], { sync: false });
    this.reload();
  }

  /** Changes the newest state: what the newest block left is what it is changed to, older states stay.
   * @param keepsEmpty accounts without balance, nonce and code stay (EIP-161 removes them), for what their storage has. */
  async edit(change: (state: JournaledState) => void, keepsEmpty = false): Promise<void> {
    const overlay = new StateOverlay(this.state, emptyTrieRoot(this.#hash));
    overlay.beginTransaction();
    change(overlay);
    if (!keepsEmpty) overlay.endTransaction();
    const commit = commitState(this.#committed(), overlay.changes(), this.#hash);
    const { number } = this.#parent.header;
    const undo = readUndo(this.#store, number);
    const operations = commitOperations(commit, undefined);
    if (undo !== undefined) {
      operations.push({
        key: undoKey(number),
        value: encodeUndo(joinUndos(commit.stateRoot, commit.undo, undo)),
      });
    }
    operations.push(rootOperation(commit.stateRoot));
    await this.#store.write(operations, { sync: false });
    this.#stateRoot = commit.stateRoot;
  }

  /** Reads the head anew, after the store was put back. */
  reload(): void {
    this.#parent = readParent(this.#store);
    this.#stateRoot = this.#readRoot();
  }

  #committed(): Parameters<typeof commitState>[0] {
    return { ...storeState(this.#store), stateRoot: this.#stateRoot };
  }

  #readRoot(): Hash {
    return Hash(must(this.#store.get(STATE_ROOT_KEY), "an open chain knows its newest state"));
  }
}

function readParent(store: RewindableStore): { readonly header: Header; readonly hash: Hash } {
  const head = must(readHead(store), "an open chain has a head");
  const { header, hash } = must(readHeader(store, head.height), "the head's header is stored");
  return { header, hash };
}

function rootOperation(stateRoot: Hash): WriteOperation {
  return { key: STATE_ROOT_KEY, value: stateRoot };
}

/** The way back over a change of the state, and then over the block before it. */
function joinUndos(stateRoot: Hash, newer: StateUndo, older: StateUndo): StateUndo {
  const { accounts } = mergeUndos(stateRoot, [newer, older]);
  return {
    stateRoot: older.stateRoot,
    accounts: [...accounts.values()].map(({ address, account, slots }) => ({
      address,
      account,
      slots: [...slots.values()],
    })),
  };
}

function genesisOperations(store: RewindableStore, genesis: InstantGenesis): WriteOperation[] {
  const { rules, timestampMs, validatorSet } = genesis;
  const hash = chainHash(rules);
  const below = storeState({ get: () => undefined });
  const commit = commitState({ ...below, stateRoot: emptyTrieRoot(hash) }, genesisState(genesis), hash);
  const block = genesisBlock(genesis, commit.stateRoot);
  const origin = { epoch: 0, view: 0, timestampMs, orderDigest: block.hash, nextSetHash: block.hash };
  return [
    metaOperation({ genesisHash: block.hash, hashId: rules.hashId, schemeId: validatorSet.schemeId }),
    ...commitOperations(commit, undefined),
    ...blockOperations(store, { block, origin, hashId: rules.hashId, ordered: undefined }),
    rootOperation(commit.stateRoot),
  ];
}
