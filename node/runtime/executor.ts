import { assert, type Bytes, equalBytes, type Hash, must, toHex, toHexDigits } from "@ostrom/base";
import { decodeBlock, validatorSetHash } from "@ostrom/consensus";
import {
  type AnyGenesis,
  type AppliedBlock,
  applyBlock,
  type ChainRules,
  chainHash,
  type EpochSchedule,
  type ExecutedBlock,
  epochOfHeight,
  frozenHeight,
  genesisBlock,
  genesisState,
  type Header,
  isSameValidatorSet,
  MODULE_REGISTRY_ADDRESS,
  nextBaseFee,
  readLeaderSeed,
  readModuleRegistry,
  readNextValidatorSet,
  rekeyedAccounts,
  sealBlock,
  VALIDATOR_SET_ADDRESS,
  type ValidatorSet,
  type VerifyPossession,
  verifyKeyPossession,
} from "@ostrom/execution";
import {
  commitOperations,
  commitState,
  createCodeCache,
  createStateCache,
  emptyTrieRoot,
  type StateCache,
  type StateCommit,
  type StateReader,
  storeReader,
  storeState,
  undoKey,
  type WriteOperation,
} from "@ostrom/state";
import {
  batchCursorsOperation,
  blockOperations,
  metaOperation,
  orderedBatchOperations,
  pruneOperations,
  readHead,
  readHeader,
  readMeta,
  readStoredValidatorSet,
  type Store,
  type StoredValidatorSet,
  validatorSetOperation,
} from "@ostrom/storage";
import { batchesOf } from "./batch-cursors.ts";
import {
  assertCanExecute,
  BARE_PROGRAM,
  type Installed,
  type RegistryNews,
  readNews,
} from "./chain-needs.ts";
import { frozenCheckpointOperations, genesisCheckpointOperations } from "./checkpoint-sets.ts";
import type { ExecutedHead, ExecutionReport, FrozenSet, OrderedInput } from "./execution-port.ts";
import { DEFAULT_MEMORY } from "./memory-settings.ts";
import { orderedTransactions } from "./ordered-transactions.ts";
import { unwindHead } from "./pow-execution.ts";
import { orderedOf, recallReport } from "./recalled-report.ts";
import { unpackSenderEntries } from "./sender-entries.ts";
import { consensusSet } from "./validator-sets.ts";

/** 32 MB: some 1,300 contracts of the greatest size. */
export const CODE_CACHE_BYTES: number = 2 ** 25;

/** BLOCKHASH reaches this far back. */
const BLOCK_HASH_WINDOW = 256;

/** Which modules became active in a block is told once. */
const NO_MODULE_NEWS: Pick<ExecutionReport, "activations" | "port"> = { activations: [], port: undefined };

/** The store holds another chain than genesis.json describes. */
export class WrongChainError extends Error {
  override readonly name = "WrongChainError";
  readonly code = "chain/wrong-genesis";
}

/** Executes finalized payloads on the store, one synced batch a block: state, trie nodes, reverse difference, block, receipts and
 * the new head stand together or not at all. */
export class Executor {
  readonly #store: Store;
  readonly #rules: ChainRules;
  /** undefined where blocks are mined: nobody votes there. */
  readonly #epochs: EpochSchedule | undefined;
  readonly #verifyPossession: VerifyPossession;
  readonly #installed: Installed;
  readonly #codes = createCodeCache(CODE_CACHE_BYTES);
  readonly #state: StateCache;
  readonly #historyBlocks: number;
  readonly #blockHashes = new Map<number, Hash>();
  #parent: { readonly header: Header; readonly hash: Hash };
  #setHash: Hash;
  /** What the state after the newest block says. */
  #news: RegistryNews;

