import { type Address, addressFromWord, type Hash, hashFromWord } from "@ostrom/base";
import {
  type ChainRules,
  completeFields,
  rulesOfSuite,
  type SignedTransaction,
  SUITES,
} from "@ostrom/execution";

export const RULES: ChainRules = {
  chainId: 1337n,
  forks: [{ fork: "osaka", fromTimestamp: 0 }],
  blockGasLimit: 30_000_000n,
  baseFeeChangeDenominator: 256n,
  elasticityMultiplier: 2n,
  minBaseFeePerGas: 0n,
  gasCharge: "used",
  ...rulesOfSuite(SUITES.ethereum),
};

let counter = 0n;

export type Fake = {
  readonly sender?: number;
  readonly nonce?: number;
  readonly tip?: number;
  readonly maxFee?: number;
  readonly gas?: number;
  readonly value?: bigint;
  /** Length of the raw bytes. */
  readonly size?: number;
  readonly fields?: Partial<SignedTransaction>;
};

export function senderAddress(index: number): Address {
  return addressFromWord(0xa000n + BigInt(index));
}

/** A transaction as the pool sees it after its signature was checked: nobody signed this one, and its bytes are only so
 * many. Each has a hash of its own. */
export function fakeTransaction(fake: Fake = {}): SignedTransaction {
  counter++;
  const hash: Hash = hashFromWord(counter);
  const raw = new Uint8Array(fake.size ?? 110);
  raw.set(hash.subarray(0, Math.min(32, raw.length)));
  const fields = completeFields({
    type: 2,
    chainId: RULES.chainId,
    nonce: BigInt(fake.nonce ?? 0),
    gasLimit: BigInt(fake.gas ?? 21_000),
    maxFeePerGas: BigInt(fake.maxFee ?? 1_000),
    maxPriorityFeePerGas: BigInt(fake.tip ?? 10),
    to: senderAddress(999_999),
    value: fake.value ?? 0n,
  });
  return {
    ...fields,
    raw,
    hash,
    yParity: 0,
    r: 1n,
    s: 1n,
    sender: senderAddress(fake.sender ?? 0),
    ...fake.fields,
  };
}
