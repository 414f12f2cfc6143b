import { Address, type Bytes, concatBytes, type Hash } from "@ostrom/base";
import { encodeRlp, rlpUint } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";

const ADDRESS_OFFSET_IN_HASH = 12;
const CREATE2_PREFIX = Uint8Array.of(0xff);

/** Where CREATE, or a transaction without a recipient, puts a contract.
 * @param nonce the creator's, before the creation raises it.
 * Source: Yellow Paper, section 7. */
export function createAddress(creator: Address, nonce: bigint): Address {
  return addressInHash(keccak256(encodeRlp([creator, rlpUint(nonce)])));
}

/** Where CREATE2 puts a contract.
 * @param salt 32 bytes.
 * Source: EIP-1014. */
export function create2Address(creator: Address, salt: Bytes, initCode: Bytes): Address {
  return addressInHash(keccak256(concatBytes(CREATE2_PREFIX, creator, salt, keccak256(initCode))));
}

function addressInHash(hash: Hash): Address {
  return Address(hash.slice(ADDRESS_OFFSET_IN_HASH));
}
