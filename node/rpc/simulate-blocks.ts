import { err, type Hash, ok, type Result, toHex, toHexDigits, ZERO_HASH } from "@ostrom/base";
import {
  BlockReplay,
  chainHash,
  EMPTY_REQUESTS_HASH,
  encodeBlock,
  encodeReceipt,
  type Header,
  hashHeader,
  mergeBlooms,
  nextBaseFee,
  ObservedState,
  type Receipt,
  receiptOf,
  type TraceBudget,
} from "@ostrom/execution";
import { blockToJson, inclusionOf, transactionToJson } from "@ostrom/rpc-schema";
import { emptyTrieRoot, orderedTrieRoot, type StateReader } from "@ostrom/state";
import { forkPrecompiles } from "@ostrom/vm";
import type { StateView } from "./backend.ts";
import type { JsonObject } from "./json.ts";
import { type RanCall, runSimulatedCall, simulatedCallJson } from "./simulate-call.ts";
import { applyOverrides, movePrecompiles } from "./simulate-overrides.ts";
import type { SimulatedBlock, SimulatedBlocks } from "./simulate-request.ts";
import type { TracedChain, TraceFailure, TraceQuery } from "./trace-port.ts";

type Answer<T> = Result<T, TraceFailure>;
type SimulateQuery = Extract<TraceQuery, { readonly kind: "simulate" }>;

/** Of the specification: how many blocks one request may span, those included that it leaves out. */
const MAX_SIMULATED_BLOCKS = 256n;
/** Seconds between blocks that name no time. */
const BLOCK_SECONDS = 12n;
const CODE = { blockNumberOrder: -38020, timestampOrder: -38021, tooManyBlocks: -38026 } as const;

/** eth_simulateV1: blocks of calls on top of a block, each on the state that those before it have left.
 * Source: execution-apis, eth_simulateV1; where it is silent, go-ethereum's answers to its test vectors. */
export function simulateBlocks(
  chain: TracedChain,
  { blockNumber, blocks, gasCap }: SimulateQuery,
  budget: TraceBudget,
): Answer<string> {
  const base = chain.reads.header(blockNumber);
  if (base === undefined) return err({ code: "rpc/unknown-block", message: "header not found" });
  const laid = layOut(blocks.blocks, base.header);
  if (!laid.ok) return laid;
  const view = chain.reads.stateAt(blockNumber);
  if (!view.ok) return view;
  try {
    const run = new SimulatedChain(chain, blocks, view.value, base, gasCap, budget);
    for (const block of laid.value) {
      const failure = run.add(block);
      if (failure !== undefined) return err(failure);
    }
    return ok(JSON.stringify(run.answers));
  } finally {
    view.value.release();
  }
}

type LaidBlock = SimulatedBlock & { readonly number: bigint; readonly timestamp: bigint };

/** Gives each block its number and its time, and fills gaps with empty blocks. */
function layOut(blocks: readonly SimulatedBlock[], base: Header): Answer<readonly LaidBlock[]> {
  const laid: LaidBlock[] = [];
  let number = BigInt(base.number);
  let timestamp = BigInt(base.timestamp);
  for (const block of blocks) {
    const wanted = block.blockOverride.number ?? number + 1n;
    if (wanted <= number) {
      return refuse(CODE.blockNumberOrder, `block numbers must be in order: ${wanted} <= ${number}`);
    }
    if (wanted - BigInt(base.number) > MAX_SIMULATED_BLOCKS)
      return refuse(CODE.tooManyBlocks, "too many blocks");
    while (number + 1n < wanted) {
      number++;
      timestamp += BLOCK_SECONDS;
      laid.push({ blockOverride: {}, accountOverrides: [], moves: [], calls: [], number, timestamp });
    }
    const time = block.blockOverride.timestamp ?? timestamp + BLOCK_SECONDS;
    if (time <= timestamp) {
      return refuse(CODE.timestampOrder, `block timestamps must be in order: ${time} <= ${timestamp}`);
    }
    number = wanted;
    timestamp = time;
    laid.push({ ...block, number, timestamp });
  }
  return ok(laid);
}

function refuse(rpcCode: number, message: string): Result<never, TraceFailure> {
  return err({ code: "rpc/simulation", message, rpcCode });
}

/** The blocks that have been simulated so far, and the state after them. */
class SimulatedChain {
  readonly answers: JsonObject[] = [];
  readonly #chain: TracedChain;
  readonly #request: SimulatedBlocks;
  readonly #view: StateView;
  readonly #state: ObservedState;
  readonly #wiped = new Set<string>();
  readonly #hashes = new Map<bigint, Hash>();
  readonly #budget: TraceBudget;
  #parent: { readonly hash: Hash; readonly header: Header };
  #gasLeft: bigint;

  constructor(
    chain: TracedChain,
    request: SimulatedBlocks,
    view: StateView,
    base: { readonly hash: Hash; readonly header: Header },
    gasCap: bigint,
    budget: TraceBudget,
  ) {
    this.#chain = chain;
    this.#request = request;
    this.#view = view;
    this.#state = new ObservedState(this.#below(view.reader), emptyTrieRoot(chainHash(chain.rules)));
    this.#parent = base;
    this.#gasLeft = gasCap;
    this.#budget = budget;
  }

