import { SCHEME_SECP256K1 } from "@ostrom/crypto";
import { type Fork, forkRules, SIGNATURE_BYTE_GAS, signatureGas, TRANSACTION_GAS } from "@ostrom/vm";
import type { Transaction } from "./types.ts";

const BYTES_PER_WORD = 32;

type Priced = Pick<Transaction, "to" | "data" | "accessList" | "authorizations" | "agile">;

/** The least gas limit that a transaction may have: what it pays before it runs or, from Prague on, the least it pays for
 * its call data, whichever is more. Source: EIP-7623. */
export function intrinsicGas(transaction: Priced, fork: Fork): bigint {
  const upfront = upfrontGas(transaction);
  const floor = callDataFloorGas(transaction, fork);
  if (upfront < floor) return floor;
  return upfront;
}

/** What a transaction pays before it runs.
 * Sources: Yellow Paper, section 6.2 (g_0); EIP-2028 (data), 2930 (access list), 3860 (init code), 7702 (authorizations). */
export function upfrontGas(transaction: Priced): bigint {
  const { zeros, nonZeros } = countBytes(transaction.data);
  return (
    TRANSACTION_GAS.base +
    zeros * TRANSACTION_GAS.zeroByte +
    nonZeros * TRANSACTION_GAS.nonZeroByte +
    creationGas(transaction) +
    accessListGas(transaction.accessList) +
    BigInt(transaction.authorizations.length) * TRANSACTION_GAS.newAuthorization +
    signaturesGas(transaction)
  );
}

/** What an agile transaction pays for its signatures: the measured price of each verification, and the bytes of signatures and inline keys.
 * One of secp256k1 is in the base, as it is in that of Ethereum's types. */
export function signaturesGas({ agile }: Pick<Transaction, "agile">): bigint {
  if (agile === undefined) return 0n;
  let gas = 0n;
  let bytes = 0;
  for (const { schemeId, signature } of agile.authorizations) {
    gas += signatureGas(schemeId);
    bytes += signature.length;
  }
  for (const { publicKey } of agile.inlineKeys) bytes += publicKey.length;
  const isInBase = agile.authorizations.some(({ schemeId }) => schemeId === SCHEME_SECP256K1);
  return gas - (isInBase ? signatureGas(SCHEME_SECP256K1) : 0n) + SIGNATURE_BYTE_GAS * BigInt(bytes);
}

/** The least that a transaction pays in the end, however little it ran; 0 before Prague. Source: EIP-7623. */
export function callDataFloorGas(transaction: Pick<Transaction, "data" | "agile">, fork: Fork): bigint {
  if (!forkRules(fork).callDataFloor) return 0n;
  const { zeros, nonZeros } = countBytes(transaction.data);
  const tokens = zeros + nonZeros * TRANSACTION_GAS.floorTokensOfNonZeroByte;
  return TRANSACTION_GAS.base + tokens * TRANSACTION_GAS.floorToken + signaturesGas(transaction);
}

function countBytes(data: Transaction["data"]): { readonly zeros: bigint; readonly nonZeros: bigint } {
  let zeros = 0;
  for (const byte of data) if (byte === 0) zeros++;
  return { zeros: BigInt(zeros), nonZeros: BigInt(data.length - zeros) };
}

function creationGas({ to, data }: Priced): bigint {
  if (to !== undefined) return 0n;
  const words = BigInt(Math.ceil(data.length / BYTES_PER_WORD));
  return TRANSACTION_GAS.create + TRANSACTION_GAS.initCodeWord * words;
}

function accessListGas(accessList: Transaction["accessList"]): bigint {
  let gas = 0n;
  for (const { storageKeys } of accessList) {
    gas += TRANSACTION_GAS.accessListAddress + TRANSACTION_GAS.accessListSlot * BigInt(storageKeys.length);
  }
  return gas;
}
