import { type Address, assert, equalBytes, type Hash, must, toHex, toHexDigits, unwrap } from "@ostrom/base";
import { decodeBlock, validatorSetHash } from "@ostrom/consensus";
import { HASH_KECCAK256, keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import {
  type AppliedBlock,
  applyBlock,
  type ChainRules,
  decodePayload,
  type ExecutedBlock,
  type Genesis,
  genesisBlock,
  genesisState,
  type Header,
  nextBaseFee,
  readValidatorSet,
  sealBlock,
  VALIDATOR_SET_ADDRESS,
  type ValidatorSet,
} from "@ostrom/execution";
import {
  commitOperations,
  commitState,
  createCodeCache,
  EMPTY_TRIE_ROOT,
  storeReader,
  storeState,
  undoKey,
  type WriteOperation,
} from "@ostrom/state";
import { blockOperations, metaOperation, readHead, readHeader, readMeta, type Store } from "@ostrom/storage";
import { unpackSenderEntries } from "./chain-follower.ts";
import type { ExecutedHead, ExecutionReport, OrderedInput } from "./execution-port.ts";
import { recallReport } from "./recalled-report.ts";
import { consensusSet } from "./validator-sets.ts";

/** 32 MB: some 1,300 contracts of the greatest size. */
export const CODE_CACHE_BYTES: number = 2 ** 25;

/** BLOCKHASH reaches this far back. */
const BLOCK_HASH_WINDOW = 256;

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
  readonly #codes = createCodeCache(CODE_CACHE_BYTES);
  readonly #historyBlocks: number;
  readonly #blockHashes = new Map<number, Hash>();
  #parent: { readonly header: Header; readonly hash: Hash };
  #setHash: Hash;

  private constructor(store: Store, genesis: Genesis, historyBlocks: number) {
    const head = must(readHead(store), "the store has at least its genesis block");
    const { header, hash, origin } = must(readHeader(store, head.height), "the head's header is stored");
    this.#store = store;
    this.#rules = genesis.rules;
    this.#historyBlocks = historyBlocks;
    this.#parent = { header, hash };
    this.#setHash = origin.nextSetHash;
  }

  /** Opens the chain of a store, which becomes genesis' chain if the store is empty. @throws WrongChainError. */
  static async open(store: Store, genesis: Genesis, historyBlocks: number): Promise<Executor> {
    await writeGenesis(store, genesis);
    return new Executor(store, genesis, historyBlocks);
  }

  head(): ExecutedHead {
    const { header, hash } = this.#parent;
    return { height: header.number, blockHash: hash, nextBaseFee: nextBaseFee(header, this.#rules) };
  }

  async execute(input: OrderedInput): Promise<ExecutionReport> {
    assert(input.height === this.#parent.header.number + 1, "blocks are executed in height order, each once");
    const applied = this.#apply(input);
    const { block, operations, nextSetHash } = this.#commit(applied, input);
    await this.#store.write(operations, { sync: true });
    this.#parent = { header: block.header, hash: block.hash };
    this.#setHash = nextSetHash;
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
    };
  }

  /** The report of the newest block once more, from the store. */
  recall(input: OrderedInput): ExecutionReport {
    return recallReport(this.#store, input, this.#rules);
  }

  #apply(input: OrderedInput): AppliedBlock {
    const senders = unpackSenderEntries(input.senders);
    const { height, timestampMs, orderDigest, proposer } = input;
    const payload = decodePayload(unwrap(decodeBlock(input.orderedBlock)).payload);
    // Who votes checks the form of a payload; one that cannot be read all the same is an empty one, everywhere alike.
    const transactions = payload.ok ? payload.value : [];
    return applyBlock({
      rules: this.#rules,
      parent: this.#parent.header,
      state: this.#codes.reader(storeReader(this.#store)),
      ordered: { height, timestampMs, orderDigest, proposer, transactions },
      blockHash: (number) => this.#blockHash(Number(number)),
      knownSender: (hash) => senders.get(toHexDigits(hash)),
    });
  }

  #commit(
    applied: AppliedBlock,
    input: OrderedInput,
  ): {
    readonly block: ExecutedBlock;
    readonly operations: readonly WriteOperation[];
    readonly nextSetHash: Hash;
  } {
    const state = storeState(this.#store);
    const commit = commitState({ ...state, stateRoot: this.#parent.header.stateRoot }, applied.changes);
    const block = sealBlock(applied, commit.stateRoot);
    const nextSetHash = this.#nextSetHash(applied, input.epoch);
    const { epoch, view, timestampMs, orderDigest } = input;
    const operations = [
      ...commitOperations(commit, input.height),
      ...blockOperations(this.#store, {
        block,
        origin: { epoch, view, timestampMs, orderDigest, nextSetHash },
        hashId: HASH_KECCAK256,
        ordered: { block: input.orderedBlock, finalization: input.finalization },
      }),
    ];
    const forgotten = input.height - this.#historyBlocks;
    if (forgotten > 0) operations.push({ key: undoKey(forgotten), value: undefined });
    return { block, operations, nextSetHash };
  }

  /** The set changes only with the account that holds it. */
  #nextSetHash(applied: AppliedBlock, epoch: number): Hash {
    const change = applied.changes.accounts.get(toHexDigits(VALIDATOR_SET_ADDRESS));
    if (change === undefined) return this.#setHash;
    const below = storeReader(this.#store);
    const written = new Map(change.storage.map(({ slot, value }) => [slot, value]));
    const storage = (address: Address, slot: bigint): bigint =>
      written.get(slot) ?? below.storage(address, slot);
    return setHash(readValidatorSet({ storage }), epoch);
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

function setHash(set: ValidatorSet, epoch: number): Hash {
  return validatorSetHash({ hash: keccak256 }, consensusSet(set, epoch));
}

/** Block 0 and its state, in one batch, where the store is empty. */
async function writeGenesis(store: Store, genesis: Genesis): Promise<void> {
  const changes = genesisState(genesis);
  const below = storeState({ get: () => undefined });
  const commit = commitState({ ...below, stateRoot: EMPTY_TRIE_ROOT }, changes);
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
    nextSetHash: setHash(genesis.validatorSet, 0),
  };
  const operations = [
    metaOperation({ genesisHash: block.hash, hashId: HASH_KECCAK256, schemeId: SCHEME_BLS12381 }),
    ...commitOperations(commit, undefined),
    ...blockOperations(store, { block, origin, hashId: HASH_KECCAK256, ordered: undefined }),
  ];
  await store.write(operations, { sync: true });
}
