import { type Address, equalBytes, type Hash, toHex } from "@ostrom/base";
import type {
  AccountOverride,
  BlockOverride,
  CallOutcome,
  CallRequest,
  GasEstimate,
  InstalledModules,
} from "@ostrom/execution";
import type { Account } from "@ostrom/state";
import type { LightChain } from "./chain.ts";
import { type Checkpoint, formatCheckpoint } from "./checkpoint.ts";
import { accept, attempt, type LightResult, refuse } from "./failure.ts";
import { type Disagreement, Follower } from "./follower.ts";
import { CallMemory, callLocally, estimateLocally, type LocalCall } from "./local-call.ts";
import type { LightStorage } from "./persistence.ts";
import { readCount, readFields } from "./read-json.ts";
import {
  type LogCriteria,
  type ProvedBody,
  type ProvedLog,
  type ProvedOutcome,
  type ProvedTransaction,
  pickLogs,
  proveAccounts,
  proveBodies,
  proveBody,
  proveCode,
  proveReceipt,
  proveTransaction,
} from "./reads.ts";
import { httpServer, type LightServer } from "./server.ts";
import { type Ask, askInTurn } from "./servers.ts";
import type { ProvedAccount } from "./state-proof.ts";
import { checkpointOf, type Equivocation, type Trust } from "./trust.ts";
import { type VerifiedHeader, VerifiedHeaders } from "./verified-headers.ts";

const DAY_MS = 86_400_000;
/** Shorter than any unbonding: while a set's signatures count, whoever made them can be slashed. */
export const DEFAULT_TRUSTING_PERIOD_MS: number = 14 * DAY_MS;
const DEFAULT_HEAD_REFRESH_MS = 1_000;

export type LightClientOptions = {
  /** Addresses of JSON-RPC servers, or servers. The first is asked first; with several, they watch each other. */
  readonly servers: readonly (string | LightServer)[];
  /** The value of genesis.json. This or a checkpoint must be given; with both, the client starts from the checkpoint. */
  readonly genesis?: unknown;
  readonly checkpoint?: Checkpoint | string | undefined;
  /** How long signatures of validators count who may have left since. Must be shorter than the chain's unbonding; where validators cannot
   * leave with impunity (an alliance), it may be long. 14 days unless told. */
  readonly trustingPeriodMs?: number;
  /** The newest certified block may be so old, or the servers are taken to hide newer ones. The trusting period unless told. */
  readonly maxHeadAgeMs?: number;
  /** For so long the newest head is taken as the newest without asking. A second unless told. */
  readonly headRefreshMs?: number;
  /** Milliseconds since 1970. The machine's clock unless told. */
  readonly nowMs?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  readonly storage?: LightStorage;
  /** Elliptic curves are known to be broken, from whom you trust: no certificate by BLS12-381 or SM2 counts any more, however old it says it is. Begin
   * with a checkpoint that `verifyCheckpoints` has proved. */
  readonly areCurvesBroken?: boolean;
  /** The chain's modules that this program has; a call on a chain with an active one that is not among them is refused. */
  readonly modules?: InstalledModules;
};

/** Which block: the newest verified one unless told. */
export type At = "latest" | number | Hash;

export type LightClient = {
  /** Goes on to the newest certified header. Every other method does so by itself when its head is old. */
  readonly sync: () => Promise<LightResult<VerifiedHeader>>;
  readonly header: (at?: At) => Promise<LightResult<VerifiedHeader>>;
  readonly headers: (from: number, to: number) => Promise<LightResult<readonly VerifiedHeader[]>>;
  /** undefined: proved that there is no such account. */
  readonly account: (address: Address, at?: At) => Promise<LightResult<Account | undefined>>;
  readonly proof: (
    address: Address,
    slots: readonly bigint[],
    at?: At,
  ) => Promise<LightResult<ProvedAccount>>;
  readonly storage: (address: Address, slot: bigint, at?: At) => Promise<LightResult<bigint>>;
  readonly code: (address: Address, at?: At) => Promise<LightResult<Uint8Array>>;
  readonly body: (at?: At) => Promise<LightResult<ProvedBody>>;
  /** undefined: the servers show none that is certified; only that it is there can be proved. */
  readonly transaction: (hash: Hash) => Promise<LightResult<ProvedTransaction | undefined>>;
  readonly receipt: (hash: Hash) => Promise<LightResult<ProvedOutcome | undefined>>;
  /** All logs of these blocks, both included, that match. */
  readonly logs: (
    from: number,
    to: number,
    criteria?: LogCriteria,
  ) => Promise<LightResult<readonly ProvedLog[]>>;
  readonly call: (call: LocalCall, at?: At) => Promise<LightResult<CallOutcome>>;
  readonly estimateGas: (call: LocalCall, at?: At) => Promise<LightResult<GasEstimate>>;
  readonly chain: () => Promise<LightResult<LightChain>>;
  /** One line from which another client can start. */
  readonly checkpoint: () => Promise<LightResult<string>>;
  /** Proof that validators certified two chains: from then on nothing is answered. */
  readonly equivocation: () => Equivocation | undefined;
  /** What other servers said last and could not prove. */
  readonly disagreements: () => readonly Disagreement[];
  readonly servers: readonly LightServer[];
};

