import {
  type Address,
  type Bytes,
  fromHex,
  hashFromWord,
  toHex,
  unwrap,
  Weight,
  wordToBytes,
} from "@ostrom/base";
import { keccak256, SCHEME_BLS12381, writeSigners } from "@ostrom/crypto";
import {
  ACTIVATION_GAS,
  type BlockOrigin,
  MODULE_REGISTRY_ADDRESS,
  moduleNameBytes,
  STAKING_ADDRESS,
  SYSTEM_ADDRESS,
  type SystemContext,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  viewOfJournal,
} from "@ostrom/execution";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, executeMessage, type Outcome } from "@ostrom/vm";
import { type Abi, decodeErrorResult, decodeFunctionResult, encodeFunctionData, parseAbi } from "viem";
import { validatorSetStorage } from "../../../../core/execution/validator-set.ts";
import { beginStakingBlock } from "../participation.ts";
import { sealStakingEpoch } from "../seal-epoch.ts";
import { encodeStakingSettings, type InitialValidator, type StakingSettings } from "../settings.ts";
import { STAKING_ABI } from "../staking-abi.ts";
import { STAKING_CODE } from "../staking-code.ts";
import { stakingValidatorSet } from "../staking-set.ts";
import {
  CHAIN_ID,
  FAKE_PROOF,
  GENESIS_HASH,
  type Person,
  PLAYED_PRECOMPILES,
  person,
  registrationOf,
} from "./played-keys.ts";

export const ABI: Abi = parseAbi(STAKING_ABI);
export const COIN: bigint = 10n ** 18n;

export const TEST_SETTINGS: StakingSettings = {
  expectedSeats: 200,
  minValidators: 2,
  maxValidators: 10,
  minRevealedPercent: 50,
  slashPercent: 10,
  unbondingEpochs: 4,
  jailEpochs: 2,
  evidenceEpochs: 3,
  fullRewardSeconds: 0,
  minStake: 10n * COIN,
  minDelegation: COIN,
  epochReward: 7n * COIN,
};

const REGISTRY_HOLDER_SLOT = 3n;
const GAS = 5_000_000n;

export type ChainOptions = {
  readonly settings?: Partial<StakingSettings>;
  readonly initial?: readonly InitialValidator[];
  /** Staking holds the port from the beginning, and its initial validators are the first set. */
  readonly holdsPort?: boolean;
  readonly epochLength?: number;
};

/** What happened at the end of an epoch. */
export type Sealed = { readonly validators: readonly Validator[] | undefined };

/** The module on core's engine, block by block, with nothing else around it: the port, the registry and consensus are played here. */
export class StakingChain {
  readonly state: StateOverlay = new StateOverlay(new MemoryState());
  readonly epochLength: number;
  readonly settings: StakingSettings;
  /** The set in force and the one in state: the same until the next one is decided. */
  validators: readonly Validator[] = [];
  nextValidators: readonly Validator[] = [];
  holdsPort: boolean;
  height = 0;
  timestamp = 1_700_000_000;
  /** Of every call so far. */
  gasUsed = 0n;
  #certifiedHeight = 0;

  constructor(options: ChainOptions = {}) {
    const { initial = [], holdsPort = initial.length > 0, epochLength = 20 } = options;
    this.settings = { ...TEST_SETTINGS, ...options.settings };
    this.epochLength = epochLength;
    this.holdsPort = holdsPort;
    this.state.beginTransaction();
    this.state.setCode(STAKING_ADDRESS, STAKING_CODE);
    this.state.setNonce(STAKING_ADDRESS, 1n);
    for (const { operator, stake, isGranted } of initial) {
      if (!isGranted) this.state.setBalance(operator, stake);
    }
    this.state.endTransaction();
    this.writeHolder();
    this.validators = initial.map((validator) => ({
      ...validator,
      address: validator.operator,
      weight: Weight(Number(validator.stake / COIN)),
    }));
    this.nextValidators = this.validators;
    this.#writeSet();
    this.height = 1;
    const settings = encodeStakingSettings({ ...this.settings }, initial);
    const { status, output } = this.system("activate", [toHex(settings)], ACTIVATION_GAS);
    if (status !== "success") throw new Error(`activate failed: ${this.#errorOf(output)}`);
    this.height = 0;
    this.beginBlock();
  }

