import type { Random } from "@ostrom/base";

const ADDRESS = `0x${"11".repeat(20)}`;
const HASH = `0x${"22".repeat(32)}`;

/** Values that are wrong somewhere, or right where they are not expected. */
const ATOMS: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 60,
  "",
  "0x",
  "0x0",
  "0x1",
  "0x00",
  "0xzz",
  "0xffffffffffffffff",
  `0x${"f".repeat(64)}`,
  `0x${"f".repeat(65)}`,
  `0x${"ab".repeat(3_000)}`,
  ADDRESS,
  HASH,
  "latest",
  "pending",
  "earliest",
  "finalized",
  "safe",
  "nonsense",
  "newHeads",
  "logs",
  "\u0000",
  "😀",
  "__proto__",
  "constructor",
];

const KEYS: readonly string[] = [
  "from",
  "to",
  "data",
  "input",
  "gas",
  "gasPrice",
  "maxFeePerGas",
  "value",
  "nonce",
  "accessList",
  "authorizationList",
  "address",
  "topics",
  "fromBlock",
  "toBlock",
  "blockHash",
  "blockNumber",
  "storageKeys",
  "state",
  "stateDiff",
  "balance",
  "code",
  "chainId",
  "__proto__",
  "constructor",
  ADDRESS,
  HASH,
];

const MAX_DEPTH = 4;
const MAX_ENTRIES = 5;

/** A random JSON value that no client would send in earnest. */
export function junk(random: Random, depth = 0): unknown {
  const kind = depth >= MAX_DEPTH ? 0 : random.below(4);
  if (kind < 2) return ATOMS[random.below(ATOMS.length)];
  const length = random.below(MAX_ENTRIES);
  if (kind === 2) return Array.from({ length }, () => junk(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length }, () => [KEYS[random.below(KEYS.length)]!, junk(random, depth + 1)]),
  );
}
