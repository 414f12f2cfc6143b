import { type Address, type Bytes, type Failure, fail, type Hash, ok, type Result } from "@ostrom/base";
import type { AccountBook } from "./accounts.ts";
import type { DevelopmentChain } from "./development-chain.ts";
import { invalidInput, orThrow } from "./method-parts.ts";

/** Of one request: beyond it a developer has made a mistake. */
const MAX_BLOCKS_MINED = 10_000_000;

/** What methods of all dialects do to a chain: each is said once. */
export type Controls = {
  readonly chain: DevelopmentChain;
  readonly accounts: AccountBook;
  readonly clientVersion: string;
  readonly instanceId: string;
  readonly isMined: (transactionHash: Hash) => boolean;
  /** Begins anew with block 0. */
  readonly reset: () => Promise<void>;
  /** The whole chain, and the way back. */
  readonly dump: () => Promise<Bytes>;
  readonly load: (dump: Bytes) => Promise<void>;
};

/** Makes blocks. @param spacing seconds between each and the one before it; undefined: the clock's.
 * @param first time of the first one. */
export async function mineBlocks(
  { chain }: Controls,
  count: number,
  spacing: number | undefined,
  first?: number,
): Promise<void> {
  if (count > MAX_BLOCKS_MINED) throw invalidInput(`more than ${MAX_BLOCKS_MINED} blocks at once`);
  await chain.exclusive(async () => {
    for (let made = 0; made < count; made++) {
      const parentTimestamp = chain.maker.head.header.timestamp;
      const isSpaced = spacing !== undefined && spacing > 0 && made > 0;
      const timestamp = isSpaced ? parentTimestamp + spacing : made === 0 ? first : undefined;
      orThrow(await chain.makeBlock(timestamp));
    }
  });
}

/** @param slot and value as words. */
export function setStorage(
  { chain }: Controls,
  address: Address,
  slot: bigint,
  value: bigint,
): Promise<void> {
  // Ethereum has no account that has storage and nothing else; a development chain may.
  return chain.edit((state) => state.setStorage(address, slot, value), true);
}

export function setNonce({ chain }: Controls, address: Address, nonce: bigint): Promise<void> {
  return chain.edit((state) => state.setNonce(address, nonce));
}

export function setCode({ chain }: Controls, address: Address, code: Bytes): Promise<void> {
  return chain.edit((state) => state.setCode(address, code));
}

export function setBalance({ chain }: Controls, address: Address, balance: bigint): Promise<void> {
  return chain.edit((state) => state.setBalance(address, balance));
}

/** Errors: `dev/nonce-smaller`, `dev/has-pending`. */
export function mayRaiseNonce({ chain }: Controls, address: Address, nonce: bigint): Result<void, Failure> {
  const current = chain.nonceOf(address);
  const { pending, queued } = chain.pool.content((of) => chain.nonceOf(of), address);
  if (pending.length + queued.length > 0) {
    return fail("dev/has-pending", "Cannot set account nonce when the transaction pool is not empty");
  }
  if (nonce < current) {
    return fail(
      "dev/nonce-smaller",
      `New nonce (${nonce}) must not be smaller than the existing nonce (${current})`,
    );
  }
  return ok(undefined);
}
