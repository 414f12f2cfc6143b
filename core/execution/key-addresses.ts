import { type Address, addressFromWord, bytesToBigint, utf8 } from "@ostrom/base";

/** The contract that holds the key sets of accounts (languages/solidity/keys/KeySets.sol). */
export const KEY_SETS_ADDRESS: Address = asciiAddress("keysets");
/** What accounts delegate to whose key set does not accept their own secp256k1 key alone (KeyedAccount.sol). */
export const KEYED_ACCOUNT_ADDRESS: Address = asciiAddress("keyacct");
/** Answers 1 if post-quantum keys have authorized the transaction, else 0. KeySets asks it. */
export const AUTHORIZATION_ADDRESS: Address = asciiAddress("auth");

/** Zeros, then the letters. */
function asciiAddress(letters: string): Address {
  return addressFromWord(bytesToBigint(utf8(letters)));
}