export type { AccountOverride, BlockOverride, CallRequest };

/** Makes a client that believes no server: it verifies the chain of state certificates from what it is given, and everything else by
 * proofs under the headers that they certify. */
export function createLightClient(options: LightClientOptions): LightClient {
  const client = new Client(options);
  const at = <T>(
    which: At | undefined,
    use: (block: VerifiedHeader) => Promise<T>,
  ): Promise<LightResult<T>> => attempt(async () => use(await client.block(which ?? "latest")));
  return {
    sync: () => attempt(async () => headOf(await client.advance(0))),
    header: (which) => at(which, (block) => Promise.resolve(block)),
    headers: (from, to) => attempt(async () => (await client.headers(to)).range(from, to)),
    account: (address, which) =>
      at(
        which,
        async (block) => (await proveAccounts(client.ask, block, [{ address, slots: [] }]))[0]?.account,
      ),
    proof: (address, slots, which) =>
      at(which, async (block) => (await proveAccounts(client.ask, block, [{ address, slots }]))[0]!),
    storage: (address, slot, which) =>
      at(which, async (block) => {
        const [proved] = await proveAccounts(client.ask, block, [{ address, slots: [slot] }]);
        return proved?.slots[0] ?? 0n;
      }),
    code: (address, which) =>
      at(which, async (block) => {
        const [proved] = await proveAccounts(client.ask, block, [{ address, slots: [] }]);
        const codeHash = proved?.account?.codeHash;
        return codeHash === undefined ? new Uint8Array(0) : proveCode(client.ask, block, address, codeHash);
      }),
    body: (which) => at(which, (block) => proveBody(client.ask, block)),
    transaction: (hash) => attempt(() => client.uncertifiedIsAbsent(proveTransaction, hash)),
    receipt: (hash) => attempt(() => client.uncertifiedIsAbsent(proveReceipt, hash)),
    logs: (from, to, criteria = {}) =>
      attempt(async () => {
        const blocks = await (await client.headers(to)).range(from, to);
        return (await proveBodies(client.ask, blocks)).flatMap((body) => pickLogs(body, criteria));
      }),
    call: (call, which) =>
      at(which, async (block) => callLocally(await client.callGround(block, call), call)),
    estimateGas: (call, which) =>
      at(which, async (block) => estimateLocally(await client.callGround(block, call), call)),
    chain: () => attempt(async () => (await client.ready()).chain),
    checkpoint: () => attempt(() => client.checkpoint()),
    equivocation: () => client.follower.equivocation,
    disagreements: () => client.follower.disagreements,
    servers: client.servers,
  };
}

type Ready = { readonly chain: LightChain; readonly trust: Trust; readonly headers: VerifiedHeaders };

/** The client's life: one advance at a time, and what it has found. */
class Client {
  readonly servers: readonly LightServer[];
  readonly follower: Follower;
  readonly ask: Ask;
  readonly #nowMs: () => number;
  readonly #refreshMs: number;
  readonly #trustingPeriodMs: number;
  readonly #modules: InstalledModules | undefined;
  readonly #memory = new CallMemory();
  #headers: VerifiedHeaders | undefined;
  #advancedAtMs = Number.NEGATIVE_INFINITY;
  #advancing: Promise<Ready> | undefined;

  constructor(options: LightClientOptions) {
    const { fetch, genesis, checkpoint, storage, trustingPeriodMs = DEFAULT_TRUSTING_PERIOD_MS } = options;
    this.servers = options.servers.map((server) =>
      typeof server === "string" ? httpServer(server, fetch === undefined ? {} : { fetch }) : server,
    );
    this.#nowMs = options.nowMs ?? Date.now;
    this.#refreshMs = options.headRefreshMs ?? DEFAULT_HEAD_REFRESH_MS;
    this.#trustingPeriodMs = trustingPeriodMs;
    this.#modules = options.modules;
    this.ask = askInTurn(this.servers);
    this.follower = new Follower({
      servers: this.servers,
      genesis,
      checkpoint,
      storage,
      trustingPeriodMs,
      maxHeadAgeMs: options.maxHeadAgeMs ?? trustingPeriodMs,
      areCurvesBroken: options.areCurvesBroken === true,
      nowMs: this.#nowMs,
    });
  }

