import { type Bytes, concatBytes, hex, toHex, wordToBytes } from "@ostrom/base";
import type { Outcome } from "@ostrom/vm";
import type { BlockOrigin, ChainModule, SystemContext } from "./chain-module.ts";
import { describeFault } from "./fault-text.ts";
import type { ActiveModule, ModulePlan } from "./module-plan.ts";
import { readModuleSettings } from "./module-registry.ts";
import { viewOfJournal } from "./state-views.ts";
import { type SystemEnvironment, systemCall } from "./system-call.ts";

/** A block for hooks: what of it `SystemContext` tells besides state. */
export type HookEnvironment = SystemEnvironment & {
  readonly height: number;
  readonly epoch: number | undefined;
  readonly origin: BlockOrigin | undefined;
};

/** A version of a module that became active in a block. */
export type ActivationReport = {
  readonly name: string;
  readonly version: number;
  /** Why its `activate` failed: it is active all the same, without what the call would have set up. */
  readonly failure: string | undefined;
};

/** `activate(bytes settings)` */
export const ACTIVATE_SELECTOR: Bytes = hex("84f3f17f");
/** Once in the life of a version, for which a module may write down whom it begins with. */
export const ACTIVATION_GAS = 1_000_000_000n;

const WORD_BYTES = 32;

/** Makes the versions that begin in this block part of state, in the registry's order: code at their addresses, then the call. */
export function activateModules(
  environment: HookEnvironment,
  { active, height }: ModulePlan,
): readonly ActivationReport[] {
  return active
    .filter(({ activation }) => activation.height === height)
    .map((starting) => activateModule(environment, starting));
}

/** Before the block's transactions. */
export function beginBlock(environment: HookEnvironment, { active }: ModulePlan): void {
  for (const { module } of active) {
    const hook = module.beginBlock;
    if (hook !== undefined) runHook(environment, (context) => hook(context));
  }
}

/** At the frozen height, before the next set is asked for. */
export function sealEpochOfModules(
  environment: HookEnvironment,
  { active }: ModulePlan,
  nextEpoch: number,
): void {
  for (const { module } of active) {
    const hook = module.sealEpoch;
    if (hook !== undefined) runHook(environment, (context) => hook(context, nextEpoch));
  }
}

function activateModule(
  environment: HookEnvironment,
  { module, activation }: ActiveModule,
): ActivationReport {
  placeContracts(environment, module);
  const { name, version, activates } = module;
  if (activates === undefined) return { name, version, failure: undefined };
  const settings = readModuleSettings(viewOfJournal(environment.state), activation);
  const outcome = systemCall(environment, activates, encodeActivate(settings), ACTIVATION_GAS);
  return { name, version, failure: describeOutcome(outcome) };
}

/** Storage and balance stay as they are. */
function placeContracts({ state }: HookEnvironment, { contracts }: ChainModule): void {
  state.beginTransaction();
  for (const { address, code } of contracts) {
    state.setCode(address, code);
    if (state.nonce(address) === 0n) state.setNonce(address, 1n);
  }
  state.endTransaction();
}

function runHook(environment: HookEnvironment, hook: (context: SystemContext) => void): void {
  const { state, block, height, epoch, origin } = environment;
  state.beginTransaction();
  hook({
    state,
    height,
    epoch,
    origin,
    timestamp: Number(block.timestamp),
    chainId: block.chainId,
    call: (to, data, gas) => {
      // What the hook wrote stands by itself: the call is a transaction between two of the hook's.
      state.endTransaction();
      const outcome = systemCall(environment, to, data, gas);
      state.beginTransaction();
      return outcome;
    },
  });
  state.endTransaction();
}

function encodeActivate(settings: Bytes): Bytes {
  const padding = new Uint8Array((WORD_BYTES - (settings.length % WORD_BYTES)) % WORD_BYTES);
  const offset = wordToBytes(BigInt(WORD_BYTES));
  return concatBytes(ACTIVATE_SELECTOR, offset, wordToBytes(BigInt(settings.length)), settings, padding);
}

function describeOutcome({ status, fault, reason, output }: Outcome): string | undefined {
  if (status === "success") return undefined;
  return fault === undefined ? `reverted with ${toHex(output)}` : describeFault(fault, reason);
}