  get epoch(): number {
    return Math.floor((this.height - 1) / this.epochLength);
  }

  /** Whether this block decides the next set. */
  get isFrozenHeight(): boolean {
    return this.height === (this.epoch + 1) * this.epochLength - Math.floor(this.epochLength / 4);
  }

  /** Begins the next block. @param signers all of the set's if absent. @param proposer by turns if absent. */
  beginBlock(signers?: readonly number[], proposer?: number): void {
    this.height++;
    this.timestamp++;
    if (this.height > 1 && (this.height - 1) % this.epochLength === 0) this.validators = this.nextValidators;
    const count = this.validators.length;
    const origin: BlockOrigin | undefined =
      count === 0
        ? undefined
        : {
            epoch: this.epoch,
            view: this.height,
            proposer: proposer ?? this.height % count,
            certified: this.#certified(signers ?? Array.from({ length: count }, (_, index) => index)),
          };
    this.state.beginTransaction();
    beginStakingBlock(this.context(origin));
    this.state.endTransaction();
  }

  /** Ends the block; at the frozen height with the decision. */
  endBlock(): Sealed | undefined {
    if (!this.isFrozenHeight) return undefined;
    this.state.beginTransaction();
    sealStakingEpoch(this.context(undefined), this.epoch + 1);
    this.state.endTransaction();
    const answer = stakingValidatorSet(viewOfJournal(this.state), this.epoch + 1);
    if (this.holdsPort && answer !== undefined) this.nextValidators = answer.set.validators;
    this.#writeSet();
    return { validators: answer?.set.validators };
  }

  /** One whole block. */
  block(signers?: readonly number[], proposer?: number): Sealed | undefined {
    const sealed = this.endBlock();
    this.beginBlock(signers, proposer);
    return sealed;
  }

  /** Blocks until the first one of the next epoch. @returns what was decided on the way, if it was not before. */
  nextEpoch(signers?: readonly number[], proposer?: number): Sealed {
    const { epoch } = this;
    let decided: Sealed | undefined;
    while (this.epoch === epoch) decided = this.block(signers, proposer) ?? decided;
    return decided ?? { validators: undefined };
  }

  /** Everybody who can reveals. */
  revealAll(except: readonly number[] = []): void {
    const count = Number(this.ask("stakerCount"));
    for (let id = 1; id <= count; id++) {
      if (!except.includes(id)) this.send(person(999), "reveal", [BigInt(id), toHex(FAKE_PROOF)]);
    }
  }

  fund({ address }: Person, amount: bigint): void {
    this.state.beginTransaction();
    this.state.setBalance(address, this.state.balance(address) + amount);
    this.state.endTransaction();
  }

  /** A transaction. Its fee is not charged. @returns "done", or the name of the error that it reverts with. */
  send(who: Person, functionName: string, args: readonly unknown[] = [], value = 0n): string {
    return this.sendTo(STAKING_ADDRESS, who, functionName, args, value);
  }

