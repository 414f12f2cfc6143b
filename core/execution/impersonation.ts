import { Address, bigintToBytes, bytesToBigint, utf8 } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { completeFields, type TransactionFields } from "./transaction.ts";
import { encodeTransaction } from "./transaction-encoding.ts";
import type { ChainRules, SignedTransaction, Transaction } from "./types.ts";

/** An impersonated transaction has this as `s` and its sender's address, with a mark before it, as `r`: canonical numbers that no key has
 * made. A chain whose rules are not a development chain's recovers some account of them that has neither coins nor a key. */
const IMPERSONATION_S: bigint = bytesToBigint(keccak256(utf8("ostrom/impersonation")).subarray(1));
const ADDRESS_BITS = 160n;
const IMPERSONATION_MARK = 1n << ADDRESS_BITS;
const ADDRESS_BYTES = 20;

/** Makes a transaction that nobody signed, in the name of any account, a contract's too. Only development chains run it.
 * @returns it in Ethereum's encoding, so that all who read blocks can read it. */
export function impersonateTransaction(fields: TransactionFields, sender: Address): SignedTransaction {
  const unsigned = completeFields(fields);
  const signature = {
    yParity: 0,
    r: IMPERSONATION_MARK + bytesToBigint(sender),
    s: IMPERSONATION_S,
  } as const;
  const raw = encodeTransaction(unsigned, signature);
  return { ...unsigned, ...signature, raw, hash: keccak256(raw), sender };
}

/** The account that a transaction without a true signature is sent in the name of; undefined if it has one, or on a chain that is not for
 * development. */
export function impersonatedSender(
  { r, s }: Pick<Transaction, "r" | "s">,
  rules: Pick<ChainRules, "development">,
): Address | undefined {
  if (rules.development === undefined || s !== IMPERSONATION_S || r >> ADDRESS_BITS !== 1n) return undefined;
  return Address(bigintToBytes(r - IMPERSONATION_MARK, ADDRESS_BYTES));
}