  ready(): Promise<Ready> {
    return this.advance(this.#refreshMs);
  }

  /** Goes on to the newest head unless that was done so short a time ago; several at once wait for one. */
  async advance(refreshMs: number): Promise<Ready> {
    const { chain, trust } = this.follower;
    const sinceMs = this.#nowMs() - this.#advancedAtMs;
    const isFresh = sinceMs >= 0 && sinceMs < refreshMs && this.follower.equivocation === undefined;
    if (isFresh && chain !== undefined && trust !== undefined && this.#headers !== undefined) {
      return { chain, trust, headers: this.#headers };
    }
    this.#advancing ??= this.#advance().finally(() => {
      this.#advancing = undefined;
    });
    return this.#advancing;
  }

  async #advance(): Promise<Ready> {
    const trust = await this.follower.advance();
    this.#advancedAtMs = this.#nowMs();
    const chain = this.follower.chain ?? refuse("light/not-available", "the chain is not known yet");
    this.#headers ??= new VerifiedHeaders({
      chain,
      ask: this.ask,
      trust: () => this.follower.trust ?? trust,
      nowMs: this.#nowMs,
      trustingPeriodMs: this.#trustingPeriodMs,
    });
    return { chain, trust, headers: this.#headers };
  }

  /** Ready to give headers up to a height, if that is certified by now. */
  async headers(height: number): Promise<VerifiedHeaders> {
    const ready = await this.ready();
    if (height <= ready.trust.head.height) return ready.headers;
    return (await this.advance(0)).headers;
  }

  async block(at: At): Promise<VerifiedHeader> {
    if (at === "latest") return headOf(await this.ready());
    if (typeof at === "number") return (await this.headers(at)).at(at);
    const ready = await this.ready();
    if (equalBytes(at, ready.trust.head.hash)) return headOf(ready);
    return this.ask([{ method: "eth_getBlockByHash", params: [toHex(at), false] }], async (answers) => {
      const answer = answers.at(0) ?? refuse("light/not-available", `no block ${toHex(at)}`);
      const height = readCount(readFields(answer, "block").number, "block number");
      const found = await (await this.headers(height)).at(height);
      if (!equalBytes(found.hash, at)) refuse("light/wrong-header", `block ${height} has another hash`);
      return found;
    });
  }

  /** Proves where a transaction is; one in a block above the head is as good as absent until that is certified. */
  async uncertifiedIsAbsent<T>(
    prove: (
      ask: Ask,
      headerAt: (height: number) => Promise<VerifiedHeader>,
      hash: Hash,
    ) => Promise<T | undefined>,
    hash: Hash,
  ): Promise<T | undefined> {
    let isAbove = false;
    const headerAt = async (height: number): Promise<VerifiedHeader> => {
      const headers = await this.headers(height);
      isAbove = height > (this.follower.trust?.head.height ?? 0);
      return headers.at(height);
    };
    await this.ready();
    const found = await attempt(() => prove(this.ask, headerAt, hash));
    return !found.ok && isAbove && found.error.code === "light/not-available" ? undefined : accept(found);
  }

  async callGround(block: VerifiedHeader, call: LocalCall): Promise<Parameters<typeof callLocally>[0]> {
    const { chain, headers } = await this.ready();
    const headerAt = (height: number): Promise<VerifiedHeader> => headers.at(height);
    const shared = { modules: this.#modules, memory: this.#memory };
    return { ...shared, rules: chain.rules, ask: this.ask, block, headerAt, hint: hintOf(call) };
  }

  async checkpoint(): Promise<string> {
    const { chain, trust } = await this.ready();
    const checkpoint =
      checkpointOf(chain, trust) ?? refuse("light/beyond-reach", "the head's epoch is not proved");
    return formatCheckpoint(checkpoint);
  }
}

function headOf({ chain, trust }: Pick<Ready, "chain" | "trust">): VerifiedHeader {
  return { header: trust.head.header, hash: trust.head.hash, hashId: chain.rules.hashId };
}

/** What a server is told of a call so that it can say what it touches. */
function hintOf({ request }: LocalCall): unknown {
  const { from, to, value, data, gas } = request;
  return {
    ...(from === undefined ? {} : { from: toHex(from) }),
    ...(to === undefined ? {} : { to: toHex(to) }),
    ...(value === undefined ? {} : { value: `0x${value.toString(16)}` }),
    ...(data === undefined ? {} : { input: toHex(data) }),
    ...(gas === undefined ? {} : { gas: `0x${gas.toString(16)}` }),
  };
}
