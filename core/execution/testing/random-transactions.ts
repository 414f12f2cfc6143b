import { Address, Hash, hashFromWord, type Random } from "@ostrom/base";
import { signAuthorization } from "../signature.ts";
import { signTransaction, type TransactionFields } from "../transaction.ts";
import type { AccessListEntry, SignedTransaction, TransactionType } from "../types.ts";

/** A secret key that every test may derive: number `index` from 0. */
export function testKey(index: number): Uint8Array {
  return hashFromWord(0x05_7012_0000n + BigInt(index) + 1n);
}

export function randomBigint(random: Random, bytes: number): bigint {
  return BigInt(`0x0${Buffer.from(random.bytes(random.below(bytes + 1))).toString("hex")}`);
}

function randomAccessList(random: Random): AccessListEntry[] {
  return Array.from({ length: random.below(3) }, () => ({
    address: Address(random.bytes(20)),
    storageKeys: Array.from({ length: random.below(3) }, () => Hash(random.bytes(32))),
  }));
}

/** A well-formed transaction of a type, with values all over their ranges. */
export function randomTransaction(random: Random, type: TransactionType): SignedTransaction {
  const maxFeePerGas = randomBigint(random, 12);
  const mustHaveRecipient = type === 3 || type === 4;
  const to = mustHaveRecipient || random.chance(2, 3) ? Address(random.bytes(20)) : undefined;
  const fields: TransactionFields = {
    type,
    chainId: type === 0 && random.chance(1, 3) ? undefined : 1n + randomBigint(random, 4),
    nonce: randomBigint(random, 7),
    maxFeePerGas,
    maxPriorityFeePerGas: type < 2 ? maxFeePerGas : maxFeePerGas / BigInt(1 + random.below(3)),
    gasLimit: randomBigint(random, 7),
    value: randomBigint(random, 32),
    data: random.bytes(random.below(80)),
    ...(to === undefined ? {} : { to }),
    ...(type === 0 ? {} : { accessList: randomAccessList(random) }),
    ...(type === 3
      ? { maxFeePerBlobGas: randomBigint(random, 8), blobVersionedHashes: [blobHash(random)] }
      : {}),
    ...(type === 4 ? { authorizations: [randomAuthorization(random)] } : {}),
  };
  return signTransaction(fields, testKey(random.below(50)));
}

function blobHash(random: Random): Hash {
  return Hash(Uint8Array.of(1, ...random.bytes(31)));
}

function randomAuthorization(random: Random): ReturnType<typeof signAuthorization> {
  const fields = {
    chainId: randomBigint(random, 4),
    address: Address(random.bytes(20)),
    nonce: randomBigint(random, 7),
  };
  return signAuthorization(fields, testKey(random.below(50)));
}
