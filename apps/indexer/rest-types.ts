/** Shapes of the REST interface, version 1: plain types, for servers and browsers alike. All lie under `/api/v1`.
 *
 * Hashes, addresses and data are lower-case hexadecimal with 0x; amounts of any size are decimal strings in the smallest unit; heights,
 * counts, gas and times are numbers; times are seconds since 1970 (UTC) as in block headers. What is not known is null, never left out.
 * Lists come newest first, unless they say otherwise, in pages (`Page`). */

export type Hex = `0x${string}`;

/** A page of a list. `next` goes back as `?cursor=` to read what follows; null after the last. `?limit=` is 1 to 100 (25 unless told). */
export type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };

/** Every error: RFC 9457, `application/problem+json`. `code` is stable: "not-found", "bad-request", "busy", "not-ready", ... */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
};

/** GET /status: how far the index is. */
export type IndexStatus = {
  readonly chainId: number | null;
  /** Newest block in the index; null before the first. */
  readonly indexed: number | null;
  readonly indexedHash: Hex | null;
  /** Newest block of the node; null while it cannot be reached. */
  readonly head: number | null;
  /** Newest block whose internal calls are in the index; null where the node does not trace. */
  readonly traced: number | null;
  /** Whether everything up to the head is in the index. */
  readonly isCurrent: boolean;
  readonly database: "pglite" | "postgresql";
  /** What is wrong now, in words; null when all is well. */
  readonly problem: string | null;
};

/** GET /blocks, /blocks/{number or hash} */
export type RestBlock = {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: number;
  /** Who proposed it, as the header's fee recipient says. */
  readonly leader: Hex;
  readonly transactionCount: number;
  readonly failedCount: number;
  readonly gasUsed: number;
  readonly gasLimit: number;
  readonly baseFeePerGas: string | null;
  /** All that its transactions paid. */
  readonly fees: string;
  readonly size: number;
};

/** GET /transactions?block=, /transactions/{hash}, /addresses/{a}/transactions */
export type RestTransaction = {
  readonly hash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly index: number;
  readonly timestamp: number;
  readonly type: number;
  readonly from: Hex;
  readonly to: Hex | null;
  /** The contract that it made. */
  readonly created: Hex | null;
  readonly nonce: number;
  readonly value: string;
  readonly succeeded: boolean;
  readonly gasLimit: number;
  readonly gasUsed: number;
  readonly gasPrice: string;
  readonly fee: string;
  /** First four bytes of the input; null where it has fewer. */
  readonly selector: Hex | null;
  /** Name and parameter types of the function, from a verified contract's ABI; null where nobody knows. */
  readonly method: string | null;
  readonly inputBytes: number;
  readonly logCount: number;
};

/** GET /transactions/{hash}: one alone says all. */
export type RestTransactionDetail = RestTransaction & {
  readonly input: Hex;
  readonly logs: readonly RestLog[];
  readonly transfers: readonly RestTransfer[];
  /** Empty where nothing was called, null where the index has not traced the block (yet). */
  readonly internal: readonly RestInternalCall[] | null;
};

/** GET /logs?address=&topic0=, also in transactions. */
export type RestLog = {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly timestamp: number;
  /** In the block. */
  readonly logIndex: number;
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
};

export type TokenKind = "erc20" | "erc721" | "erc1155";

/** GET /addresses/{a}/transfers, /tokens/{a}/transfers */
export type RestTransfer = {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly timestamp: number;
  readonly logIndex: number;
  readonly token: Hex;
  readonly kind: TokenKind;
  /** Zero address: minted. */
  readonly from: Hex;
  /** Zero address: burnt. */
  readonly to: Hex;
  /** In the token's smallest unit; "1" of an ERC-721. */
  readonly amount: string;
  /** Of ERC-721 and ERC-1155. */
  readonly tokenId: string | null;
  readonly symbol: string | null;
  readonly decimals: number | null;
};

/** GET /addresses/{a}/internal */
export type RestInternalCall = {
  readonly blockNumber: number;
  readonly transactionHash: Hex;
  readonly timestamp: number;
  /** Place in the tree of calls: "0.2" is the third call of the first call. */
  readonly path: string;
  /** CALL, DELEGATECALL, STATICCALL, CALLCODE, CREATE, CREATE2, SELFDESTRUCT */
  readonly type: string;
  readonly from: Hex;
  readonly to: Hex | null;
  readonly value: string;
  readonly gasUsed: number;
  readonly selector: Hex | null;
  readonly error: string | null;
};

/** GET /addresses/{a}: what the index knows; balance, nonce and code are the node's to say. */
export type RestAddress = {
  readonly address: Hex;
  readonly isContract: boolean;
  readonly transactionCount: number;
  /** Whether there are more than `transactionCount`: counting stops at a limit. */
  readonly hasMoreTransactions: boolean;
  readonly firstSeen: number | null;
  readonly lastSeen: number | null;
  /** Blocks that it led. */
  readonly ledCount: number;
  readonly contract: RestContract | null;
  readonly token: RestToken | null;
};

/** GET /contracts?verified=true, /contracts/{a} */
export type RestContract = {
  readonly address: Hex;
  readonly creator: Hex | null;
  readonly creationTransaction: Hex | null;
  readonly blockNumber: number | null;
  readonly timestamp: number | null;
  readonly codeHash: Hex | null;
  /** null while nobody has shown its source. */
  readonly verified: null | {
    readonly name: string;
    readonly compiler: string;
    readonly match: SourceMatch;
    readonly verifiedAt: number;
  };
};

/** `full`: also the hash of the metadata is equal, so comments and names are what was compiled; `partial`: the code alone. */
export type SourceMatch = "full" | "partial";

