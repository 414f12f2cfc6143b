import type { Address, Bytes, Failure, Hash, Result } from "@ostrom/base";
import type { Header } from "@ostrom/execution";
import type {
  AccountRole,
  BlockParameter,
  Heads,
  Json,
  Method,
  ObserverFilter,
  ValidatorReads,
} from "@ostrom/rpc";
import type { StateReader } from "@ostrom/state";
import type { Clock, Log } from "./ports.ts";

/** What a program knows of a module before it loads anything of it: `module.ts` in the module's folder. The program's composition root
 * (apps/cli) gives the manifests of all installed modules to the node, whose threads import what the addresses name. */
export type ModuleManifest = {
  /** As in ChainModule. Its commands are `ostrom NAME ...`, its JSON-RPC methods `NAME_...`. */
  readonly name: string;
  /** One line for `ostrom --help` and `ostrom modules`. */
  readonly summary: string;
  /** `file:` address of the entry of its chain package, which exports `chainModules: readonly ChainModule[]`: all versions installed. */
  readonly chain: string;
  /** `file:` address of the entry of its service package, which exports `serviceModule: ServiceModule`. */
  readonly service?: string | undefined;
};

/** What a module has beside the chain; every part is optional. */
export type ServiceModule = {
  /** Of the manifest. */
  readonly name: string;
  readonly commands?: readonly ModuleCommand[] | undefined;
  readonly rpc?: readonly ModuleMethod[] | undefined;
  /** Runs in a thread beside the node, validator or not, as soon as the chain's state has the module active or scheduled, until
   * `context.signal` aborts. If it rejects or resolves early it is started again, later and later; it never stops the node. */
  readonly service?: ((context: ServiceContext) => Promise<void>) | undefined;
  /** Keys of its own that a validator's machine makes: `keys/NAME.key` in the node's folder. */
  readonly keys?: readonly ModuleKey[] | undefined;
  /** What it begins with, in a genesis or by an upgrade. Errors: codes of its own, the message for the person who makes the genesis. */
  readonly settings?: ((request: ModuleSettingsRequest) => Result<ModuleSettings, Failure>) | undefined;
  /** Of a module that knows accounts and their roles. */
  readonly access?: ModuleAccess | undefined;
  /** Of a module that can be the chain's authority: how its people decide on calls. */
  readonly authority?: ModuleAuthority | undefined;
};

/** Who accounts are on a chain that has the module active, for the node's JSON-RPC server. */
export type ModuleAccess = {
  /** Roles that the account has at the node of this peer id (its raw transport key in hex digits), as of the state; none for one that nobody
   * knows, and where the module is not active. */
  readonly rolesOf: (state: StateReader, account: Address, peerId: string) => readonly AccountRole[];
  /** What the account may be shown of transactions (`ostrom_getFilteredBlocks`); undefined: nothing. Who has a list here and no role
   * besides "auditor" can read nothing else. */
  readonly filterOf: (state: StateReader, account: Address, peerId: string) => ObserverFilter | undefined;
};

/** A call of a contract. */
export type ModuleCall = { readonly to: Address; readonly data: Bytes; readonly value?: bigint | undefined };

export type ModuleAuthority = {
  /** The contract that stands in the registry as `authority`. */
  readonly address: Address;
  /** The call that one of its people sends so that the others can vote on `calls`, which run in this order, all or none.
   * @param title one line for those who vote. */
  readonly propose: (calls: readonly ModuleCall[], title: string) => ModuleCall;
  /** Calls (to be proposed with others) after which strangers may send transactions and deploy: part of `ostrom chain graduate`. */
  readonly openToAll: () => readonly ModuleCall[];
};

/** A secret of a module, kept as hex in `keys/NAME.key`, readable by its owner alone; it never leaves the machine. */
export type ModuleKey = {
  /** Lower-case letters, digits, `-`; of all modules of a program, one has it. Such as "vrf", "operator". */
  readonly name: string;
  readonly summary: string;
  /** @param entropy bytes that nobody else knows. @returns the secret. */
  readonly create: (entropy: (length: number) => Bytes) => Bytes;
  /** What others are told of it: a public key, or an account's address. */
  readonly publicPart: (secret: Bytes) => Bytes;
  /** The public part is an address: the account sends transactions by itself, and `ostrom up` and `ostrom init` give it coins for them. */
  readonly isAccount?: boolean | undefined;
};

export type ModuleSettings = {
  /** Argument of the contract's `activate(bytes)`. */
  readonly settings: Bytes;
  /** Coins (wei) that accounts have in a genesis with these settings, besides all others: such as the stakes that the module's own contract
   * holds. An upgrade of a running chain refuses them: it cannot make coins. */
  readonly balances?: readonly { readonly address: Address; readonly balance: bigint }[] | undefined;
};

/** Who begins a chain, or none where a module is added to a chain that runs. */
export type ModuleSettingsRequest = {
  readonly chainId: bigint;
  /** Of a chain that runs. A genesis cannot tell its own. */
  readonly genesisHash?: Hash | undefined;
  readonly validators: readonly ModuleParticipant[];
  /** What the person has chosen: NAME=VALUE of `--set MODULE.NAME=VALUE`. Unknown names and wrong values are errors. */
  readonly options: Readonly<Record<string, string>>;
};