  /** The same call data to another contract. */
  sendTo(
    to: Address,
    { address }: Person,
    functionName: string,
    args: readonly unknown[] = [],
    value = 0n,
  ): string {
    const data = unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args })));
    const outcome = this.#execute(address, data, value, GAS, to);
    this.gasUsed += GAS - outcome.gasLeft;
    return outcome.status === "success" ? "done" : this.#errorOf(outcome.output);
  }

  register(index: number, stake: bigint, changes: Record<string, unknown> = {}, displaced = 0n): string {
    this.fund(person(index), stake);
    const added = { ...registrationOf(index), ...changes };
    return this.send(person(index), "register", [added, displaced], stake);
  }

  ask(functionName: string, args: readonly unknown[] = []): unknown {
    const data = unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args })));
    const { status, output } = this.#execute(person(998).address, data, 0n, ACTIVATION_GAS);
    if (status !== "success") return this.#errorOf(output);
    return decodeFunctionResult({ abi: ABI, functionName, data: toHex(output) });
  }

  system(functionName: string, args: readonly unknown[], gas: bigint): Outcome {
    return this.#execute(
      SYSTEM_ADDRESS,
      unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args }))),
      0n,
      gas,
    );
  }

  /** Changes settings, as a scheduled activation does. */
  activate(changes: Partial<StakingSettings>): string {
    const settings = encodeStakingSettings({ ...this.settings, ...changes });
    const { status, output } = this.system("activate", [toHex(settings)], ACTIVATION_GAS);
    return status === "success" ? "done" : this.#errorOf(output);
  }

  balance({ address }: Person): bigint {
    return this.state.balance(address);
  }

  held(): bigint {
    return this.state.balance(STAKING_ADDRESS);
  }

  /** The port, in the registry. */
  writeHolder(): void {
    const holder = moduleNameBytes(this.holdsPort ? "staking" : "membership");
    this.state.beginTransaction();
    this.state.setNonce(MODULE_REGISTRY_ADDRESS, 1n);
    this.state.setStorage(MODULE_REGISTRY_ADDRESS, REGISTRY_HOLDER_SLOT, BigInt(toHex(holder)));
    this.state.endTransaction();
  }

  context(origin: BlockOrigin | undefined): SystemContext {
    return {
      state: this.state,
      height: this.height,
      epoch: this.epoch,
      timestamp: this.timestamp,
      chainId: CHAIN_ID,
      origin,
      call: (to, data, gas) => {
        this.state.endTransaction();
        const outcome = this.#execute(SYSTEM_ADDRESS, data, 0n, gas ?? 30_000_000n, to);
        this.state.beginTransaction();
        return outcome;
      },
    };
  }

  #certified(signers: readonly number[]): BlockOrigin["certified"] {
    const height = this.height - 1;
    if (height === 0 || height === this.#certifiedHeight) return undefined;
    this.#certifiedHeight = height;
    const epoch = Math.floor((height - 1) / this.epochLength);
    const count = this.validators.length;
    return {
      epoch,
      height,
      signers: writeSigners(
        count,
        signers.filter((index) => index < count),
      ),
    };
  }

  #execute(caller: Address, data: Bytes, value: bigint, gas: bigint, to: Address = STAKING_ADDRESS): Outcome {
    const { state } = this;
    state.beginTransaction();
    const transaction = { origin: caller, gasPrice: 0n, blobVersionedHashes: [] };
    const context = {
      fork: "osaka" as const,
      block: this.#block(),
      transaction,
      state,
      precompiles: PLAYED_PRECOMPILES,
    };
    const outcome = executeMessage(context, { caller, to, value, data, gas });
    state.endTransaction();
    return outcome;
  }

  #block(): BlockContext {
    return {
      number: BigInt(this.height),
      timestamp: BigInt(this.timestamp),
      coinbase: person(997).address,
      gasLimit: 100_000_000n,
      baseFeePerGas: 0n,
      prevRandao: keccak256(wordToBytes(BigInt(this.height))),
      blobBaseFee: 1n,
      chainId: CHAIN_ID,
      blockHash: (number) => (number === 0n ? hashFromWord(BigInt(toHex(GENESIS_HASH))) : undefined),
    };
  }

  #errorOf(output: Bytes): string {
    return output.length === 0 ? "failed" : decodeErrorResult({ abi: ABI, data: toHex(output) }).errorName;
  }

  /** As core/execution/validator-set.ts has it. */
  #writeSet(): void {
    const { state, nextValidators } = this;
    state.beginTransaction();
    state.setNonce(VALIDATOR_SET_ADDRESS, 1n);
    const set = { schemeId: SCHEME_BLS12381, validators: nextValidators };
    for (const { slot, value } of validatorSetStorage(set)) {
      state.setStorage(VALIDATOR_SET_ADDRESS, slot, value);
    }
    state.endTransaction();
  }
}
