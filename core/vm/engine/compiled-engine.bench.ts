// node core/vm/engine/compiled-engine.bench.ts [FILE...]: ipsilon's EVM benchmarks in the reference and compiled, one JSON
// line an input: medians of warm runs, and the first run of all.
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Address, addressFromHex, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { executeMessage } from "../execute-message.ts";
import { TEST_BLOCK } from "../testing/run-code.ts";
import type { ExecutionContext, Message, Outcome } from "../types.ts";
import { createCompiledEngine } from "./compiled-engine.ts";

type JsonAccount = { balance: string; nonce: string; code: string; storage: Record<string, string> };
type JsonTest = {
  pre: Record<string, JsonAccount>;
  transaction: { data: string[]; to: string; sender: string };
};

const FOLDER = join(import.meta.dirname, "../../../../shared/vectors/evm-benchmarks");
const GAS_LIMIT = 2n ** 40n;
const REFERENCE_BUDGET_MS = 1000;
const COMPILED_BUDGET_MS = 3000;

function readState(pre: JsonTest["pre"]): MemoryState {
  return MemoryState.of(
    Object.entries(pre).map(([address, { balance, nonce, code, storage }]) => ({
      address: addressFromHex(address),
      balance: BigInt(balance),
      nonce: BigInt(nonce),
      code: unwrap(fromHex(code)),
      storage: Object.entries(storage).map(([slot, value]) => ({ slot: BigInt(slot), value: BigInt(value) })),
    })),
  );
}

type Execute = (context: ExecutionContext, message: Message) => Outcome;

function runOnce(execute: Execute, before: MemoryState, test: JsonTest, data: Bytes) {
  const state = new StateOverlay(before);
  state.beginTransaction();
  const caller = Address(unwrap(fromHex(test.transaction.sender)));
  const transaction = { origin: caller, gasPrice: 10n, blobVersionedHashes: [] };
  const start = performance.now();
  const outcome = execute(
    { fork: "cancun", block: TEST_BLOCK, transaction, state },
    { caller, to: addressFromHex(test.transaction.to), value: 0n, data, gas: GAS_LIMIT },
  );
  return { us: (performance.now() - start) * 1000, outcome };
}

function median(run: () => number, budgetMs: number): number {
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  do times.push(run());
  while (performance.now() < end);
  const warm = times.slice(times.length >> 1).sort((a, b) => a - b);
  return warm[warm.length >> 1]!;
}

installNativeCrypto();
const files = process.argv.slice(2);
let logSum = 0;
let count = 0;
for (const file of files.length > 0
  ? files
  : globSync("main/*.json", { cwd: FOLDER }).map((f) => join(FOLDER, f))) {
  for (const test of Object.values(JSON.parse(readFileSync(file, "utf8")) as Record<string, JsonTest>)) {
    for (const [index, text] of test.transaction.data.entries()) {
      const data = unwrap(fromHex(text));
      const before = readState(test.pre);
      const engine = createCompiledEngine();
      const first = runOnce(engine.execute, before, test, data);
      const expected = runOnce(executeMessage, before, test, data);
      const agrees =
        first.outcome.gasLeft === expected.outcome.gasLeft &&
        toHex(first.outcome.output) === toHex(expected.outcome.output);
      const tier1Us = median(() => runOnce(engine.execute, before, test, data).us, COMPILED_BUDGET_MS);
      const referenceUs = median(() => runOnce(executeMessage, before, test, data).us, REFERENCE_BUDGET_MS);
      logSum += Math.log(referenceUs / tier1Us);
      count++;
      const gas = Number(GAS_LIMIT - expected.outcome.gasLeft);
      const line = {
        name: `${basename(file, ".json")}/${index}`,
        agrees,
        gas,
        referenceUs: Math.round(referenceUs),
        tier1Us: Number(tier1Us.toFixed(1)),
        ratio: Number((referenceUs / tier1Us).toFixed(1)),
        gasPerUs: Number((gas / tier1Us).toFixed(0)),
        coldFirstCallUs: Math.round(first.us),
        contracts: engine.counts.contracts.emittedBytes,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    }
  }
}
process.stdout.write(`geometric mean of ${count} ratios: ${Math.exp(logSum / count).toFixed(1)}\n`);
