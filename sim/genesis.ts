import { type Bytes, hashFromWord, toHexDigits, Weight } from "@ostrom/base";
import { type ConsensusDomain, consensusDomain } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  type ConsensusParameters,
  createGenesis,
  type Genesis,
  genesisHash,
  type SignedTransaction,
  signTransaction,
  type Validator,
} from "@ostrom/execution";
import {
  NO_COSTS,
  provePossession,
  simulatedConsensusKey,
  simulatedSchemes,
  withSimulatedSignatures,
} from "./signatures.ts";

export const SIMULATED_CHAIN_ID = 4_242n;
/** When simulated time begins. */
export const SIMULATED_GENESIS_MS = 1_800_000_000_000;

const FEE_RECIPIENTS = 10_000n;
const CLIENTS = 20_000n;
const MAX_FEE = 100n * 10n ** 9n;
const TRANSFER_GAS = 21_000n;
export const CLIENT_BALANCE: bigint = 10n ** 24n;
const FIRST_PORT = 30_310;

/** Short times, so that a second of simulated time shows something. */
export const FAST_TIMES: Partial<ConsensusParameters> = {
  minBlockIntervalMs: 40,
  emptyBlockIntervalMs: 250,
  deltaMs: 80,
  maxDeltaMs: 4_000,
  standstillMs: 400,
  fetchRetryMs: 60,
};

/** What the links of a validator prove. */
export function transportKeyOf(index: number): Bytes {
  return keccak256(Uint8Array.of(index >> 8, index & 255, 1));
}

/** Name of a validator on the network. */
export function peerIdOf(index: number): string {
  return toHexDigits(transportKeyOf(index));
}

export function clientKey(index: number): Bytes {
  return hashFromWord(CLIENTS + BigInt(index));
}

/** Decides who validates, where that may change. */
export const ownerKey: Bytes = hashFromWord(40_000n);

/** Account of a validator: it receives its fees, and changes its keys. */
export function feeRecipientKey(identity: number): Bytes {
  return hashFromWord(FEE_RECIPIENTS + BigInt(identity));
}

export type SimulatedGenesisOptions = {
  readonly weights: readonly number[];
  /** All who may become validators; if given, the set can be changed by transactions. */
  readonly candidates?: number;
  readonly clients: number;
  readonly consensus?: Partial<ConsensusParameters>;
  /** Replaces single values. */
  readonly change?: Partial<Genesis>;
  /** Defaults to simulated keys. */
  readonly consensusKey?: (index: number) => Bytes;
};

/** A chain of validators with simulated keys, and of funded clients. */
export function simulatedGenesis(options: SimulatedGenesisOptions): Genesis {
  const { candidates = 0 } = options;
  const indices = Array.from({ length: candidates }, (_, index) => index);
  const funded = [
    ...Array.from({ length: options.clients }, (_, index) => clientKey(index)),
    ...(candidates === 0 ? [] : [ownerKey, ...indices.map(feeRecipientKey)]),
  ];
  const genesis = createGenesis({
    profile: "alliance",
    chainId: SIMULATED_CHAIN_ID,
    timestampMs: SIMULATED_GENESIS_MS,
    validators: options.weights.map((weight, index) => validatorOf(index, weight, options.consensusKey)),
    ...(candidates === 0 ? {} : { validatorSets: { kind: "managed", owner: addressOfSecretKey(ownerKey) } }),
    accounts: funded.map((key) => ({
      address: addressOfSecretKey(key),
      balance: CLIENT_BALANCE,
      nonce: 0n,
      code: new Uint8Array(0),
      storage: [],
    })),
    consensus: { ...FAST_TIMES, ...options.consensus },
  });
  return { ...genesis, ...options.change };
}

/** What binds signed bytes to a chain, seen from outside: signatures cost nobody anything. */
export function simulatedDomain(genesis: Genesis): ConsensusDomain {
  const { rules, validatorSet } = genesis;
  const bare = consensusDomain(genesisHash(genesis), rules.hashId, validatorSet.schemeId);
  const signaturesOf = simulatedSchemes(NO_COSTS, () => undefined);
  return withSimulatedSignatures(bare, signaturesOf);
}

/** Somebody who is to become a validator, with its first key. */
export function candidateOf(identity: number, weight: number, schemeId?: number): Validator {
  return validatorOf(identity, weight, (index) => simulatedConsensusKey(index, 0, schemeId));
}

function validatorOf(
  index: number,
  weight: number,
  consensusKey: (index: number) => Bytes = simulatedConsensusKey,
): Validator {
  const key = consensusKey(index);
  return {
    name: `validator-${index}`,
    address: addressOfSecretKey(feeRecipientKey(index)),
    weight: Weight(weight),
    consensusKey: key,
    proofOfPossession: provePossession(key),
    transportKey: transportKeyOf(index),
    host: "127.0.0.1",
    port: FIRST_PORT + index,
  };
}

/** Transfers are the same for all seeds, so each is signed once a process. */
const transfers = new Map<string, SignedTransaction>();

/** A transfer of one wei from one client to the next. */
export function simulatedTransfer(client: number, nonce: number): SignedTransaction {
  const name = `${client}/${nonce}`;
  const known = transfers.get(name);
  if (known !== undefined) return known;
  const transfer = signTransaction(
    {
      type: 2,
      chainId: SIMULATED_CHAIN_ID,
      nonce: BigInt(nonce),
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: 1n,
      gasLimit: TRANSFER_GAS,
      to: addressOfSecretKey(clientKey(client + 1)),
      value: 1n,
    },
    clientKey(client),
  );
  transfers.set(name, transfer);
  return transfer;
}
