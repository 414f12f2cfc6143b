import { type Address, type Bytes, type Failure, fail, type Hash, ok, type Result } from "@ostrom/base";
import type { AccountBook } from "./accounts.ts";
import type { DevelopmentChain } from "./development-chain.ts";
import { invalidInput, orThrow } from "./method-parts.ts";

/** Of one request: Hardhat's own tests ask for 2^32. */
const MAX_BLOCKS_MINED = 2 ** 40;
/** More empty blocks than this at once are not made before somebody reads them. */
const MAX_REAL_BLOCKS = 1_000;
/** So many of them are: BLOCKHASH reaches this far back. */
const NEWEST_REAL_BLOCKS = 256;
const MS_PER_SECOND = 1_000;

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

/** Makes blocks. Of very many, those between the first and the newest ones are made when somebody reads them.
 * @param spacing seconds between each and the one before it; undefined: the clock's. @param first time of the first one. */
export async function mineBlocks(
  { chain }: Controls,
  count: number,
  spacing: number | undefined,
  first?: number,
): Promise<void> {
  if (count > MAX_BLOCKS_MINED) throw invalidInput(`more than ${MAX_BLOCKS_MINED} blocks at once`);
  const apart = spacing === undefined || spacing === 0 ? undefined : spacing;
  const seconds = apart ?? chain.engine.timestampInterval ?? 1;
  if (!Number.isSafeInteger(chain.maker.head.header.timestamp + count * seconds * MS_PER_SECOND)) {
    throw invalidInput(`${count} blocks, ${seconds} seconds apart, end after all time`);
  }
  await chain.exclusive(async () => {
    let made = 0;
    const make = async (isFirst: boolean): Promise<boolean> => {
      const { timestamp } = chain.maker.head.header;
      const asked = isFirst ? first : apart === undefined ? undefined : timestamp + apart;
      made += 1;
      return orThrow(await chain.makeBlock(asked)).transactions.length === 0;
    };
    let isEmpty = count > 0 && (await make(true));
    while (made < count && !(isEmpty && count - made > MAX_REAL_BLOCKS)) isEmpty = await make(false);
    if (made < count) {
      const reserved = count - made - NEWEST_REAL_BLOCKS;
      await chain.maker.reserve(reserved, seconds);
      made += reserved;
    }
    while (made < count) await make(false);
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
  chain.console.look(code);
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
