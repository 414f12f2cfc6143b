// How the Executor's cost of a block grows with the accounts of the state: prints one JSON line for each number of accounts. The state is written into the
// database ahead, in pieces, by a process of its own, whose heap would else be collected with the measured one.
// Run: node node/runtime/executor-growth.bench.ts [accounts=10000,1000000] [transactions=1000] [blocks=30]
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, assert, bytesToBigint, createRandom, must, wordToBytes } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  completeFields,
  encodeTransaction,
  type Genesis,
  hashHeader,
  type SignedTransaction,
} from "@ostrom/execution";
import {
  type AccountChange,
  commitOperations,
  commitState,
  createStateCache,
  EMPTY_CODE_HASH,
  storeState,
} from "@ostrom/state";
import { blockOperations, openLevelStore, readHeader, type Store } from "@ostrom/storage";
import { Executor } from "./executor.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { packSenderEntries } from "./sender-entries.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { SIMULATED_CHAIN_ID, simulatedGenesis } from "./testing/simulated-genesis.ts";

const HISTORY_BLOCKS = 128;
const PIECE = 20_000;
const BALANCE = 10n ** 24n;
const MAX_FEE = 100n * 10n ** 9n;
const WARM_SHARE = 0.5;
const MEBIBYTE = 2 ** 20;

const options = new Map(process.argv.slice(2).map((argument) => argument.split("=") as [string, string]));
const numbers = (name: string, fallback: string): number[] =>
  (options.get(name) ?? fallback).split(",").map(Number);

installNativeCrypto();
const fillFolder = options.get("fill");
for (const accounts of numbers("accounts", "10000,1000000")) {
  if (fillFolder === undefined) {
    await measure(accounts, numbers("transactions", "1000")[0]!, numbers("blocks", "30")[0]!);
  } else {
    const store = await openLevelStore(fillFolder);
    await Executor.open(store, growthGenesis(), HISTORY_BLOCKS);
    await fill(store, accounts);
    await store.close();
  }
}

function growthGenesis(): Genesis {
  return simulatedGenesis({ validators: 4, clients: 1, rules: { blockGasLimit: 10n ** 9n } });
}

function addressOf(index: number): Address {
  return keccak256(wordToBytes(BigInt(index))).slice(12) as Address;
}

async function measure(accounts: number, transactions: number, blocks: number): Promise<void> {
  const genesis = growthGenesis();
  const folder = await mkdtemp(join(tmpdir(), "ostrom-bench-"));
  const filled = spawnSync(
    process.execPath,
    [import.meta.filename, `fill=${folder}`, `accounts=${accounts}`],
    {
      stdio: "inherit",
    },
  );
  assert(filled.status === 0, "the state is written");
  const store = await openLevelStore(folder);
  const executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
  const before = await bytesIn(folder);
  const warm = Math.floor(blocks * WARM_SHARE);
  const millis: number[] = [];
  let threadUs = 0;
  let processUs = 0;
  // Made one at a time: all at once would be a part of the heap that a node does not have.
  for (const input of makeInputs(genesis, accounts, transactions, blocks)) {
    const thread = process.threadCpuUsage();
    const cpu = process.cpuUsage();
    const start = performance.now();
    const report = await executor.execute(input);
    millis.push(performance.now() - start);
    assert(report.included.length === transactions, "every transaction runs");
    if (millis.length <= warm) continue;
    threadUs += microsecondsOf(process.threadCpuUsage(thread));
    processUs += microsecondsOf(process.cpuUsage(cpu));
  }
  const measured = (blocks - warm) * transactions;
  const sorted = millis.slice(warm).sort((a, b) => a - b);
  const residentMegabytes = Math.round(process.memoryUsage().rss / MEBIBYTE);
  await store.close();
  const after = await bytesIn(folder);
  await rm(folder, { recursive: true });
  const each = (us: number): number => Number((us / measured).toFixed(1));
  console.log(
    JSON.stringify({
      bench: "executor-growth",
      accounts,
      transactions,
      threadCpuUs: each(threadUs),
      processCpuUs: each(processUs),
      blockP50Ms: Number(sorted[sorted.length >> 1]!.toFixed(2)),
      residentMegabytes,
      databaseMegabytes: Math.round(before / MEBIBYTE),
      diskBytesPerTransaction: Math.round((after - before) / (blocks * transactions)),
    }),
  );
}

function microsecondsOf({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}

/** Puts accounts below genesis' header, whose state root becomes that of the larger state. */
async function fill(store: Store, accounts: number): Promise<void> {
  const stored = must(readHeader(store, 0), "genesis is stored");
  let { stateRoot } = stored.header;
  const cache = createStateCache(256 * MEBIBYTE);
  const below = storeState(store);
  const state = { ...below, reader: cache.reader(below.reader), tries: cache.tries(below.tries) };
  for (let start = 0; start < accounts; start += PIECE) {
    const changes = new Map<string, AccountChange>();
    for (let index = start; index < Math.min(accounts, start + PIECE); index++) {
      const account = { nonce: 0n, balance: BALANCE, codeHash: EMPTY_CODE_HASH };
      changes.set(String(index), { address: addressOf(index), account, storageCleared: false, storage: [] });
    }
    const commit = commitState({ ...state, stateRoot }, { accounts: changes, codes: new Map() });
    await store.write(commitOperations(commit, undefined), { sync: false });
    cache.committed(commit);
    stateRoot = commit.stateRoot;
  }
  const header = { ...stored.header, stateRoot };
  const hash = hashHeader(header, stored.hashId);
  const block = { header, hash, transactions: [], receipts: [], skipped: [] };
  const { origin, hashId } = stored;
  await store.write(blockOperations(store, { block, origin, hashId, ordered: undefined }), { sync: true });
}

function* makeInputs(
  genesis: Genesis,
  accounts: number,
  transactions: number,
  blocks: number,
): Generator<ReturnType<OrderedChain["inputOf"]>> {
  const random = createRandom(7);
  const nonces = new Map<number, bigint>();
  const chain = new OrderedChain(genesis, { isSigned: false });
  const scalar = (): bigint => bytesToBigint(keccak256(wordToBytes(BigInt(random.nextUint32())))) >> 2n;
  for (let block = 1; block <= blocks; block++) {
    const made = Array.from({ length: transactions }, (): SignedTransaction => {
      const sender = random.below(accounts);
      const nonce = nonces.get(sender) ?? 0n;
      nonces.set(sender, nonce + 1n);
      const fields = completeFields({
        chainId: SIMULATED_CHAIN_ID,
        nonce,
        to: addressOf(random.below(accounts)),
        value: 1n,
        gasLimit: 21_000n,
        maxFeePerGas: MAX_FEE,
        maxPriorityFeePerGas: 1n,
      });
      const signature = { yParity: 0, r: scalar(), s: scalar() } as const;
      const raw = encodeTransaction(fields, signature);
      return { ...fields, ...signature, raw, hash: keccak256(raw), sender: addressOf(sender) };
    });
    chain.append(made);
    yield { ...chain.inputOf(block), senders: packSenderEntries(made) };
  }
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(folder)) {
    // LevelDB removes tables while it is looked at.
    const found = await stat(join(folder, name)).catch(() => undefined);
    bytes += found?.size ?? 0;
  }
  return bytes;
}
