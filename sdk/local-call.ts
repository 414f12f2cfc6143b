import {
  type Address,
  bytesToBigint,
  equalBytes,
  type Hash,
  type Result,
  toHex,
  toHexDigits,
} from "@ostrom/base";
import {
  type AccountOverride,
  type BlockOverride,
  type CallOutcome,
  type CallRequest,
  type ChainRules,
  chainHash,
  estimateGas,
  type GasEstimate,
  type InstalledModules,
  type Simulation,
  type SimulationFailure,
  simulateCall,
} from "@ostrom/execution";
import { type Account, EMPTY_CODE_HASH, emptyTrieRoot, type StateReader } from "@ostrom/state";
import { Refusal, refuse } from "./failure.ts";
import { readAddress, readArray, readFields, readHash } from "./read-json.ts";
import { proveAccounts, proveCode, type StateQuestion } from "./reads.ts";
import type { Ask } from "./servers.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** Gas that one call may use. */
const CALL_GAS = 50_000_000n;
/** A run that misses something is begun again, so often at most, */
const MAX_ROUNDS = 256;
/** and reaches so many accounts and slots at most. */
const MAX_ACCOUNTS = 1_024;
const MAX_SLOTS = 16_384;
const MAX_KEPT_SLOTS = 65_536;
const MAX_KEPT_CODES = 512;

export type LocalCall = {
  readonly request: CallRequest;
  readonly accountOverrides?: readonly AccountOverride[];
  readonly blockOverride?: BlockOverride;
};

export type CallGround = {
  readonly rules: ChainRules;
  readonly ask: Ask;
  readonly block: VerifiedHeader;
  readonly headerAt: (height: number) => Promise<VerifiedHeader>;
  /** Of the chain's modules, those that this program has. */
  readonly modules: InstalledModules | undefined;
  readonly memory: CallMemory;
  /** The JSON that the server may look at to say beforehand what the call touches; undefined: it is not asked. */
  readonly hint: unknown;
};

/** Slots and codes that earlier calls have proved. They are named by what they are in (a storage root, a hash), so they hold for ever:
 * the registry of modules, which every call reads, is fetched once. */
export class CallMemory {
  readonly slots: Map<string, bigint> = new Map();
  readonly codes: Map<string, Uint8Array> = new Map();

  keepSlot(key: string, value: bigint): void {
    this.slots.set(key, value);
    forgetOldest(this.slots, MAX_KEPT_SLOTS);
  }

  keepCode(key: string, code: Uint8Array): void {
    this.codes.set(key, code);
    forgetOldest(this.codes, MAX_KEPT_CODES);
  }
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}

/** eth_call by this program on proved state. Refuses with `light/execution` (it cannot even start), `light/too-large`, and what proofs
 * refuse with. */
export async function callLocally(ground: CallGround, call: LocalCall): Promise<CallOutcome> {
  return runOnProvedState(ground, call, (simulation) => simulateCall(simulation));
}

/** eth_estimateGas by this program on proved state. */
export async function estimateLocally(ground: CallGround, call: LocalCall): Promise<GasEstimate> {
  return runOnProvedState(ground, call, (simulation) => estimateGas(simulation));
}

async function runOnProvedState<T>(
  ground: CallGround,
  call: LocalCall,
  run: (simulation: Simulation) => Result<T, SimulationFailure>,
): Promise<T> {
  const state = new ProvedState(ground);
  await state.fetchHinted();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    try {
      const outcome = run({
        ...call,
        rules: ground.rules,
        header: ground.block.header,
        state: state.reader,
        blockHash: state.blockHash,
        gasCap: CALL_GAS,
        modules: ground.modules,
      });
      if (!outcome.ok) refuseRun(outcome.error);
      return outcome.value;
    } catch (error) {
      if (!(error instanceof MissingState)) throw error;
      await state.fetch(error);
    }
  }
  return refuse("light/too-large", `the call needs more than ${MAX_ROUNDS} rounds of reading`);
}

function refuseRun({ code, message }: SimulationFailure): never {
  if (code === "execution/module-missing") refuse("light/module-missing", message);
  return refuse("light/execution", `${code}: ${message}`);
}

type Missing =
  | { readonly kind: "account"; readonly address: Address }
  | { readonly kind: "slot"; readonly address: Address; readonly slot: bigint }
  | { readonly kind: "code"; readonly codeHash: Hash }
  | { readonly kind: "block"; readonly number: number };

/** Ends a run that reads what is not here yet. */
class MissingState extends Error {
  override readonly name = "MissingState";
  readonly missing: Missing;
  constructor(missing: Missing) {
    super(`the run needs ${missing.kind}`);
    this.missing = missing;
  }
}

type KnownAccount = { readonly address: Address; readonly account: Account | undefined };

/** What a call has reached so far of one block's state, all of it proved. */
class ProvedState {
  readonly #ground: CallGround;
  /** The storage root of accounts without storage. */
  readonly #emptyRoot: Hash;
  readonly #accounts = new Map<string, KnownAccount>();
  /** What the runs themselves asked for: what a server hints at counts apart, or it could use up all that a call may reach. */
  #accountCount = 0;
  #slotCount = 0;
  readonly #hashes = new Map<number, Hash>();

