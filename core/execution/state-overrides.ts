import { type Address, type Bytes, type Hash, toHexDigits, ZERO_HASH } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type Account, EMPTY_CODE_HASH, type StateReader } from "@ostrom/state";

/** Replaces parts of an account before a simulated call (geth's "state override set"). */
export type AccountOverride = {
  readonly address: Address;
  readonly nonce?: bigint;
  readonly balance?: bigint;
  readonly code?: Bytes;
  /** The account's whole storage: other slots read 0. Never together with `storageDiff`. */
  readonly storage?: readonly (readonly [slot: bigint, value: bigint])[];
  /** Some slots; others keep their values. */
  readonly storageDiff?: readonly (readonly [slot: bigint, value: bigint])[];
};

/** Stands for the root of storage that was replaced: it only has to differ from the empty one. */
const REPLACED_STORAGE_ROOT: Hash = ZERO_HASH;

type Replacement = {
  readonly override: AccountOverride;
  readonly codeHash: Hash | undefined;
  readonly slots: ReadonlyMap<string, bigint>;
};

/** A state with some accounts replaced. @param emptyRoot the storage root of accounts without storage. */
export function overrideState(
  state: StateReader,
  overrides: readonly AccountOverride[],
  emptyRoot: Hash,
): StateReader {
  if (overrides.length === 0) return state;
  const replacements = new Map<string, Replacement>();
  const codes = new Map<string, Bytes>();
  for (const override of overrides) {
    const { address, code, storage, storageDiff } = override;
    const codeHash = code === undefined ? undefined : keccak256(code);
    if (code !== undefined && codeHash !== undefined) codes.set(toHexDigits(codeHash), code);
    const slots = new Map((storage ?? storageDiff ?? []).map(([slot, value]) => [slotKey(slot), value]));
    replacements.set(toHexDigits(address), { override, codeHash, slots });
  }
  return {
    account: (address) => {
      const replacement = replacements.get(toHexDigits(address));
      const below = state.account(address);
      return replacement === undefined ? below : replaceAccount(below, replacement, emptyRoot);
    },
    storage: (address, slot) => {
      const replacement = replacements.get(toHexDigits(address));
      const value = replacement?.slots.get(slotKey(slot));
      if (value !== undefined) return value;
      return replacement?.override.storage === undefined ? state.storage(address, slot) : 0n;
    },
    code: (codeHash) => codes.get(toHexDigits(codeHash)) ?? state.code(codeHash),
  };
}

function replaceAccount(
  below: Account | undefined,
  { override, codeHash, slots }: Replacement,
  emptyRoot: Hash,
): Account {
  return {
    nonce: override.nonce ?? below?.nonce ?? 0n,
    balance: override.balance ?? below?.balance ?? 0n,
    codeHash: codeHash ?? below?.codeHash ?? EMPTY_CODE_HASH,
    storageRoot: slots.size > 0 ? REPLACED_STORAGE_ROOT : untouchedRoot(below, override, emptyRoot),
  };
}

function untouchedRoot(below: Account | undefined, override: AccountOverride, emptyRoot: Hash): Hash {
  return override.storage === undefined ? (below?.storageRoot ?? emptyRoot) : emptyRoot;
}

/** Callers choose slots, and V8 hashes a bigint by its low 64 bits only: a text cannot be aimed at one bucket. */
function slotKey(slot: bigint): string {
  return `x${slot.toString(16)}`;
}
