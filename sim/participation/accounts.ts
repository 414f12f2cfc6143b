import { type Address, type Bytes, hashFromWord, utf8 } from "@ostrom/base";
import { ecvrf, keccak256 } from "@ostrom/crypto";
import { addressOfSecretKey } from "@ostrom/execution";
import { feeRecipientKey } from "../genesis.ts";

// Who acts in a network with modules. Keys derive from numbers; the operator of a validator is the account that gets its fees.

const ADMINS = 50_000n;
const GUESTS = 60_000n;
const DELEGATORS = 70_000n;
const STRANGER = 80_000n;

/** Administers the organisation of a validator with this number; one more than there are validators: that of the clients. */
export function adminKey(identity: number): Bytes {
  return hashFromWord(ADMINS + BigInt(identity));
}

/** An account that the organisation of a validator lets send transactions. */
export function guestKey(identity: number): Bytes {
  return hashFromWord(GUESTS + BigInt(identity));
}

export function delegatorKey(index: number): Bytes {
  return hashFromWord(DELEGATORS + BigInt(index));
}

/** An account that nobody lets send anything. */
export const strangerKey: Bytes = hashFromWord(STRANGER);

export function operatorOf(identity: number): Address {
  return addressOf(feeRecipientKey(identity));
}

const addresses = new Map<Bytes, Address>();
const MAX_ADDRESSES = 4_096;

function addressOf(key: Bytes): Address {
  const known = addresses.get(key);
  if (known !== undefined) return known;
  const address = addressOfSecretKey(key);
  if (addresses.size < MAX_ADDRESSES) addresses.set(key, address);
  return address;
}

/** Of a validator's random function: real ones, because nothing of it is simulated. */
export type VrfKey = { readonly secret: Bytes; readonly publicKey: Bytes };

const vrfKeys = new Map<number, VrfKey>();

export function vrfKeyOf(identity: number): VrfKey {
  const known = vrfKeys.get(identity);
  if (known !== undefined) return known;
  const secret = keccak256(utf8(`random function of ${identity}`));
  const key = { secret, publicKey: ecvrf().publicKey(secret) };
  vrfKeys.set(identity, key);
  return key;
}
