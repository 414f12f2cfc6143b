import {
  type Address,
  type Bytes,
  bytesToBigint,
  concatBytes,
  type Random,
  toHexDigits,
  utf8,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  readValidatorSet,
  type SignedTransaction,
  signTransaction,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
} from "@ostrom/execution";
import { type StateReader, storeReader } from "@ostrom/state";
import { StorageError, type Store } from "@ostrom/storage";
import { encodeCall, encodeFields, selectorOf, WORD, word } from "./abi.ts";
import type { SimulatedClock } from "./clock.ts";
import { candidateOf, feeRecipientKey, ownerKey, SIMULATED_CHAIN_ID } from "./genesis.ts";
import type { BootedNode } from "./machine.ts";
import type { SimulatedNetwork } from "./network.ts";
import { between, delayBelow, pick, randomFor } from "./random.ts";
import { provePossession, simulatedConsensusKey } from "./signatures.ts";

const MIN_PAUSE_MS = 150;
const MAX_PAUSE_MS = 900;
const GAS_LIMIT = 3_000_000n;
/** Keys of ML-DSA and their proofs are written into some hundred slots. */
const SCHEME_GAS_LIMIT = 8_000_000n;
const MAX_FEE = 100n * 10n ** 9n;
const MAX_WEIGHT = 4;
/** Consensus keys that a validator goes through at most. */
export const KEY_GENERATIONS = 6;

type Change = {
  readonly key: Bytes;
  readonly data: Bytes;
  readonly after: readonly Validator[];
  readonly what: string;
};

export type RegistrarOptions = {
  readonly clock: SimulatedClock;
  readonly random: Random;
  /** All who may become validators. */
  readonly identities: number;
  readonly nodes: () => readonly BootedNode[];
  /** The store of whoever honest has executed most. */
  readonly store: () => Store | undefined;
  readonly isAcceptable: (
    members: readonly { readonly identity: number; readonly weight: number }[],
  ) => boolean;
  readonly submitted: (transaction: SignedTransaction) => void;
  readonly changed: (what: string) => void;
  /** The set changes its scheme too, among these. */
  readonly schemes: readonly number[] | undefined;
};

/** Changes the validator set by real transactions to the contract that holds it: it adds, removes, re-weighs, and validators rotate
 * their keys. One change at a time, and none that would give faulty validators a third of the weight. */
