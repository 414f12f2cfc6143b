import { type Address, err, ok, type Result, toHexDigits } from "@ostrom/base";
import type { AccountOverride, ObservedState } from "@ostrom/execution";
import { checksumAddress } from "@ostrom/rpc-schema";
import type { PrecompileSet } from "@ostrom/vm";
import { RPC_ERROR } from "./rpc-error.ts";
import type { SimulatedBlock } from "./simulate-request.ts";
import type { TraceFailure } from "./trace-port.ts";

const CODE = { movedToItself: -38022, movedTwice: -38023 } as const;

/** Writes overrides to the state, as if a transaction had. @param wiped accounts of which nothing of the storage below counts any more. */
export function applyOverrides(
  state: ObservedState,
  overrides: readonly AccountOverride[],
  wiped: Set<string>,
): void {
  state.beginTransaction();
  for (const { address, nonce, balance, code, storage, storageDiff } of overrides) {
    if (nonce !== undefined) state.setNonce(address, nonce);
    if (balance !== undefined) state.setBalance(address, balance);
    if (code !== undefined) state.setCode(address, code);
    if (storage !== undefined) {
      wiped.add(toHexDigits(address));
      for (const { slot } of state.changes().accounts.get(toHexDigits(address))?.storage ?? [])
        state.setStorage(address, slot, 0n);
    }
    for (const [slot, value] of storage ?? storageDiff ?? []) state.setStorage(address, slot, value);
  }
  state.endTransaction();
}

/** The precompiles of one block: what is overridden is none any more, what is moved answers elsewhere. */
export function movePrecompiles(
  precompiles: PrecompileSet,
  { accountOverrides, moves }: SimulatedBlock,
): Result<PrecompileSet, TraceFailure> {
  if (accountOverrides.length === 0 && moves.length === 0) return ok(precompiles);
  const known = new Set(precompiles.addresses.map(toHexDigits));
  const overridden = new Set(accountOverrides.map(({ address }) => toHexDigits(address)));
  /** By where it answers now: where it answered before. */
  const moved = new Map<string, Address>();
  const gone = new Set([...overridden].filter((key) => known.has(key)));
  for (const { from, to } of moves) {
    if (!known.has(toHexDigits(from)))
      return refuse(RPC_ERROR.server, `account ${checksumAddress(from)} is not a precompile`);
    const target = toHexDigits(to);
    if (target === toHexDigits(from))
      return refuse(CODE.movedToItself, `account ${checksumAddress(to)} is moved to itself`);
    if (overridden.has(target))
      return refuse(CODE.movedTwice, `account ${checksumAddress(to)} is already overridden`);
    moved.set(target, from);
    gone.add(toHexDigits(from));
  }
  return ok({
    // Warm are those of the rule set, wherever they answer.
    addresses: precompiles.addresses,
    call: (address, input, gasLimit) => {
      const key = toHexDigits(address);
      const origin = moved.get(key);
      if (origin !== undefined) return precompiles.call(origin, input, gasLimit);
      return gone.has(key) ? undefined : precompiles.call(address, input, gasLimit);
    },
  });
}

function refuse(rpcCode: number, message: string): Result<never, TraceFailure> {
  return err({ code: "rpc/simulation", message, rpcCode });
}