  readonly reader: StateReader = {
    account: (address) => {
      const known = this.#accounts.get(toHexDigits(address));
      if (known === undefined)
        throw new MissingState({ kind: "account", address: address.slice() as Address });
      return known.account;
    },
    storage: (address, slot) => {
      const root = this.#storageRoot(address);
      if (root === undefined)
        throw new MissingState({ kind: "slot", address: address.slice() as Address, slot });
      if (equalBytes(root, this.#emptyRoot)) return 0n;
      const known = this.#ground.memory.slots.get(slotKey(root, slot));
      if (known === undefined) {
        throw new MissingState({ kind: "slot", address: address.slice() as Address, slot });
      }
      return known;
    },
    code: (codeHash) => {
      const known = this.#ground.memory.codes.get(toHexDigits(codeHash));
      if (known === undefined && equalBytes(codeHash, EMPTY_CODE_HASH)) return new Uint8Array(0);
      if (known === undefined) throw new MissingState({ kind: "code", codeHash });
      return known;
    },
  };

  constructor(ground: CallGround) {
    this.#ground = ground;
    this.#emptyRoot = emptyTrieRoot(chainHash(ground.block));
  }

  readonly blockHash = (number: bigint): Hash | undefined => {
    const height = Number(number);
    if (height === this.#ground.block.header.number) return this.#ground.block.hash;
    const known = this.#hashes.get(height);
    if (known === undefined) throw new MissingState({ kind: "block", number: height });
    return known;
  };

  async fetch({ missing }: MissingState): Promise<void> {
    switch (missing.kind) {
      case "account":
        this.#accountCount += 1;
        checkReach(this.#accountCount, this.#slotCount);
        return this.#prove([{ address: missing.address, slots: [] }]);
      case "slot":
        this.#slotCount += 1;
        checkReach(this.#accountCount, this.#slotCount);
        return this.#prove([{ address: missing.address, slots: [missing.slot] }]);
      case "code":
        return this.#fetchCode(missing.codeHash);
      case "block":
        this.#hashes.set(missing.number, (await this.#ground.headerAt(missing.number)).hash);
        return;
      default:
        missing satisfies never;
    }
  }

  /** Proves in one go what a server says that the call touches. It may say anything: what it leaves out is found out later. */
  async fetchHinted(): Promise<void> {
    const { hint, ask, block } = this.#ground;
    if (hint === undefined) return;
    const at = `0x${block.header.number.toString(16)}`;
    try {
      const questions = await ask([{ method: "eth_createAccessList", params: [hint, at] }], (answers) =>
        readHint(answers.at(0)),
      );
      checkReach(
        questions.length,
        questions.reduce((sum, { slots }) => sum + slots.length, 0),
      );
      await this.#prove(questions);
      const codes = [...this.#accounts.values()].flatMap(({ account }) => account?.codeHash ?? []);
      for (const codeHash of codes) await this.#fetchCode(codeHash);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  async #prove(questions: readonly StateQuestion[]): Promise<void> {
    const { ask, block, memory } = this.#ground;
    const proved = await proveAccounts(ask, block, questions);
    questions.forEach(({ address, slots: asked }, index) => {
      const { account, storageRoot, slots: values } = proved[index]!;
      this.#accounts.set(toHexDigits(address), { address, account });
      for (const [i, slot] of asked.entries()) memory.keepSlot(slotKey(storageRoot, slot), values[i]!);
    });
  }

  async #fetchCode(codeHash: Hash): Promise<void> {
    const key = toHexDigits(codeHash);
    if (equalBytes(codeHash, EMPTY_CODE_HASH) || this.#ground.memory.codes.has(key)) return;
    const owner = [...this.#accounts.values()].find(
      ({ account }) => account !== undefined && equalBytes(account.codeHash, codeHash),
    );
    if (owner === undefined)
      refuse("light/execution", `no account of the call has the code ${toHex(codeHash)}`);
    const code = await proveCode(this.#ground.ask, this.#ground.block, owner.address, codeHash);
    this.#ground.memory.keepCode(key, code);
  }

  /** undefined: the account is not proved yet. */
  #storageRoot(address: Address): Hash | undefined {
    const known = this.#accounts.get(toHexDigits(address));
    return known === undefined ? undefined : (known.account?.storageRoot ?? this.#emptyRoot);
  }
}

function checkReach(accounts: number, slots: number): void {
  if (accounts > MAX_ACCOUNTS || slots > MAX_SLOTS)
    refuse("light/too-large", `the call reaches more than ${MAX_ACCOUNTS} accounts or ${MAX_SLOTS} slots`);
}

function slotKey(storageRoot: Hash, slot: bigint): string {
  return `${toHexDigits(storageRoot)}:${slot.toString(16)}`;
}

function readHint(answer: unknown): readonly StateQuestion[] {
  const { accessList } = readFields(answer, "access list");
  return readArray(accessList, "access list", MAX_ACCOUNTS).map((entry) => {
    const fields = readFields(entry, "access list entry");
    const keys = readArray(fields.storageKeys, "storage keys", MAX_ACCOUNTS);
    return {
      address: readAddress(fields.address, "address"),
      slots: keys.map((key) => bytesToBigint(readHash(key, "storage key"))),
    };
  });
}
