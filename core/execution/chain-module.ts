import type { Address, Bytes, Hash } from "@ostrom/base";
import type { Account, JournaledState, StateReader } from "@ostrom/state";
import type { Outcome } from "@ostrom/vm";
import type { ValidatorSet } from "./validator-set.ts";

/** What a module adds to what all nodes compute alike. It is pure: no clock, no randomness, no input but its arguments. Which modules are
 * active, in which version and from which height, the chain's state says (module-registry.ts).
 * Source: protocol notes ("Modules"). */
export type ChainModule = {
  /** Lower-case letters and `-`, at most 31. Also the name of its folder in modules/. */
  readonly name: string;
  /** Goes up with every change of what it computes; a node may have several versions installed. */
  readonly version: number;
  /** `moduleCodeHash` of the module: state names it, so that two programs that call different rules by one version part at the
   * activation and not later. */
  readonly codeHash: Hash;
  /** Placed when the version becomes active: code at fixed addresses. Storage that is there already stays. */
  readonly contracts: readonly ModuleContract[];
  /** Called with `activate(bytes settings)` from the system address in the block of the activation, after the contracts are placed. */
  readonly activates?: Address | undefined;
  readonly precompiles?: readonly ModulePrecompile[] | undefined;
  /** Whether a transaction may run. Asked for each one, as of the state that its block begins with: the parent's, with the activations
   * of the block itself. Pools ask it as of the newest state; a transaction refused is not in the block, and gone.
   * @returns why not, or undefined. */
  readonly permits?:
    | ((state: ModuleState, request: PermissionRequest) => PermissionRefusal | undefined)
    | undefined;
  /** Before the transactions of each block, from the block of the activation on. Hooks may write to state at once; a write is never
   * undone. What a hook throws is a fault of the node, not a result: it must not throw for anything that transactions may do. */
  readonly beginBlock?: ((context: SystemContext) => void) | undefined;
  /** At an epoch's frozen height, after the transactions and before the next set is asked for. */
  readonly sealEpoch?: ((context: SystemContext, nextEpoch: number) => void) | undefined;
  /** The port ValidatorSets: who validates in the next epoch. Asked at the frozen height of whichever module holds the port, after all
   * `sealEpoch`. What it answers is checked like any other set (`readNextValidatorSet`): an invalid one counts as undefined.
   * @param current the set in state, of the epoch that ends.
   * @returns undefined to let the current set go on (without a leader seed). */
  readonly validatorSet?:
    | ((state: ModuleState, nextEpoch: number, current: ValidatorSet) => ModuleValidatorSet | undefined)
    | undefined;
};

export type ModuleContract = { readonly address: Address; readonly code: Bytes };

/** A pure function that contracts call by its address. */
export type ModulePrecompile = {
  readonly address: Address;
  /** Known before it runs. */
  readonly gas: (input: Bytes) => bigint;
  /** The input may lie in memory that changes later: copy what is kept or returned.
   * @returns undefined for an input that it refuses: the call fails and takes all its gas. */
  readonly run: (input: Bytes) => Bytes | undefined;
};

/** State as modules read it. */
export type ModuleState = Pick<StateReader, "storage"> & {
  readonly account: (address: Address) => Omit<Account, "storageRoot"> | undefined;
};

/** What genesis says of modules: those active from block 1, and who may schedule others and later versions. Neither: a chain without a
 * registry. */
export type GenesisModules = {
  /** undefined: nobody. Often a module's contract, such as membership's. */
  readonly authority: Address | undefined;
  /** In the order in which their hooks are called. */
  readonly active: readonly GenesisModule[];
};

/** `genesisModule` makes one of a module and its settings. */
export type GenesisModule = {
  readonly name: string;
  readonly version: number;
  readonly codeHash: Hash;
  /** Argument of `activate(bytes)`. */
  readonly settings: Bytes;
};

export type PermissionRequest = {
  readonly sender: Address;
  /** undefined: creates a contract. */
  readonly to: Address | undefined;
  readonly value: bigint;
};

export type PermissionRefusal = { readonly reason: string };

export type ModuleValidatorSet = {
  readonly set: ValidatorSet;
  /** Leaders of the next epoch are drawn by it, in place of the epoch's number alone. */
  readonly leaderSeed?: Hash | undefined;
};

/** What a module's hooks may see and change. */
export type SystemContext = {
  readonly state: JournaledState;
  readonly height: number;
  /** Of the block; undefined on mined chains. */
  readonly epoch: number | undefined;
  /** Whole seconds. */
  readonly timestamp: number;
  readonly chainId: bigint;
  /** Who took part in ordering this block; undefined on mined chains. */
  readonly origin: BlockOrigin | undefined;
  /** Calls a contract from the system address, in a transaction of its own, outside the block's gas. A call that fails changes nothing;
   * logs are lost, as those of all system calls. What the hook wrote before stays whatever the call does.
   * @param gas 30M if absent. */
  readonly call: (to: Address, data: Bytes, gas?: bigint) => Outcome;
};

/** Where a block comes from: the same for all nodes, because it is part of what was ordered. */
export type BlockOrigin = {
  readonly epoch: number;
  readonly view: number;
  /** Index of the leader in the set of its epoch. */
  readonly proposer: number;
  /** The state certificate that the block carries: whose signatures it has. */
  readonly certified:
    | { readonly epoch: number; readonly height: number; readonly signers: Bytes }
    | undefined;
};
