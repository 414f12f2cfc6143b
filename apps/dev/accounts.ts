import { createHmac, pbkdf2Sync } from "node:crypto";
import {
  type Address,
  addressFromHex,
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  toHex,
  toHexDigits,
} from "@ostrom/base";
import { SECP256K1_ORDER, secp256k1 } from "@ostrom/crypto";
import { addressOfSecretKey } from "@ostrom/execution";

/** The mnemonic that Hardhat, anvil and Ganache fund by default: everybody knows its keys. */
export const DEVELOPMENT_MNEMONIC = "test test test test test test test test test test test junk";

export type DevelopmentAccount = { readonly address: Address; readonly secretKey: Bytes };

type Node = { readonly key: Bytes; readonly chainCode: Bytes };

const HARDENED = 0x80000000;
/** m/44'/60'/0'/0: BIP-44's path of Ethereum accounts. */
const PATH = [44 + HARDENED, 60 + HARDENED, HARDENED, 0];
const SEED_ROUNDS = 2_048;
const SEED_BYTES = 64;
const KEY_BYTES = 32;
const MAX_MNEMONIC_WORDS = 24;

/** Derives accounts at m/44'/60'/0'/0/i. Sources: BIP-32, BIP-39 (without a passphrase; the words are not checked against its list), BIP-44. */
export function deriveDevelopmentAccounts(mnemonic: string, count: number): readonly DevelopmentAccount[] {
  const words = mnemonic.trim().split(/\s+/).slice(0, MAX_MNEMONIC_WORDS).join(" ").normalize("NFKD");
  const seed = pbkdf2Sync(words, "mnemonic", SEED_ROUNDS, SEED_BYTES, "sha512");
  let node = splitNode(hmac(new TextEncoder().encode("Bitcoin seed"), seed));
  for (const index of PATH) node = child(node, index);
  const parent = node;
  const publicKey = compressedPublicKey(parent.key);
  return Array.from({ length: count }, (_, index) => accountOf(child(parent, index, publicKey).key));
}

export function accountOf(secretKey: Bytes): DevelopmentAccount {
  return { secretKey, address: addressOfSecretKey(secretKey) };
}

/** Accounts that may be used by their keys, and those that are impersonated. */
export class AccountBook {
  readonly #accounts = new Map<string, DevelopmentAccount>();
  readonly #impersonated = new Set<string>();
  /** Every account can be sent from. */
  impersonatesAll = false;

  constructor(accounts: readonly DevelopmentAccount[]) {
    for (const account of accounts) this.add(account);
  }

  add(account: DevelopmentAccount): void {
    this.#accounts.set(toHexDigits(account.address), account);
  }

  get(address: Address): DevelopmentAccount | undefined {
    return this.#accounts.get(toHexDigits(address));
  }

  list(): readonly Address[] {
    return [...this.#accounts.values()].map(({ address }) => address);
  }

  impersonate(address: Address): void {
    this.#impersonated.add(toHexDigits(address));
  }

  /** @returns whether it was impersonated. */
  stopImpersonating(address: Address): boolean {
    return this.#impersonated.delete(toHexDigits(address));
  }

  isImpersonated(address: Address): boolean {
    return this.impersonatesAll || this.#impersonated.has(toHexDigits(address));
  }

  impersonated(): readonly Address[] {
    return [...this.#impersonated].map((digits) => addressFromHex(`0x${digits}`));
  }
}

function child({ key, chainCode }: Node, index: number, publicKey?: Bytes): Node {
  const number = bigintToBytes(BigInt(index), 4);
  const head =
    index >= HARDENED ? concatBytes(Uint8Array.of(0), key) : (publicKey ?? compressedPublicKey(key));
  const { key: tweak, chainCode: next } = splitNode(hmac(chainCode, concatBytes(head, number)));
  const sum = (bytesToBigint(tweak) + bytesToBigint(key)) % SECP256K1_ORDER;
  return { key: bigintToBytes(sum, KEY_BYTES), chainCode: next };
}

function splitNode(bytes: Bytes): Node {
  return { key: bytes.subarray(0, KEY_BYTES), chainCode: bytes.subarray(KEY_BYTES) };
}

function hmac(key: Bytes, data: Bytes): Bytes {
  return new Uint8Array(createHmac("sha512", key).update(data).digest());
}

function compressedPublicKey(secretKey: Bytes): Bytes {
  const full = secp256k1().publicKey(secretKey);
  const [x, y] =
    full.length === 65
      ? [full.subarray(1, 33), full.subarray(33)]
      : [full.subarray(0, 32), full.subarray(32)];
  return concatBytes(Uint8Array.of(2 + ((y.at(-1) ?? 0) & 1)), x);
}

export function secretKeyText({ secretKey }: DevelopmentAccount): string {
  return toHex(secretKey);
}
