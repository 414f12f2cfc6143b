import { hex, toHex } from "@ostrom/base";
import { decodeSignedTransaction } from "@ostrom/execution";
import type { Fork } from "@ostrom/vm";
import { intrinsicGas } from "../../core/execution/intrinsic-gas.ts";
import { staticInvalidity } from "../../core/execution/transaction-validity.ts";
import { readVectors, type VectorRun, VectorTally } from "./vector-run.ts";

type Expected = {
  readonly exception?: string;
  readonly hash?: string;
  readonly sender?: string;
  readonly intrinsicGas: string;
};

type TransactionVector = {
  readonly result: Readonly<Record<string, Expected>>;
  readonly txbytes: string;
};

/** Newest first. Rules for transactions did not change from London to Cancun but for EIP-3860, which Shanghai brought:
 * files that stop before Cancun are about other rules. */
const FORKS: readonly { readonly name: string; readonly fork: Fork }[] = [
  { name: "Osaka", fork: "osaka" },
  { name: "Prague", fork: "prague" },
  { name: "Cancun", fork: "cancun" },
  { name: "Shanghai", fork: "cancun" },
  { name: "Paris", fork: "cancun" },
  { name: "London", fork: "cancun" },
];

const MAINNET = 1n;

/** TransactionTests of ethereum/tests: bytes that must be refused, or have the given hash, sender and intrinsic gas, by
 * the newest fork that a vector lists. */
export function runTransactionTests(paths: readonly string[]): VectorRun {
  const tally = new VectorTally();
  for (const { file, name, vector } of readVectors<TransactionVector>(paths)) {
    tally.add(`${file} ${name}`, checkTransaction(vector));
  }
  return tally.result();
}

function checkTransaction({ result, txbytes }: TransactionVector): string | undefined {
  const newest = FORKS.find(({ name }) => result[name] !== undefined);
  const expected = newest && result[newest.name];
  if (newest === undefined || expected === undefined) return "lists no fork from London on";
  const decoded = decodeSignedTransaction(hex(txbytes));
  const refusal = decoded.ok ? staticInvalidity(newest.fork, MAINNET, decoded.value) : decoded.error;
  if (expected.exception !== undefined) {
    return refusal === undefined ? `accepted, but ${expected.exception} must keep it out` : undefined;
  }
  if (refusal !== undefined || !decoded.ok) return `refused: ${refusal?.code} (${refusal?.message})`;
  const { hash, sender } = decoded.value;
  const gas = intrinsicGas(decoded.value, newest.fork);
  if (toHex(hash) !== expected.hash) return `hash: expected ${expected.hash}, got ${toHex(hash)}`;
  if (toHex(sender) !== expected.sender) return `sender: expected ${expected.sender}, got ${toHex(sender)}`;
  return gas === BigInt(expected.intrinsicGas)
    ? undefined
    : `intrinsic gas: expected ${expected.intrinsicGas}, got ${gas}`;
}
