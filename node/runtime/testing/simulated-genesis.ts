import { type Bytes, hashFromWord, toHexDigits, Weight } from "@ostrom/base";
import { bls, deriveBlsSecretKey, keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  type ConsensusParameters,
  createGenesis,
  type Genesis,
  type GenesisModules,
  type GenesisRequest,
  type SignedTransaction,
  SUITES,
  type SuiteHash,
  signTransaction,
  type TransactionFields,
} from "@ostrom/execution";

export const SIMULATED_CHAIN_ID = 4_242n;
export const SIMULATED_GENESIS_MS = 1_800_000_000_000;

const FEE_RECIPIENTS = 10_000n;
const CLIENTS = 20_000n;
const MAX_FEE = 100n * 10n ** 9n;
const TRANSFER_GAS = 21_000n;
export const CLIENT_BALANCE: bigint = 10n ** 24n;

/** Short times, so that a second of simulated time shows something. */
const FAST: Partial<ConsensusParameters> = {
  minBlockIntervalMs: 40,
  emptyBlockIntervalMs: 250,
  deltaMs: 80,
  maxDeltaMs: 4_000,
  standstillMs: 400,
  fetchRetryMs: 60,
};

/** Secret key of a validator's votes. */
export function validatorSecret(index: number): Bytes {
  return deriveBlsSecretKey(keccak256(Uint8Array.of(index)));
}

/** Name of a validator on the network. */
export function simulatedPeerId(index: number): string {
  return toHexDigits(transportKeyOf(index));
}

function transportKeyOf(index: number): Bytes {
  return keccak256(Uint8Array.of(index, 1));
}

export function clientKey(index: number): Bytes {
  return hashFromWord(CLIENTS + BigInt(index));
}

/** A chain of validators of weight one, and of funded clients. */
export function simulatedGenesis(options: {
  readonly validators: number;
  readonly clients: number;
  readonly consensus?: Partial<ConsensusParameters>;
  readonly modules?: GenesisModules;
  readonly epochLength?: number;
  readonly rules?: GenesisRequest["rules"];
  /** The chain's hash function; validators vote by BLS in any case. */
  readonly hash?: SuiteHash;
}): Genesis {
  const indices = Array.from({ length: options.validators }, (_, index) => index);
  return createGenesis({
    profile: "dev",
    suite: { ...SUITES.ethereum, hash: options.hash ?? "keccak256" },
    chainId: SIMULATED_CHAIN_ID,
    timestampMs: SIMULATED_GENESIS_MS,
    validators: indices.map((index) => ({
      name: `validator-${index}`,
      address: addressOfSecretKey(hashFromWord(FEE_RECIPIENTS + BigInt(index))),
      weight: Weight(1),
      consensusKey: bls().publicKey(validatorSecret(index)),
      // Checked where genesis.json is read, which nobody does here; to make one takes long.
      proofOfPossession: new Uint8Array(96),
      transportKey: transportKeyOf(index),
      host: "127.0.0.1",
      port: 30_310 + index,
    })),
    accounts: Array.from({ length: options.clients }, (_, index) => ({
      address: addressOfSecretKey(clientKey(index)),
      balance: CLIENT_BALANCE,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
    consensus: { ...FAST, ...options.consensus },
    modules: options.modules,
    epochLength: options.epochLength,
    ...(options.rules === undefined ? {} : { rules: options.rules }),
  });
}

/** A transfer of one wei from one client to the next. */
export function simulatedTransfer(
  client: number,
  nonce: number,
  change: Partial<TransactionFields> = {},
): SignedTransaction {
  return signTransaction(
    {
      type: 2,
      chainId: SIMULATED_CHAIN_ID,
      nonce: BigInt(nonce),
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: 1n,
      gasLimit: TRANSFER_GAS,
      to: addressOfSecretKey(clientKey(client + 1)),
      value: 1n,
      ...change,
    },
    clientKey(client),
  );
}