/** GET /contracts/{a}/source */
export type RestSource = {
  readonly address: Hex;
  /** Fully qualified: contracts/Token.sol:Token. */
  readonly qualifiedName: string;
  readonly name: string;
  readonly compiler: string;
  readonly language: "Solidity" | "Yul";
  readonly match: SourceMatch;
  readonly verifiedAt: number;
  readonly sources: readonly { readonly path: string; readonly content: string }[];
  /** JSON ABI as the compiler gave it. */
  readonly abi: readonly unknown[];
  /** Standard JSON input's settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly constructorArguments: Hex | null;
  readonly libraries: Readonly<Record<string, Hex>>;
  /** solc's storageLayout; null where the compiler was not asked for it. */
  readonly storageLayout: unknown;
  readonly evmVersion: string | null;
};

/** GET /tokens?kind=&q=, /tokens/{a}. Lists come by number of transfers, most first. */
export type RestToken = {
  readonly address: Hex;
  readonly kind: TokenKind;
  readonly name: string | null;
  readonly symbol: string | null;
  readonly decimals: number | null;
  /** As the contract said when it was last asked; null where it does not say. */
  readonly totalSupply: string | null;
  readonly transferCount: number;
  readonly holderCount: number;
  readonly firstBlock: number;
};

/** GET /tokens/{a}/holders (largest first; `?tokenId=` one id of an ERC-1155), by the sums of transfers. */
export type RestHolder = {
  readonly holder: Hex;
  readonly amount: string;
  readonly tokenId: string | null;
};

/** GET /tokens/{a}/ids: of ERC-721 and ERC-1155, ids in ascending order. `owner` is of ERC-721. `uri` is what the contract
 * says, as text: nothing is loaded from it. */
export type RestTokenId = {
  readonly tokenId: string;
  readonly owner: Hex | null;
  readonly supply: string;
  readonly uri: string | null;
};

/** GET /addresses/{a}/tokens (by token address; each id of an NFT for itself). */
export type RestHolding = {
  readonly token: RestToken;
  readonly amount: string;
  readonly tokenId: string | null;
};

/** GET /search?q= */
export type RestSearchResult =
  | { readonly kind: "block"; readonly number: number; readonly hash: Hex }
  | { readonly kind: "transaction"; readonly hash: Hex; readonly blockNumber: number }
  | {
      readonly kind: "address";
      readonly address: Hex;
      readonly isContract: boolean;
      readonly name: string | null;
    }
  | {
      readonly kind: "token";
      readonly address: Hex;
      readonly name: string | null;
      readonly symbol: string | null;
      readonly tokenKind: TokenKind;
    };
export type RestSearch = { readonly query: string; readonly results: readonly RestSearchResult[] };

/** GET /stats/series?from=&to=&step= (seconds; step 60, 3600 or 86400), oldest first. Steps without a block are left out. */
export type RestSeriesPoint = {
  readonly time: number;
  readonly blocks: number;
  readonly transactions: number;
  readonly failed: number;
  readonly gasUsed: string;
  readonly fees: string;
  readonly transfers: number;
};
export type RestSeries = { readonly step: number; readonly points: readonly RestSeriesPoint[] };

/** GET /stats */
export type RestStats = {
  readonly blocks: number;
  readonly transactions: number;
  readonly contracts: number;
  readonly verifiedContracts: number;
  readonly tokens: number;
  readonly transfers: number;
};

/** GET /leads?from=&to= (block numbers; the last 1,000 unless told): blocks by who led them, most first. */
export type RestLead = {
  readonly leader: Hex;
  readonly blocks: number;
  readonly transactions: number;
  readonly fees: string;
};

/** GET /verification/compilers: what can be verified here. */
export type RestCompiler = { readonly version: string; readonly source: "installed" | "cache" };

/** POST /verification: verify sources. `input` is solc's standard JSON input. Answers 202 with `{id}`. */
export type VerificationRequest = {
  readonly address: Hex;
  /** v0.8.37+commit... or 0.8.37. */
  readonly compiler: string;
  /** Fully qualified, "contracts/Token.sol:Token"; left out, the contract whose code is equal is found. */
  readonly qualifiedName?: string;
  readonly input?: unknown;
  /** Instead of `input`: the metadata.json of the compiler, and its sources by path. */
  readonly metadata?: unknown;
  readonly sources?: Readonly<Record<string, string>>;
  readonly constructorArguments?: string;
};

/** GET /verification/{id} */
export type RestVerification = {
  readonly id: string;
  readonly address: Hex;
  readonly state: "pending" | "verified" | "failed";
  readonly match: SourceMatch | null;
  /** Stable: "compiler-unavailable", "compilation-failed", "no-match", "no-code", "too-large", "timeout", ... */
  readonly code: string | null;
  readonly detail: string | null;
  /** The compiler's own words. */
  readonly errors: readonly string[];
};

/** GET /signatures/{selector}: functions and errors (4 bytes) or events (32 bytes) of verified contracts that have it. */
export type RestSignatures = { readonly selector: Hex; readonly signatures: readonly string[] };

/** console.json of the console server: what a page needs to know before its first question. */
export type ConsoleDescription = {
  readonly format: 1;
  readonly chainName: string;
  readonly chainId: number;
  readonly engine: string;
  readonly genesisHash: Hex | null;
  /** Public part of genesis.json for the light client (`ostrom_getGenesis` has it too); null where it could not be read. */
  readonly genesis: unknown;
  readonly nodes: readonly {
    readonly name: string;
    /** Of this server, for POST and WebSocket: `/rpc/0`. */
    readonly path: string;
    /** Of the node itself. */
    readonly url: string;
  }[];
  readonly services: {
    readonly index: boolean;
    readonly docs: boolean;
    readonly verification: boolean;
    readonly traces: boolean;
  };
  readonly version: string;
};
