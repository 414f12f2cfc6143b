import { type Address, hashFromWord, must, ok, type Result, toHexDigits } from "@ostrom/base";
import { StateOverlay } from "@ostrom/state";
import { delegationTarget, forkPrecompiles, forkRules } from "@ostrom/vm";
import { applyAuthorizations } from "./apply-authorizations.ts";
import {
  type CallOutcome,
  callGas,
  emptyRootOf,
  forbiddenBy,
  hindranceOf,
  outcomeOf,
  type PreparedSimulation,
  prepareSimulation,
  runSimulation,
  type SimulatedRun,
  type Simulation,
  type SimulationFailure,
  stateBefore,
} from "./simulate.ts";
import type { AccessListEntry } from "./types.ts";

export type AccessListOutcome = {
  readonly accessList: readonly AccessListEntry[];
  /** Of the last run, with that list. */
  readonly outcome: CallOutcome;
};

/** A list changes what a run costs, and so what it reaches; this many runs settle all but contrived cases. */
const MAX_ROUNDS = 16;

/** eth_createAccessList: all that the transaction touches, and what it comes to when it says so beforehand (EIP-2930).
 * The sender, the recipient and what it delegates to, accounts whose authorizations are given, the coinbase and precompiles are warm
 * anyway and appear only with slots; contracts that the transaction creates are warm when they appear. geth lists the coinbase, and
 * does not list what an account that is called delegates to: its transactions are dearer.
 * Errors: those of `estimateGas`. */
export function createAccessList(simulation: Simulation): Result<AccessListOutcome, SimulationFailure> {
  const ready = prepareSimulation(simulation);
  if (!ready.ok) return ready;
  const forbidden = forbiddenBy(simulation);
  if (forbidden !== undefined) return forbidden;
  const recorder = new AccessRecorder(stateBefore(simulation), emptyRootOf(simulation));
  const warm = warmAnyway(ready.value, new AccessRecorder(stateBefore(simulation), emptyRootOf(simulation)));
  let prepared: PreparedSimulation = { ...ready.value, state: recorder };
  const gas = callGas(prepared);
  let run: SimulatedRun | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const hindrance = hindranceOf(prepared, gas);
    if (hindrance !== undefined) return hindrance;
    run = runSimulation(prepared, gas);
    const accessList = recorder.accessList(warm);
    // Records only grow, so equal sizes mean equal lists.
    if (sizeOf(accessList) === sizeOf(prepared.message.accessList)) break;
    prepared = { ...prepared, message: { ...prepared.message, accessList } };
  }
  const last = must(run, "an access list must take at least one run");
  return ok({ accessList: prepared.message.accessList, outcome: outcomeOf(last) });
}

/** @param scratch the state that the message finds, to be changed. Sources: EIP-2929, 3651, 7702. */
function warmAnyway(
  { message, block, fork, precompiles, hasKeySets }: PreparedSimulation,
  scratch: AccessRecorder,
): ReadonlySet<string> {
  const { from, to, authorizations } = message;
  const addresses = [from, block.coinbase, ...(precompiles ?? forkPrecompiles(fork)).addresses];
  if (to !== undefined) addresses.push(to);
  const warm = new Set(addresses.map(toHexDigits));
  if (!forkRules(fork).delegation) return warm;
  scratch.beginTransaction();
  scratch.setNonce(from, scratch.nonce(from) + 1n);
  applyAuthorizations(scratch, block.chainId, authorizations, hasKeySets);
  const delegate = to === undefined ? undefined : delegationTarget(scratch.code(to));
  const delegates = delegate === undefined ? [] : [toHexDigits(delegate)];
  return new Set([...warm, ...scratch.addresses(), ...delegates]);
}

function sizeOf(accessList: readonly AccessListEntry[]): number {
  return accessList.reduce((size, { storageKeys }) => size + 1 + storageKeys.length, 0);
}

/** Remembers what was warmed, also by messages that were reverted. */
class AccessRecorder extends StateOverlay {
  readonly #accessed = new Map<string, { readonly address: Address; readonly slots: Map<string, bigint> }>();
  readonly #created = new Set<string>();

  /** All that were warmed, as hexadecimal digits. */
  addresses(): Iterable<string> {
    return this.#accessed.keys();
  }

  accessList(warmAnyway: ReadonlySet<string>): AccessListEntry[] {
    const list: AccessListEntry[] = [];
    for (const [key, { address, slots }] of this.#accessed) {
      if (slots.size === 0 && (warmAnyway.has(key) || this.#created.has(key))) continue;
      list.push({ address, storageKeys: [...slots.values()].map(hashFromWord) });
    }
    return list;
  }

  override warmAddress(address: Address): boolean {
    this.#record(address);
    return super.warmAddress(address);
  }

  override warmSlot(address: Address, slot: bigint): boolean {
    this.#record(address).set(`x${slot.toString(16)}`, slot);
    return super.warmSlot(address, slot);
  }

  override markCreated(address: Address): void {
    this.#created.add(toHexDigits(address));
    super.markCreated(address);
  }

  #record(address: Address): Map<string, bigint> {
    const key = toHexDigits(address);
    const found = this.#accessed.get(key);
    if (found !== undefined) return found.slots;
    const slots = new Map<string, bigint>();
    this.#accessed.set(key, { address: address.slice() as Address, slots });
    return slots;
  }
}
