import {
  type Address,
  assert,
  type Bytes,
  concatBytes,
  type Failure,
  type Hash,
  type Result,
  wordToBytes,
  ZERO_HASH,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  emptyTrieRoot,
  orderedTrieRoot,
  type StateChanges,
  StateOverlay,
  type StateReader,
} from "@ostrom/state";
import {
  type BlockContext,
  blobBaseFee,
  type ExecutionContext,
  type Fork,
  forkPrecompiles,
  type PrecompileSet,
} from "@ostrom/vm";
import { type AppliedTransaction, applyTransaction } from "./apply-transaction.ts";
import { logsBloom, mergeBlooms } from "./bloom.ts";
import { chainHash } from "./chain-hash.ts";
import { type EpochSchedule, epochOfHeight, frozenHeight } from "./epochs.ts";
import { nextBaseFee } from "./fees.ts";
import { EMPTY_REQUESTS_HASH, emptyHeaderFields, hashHeader } from "./header.ts";
import { impersonatedSender } from "./impersonation.ts";
import type { InstalledModules } from "./installed-modules.ts";
import type { KeyRules } from "./key-authority.ts";
import { keyedPrecompiles } from "./key-precompiles.ts";
import { readCurveBreak } from "./key-sets.ts";
import {
  type ActivationReport,
  activateModules,
  beginBlock,
  type HookEnvironment,
  sealEpochOfModules,
} from "./module-hooks.ts";
import { type ModulePlan, planModules, plannedFork, plannedPrecompiles } from "./module-plan.ts";
import type { VerifyPossession } from "./next-validator-set.ts";
import { type PermissionCheck, permissionOf } from "./permission.ts";
import { encodeReceipt } from "./receipt-encoding.ts";
import { viewOfChanges } from "./state-views.ts";
import { checkStaticValidity } from "./static-validity.ts";
import { type SystemEnvironment, systemCallIfDeployed } from "./system-call.ts";
import { BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS, SEAL_EPOCH_SELECTOR } from "./system-contracts.ts";
import { decodeTransaction, recoverSender } from "./transaction.ts";
import type {
  ChainRules,
  ExecutedBlock,
  Header,
  OrderedPayload,
  Receipt,
  SignedTransaction,
  Skipped,
} from "./types.ts";
import { VALIDATOR_SET_ADDRESS } from "./validator-set.ts";
import { askNextSet, type PortReport } from "./validator-set-port.ts";

/** What an ordered payload is executed with. */
export type BlockInput = {
  readonly rules: ChainRules;
  readonly parent: Header;
  /** State after the parent. */
  readonly state: StateReader;
  readonly ordered: OrderedPayload;
  /** Of a chain whose validators vote: the account that holds their set is told when the next one is read. */
  readonly epochs?: EpochSchedule | undefined;
  /** Hash of a block before this one; asked for the 256 newest only. */
  readonly blockHash: (number: bigint) => Hash | undefined;
  /** What the program has. It must have what the block needs (`missingActivations`): asserted. */
  readonly modules?: InstalledModules | undefined;
  /** Checks new consensus keys in the set that a module gives; as `readNextValidatorSet` is given. BLS12-381's own if absent. */
  readonly verifyPossession?: VerifyPossession | undefined;
  /** Answers who signed a transaction, by its hash, where a signature was checked already; of an agile one without inline keys, by which keys it
   * was (`SignedTransaction.verifiedKeys`). */
  readonly knownSender?: (
    transactionHash: Hash,
  ) => Pick<SignedTransaction, "sender" | "verifiedKeys"> | undefined;
  /** The same by the transaction's place in the payload, its hash besides, where the caller has looked at it there. */
  readonly signedAt?: (
    index: number,
  ) => Pick<SignedTransaction, "hash" | "sender" | "verifiedKeys"> | undefined;
  /** Who watches contracts run: no result may depend on it. */
  readonly observer?: BlockObserver | undefined;
};

/** Told of instructions, and of messages as they begin and end. */
export type ExecutionWatch = Pick<ExecutionContext, "onStep" | "observer">;