  private constructor(
    store: Store,
    genesis: AnyGenesis,
    historyBlocks: number,
    verifyPossession: VerifyPossession,
    installed: Installed,
    stateCacheBytes: number,
  ) {
    const head = must(readHead(store), "the store has at least its genesis block");
    const { header, hash, origin } = must(readHeader(store, head.height), "the head's header is stored");
    this.#store = store;
    this.#state = createStateCache(stateCacheBytes);
    this.#rules = genesis.rules;
    const { epochLength, epochLead } = genesis;
    this.#epochs = genesis.consensus.engine === "pow" ? undefined : { epochLength, epochLead };
    this.#verifyPossession = verifyPossession;
    this.#historyBlocks = historyBlocks;
    this.#parent = { header, hash };
    this.#setHash = origin.nextSetHash;
    this.#installed = installed;
    this.#news = this.#readNews();
    assertCanExecute(this.#news, header.number + 1);
  }

  /** Opens the chain of a store, which becomes genesis' chain if the store is empty. @throws WrongChainError; ChainNeedError if the
   * next block needs what the program lacks.
   * @param verifyPossession checks new consensus keys; a simulator has its own.
   * @param stateCacheBytes of accounts, slots and trie nodes that stay in memory, roughly. */
  static async open(
    store: Store,
    genesis: AnyGenesis,
    historyBlocks: number,
    verifyPossession: VerifyPossession = verifyKeyPossession,
    installed: Installed = BARE_PROGRAM,
    stateCacheBytes: number = DEFAULT_MEMORY.stateCacheBytes,
  ): Promise<Executor> {
    await writeGenesis(store, genesis);
    return new Executor(store, genesis, historyBlocks, verifyPossession, installed, stateCacheBytes);
  }

  head(): ExecutedHead {
    const { header, hash } = this.#parent;
    const fee = nextBaseFee(header, this.#rules);
    return { height: header.number, blockHash: hash, nextBaseFee: fee, registry: this.#news };
  }

  async execute(input: OrderedInput): Promise<ExecutionReport> {
    assert(input.height === this.#parent.header.number + 1, "blocks are executed in height order, each once");
    assertCanExecute(this.#news, input.height);
    const applied = this.#apply(input);
    const { block, operations, nextSetHash, frozen, commit } = this.#commit(applied, input);
    await this.#store.write(operations, { sync: true });
    this.#state.committed(commit);
    this.#parent = { header: block.header, hash: block.hash };
    this.#setHash = nextSetHash;
    if (applied.changes.accounts.has(toHexDigits(MODULE_REGISTRY_ADDRESS))) this.#news = this.#readNews();
    return {
      height: input.height,
      view: input.view,
      epoch: input.epoch,
      orderDigest: input.orderDigest,
      executedHash: block.hash,
      nextSetHash,
      nextBaseFee: nextBaseFee(block.header, this.#rules),
      gasUsed: block.header.gasUsed,
      included: block.transactions.map(({ hash }) => hash),
      skipped: block.skipped,
      changed: [...applied.changes.accounts.keys()],
      rekeyed: rekeyedAccounts(applied.receipts),
      frozen,
      registry: this.#news,
      activations: applied.activations,
      port: applied.port,
    };
  }

  #readNews(): RegistryNews {
    const registry = readModuleRegistry(storeReader(this.#store));
    return readNews(registry, this.#installed, this.#parent.header.number + 1);
  }

  /** Takes the newest block off, for engines whose chain may be reorganised. Does nothing if it is off already, so that who has not
   * heard the answer may ask again. Rejects with `chain/history-too-short`. */
  async unwind(height: number): Promise<ExecutedHead> {
    const newest = this.#parent.header.number;
    assert(
      height === newest || height === newest + 1,
      "blocks are taken off one after another, newest first",
    );
    if (height > newest) return this.head();
    this.#state.clear();
    const { header, hash, origin } = await unwindHead(this.#store);
    this.#blockHashes.delete(height);
    this.#parent = { header, hash };
    this.#setHash = origin.nextSetHash;
    this.#news = this.#readNews();
    return this.head();
  }

  /** The report of the newest block once more, from the store. */
  recall(input: OrderedInput): ExecutionReport {
    return {
      ...recallReport(this.#store, input, this.#rules, this.#epochs),
      ...NO_MODULE_NEWS,
      registry: this.#news,
    };
  }

  #apply(input: OrderedInput): AppliedBlock {
    const senders = unpackSenderEntries(input.senders);
    const { height, timestampMs, orderDigest, proposer } = input;
    const { payload: bytes, origin } = orderedOf(input);
    const { raws: transactions, signedAt } = orderedTransactions(bytes, input);
    return applyBlock({
      modules: this.#installed.modules,
      verifyPossession: this.#verifyPossession,
      rules: this.#rules,
      epochs: this.#epochs,
      parent: this.#parent.header,
      state: this.#codes.reader(this.#state.reader(storeReader(this.#store))),
      ordered: { height, timestampMs, orderDigest, proposer, transactions, mined: input.mined, origin },
      blockHash: (number) => this.#blockHash(Number(number)),
      knownSender: (hash) => senders.get(toHexDigits(hash)),
      signedAt,
    });
  }

  #commit(
    applied: AppliedBlock,
    input: OrderedInput,
  ): {
    readonly block: ExecutedBlock;
    readonly operations: readonly WriteOperation[];
    readonly nextSetHash: Hash;
    readonly frozen: FrozenSet | undefined;
    readonly commit: StateCommit;
  } {
    const stored = storeState(this.#store);
    const state = {
      ...stored,
      reader: this.#state.reader(stored.reader),
      tries: this.#state.tries(stored.tries),
    };
    const hash = chainHash(this.#rules);
    const commit = commitState({ ...state, stateRoot: this.#parent.header.stateRoot }, applied.changes, hash);
    const block = sealBlock(applied, commit.stateRoot);
    const next = this.#nextSet(applied, input);
    const nextSetHash = next === undefined ? this.#setHash : setHash(this.#rules, next.set, input.epoch + 1);
    const { epoch, view, timestampMs, orderDigest } = input;
    const operations = [
      ...commitOperations(commit, input.height),
      ...blockOperations(this.#store, {
        block,
        origin: { epoch, view, timestampMs, orderDigest, nextSetHash },
        hashId: this.#rules.hashId,
        ordered: { block: input.orderedBlock, finalization: input.finalization },
        mined: input.mined?.record,
      }),
    ];
    operations.push(...writesOfBatches(input));
    const forgotten = input.height - this.#historyBlocks;
    if (forgotten > 0) operations.push({ key: undoKey(forgotten), value: undefined });
    operations.push(...pruneOperations(this.#store, input.height, batchDigests));
    if (next !== undefined) {
      const { chainId } = this.#rules;
      operations.push(
        validatorSetOperation(input.epoch + 1, next.set),
        ...frozenCheckpointOperations(this.#store, applied.changes, next.set, input.epoch + 1, chainId),
      );
    }
    return { block, operations, nextSetHash, frozen: next?.report, commit };
  }

  /** The set of the next epoch, where this block decides it. Until then `nextSetHash` is of the epoch's own set. */
  #nextSet(
    applied: AppliedBlock,
    { height, epoch }: OrderedInput,
  ): { readonly set: StoredValidatorSet; readonly report: FrozenSet } | undefined {
    const epochs = this.#epochs;
    if (epochs === undefined) return undefined;
    assert(epochOfHeight(epochs, height) === epoch, "a block is of the epoch that its height is in");
    if (height !== frozenHeight(epochs, epoch)) return undefined;
    const current = must(
      readStoredValidatorSet(this.#store, epoch),
      "an epoch's set is stored before it begins",
    );
    const state = this.#stateAfter(applied);
    const next = readNextValidatorSet(state, current, this.#verifyPossession);
    const set = { ...next.set, leaderSeed: readLeaderSeed(state) };
    const report = {
      epoch: epoch + 1,
      isChanged: !isSameValidatorSet(current, next.set),
      refused: next.refused?.message,
      leftOut: next.leftOut,
    };
    return { ...next, set, report };
  }

  /** Reads the account that holds the validator set as the block leaves it. */
  #stateAfter(applied: AppliedBlock): Pick<StateReader, "storage"> {
    const below = storeReader(this.#store);
    const change = applied.changes.accounts.get(toHexDigits(VALIDATOR_SET_ADDRESS));
    if (change === undefined) return below;
    const written = new Map(change.storage.map(({ slot, value }) => [slot, value]));
    const isCleared = change.storageCleared || change.account === undefined;
    return {
      storage: (address, slot) => written.get(slot) ?? (isCleared ? 0n : below.storage(address, slot)),
    };
  }

  #blockHash(number: number): Hash | undefined {
    if (number < 0) return undefined;
    const known = this.#blockHashes.get(number);
    if (known !== undefined) return known;
    const hash = readHeader(this.#store, number)?.hash;
    if (hash !== undefined) {
      this.#blockHashes.set(number, hash);
      if (this.#blockHashes.size > BLOCK_HASH_WINDOW) {
        this.#blockHashes.delete(must(this.#blockHashes.keys().next().value, "it is not empty"));
      }
    }
    return hash;
  }
}

/** Batches of an executed block stay as long as it does. */
function writesOfBatches({ height, batches = [], batchCursors }: OrderedInput): readonly WriteOperation[] {
  const writes = batches.flatMap(({ digest, bytes, isStored }) =>
    orderedBatchOperations(digest, height, isStored ? undefined : bytes),
  );
  return batchCursors === undefined ? writes : [...writes, batchCursorsOperation(batchCursors)];
}

/** Digests of the batches of a stored block. */
function batchDigests(orderedBlock: Bytes): readonly Hash[] {
  const block = decodeBlock(orderedBlock);
  return block.ok ? batchesOf(block.value.payload).map(({ header }) => header.digest) : [];
}

function setHash(rules: ChainRules, set: ValidatorSet, epoch: number): Hash {
  return validatorSetHash({ hash: chainHash(rules) }, consensusSet(set, epoch));
}

/** Block 0 and its state, in one batch, where the store is empty. */
async function writeGenesis(store: Store, genesis: AnyGenesis): Promise<void> {
  const changes = genesisState(genesis);
  const below = storeState({ get: () => undefined });
  const { rules, validatorSet } = genesis;
  const hash = chainHash(rules);
  const commit = commitState({ ...below, stateRoot: emptyTrieRoot(hash) }, changes, hash);
  const block = genesisBlock(genesis, commit.stateRoot);
  const meta = readMeta(store);
  if (meta !== undefined) {
    if (equalBytes(meta.genesisHash, block.hash)) return;
    throw new WrongChainError(
      `the data folder holds the chain ${toHex(meta.genesisHash)}, genesis.json describes ${toHex(block.hash)}: ` +
        "put the right genesis.json back, or use another data folder",
    );
  }
  const origin = {
    epoch: 0,
    view: 0,
    timestampMs: genesis.timestampMs,
    orderDigest: block.hash,
    nextSetHash: setHash(rules, validatorSet, 0),
  };
  const operations = [
    metaOperation({ genesisHash: block.hash, hashId: rules.hashId, schemeId: validatorSet.schemeId }),
    ...commitOperations(commit, undefined),
    ...blockOperations(store, { block, origin, hashId: rules.hashId, ordered: undefined }),
    validatorSetOperation(0, genesis.validatorSet),
    ...genesisCheckpointOperations(genesis),
  ];
  await store.write(operations, { sync: true });
}
