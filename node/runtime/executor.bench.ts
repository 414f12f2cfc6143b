// Times whole blocks in the Executor on a LevelDB store in a temporary folder: prints one JSON line for each case.
// Run: node node/runtime/executor.bench.ts [accounts=10000,100000] [transactions=500,2000] [kind=transfer|erc20] [blocks=40]
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Address,
  assert,
  type Bytes,
  bytesToBigint,
  concatBytes,
  createRandom,
  fromHex,
  must,
  type Random,
  unwrap,
  wordToBytes,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  completeFields,
  encodeTransaction,
  type Genesis,
  type SignedTransaction,
  signTransaction,
} from "@ostrom/execution";
import { type GenesisAccount, storeReader } from "@ostrom/state";
import { createMemoryStore, openLevelStore } from "@ostrom/storage";
import { createAddress } from "@ostrom/vm";
import { compileContract } from "../../examples/demo/compile.ts";
import type { OrderedInput } from "./execution-port.ts";
import { Executor } from "./executor.ts";
import { DEFAULT_ENGINE, installContractEngine } from "./installed-engine.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { packSenderEntries } from "./sender-entries.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { clientKey, SIMULATED_CHAIN_ID, simulatedGenesis } from "./testing/simulated-genesis.ts";

const HISTORY_BLOCKS = 128;
const WARM_SHARE = 0.5;
const MAX_FEE = 100n * 10n ** 9n;
const GAS: Readonly<Record<Kind, bigint>> = { transfer: 21_000n, erc20: 65_000n };
const BALANCE = 10n ** 24n;
const TOKENS = 10n ** 12n;
const TRANSFER_SELECTOR: Bytes = unwrap(fromHex("a9059cbb"));

type Kind = "transfer" | "erc20";
type Case = {
  readonly accounts: number;
  readonly transactions: number;
  readonly kind: Kind;
  readonly blocks: number;
};

const options = new Map(process.argv.slice(2).map((argument) => argument.split("=") as [string, string]));
const numbers = (name: string, fallback: string): number[] =>
  (options.get(name) ?? fallback).split(",").map(Number);

installNativeCrypto();
const engine = installContractEngine(DEFAULT_ENGINE, () => undefined);
for (const accounts of numbers("accounts", "10000,100000")) {
  for (const transactions of numbers("transactions", "500,2000")) {
    const kind = (options.get("kind") ?? "transfer") as Kind;
    await measure({ accounts, transactions, kind, blocks: numbers("blocks", "40")[0]! });
  }
}
await engine.stop();

function addressOf(index: number): Address {
  return keccak256(wordToBytes(BigInt(index))).slice(12) as Address;
}

async function measure(of: Case): Promise<void> {
  const addresses = Array.from({ length: of.accounts }, (_, index) => addressOf(index));
  const token = of.kind === "erc20" ? await deployedToken(addresses) : undefined;
  const base = simulatedGenesis({ validators: 4, clients: 1 });
  const accounts: GenesisAccount[] = addresses.map((address) => ({
    address,
    balance: BALANCE,
    nonce: 0n,
    code: new Uint8Array(0),
    storage: [],
  }));
  const genesis: Genesis = {
    ...base,
    rules: { ...base.rules, blockGasLimit: 10n ** 9n },
    alloc: [...base.alloc, ...accounts, ...(token === undefined ? [] : [token])],
  };
  const folder = await mkdtemp(join(tmpdir(), "ostrom-bench-"));
  const store = await openLevelStore(folder);
  const executor = await Executor.open(store, genesis, HISTORY_BLOCKS);
  const inputs = makeInputs(of, genesis, addresses, token?.address);
  const before = await bytesIn(folder);
  const warm = Math.floor(of.blocks * WARM_SHARE);
  const millis: number[] = [];
  let cpu = process.cpuUsage();
  let thread = process.threadCpuUsage();
  for (const [index, input] of inputs.entries()) {
    if (index === warm) {
      cpu = process.cpuUsage();
      thread = process.threadCpuUsage();
    }
    const start = performance.now();
    const report = await executor.execute(input);
    millis.push(performance.now() - start);
    assert(report.included.length === of.transactions, "every transaction runs");
  }
  const measured = (of.blocks - warm) * of.transactions;
  const usedCpu = process.cpuUsage(cpu);
  const usedThread = process.threadCpuUsage(thread);
  const sorted = millis.slice(warm).sort((a, b) => a - b);
  await store.close();
  const after = await bytesIn(folder);
  await rm(folder, { recursive: true });
  const each = (us: number): number => Number((us / measured).toFixed(1));
  console.log(
    JSON.stringify({
      bench: "executor",
      ...of,
      wallUs: each(millis.slice(warm).reduce((sum, ms) => sum + ms * 1_000, 0)),
      threadCpuUs: each(usedThread.user + usedThread.system),
      processCpuUs: each(usedCpu.user + usedCpu.system),
      blockP50Ms: Number(sorted[sorted.length >> 1]!.toFixed(2)),
      blockMaxMs: Number(sorted.at(-1)!.toFixed(2)),
      diskBytes: Math.round((after - before) / (of.blocks * of.transactions)),
    }),
  );
}