/** Sees what a block's transactions do besides what their receipts say. */
export type BlockObserver = {
  /** Stands before the precompiles: what it answers must be what they do. */
  readonly watchPrecompiles?: ((precompiles: PrecompileSet) => PrecompileSet) | undefined;
  /** What watches the transaction with this index in the payload; its run is a slow one then. */
  readonly watchOf?: ((index: number) => ExecutionWatch | undefined) | undefined;
  /** Called after each transaction that ran. */
  readonly onApplied?: ((transaction: SignedTransaction, applied: AppliedTransaction) => void) | undefined;
};

/** A block that ran; only its state root is missing, which who stores the changes computes. */
export type AppliedBlock = {
  readonly header: Omit<Header, "stateRoot">;
  readonly transactions: readonly SignedTransaction[];
  readonly receipts: readonly Receipt[];
  readonly skipped: readonly Skipped[];
  readonly changes: StateChanges;
  /** Of the chain: its header is named by this hash function. */
  readonly hashId: number;
  /** Modules that became active. */
  readonly activations: readonly ActivationReport[];
  /** At a frozen height, if a module decides who validates. */
  readonly port: PortReport | undefined;
};

/** Executes a finalized payload. It accepts any bytes: what cannot run when its turn comes is skipped, the same way
 * everywhere (no fee, no receipt, no nonce change), and is not in the block.
 *
 * Where Ethereum leaves something to its consensus layer, the header has: `coinbase` the proposer's fee recipient;
 * `extraData` the order digest; `prevRandao` the hash of the order digest, which a leader can bias by what it proposes;
 * `timestamp` whole seconds, equal in blocks of one second; `parentBeaconBlockRoot` zero; no withdrawals, requests
 * or blobs.
 *
 * Modules: those that begin in this block are activated first, then come the hooks, then the transactions, each of which they may refuse
 * as of the state that the block begins with. Throws (a fault of the node) if the program lacks one, or if a hook throws.
 * Sources: protocol notes ("Order, then execute, then certify", "Fees and skips"); EIP-2935, EIP-4788. */
export function applyBlock(input: BlockInput): AppliedBlock {
  const { rules, parent, ordered } = input;
  const timestamp = Math.max(Math.floor(ordered.timestampMs / 1000), parent.timestamp);
  const plan = planModules(input.state, input.modules, parent.number + 1);
  assert(plan.missing.length === 0, plan.missing.map(({ message }) => message).join("; "));
  const fork = plannedFork(rules, timestamp, plan);
  const hash = chainHash(rules);
  const state = new StateOverlay(input.state, emptyTrieRoot(hash));
  const parentHash = hashHeader(parent, rules.hashId);
  const block = blockContext(input, state, fork, timestamp, parentHash);
  const keys = rules.hasKeySets === true ? { broken: readCurveBreak(input.state) } : undefined;
  const environment = hookEnvironment(input, plan, { fork, block, state, keys });
  callSystemContracts(environment, parentHash);
  const activations = activateModules(environment, plan);
  const begun = activations.length === 0 ? input.state : viewOfChanges(input.state, state.changes());
  beginBlock(environment, plan);

  const permits = permissionOf(begun, plan.active);
  const run = runTransactions(input, { ...environment, gasCharge: rules.gasCharge, keys }, permits);
  if (ordered.mined !== undefined) payReward(state, ordered.proposer, ordered.mined.reward);
  const port = sealEpoch(input, environment, plan);
  const header = {
    ...emptyHeaderFields(rules.hashId),
    difficulty: ordered.mined?.difficulty ?? 0n,
    parentHash,
    coinbase: block.coinbase,
    transactionsRoot: orderedTrieRoot(
      run.transactions.map(({ raw }) => raw),
      hash,
    ),
    receiptsRoot: orderedTrieRoot(run.receipts.map(encodeReceipt), hash),
    logsBloom: mergeBlooms(run.receipts.map(({ bloom }) => bloom)),
    number: parent.number + 1,
    gasLimit: rules.blockGasLimit,
    gasUsed: run.gasUsed,
    timestamp,
    extraData: ordered.orderDigest,
    prevRandao: block.prevRandao,
    baseFeePerGas: block.baseFeePerGas,
    parentBeaconBlockRoot: PARENT_BEACON_BLOCK_ROOT,
    requestsHash: fork === "cancun" ? undefined : EMPTY_REQUESTS_HASH,
  };
  const { transactions, receipts, skipped } = run;
  const changes = state.changes();
  return {
    header,
    transactions,
    receipts,
    skipped,
    changes,
    hashId: rules.hashId,
    activations,
    port,
  };
}

