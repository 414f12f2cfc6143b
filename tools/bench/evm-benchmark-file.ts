import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Address, addressFromHex, type Bytes, fromHex, unwrap, ZERO_HASH } from "@ostrom/base";
import { type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import type { BlockContext, MessageEngine } from "@ostrom/vm";

type JsonAccount = { balance: string; nonce: string; code: string; storage: Record<string, string> };
type JsonTest = {
  pre: Record<string, JsonAccount>;
  transaction: {
    data: string[];
    gasLimit: string[];
    value: string[];
    to: string;
    sender: string;
    gasPrice?: string;
  };
  post?: Record<
    string,
    { indexes: { data: number; gas: number; value: number }; expectException?: string }[]
  >;
};

/** One input of a benchmark: a message to a contract in a state. */
export type BenchmarkInput = {
  readonly file: string;
  readonly name: string;
  readonly accounts: readonly GenesisAccount[];
  readonly sender: Address;
  readonly to: Address;
  readonly data: Bytes;
  readonly value: bigint;
  readonly gas: bigint;
  /** The same with code that differs after its end only, so that no engine has seen it. */
  readonly withOtherCode: (seed: number) => BenchmarkInput;
};

export type InputRun = {
  readonly us: number;
  readonly gas: number;
  readonly output: Bytes;
  readonly status: string;
};

export const BENCHMARK_BLOCK: BlockContext = {
  number: 1000n,
  timestamp: 1_700_000_000n,
  coinbase: addressFromHex(`0x${"cb".repeat(20)}`),
  gasLimit: 30_000_000n,
  baseFeePerGas: 7n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  chainId: 1n,
  blockHash: () => ZERO_HASH,
};

/** Reads a state test: one input for each result that it lists, or for each data, gas limit and value if it lists none. */
export function readBenchmarkFile(file: string): BenchmarkInput[] {
  const tests = JSON.parse(readFileSync(file, "utf8")) as Record<string, JsonTest>;
  return Object.entries(tests).flatMap(([name, test]) => {
    const { transaction } = test;
    const accounts = readAccounts(test.pre);
    const listed = Object.values(test.post ?? {})[0]?.map(({ indexes }) => indexes);
    const indexes = listed ?? transaction.data.map((_, data) => ({ data, gas: 0, value: 0 }));
    return indexes.map(({ data, gas, value }) =>
      inputOf({
        file,
        name:
          indexes.length === 1
            ? `${basename(file, ".json")}/${name}`
            : `${basename(file, ".json")}/${name}/${data}`,
        accounts,
        sender: Address(unwrap(fromHex(transaction.sender))),
        to: addressFromHex(transaction.to),
        data: unwrap(fromHex(transaction.data[data]!)),
        gas: BigInt(transaction.gasLimit[gas]!),
        value: BigInt(transaction.value[value]!),
      }),
    );
  });
}

function inputOf(fields: Omit<BenchmarkInput, "withOtherCode">): BenchmarkInput {
  const withOtherCode = (seed: number): BenchmarkInput =>
    inputOf({
      ...fields,
      accounts: fields.accounts.map((account) => ({ ...account, code: lengthened(account.code, seed) })),
    });
  return { ...fields, withOtherCode };
}

/** Behind a STOP, so that it cannot run. */
function lengthened(code: Bytes, seed: number): Bytes {
  if (code.length === 0) return code;
  return Uint8Array.from([...code, 0x00, 0xfe, seed & 0xff, seed >> 8]);
}

function readAccounts(pre: JsonTest["pre"]): GenesisAccount[] {
  return Object.entries(pre).map(([address, { balance, nonce, code, storage }]) => ({
    address: addressFromHex(address),
    balance: BigInt(balance),
    nonce: BigInt(nonce),
    code: unwrap(fromHex(code)),
    storage: Object.entries(storage).map(([slot, value]) => ({ slot: BigInt(slot), value: BigInt(value) })),
  }));
}

const states = new WeakMap<readonly GenesisAccount[], MemoryState>();

/** Runs the message on the state as the file has it. The time is the message's alone. */
export function runInput(execute: MessageEngine, input: BenchmarkInput): InputRun {
  const before = states.get(input.accounts) ?? MemoryState.of(input.accounts);
  states.set(input.accounts, before);
  const state = new StateOverlay(before);
  state.beginTransaction();
  const transaction = { origin: input.sender, gasPrice: 10n, blobVersionedHashes: [] };
  const message = {
    caller: input.sender,
    to: input.to,
    value: input.value,
    data: input.data,
    gas: input.gas,
  };
  const start = performance.now();
  const outcome = execute({ fork: "cancun", block: BENCHMARK_BLOCK, transaction, state }, message);
  const us = (performance.now() - start) * 1000;
  return { us, gas: Number(input.gas - outcome.gasLeft), output: outcome.output, status: outcome.status };
}
