import type { Address, Failure, Hash, Result } from "@ostrom/base";
import type { ChainRules, SignedTransaction } from "@ostrom/execution";
import type {
  AccessSettings,
  DropReason,
  Json,
  MiningReport,
  NodeAbout,
  OperatorCall,
  PeerReport,
  PoolContent,
  PoolStatus,
  RpcLimits,
  UnwoundBlock,
} from "@ostrom/rpc";
import type { EngineSettings } from "./installed-engine.ts";
import type { ModuleManifest } from "./module-face.ts";
import type { ProgramParts } from "./module-loading.ts";
import type { PackedBytes } from "./packed-bytes.ts";
import type { PackedResults } from "./packed-results.ts";
import type { RpcTlsFiles } from "./rpc-certificate.ts";
import type { ViewPage } from "./view-page.ts";

/** What the node asks of its JSON-RPC worker. */
export type RpcWorkerVocabulary = {
  readonly start: { readonly argument: RpcWorkerOptions; readonly answer: { readonly port: number } };
  readonly stop: { readonly argument: undefined; readonly answer: undefined };
};

export type RpcWorkerOptions = {
  readonly databasePath: string;
  /** How many blocks back the executor keeps state. */
  readonly historyBlocks: number;
  readonly engine: EngineSettings;
  readonly rules: ChainRules;
  readonly program: ProgramParts;
  /** Modules whose methods are served. */
  readonly services: readonly Pick<ModuleManifest, "name" | "service">[];
  readonly genesisHash: Hash;
  readonly clientVersion: string;
  readonly coinbase: Address;
  /** undefined on a chain that no validators order. */
  readonly epochs: { readonly epochLength: number; readonly epochLead: number } | undefined;
  /** Text of genesis without its accounts and validators, for light clients. */
  readonly genesisParameters: string;
  readonly host: string;
  readonly port: number;
  readonly about: NodeAbout;
  /** undefined: it keeps no records of views. */
  readonly views: ViewPage | undefined;
  /** undefined: plain HTTP. */
  readonly tls: RpcTlsFiles | undefined;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly access: AccessSettings;
  readonly limits: Partial<RpcLimits>;
};

/** What the JSON-RPC worker asks of the node. */
export type RpcNodeVocabulary = {
  readonly submit: { readonly argument: PackedBytes; readonly answer: PackedResults };
  readonly poolGet: { readonly argument: Hash; readonly answer: SignedTransaction | undefined };
  readonly poolStatus: { readonly argument: undefined; readonly answer: PoolStatus };
  readonly poolContent: { readonly argument: Address | undefined; readonly answer: PoolContent };
  readonly pendingNonce: { readonly argument: Address; readonly answer: bigint };
  readonly operate: { readonly argument: OperatorCall; readonly answer: Result<Json, Failure> };
  readonly peers: { readonly argument: undefined; readonly answer: readonly PeerReport[] };
};

/** What the node tells its JSON-RPC worker. */
export type RpcNodeEvents = {
  readonly block: { readonly number: number; readonly hash: Hash };
  readonly unwound: UnwoundBlock;
  /** Records of views go on there. */
  readonly views: ViewPage;
  readonly certified: { readonly number: number };
  readonly pending: { readonly hashes: PackedBytes };
  readonly dropped: readonly { readonly hash: Hash; readonly reason: DropReason }[];
  readonly network: {
    readonly peers: number;
    readonly highestBlock: number;
    /** Of a chain that is mined. */
    readonly mining?: MiningReport | undefined;
  };
};

/** What the JSON-RPC worker tells the node. */
export type RpcWorkerEvents = {
  readonly log: {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  };
};