/** Completes an applied block. @param stateRoot of the parent's state with `changes`. */
export function sealBlock(applied: AppliedBlock, stateRoot: Hash): ExecutedBlock {
  const header: Header = { ...applied.header, stateRoot };
  const { transactions, receipts, skipped } = applied;
  return { header, hash: hashHeader(header, applied.hashId), transactions, receipts, skipped };
}

/** There is no beacon chain whose root it could be. */
const PARENT_BEACON_BLOCK_ROOT = ZERO_HASH;
/** Blobs are refused before they could take room. */
const NO_BLOB_ROOM = 0n;
const NO_EXCESS_BLOB_GAS = 0n;

function blockContext(
  input: BlockInput,
  state: StateOverlay,
  fork: Fork,
  timestamp: number,
  parentHash: Hash,
): BlockContext {
  const { rules, parent, ordered } = input;
  const parentNumber = BigInt(parent.number);
  return {
    number: parentNumber + 1n,
    timestamp: BigInt(timestamp),
    coinbase: state.address(ordered.proposer),
    gasLimit: rules.blockGasLimit,
    baseFeePerGas: ordered.instant?.baseFeePerGas ?? nextBaseFee(parent, rules),
    prevRandao: ordered.instant?.prevRandao ?? chainHash(rules)(ordered.orderDigest),
    blobBaseFee: blobBaseFee(fork, NO_EXCESS_BLOB_GAS),
    chainId: rules.chainId,
    blockHash: (number) => (number === parentNumber ? parentHash : input.blockHash(number)),
  };
}

function hookEnvironment(
  { epochs, ordered, rules }: BlockInput,
  plan: ModulePlan,
  run: {
    readonly fork: Fork;
    readonly block: BlockContext;
    readonly state: StateOverlay;
    readonly keys: KeyRules | undefined;
  },
): HookEnvironment {
  const { fork, block, state, keys } = run;
  const planned = plannedPrecompiles(fork, plan, rules);
  const precompiles =
    planned === undefined || keys === undefined ? planned : keyedPrecompiles(planned, state, keys);
  return {
    fork,
    block,
    state,
    height: plan.height,
    epoch: epochs === undefined ? undefined : epochOfHeight(epochs, plan.height),
    origin: ordered.origin,
    ...(precompiles === undefined ? {} : { precompiles }),
  };
}

/** Tells the system contracts the parent's hash and the beacon root. A contract that is not deployed is passed over. */
export function callSystemContracts(environment: SystemEnvironment, parentHash: Hash): void {
  systemCallIfDeployed(environment, BEACON_ROOTS_ADDRESS, PARENT_BEACON_BLOCK_ROOT);
  if (environment.fork !== "cancun") systemCallIfDeployed(environment, HISTORY_STORAGE_ADDRESS, parentHash);
}

/** At an epoch's frozen height, when the set of the next one is about to be read: tells the contract that decides it, if there is one,
 * that what it has written by the end of this call counts, or asks the module that decides. After the transactions, so that they count
 * too. */
function sealEpoch(
  { epochs, verifyPossession }: BlockInput,
  environment: HookEnvironment,
  plan: ModulePlan,
): PortReport | undefined {
  const { epoch, height } = environment;
  if (epochs === undefined || epoch === undefined || height !== frozenHeight(epochs, epoch)) return undefined;
  const data = concatBytes(SEAL_EPOCH_SELECTOR, wordToBytes(BigInt(epoch + 1)));
  systemCallIfDeployed(environment, VALIDATOR_SET_ADDRESS, data);
  sealEpochOfModules(environment, plan, epoch + 1);
  return askNextSet(environment.state, plan, epoch + 1, verifyPossession);
}