/** A validator of the first set as its machine describes it. */
export type ModuleParticipant = {
  readonly name: string;
  /** Several validators may be of one organisation. */
  readonly organisation: string;
  /** DER of the organisation's certificate authority, if it has one. */
  readonly certificateAuthority?: Bytes | undefined;
  /** The account that answers for it: gets fees and rewards; its organisation's administrator. */
  readonly account: Address;
  readonly weight: number;
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  readonly transportKey: Bytes;
  readonly host: string;
  readonly port: number;
  /** Public parts of the modules' keys, by name. */
  readonly keys: Readonly<Record<string, Bytes>>;
};

/** One flag of a command: also a key of the configuration file, under the same name in camel case. */
export type Flag = {
  readonly name: string;
  readonly kind: "text" | "number" | "switch" | "list";
  readonly help: string;
  readonly placeholder?: string;
  readonly default?: string | number | boolean;
  /** What it may be, where that is a short list: for help and for the shell's completion. The command checks it itself. */
  readonly choices?: readonly string[];
};

export type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type CommandInput = {
  /** By camel-case name; what was not given has its default. */
  readonly values: Values;
  /** Words that are no flags, in order. */
  readonly positionals: readonly string[];
  /** Camel-case names of what was given, on the command line or in the configuration file. */
  readonly given: ReadonlySet<string>;
};

/** `ostrom MODULE NAME ...`. It gets `--rpc URL` and `--json` besides its own flags, and if it signs, those that choose a key
 * (`--key-file`, `--dev`) and `--no-wait`. */
export type ModuleCommand = {
  readonly name: string;
  readonly summary: string;
  /** What follows the command's name: "ADDRESS --amount COINS". */
  readonly usage: string;
  /** How many words that are no flags it takes; none unless said. */
  readonly maxPositionals?: number;
  readonly signs: boolean;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** @returns the exit code. Throws a UsageError for what a person did wrong. */
  readonly run: (input: CommandInput, terminal: ModuleTerminal) => Promise<number>;
};

/** What a command may do. */
export type ModuleTerminal = {
  /** The node that is asked. */
  readonly rpc: string;
  /** Whether to print JSON, one object a line, for programs. */
  readonly json: boolean;
  readonly print: (line: string) => void;
  /** Throws a UsageError with the node's own words. */
  readonly ask: <T>(method: string, params?: readonly unknown[]) => Promise<T>;
  /** Of the key that signs. Throws where the command does not sign. */
  readonly account: () => Promise<Address>;
  /** Signs, sends, and waits for the receipt unless told not to; a reverted transaction is an answer, not an error. */
  readonly send: (call: ModuleCall) => Promise<SentCall>;
};

export type SentCall = {
  readonly hash: string;
  /** undefined with `--no-wait`. */
  readonly outcome:
    | { readonly status: "success" | "reverted"; readonly block: number; readonly gasUsed: bigint }
    | undefined;
};

/** What a person did wrong, said in one line with what to do; the command ends with exit code 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** One JSON-RPC method, made by `defineModuleMethod`. */
export type ModuleMethod = Omit<Method, "call"> & {
  readonly call: (reads: ModuleReads, given: readonly unknown[]) => Json | Promise<Json>;
};

/** What a module's methods see of the chain: database reads in the JSON-RPC thread. */
export type ModuleReads = {
  readonly chainId: bigint;
  readonly genesisHash: Hash;
  readonly heads: () => Heads;
  readonly header: (blockNumber: number) => Header | undefined;
  /** Runs `use` on the state after a block. Throws what JSON-RPC answers where there is no such block or state. */
  readonly withState: <T>(block: BlockParameter, use: (state: StateReader, blockNumber: number) => T) => T;
  /** eth_call from the zero address. Throws "execution reverted" with the data. */
  readonly call: (to: Address, data: Bytes, block: BlockParameter) => Promise<Bytes>;
  /** Logs of a contract in a range of blocks, as eth_getLogs answers them and within its limits. Throws what it throws. */
  readonly logs: (contract: Address, fromBlock: BlockParameter, toBlock: BlockParameter) => Promise<Json>;
  /** Epochs, their sets, evidence; undefined on a chain that is mined. */
  readonly validators: ValidatorReads | undefined;
};

/** What a service has. It talks to its node by JSON-RPC alone. */
export type ServiceContext = {
  /** HTTP address of the node's JSON-RPC. */
  readonly rpcUrl: string;
  /** HTTP headers with which the node knows that it is its own service; made anew for each request. */
  readonly rpcHeaders: () => Readonly<Record<string, string>>;
  /** For what it keeps: `services/MODULE` in the node's folder. It is there. */
  readonly folder: string;
  /** The secret in `keys/NAME.key` of the node's folder; read again at each call. @returns undefined where there is none. Throws with
   * what to do if others may read it, or if it is no hex. */
  readonly readSecret: (name: string) => Bytes | undefined;
  /** Into the node's log; never secrets. */
  readonly log: Log;
  readonly clock: Clock;
  readonly genesisHash: Hash;
  readonly chainId: bigint;
  /** The node's name on the network: its raw transport key in hex digits. */
  readonly peerId: string;
  /** Public parts of the node's consensus keys, at the node's start. */
  readonly consensusKeys: readonly Bytes[];
  /** Aborts when the node stops: the service ends its work soon then. */
  readonly signal: AbortSignal;
};