  /** Storage that was replaced as a whole is gone from below. */
  #below(reader: StateReader): StateReader {
    return {
      ...reader,
      storage: (address, slot) =>
        this.#wiped.has(toHexDigits(address)) ? 0n : reader.storage(address, slot),
      account: (address) => reader.account(address),
      code: (hash) => reader.code(hash),
    };
  }

  /** @returns why the request as a whole is refused. */
  add(block: LaidBlock): TraceFailure | undefined {
    const opened = this.#open(block);
    if (!opened.ok) return opened.error;
    const { replay, header } = opened.value;
    const moved = movePrecompiles(replay.precompiles ?? forkPrecompiles(replay.fork), block);
    if (!moved.ok) return moved.error;
    applyOverrides(this.#state, block.accountOverrides, this.#wiped);
    replay.begin();
    const calls: RanCall[] = [];
    let gasUsed = 0n;
    for (const call of block.calls) {
      const { validation, traceTransfers } = this.#request;
      const given = { gasUsed, gasLeft: this.#gasLeft, validation, traceTransfers };
      const ran = runSimulatedCall(replay, call, moved.value, given, this.#budget);
      if (!ran.ok) return ran.error;
      gasUsed += ran.value.applied.gasUsed;
      this.#gasLeft -= ran.value.applied.gasUsed;
      calls.push(ran.value);
    }
    this.#seal(header, calls, gasUsed);
    return undefined;
  }

  #open(block: LaidBlock): Answer<{ readonly replay: BlockReplay; readonly header: Header }> {
    const { rules, modules, epochs } = this.#chain;
    const header = this.#headerOf(block);
    const { blobBaseFee } = block.blockOverride;
    const opened = BlockReplay.open({
      rules,
      modules,
      epochs,
      header,
      state: this.#view.reader,
      overlay: this.#state,
      blockHash: (number) => this.#hashes.get(number) ?? this.#chain.blockHash(number),
      blockOverride: blobBaseFee === undefined ? {} : { blobBaseFee },
    });
    return opened.ok ? ok({ replay: opened.value, header }) : opened;
  }

  /** Without what the block's calls come to. */
  #headerOf({ blockOverride, number, timestamp }: LaidBlock): Header {
    const { header: parent, hash } = this.#parent;
    const fee = this.#request.validation ? nextBaseFee(parent, this.#chain.rules) : 0n;
    return {
      ...parent,
      parentHash: hash,
      number: Number(number),
      timestamp: Number(timestamp),
      coinbase: blockOverride.coinbase ?? parent.coinbase,
      gasLimit: blockOverride.gasLimit ?? parent.gasLimit,
      prevRandao: blockOverride.prevRandao ?? ZERO_HASH,
      baseFeePerGas: blockOverride.baseFeePerGas ?? fee,
      difficulty: 0n,
      extraData: new Uint8Array(0),
      parentBeaconBlockRoot: blockOverride.parentBeaconBlockRoot ?? ZERO_HASH,
      requestsHash: parent.requestsHash === undefined ? undefined : EMPTY_REQUESTS_HASH,
    };
  }

  #seal(opened: Header, calls: readonly RanCall[], gasUsed: bigint): void {
    const { rules } = this.#chain;
    const hashOf = chainHash(rules);
    const receipts = receiptsOf(calls);
    const changes = this.#state.changes();
    const accounts = new Map(
      [...changes.accounts].map(([key, change]) => [
        key,
        this.#wiped.has(key) ? { ...change, storageCleared: true } : change,
      ]),
    );
    const header: Header = {
      ...opened,
      gasUsed,
      stateRoot: this.#view.rootAfter?.({ ...changes, accounts }) ?? ZERO_HASH,
      transactionsRoot: orderedTrieRoot(
        calls.map(({ transaction }) => transaction.raw),
        hashOf,
      ),
      receiptsRoot: orderedTrieRoot(receipts.map(encodeReceipt), hashOf),
      logsBloom: mergeBlooms(receipts.map(({ bloom }) => bloom)),
    };
    const hash = hashHeader(header, rules.hashId);
    this.#hashes.set(BigInt(header.number), hash);
    this.#parent = { header, hash };
    this.answers.push(this.#answerOf(hash, header, calls));
  }

  #answerOf(hash: Hash, header: Header, calls: readonly RanCall[]): JsonObject {
    const inclusion = inclusionOf(hash, header);
    const raws = calls.map(({ transaction }) => transaction.raw);
    const transactions = calls.map(({ transaction }, index) =>
      this.#request.returnFullTransactions
        ? transactionToJson(transaction, inclusion, index)
        : toHex(transaction.hash),
    );
    const block = blockToJson(hash, header, encodeBlock(header, raws).length, transactions);
    let firstLog = 0;
    const answers = calls.map((call, index) => {
      const json = simulatedCallJson(call, inclusion, index, firstLog, this.#chain.readReason);
      firstLog += call.logCount;
      return json;
    });
    return { ...block, calls: answers };
  }
}

function receiptsOf(calls: readonly RanCall[]): readonly Receipt[] {
  let cumulativeGasUsed = 0n;
  return calls.map(({ transaction, applied }) => {
    cumulativeGasUsed += applied.gasUsed;
    return receiptOf(transaction, applied, cumulativeGasUsed);
  });
}