export class Registrar {
  readonly #options: RegistrarOptions;
  #open: { readonly transaction: SignedTransaction; readonly account: Address } | undefined;
  #isActive = false;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isActive = true;
    this.#later();
  }

  /** No new changes; one that is under way is still sent again. */
  stop(): void {
    this.#isActive = false;
  }

  #later(): void {
    const { clock, random } = this.#options;
    clock.at(MIN_PAUSE_MS + delayBelow(random, MAX_PAUSE_MS - MIN_PAUSE_MS), () => {
      this.#tryToAct();
      if (this.#isActive || this.#open !== undefined) this.#later();
    });
  }

  /** The store that it reads may be the rotten one: then it tries again later. */
  #tryToAct(): void {
    try {
      this.#act();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #act(): void {
    const store = this.#options.store();
    if (store === undefined) return;
    const nonceOf = (account: Address): bigint => storeReader(store).account(account)?.nonce ?? 0n;
    if (this.#open !== undefined && nonceOf(this.#open.account) > this.#open.transaction.nonce)
      this.#open = undefined;
    if (this.#open === undefined && this.#isActive) {
      const change = this.#draw(store);
      if (change === undefined || !this.#options.isAcceptable(membersOf(change.after))) return;
      const account = addressOfSecretKey(change.key);
      const gasLimit = this.#options.schemes === undefined ? GAS_LIMIT : SCHEME_GAS_LIMIT;
      const transaction = call(change.key, nonceOf(account), change.data, gasLimit);
      this.#open = { transaction, account };
      this.#options.submitted(transaction);
      this.#options.changed(change.what);
    }
    const nodes = this.#options.nodes();
    const { transaction } = this.#open ?? {};
    if (transaction !== undefined && nodes.length > 0)
      void pick(this.#options.random, nodes).submit([transaction.raw]);
  }

  #draw(store: Store): Change | undefined {
    const { random, identities, schemes } = this.#options;
    const read = readValidatorSet(storeReader(store));
    if (!read.ok) return undefined;
    const { validators, schemeId } = read.value;
    if (schemes !== undefined && random.chance(SCHEME_STEPS, SCHEME_STEPS + 1))
      return drawSchemeChange(random, storeReader(store), read.value, schemes);
    const member = pick(random, validators);
    const identity = identityOf(member);
    switch (random.below(4)) {
      case 0: {
        const weight = between(random, 1, MAX_WEIGHT);
        const after = validators.map((one) =>
          one === member ? { ...one, weight: weight as typeof one.weight } : one,
        );
        return { key: ownerKey, data: setWeight(member.consensusKey, weight), after, what: "weight changed" };
      }
      case 1: {
        const after = validators.filter((one) => one !== member);
        return {
          key: ownerKey,
          data: removeValidator(member.consensusKey),
          after,
          what: "validator removed",
        };
      }
      case 2: {
        const absent = Array.from({ length: identities }, (_, index) => index).filter(
          (index) => !validators.some((one) => identityOf(one) === index),
        );
        if (absent.length === 0) return undefined;
        const added = candidateOf(pick(random, absent), between(random, 1, MAX_WEIGHT), schemeId);
        return {
          key: ownerKey,
          data: addValidator(added),
          after: [...validators, added],
          what: "validator added",
        };
      }
      default: {
        const used = generationOf(member.consensusKey);
        if (used + 1 >= KEY_GENERATIONS) return undefined;
        const next = simulatedConsensusKey(identity, used + 1, schemeId);
        const data = rotateConsensusKey(member.consensusKey, next);
        return { key: feeRecipientKey(identity), data, after: validators, what: "key rotated" };
      }
    }
  }
}

/** Of so many changes and one more, so many are steps of a change of scheme: it takes one of each validator. */
const SCHEME_STEPS = 4;
/** `uint128 nextSchemeId` in its low half, and where the contract counts changes and notes who is ready (ManagedValidatorSet.sol). */
const NEXT_SCHEME_SLOT = 6n;
const CHANGE_SLOT = 7n;
const READY_SLOT = 8n;
const LOW_HALF = (1n << 128n) - 1n;

/** The next step of a change of scheme: the owner begins one, or somebody hands in a key of the next. Now and then it is called off. */
function drawSchemeChange(
  random: Random,
  state: Pick<StateReader, "storage">,
  { schemeId, validators }: ValidatorSet,
  schemes: readonly number[],
): Change | undefined {
  const word = (slot: bigint): bigint => state.storage(VALIDATOR_SET_ADDRESS, slot);
  const next = Number(word(NEXT_SCHEME_SLOT) & LOW_HALF);
  if (next === 0) {
    const scheme = pick(
      random,
      schemes.filter((one) => one !== schemeId),
    );
    return { key: ownerKey, data: changeScheme(scheme), after: validators, what: "scheme change begun" };
  }
  if (random.chance(1, CALLED_OFF_ONE_IN))
    return { key: ownerKey, data: changeScheme(0), after: validators, what: "scheme change called off" };
  const unready = validators.filter(
    ({ consensusKey }) => word(readySlot(consensusKey)) !== word(CHANGE_SLOT),
  );
  if (unready.length === 0) return undefined;
  const member = pick(random, unready);
  const identity = identityOf(member);
  const key = simulatedConsensusKey(identity, random.below(KEY_GENERATIONS), next);
  const data = setNextKey(member.consensusKey, key);
  const what = unready.length === 1 ? "scheme changed" : "key of the next scheme handed in";
  return { key: feeRecipientKey(identity), data, after: validators, what };
}

const CALLED_OFF_ONE_IN = 20;

function readySlot(consensusKey: Bytes): bigint {
  return bytesToBigint(keccak256(concatBytes(keccak256(consensusKey), word(READY_SLOT))));
}

function changeScheme(schemeId: number): Bytes {
  return encodeCall("changeScheme(uint128)", [BigInt(schemeId)]);
}

function setNextKey(consensusKey: Bytes, nextKey: Bytes): Bytes {
  return encodeCall("setNextKey(bytes,bytes,bytes)", [consensusKey, nextKey, provePossession(nextKey)]);
}

/** The registrar of a network. @param candidates all who may become validators; 0: nobody changes the set. @param schemes that it changes among. */
export function registrarOf(
  network: SimulatedNetwork,
  candidates: number,
  schemes?: readonly number[],
): Registrar | undefined {
  if (candidates === 0) return undefined;
  return new Registrar({
    clock: network.clock,
    random: randomFor(network.seed, "registrar"),
    identities: candidates,
    nodes: () => network.machines.flatMap(({ node }) => (node === undefined ? [] : [node])),
    store: () => network.honest.toSorted((a, b) => b.height - a.height)[0]?.node?.store,
    isAcceptable: (members) => network.isAcceptable(members),
    submitted: ({ hash }) => network.invariants.submitted(hash),
    changed: (what) => network.strike(what),
    schemes,
  });
}

function membersOf(
  validators: readonly Validator[],
): readonly { readonly identity: number; readonly weight: number }[] {
  return validators.map((validator) => ({ identity: identityOf(validator), weight: validator.weight }));
}

/** Simulated keys name who has them, and which of its keys they are. */
function identityOf({ consensusKey }: Validator): number {
  return new DataView(consensusKey.buffer, consensusKey.byteOffset).getUint32(4);
}

function generationOf(consensusKey: Bytes): number {
  return new DataView(consensusKey.buffer, consensusKey.byteOffset).getUint32(8);
}

function call(key: Bytes, nonce: bigint, data: Bytes, gasLimit: bigint): SignedTransaction {
  return signTransaction(
    {
      type: 2,
      chainId: SIMULATED_CHAIN_ID,
      nonce,
      maxFeePerGas: MAX_FEE,
      maxPriorityFeePerGas: 1n,
      gasLimit,
      to: VALIDATOR_SET_ADDRESS,
      value: 0n,
      data,
    },
    key,
  );
}

function setWeight(consensusKey: Bytes, weight: number): Bytes {
  return encodeCall("setWeight(bytes,uint64)", [consensusKey, BigInt(weight)]);
}

function removeValidator(consensusKey: Bytes): Bytes {
  return encodeCall("removeValidator(bytes)", [consensusKey]);
}

function rotateConsensusKey(before: Bytes, next: Bytes): Bytes {
  return encodeCall("rotateConsensusKey(bytes,bytes,bytes)", [before, next, provePossession(next)]);
}

function addValidator(validator: Validator): Bytes {
  const { address, weight, port, consensusKey, proofOfPossession, transportKey, name, host } = validator;
  const account = BigInt(`0x${toHexDigits(address)}`);
  const fields = [
    account,
    BigInt(weight),
    BigInt(port),
    consensusKey,
    proofOfPossession,
    transportKey,
    utf8(name),
    utf8(host),
  ];
  const selector = selectorOf("addValidator((address,uint64,uint16,bytes,bytes,bytes,string,string))");
  // One argument, a tuple with dynamic fields: its offset, then the tuple.
  return concatBytes(selector, word(BigInt(WORD)), encodeFields(fields));
}