/** After the transactions, as Ethereum did. Source: Yellow Paper, 11.3. */
function payReward(state: StateOverlay, miner: Address, reward: bigint): void {
  if (reward === 0n) return;
  state.beginTransaction();
  state.setBalance(miner, state.balance(miner) + reward);
  state.endTransaction();
}

type Run = {
  readonly transactions: SignedTransaction[];
  readonly receipts: Receipt[];
  readonly skipped: Skipped[];
  gasUsed: bigint;
};

type Environment = Omit<Parameters<typeof applyTransaction>[0], "room">;

function runTransactions(
  input: BlockInput,
  environment: Environment,
  permits: PermissionCheck | undefined,
): Run {
  const run: Run = { transactions: [], receipts: [], skipped: [], gasUsed: 0n };
  const { observer } = input;
  const watched = watchedEnvironment(environment, input);
  for (const [index, raw] of input.ordered.transactions.entries()) {
    const transaction = admitTransaction(raw, index, input, environment);
    if (!transaction.ok) {
      run.skipped.push({ hash: keccak256(raw), reason: { ...transaction.error, retry: false } });
      continue;
    }
    const refusal = permits?.(transaction.value);
    if (refusal !== undefined) {
      const reason = { code: "execution/not-permitted", message: refusal.reason, retry: false } as const;
      run.skipped.push({ hash: transaction.value.hash, reason });
      continue;
    }
    const room = { gas: input.rules.blockGasLimit - run.gasUsed, blobGas: NO_BLOB_ROOM };
    const applied = applyTransaction({ ...watched, room, ...observer?.watchOf?.(index) }, transaction.value);
    if (!applied.ok) {
      run.skipped.push({ hash: transaction.value.hash, reason: applied.error });
      continue;
    }
    observer?.onApplied?.(transaction.value, applied.value);
    run.gasUsed += applied.value.gasUsed;
    run.transactions.push(transaction.value);
    run.receipts.push(receiptOf(transaction.value, applied.value, run.gasUsed));
  }
  return run;
}

function watchedEnvironment(environment: Environment, { rules, observer }: BlockInput): Environment {
  const { development } = rules;
  const developed = development === undefined ? environment : { ...environment, development };
  const watch = observer?.watchPrecompiles;
  if (watch === undefined) return developed;
  return { ...developed, precompiles: watch(environment.precompiles ?? forkPrecompiles(environment.fork)) };
}

/** Votes check this too; execution does not rely on them, because a payload that was finalized must run. */
function admitTransaction(
  raw: Bytes,
  index: number,
  input: BlockInput,
  { fork, state }: Environment,
): Result<SignedTransaction, Failure<"execution/invalid">> {
  const invalid = (error: Failure) =>
    ({
      ok: false,
      error: { code: "execution/invalid", message: `${error.code}: ${error.message}` },
    }) as const;
  const signed = input.signedAt?.(index);
  const decoded = decodeTransaction(raw, signed?.hash);
  if (!decoded.ok) return invalid(decoded.error);
  const valid = checkStaticValidity(decoded.value, input.rules, fork);
  if (!valid.ok) return invalid(valid.error);
  const known = signed ?? input.knownSender?.(decoded.value.hash);
  const named = known?.sender ?? impersonatedSender(decoded.value, input.rules);
  const sender = named === undefined ? recoverSender(decoded.value) : ({ ok: true, value: named } as const);
  if (!sender.ok) return invalid(sender.error);
  // The state's own copy: all that is asked of the sender from here on is found faster by it.
  return { ok: true, value: { ...decoded.value, ...known, sender: state.address(sender.value) } };
}

/** What a block stores of a transaction that ran. @param cumulativeGasUsed of the block up to it, itself included. */
export function receiptOf(
  transaction: SignedTransaction,
  applied: AppliedTransaction,
  cumulativeGasUsed: bigint,
): Receipt {
  return {
    type: transaction.type,
    succeeded: applied.succeeded,
    cumulativeGasUsed,
    bloom: logsBloom(applied.logs),
    logs: applied.logs,
    gasUsed: applied.gasUsed,
    effectiveGasPrice: applied.effectiveGasPrice,
    contractAddress: applied.contractAddress,
  };
}