/** Senders are strangers whose signatures nobody looks at: the node has checked them, as it tells the executor. */
function makeInputs(
  { transactions, kind, blocks }: Case,
  genesis: Genesis,
  addresses: readonly Address[],
  token: Address | undefined,
): OrderedInput[] {
  const random = createRandom(7);
  const nonces = new Array<number>(addresses.length).fill(0);
  const chain = new OrderedChain(genesis, { isSigned: false });
  return Array.from({ length: blocks }, (_, block) => {
    const made = Array.from({ length: transactions }, () => {
      const sender = random.below(addresses.length);
      const receiver = addresses[random.below(addresses.length)]!;
      const nonce = BigInt(nonces[sender]!++);
      const to = token ?? receiver;
      const data = token === undefined ? new Uint8Array(0) : transferOf(receiver);
      return unsigned(random, { nonce, to, data, gasLimit: GAS[kind], sender: addresses[sender]! });
    });
    chain.append(made);
    return { ...chain.inputOf(block + 1), senders: packSenderEntries(made) };
  });
}

type Made = Pick<SignedTransaction, "nonce" | "data" | "gasLimit" | "sender"> & { readonly to: Address };

function unsigned(random: Random, { sender, ...fields }: Made): SignedTransaction {
  const value = fields.data.length === 0 ? 1n : 0n;
  const complete = completeFields({
    ...fields,
    chainId: SIMULATED_CHAIN_ID,
    maxFeePerGas: MAX_FEE,
    maxPriorityFeePerGas: 1n,
    value,
  });
  const signature = { yParity: 0, r: anyScalar(random), s: anyScalar(random) } as const;
  const raw = encodeTransaction(complete, signature);
  return { ...complete, ...signature, raw, hash: keccak256(raw), sender };
}

function anyScalar(random: Random): bigint {
  return bytesToBigint(keccak256(wordToBytes(BigInt(random.nextUint32())))) >> 2n;
}

function transferOf(receiver: Address): Bytes {
  return concatBytes(TRANSFER_SELECTOR, wordToBytes(bytesToBigint(receiver)), wordToBytes(1n));
}

/** OpenZeppelin's ERC-20, deployed on a chain in memory, with a balance for each address (slot keccak256(address, 0)). */
async function deployedToken(addresses: readonly Address[]): Promise<GenesisAccount> {
  const { bytecode } = compileContract("Token.sol", "Token");
  const owner = addressOfSecretKey(clientKey(0));
  const chain = new OrderedChain(simulatedGenesis({ validators: 4, clients: 1 }), { isSigned: false });
  const store = createMemoryStore();
  const executor = await Executor.open(store, chain.genesis, 0);
  const deployment = signTransaction(
    {
      type: 2,
      chainId: SIMULATED_CHAIN_ID,
      maxFeePerGas: MAX_FEE,
      gasLimit: 3_000_000n,
      data: unwrap(fromHex(bytecode + "0".repeat(64))),
    },
    clientKey(0),
  );
  chain.append([deployment]);
  await executor.execute(chain.inputOf(1));
  const reader = storeReader(store);
  const address = createAddress(owner, 0n);
  const code = reader.code(must(reader.account(address), "the token was deployed").codeHash);
  const storage = addresses.map((holder) => ({
    slot: bytesToBigint(keccak256(concatBytes(wordToBytes(bytesToBigint(holder)), wordToBytes(0n)))),
    value: TOKENS,
  }));
  return { address, balance: 0n, nonce: 1n, code, storage };
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
