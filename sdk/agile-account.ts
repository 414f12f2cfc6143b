import {
  type Address,
  addressFromHex,
  type Bytes,
  EMPTY_BYTES,
  equalBytes,
  hashFromHex,
  hex,
  must,
  toHex,
} from "@ostrom/base";
import { signatureScheme } from "@ostrom/crypto";
import {
  type AccountKey,
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  addressOfKeys,
  encodeTransaction,
  type KeyAuthorization,
  signaturesGas,
  signingHash,
  transactionContext,
  type UnsignedTransaction,
} from "@ostrom/execution";
import {
  type AccessList,
  type Hex,
  hashMessage,
  hashTypedData,
  type LocalAccount,
  type TransactionSerializable,
  type TypedDataDefinition,
} from "viem";
import type { AccountSigner } from "./account-signer.ts";
import { messageDigest, signMessageDigest } from "./key-set-changes.ts";
import { isPostQuantumKey, type KeySetReader, type OnChainKeys } from "./key-sets.ts";

export type AgileAccountOptions = {
  /** The keys at hand: each signs every transaction. */
  readonly signers: readonly AccountSigner[];
  /** Default: what the signers' keys give, of which `threshold` must sign. Another one: of an account with a key set, or one that has committed
   * to the one post-quantum key at hand. */
  readonly address?: Hex;
  /** How many of the signers must sign where the keys are the account's own and no key set is on chain. Default: all. */
  readonly threshold?: number;
  /** Without it the transaction carries the keys, which is right until the account has a key set. */
  readonly keySet?: KeySetReader;
  /** Of the chain on which messages are signed. Transactions name their own. */
  readonly chainId?: number;
  /** Transactions are void so many seconds after they were signed, by the blocks' time. Default: never. */
  readonly validForSeconds?: number;
  readonly nowMs?: () => number;
};

/** An account for viem that signs transactions of type 0x60 by keys of any scheme. Give it to `createWalletClient`: `sendTransaction`,
 * `deployContract` and `writeContract` work as with any local account. */
export type AgileAccount = LocalAccount<"agile"> & {
  /** Signs for contracts that ask the account about it (ERC-1271): the account needs a key set on chain, and `chainId`. Thus messages and typed
   * data are signed, too. */
  readonly sign: (parameters: { readonly hash: Hex }) => Promise<Hex>;
};

/** What a transaction may say besides viem's own fields. */
export type AgileRequest = {
  /** Unix seconds. 0: never void. */
  readonly validUntil?: bigint;
};

export class AgileAccountError extends Error {
  override readonly name: string = "AgileAccountError";
  readonly code: "agile/foreign-key" | "agile/too-few-keys" | "agile/unsupported" | "agile/incomplete";

  constructor(code: AgileAccountError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** A key at hand, by its number in the account. */
type NumberedSigner = { readonly keyIndex: number; readonly signer: AccountSigner };

/** How the account is authorized for now. */
type Authority = Pick<AgileFields, "keySetVersion" | "threshold" | "inlineKeys"> & {
  readonly signers: readonly NumberedSigner[];
};

const NO_ECDSA_SIGNATURE = { yParity: 0, r: 0n, s: 0n } as const;
const MS_PER_SECOND = 1_000;

/** Makes an account of keys. `gas` of a transaction is what its call needs, as `eth_estimateGas` says: what the signatures cost is added to it.
 * Transactions of blobs (type 3) and delegations (type 4) are refused. Signing throws AgileAccountError, and what a signer throws.
 * @throws AgileAccountError `agile/too-few-keys`. */
export function toAgileAccount(options: AgileAccountOptions): AgileAccount {
  const { signers, threshold = signers.length } = options;
  const [first] = signers;
  if (first === undefined || threshold < 1 || threshold > signers.length)
    throw new AgileAccountError("agile/too-few-keys", `${threshold} of ${signers.length} keys cannot sign`);
  const sender =
    options.address === undefined
      ? addressOfKeys(threshold, keysOf(signers))
      : addressFromHex(options.address);
  const address = toHex(sender);
  const authority = async (): Promise<Authority> => {
    const keySet = await options.keySet?.(address);
    return keySet === undefined ? ownAuthority(signers, threshold) : keySetAuthority(signers, keySet);
  };
  const sign: AgileAccount["sign"] = async ({ hash }) => {
    const { keySetVersion, signers: numbered } = await authority();
    const { chainId } = options;
    if (keySetVersion === 0 || chainId === undefined) {
      throw new AgileAccountError(
        "agile/unsupported",
        "messages are signed by the keys that the account has on chain (ERC-1271): it needs a key set, and the chain's id",
      );
    }
    return signMessageDigest(
      messageDigest({ chainId, account: address }, keySetVersion, hex(hash)),
      numbered,
    );
  };
  return {
    address,
    publicKey: toHex(first.publicKey),
    source: "agile",
    type: "local",
    sign,
    signMessage: ({ message }) => sign({ hash: hashMessage(message) }),
    signTypedData: (typedData) => sign({ hash: hashTypedData(typedData as TypedDataDefinition) }),
    signTransaction: async (transaction) => {
      const { signers: numbered, ...keys } = await authority();
      const validUntil = validUntilOf(transaction as AgileRequest, options);
      const named = numbered.map(({ keyIndex, signer }) => unsignedAuthorization(keyIndex, signer));
      const agile = { ...keys, sender, validUntil, authorizations: named };
      const unsigned = unsignedTransaction(transaction as TransactionSerializable, agile);
      const authorizations = await signAll(numbered, signingHash(unsigned), transactionContext);
      return toHex(
        encodeTransaction({ ...unsigned, agile: { ...agile, authorizations } }, NO_ECDSA_SIGNATURE),
      );
    },
  };
}

function keysOf(signers: readonly AccountSigner[]): readonly AccountKey[] {
  return signers.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
}

function ownAuthority(signers: readonly AccountSigner[], threshold: number): Authority {
  return {
    keySetVersion: 0,
    threshold,
    inlineKeys: keysOf(signers),
    signers: signers.map((signer, keyIndex) => ({ keyIndex, signer })),
  };
}

function keySetAuthority(signers: readonly AccountSigner[], keySet: OnChainKeys): Authority {
  const counted = keySet.isBroken === true ? signers.filter(isPostQuantumKey) : signers;
  const numbered = counted.map((signer) => {
    const keyIndex = keySet.keys.findIndex(
      ({ schemeId, publicKey }) => schemeId === signer.schemeId && equalBytes(publicKey, signer.publicKey),
    );
    if (keyIndex < 0) {
      const scheme = signatureScheme(signer.schemeId)?.name;
      throw new AgileAccountError(
        "agile/foreign-key",
        `a key of ${scheme} is not (or no more) in the account's key set, version ${keySet.version}`,
      );
    }
    return { keyIndex, signer };
  });
  if (numbered.length < keySet.threshold) {
    throw new AgileAccountError(
      "agile/too-few-keys",
      `${keySet.threshold} keys of the account's key set must sign; ${numbered.length} are at hand`,
    );
  }
  return {
    keySetVersion: keySet.version,
    threshold: 0,
    inlineKeys: [],
    signers: numbered.sort((a, b) => a.keyIndex - b.keyIndex),
  };
}

/** One after another: several passkeys cannot ask the user at once. */
async function signAll(
  numbered: readonly NumberedSigner[],
  message: Bytes,
  contextOf: (schemeId: number) => Bytes,
): Promise<readonly KeyAuthorization[]> {
  const authorizations: KeyAuthorization[] = [];
  for (const { keyIndex, signer } of numbered) {
    const { schemeId } = signer;
    authorizations.push({
      keyIndex,
      schemeId,
      signature: await signer.sign(message, contextOf(schemeId)),
    });
  }
  return authorizations;
}

/** As long as a signature of the scheme can be, for its price. */
function unsignedAuthorization(keyIndex: number, { schemeId }: AccountSigner): KeyAuthorization {
  const scheme = must(signatureScheme(schemeId), "a signer's scheme is known");
  return { keyIndex, schemeId, signature: new Uint8Array(scheme.signatureLength) };
}

function validUntilOf({ validUntil }: AgileRequest, options: AgileAccountOptions): bigint {
  if (validUntil !== undefined) return validUntil;
  if (options.validForSeconds === undefined) return 0n;
  const nowMs = (options.nowMs ?? Date.now)();
  return BigInt(Math.floor(nowMs / MS_PER_SECOND) + options.validForSeconds);
}

function unsignedTransaction(transaction: TransactionSerializable, agile: AgileFields): UnsignedTransaction {
  const { chainId, gas, nonce, to, value, data } = transaction;
  if (transaction.type === "eip4844" || transaction.type === "eip7702")
    throw new AgileAccountError(
      "agile/unsupported",
      `an agile account signs no ${transaction.type} transactions`,
    );
  const maxFeePerGas = transaction.maxFeePerGas ?? transaction.gasPrice;
  if (chainId === undefined || gas === undefined || nonce === undefined || maxFeePerGas === undefined) {
    throw new AgileAccountError(
      "agile/incomplete",
      "chain id, nonce, gas and fee must be known; sendTransaction fills them in",
    );
  }
  return {
    type: AGILE_TRANSACTION_TYPE,
    chainId: BigInt(chainId),
    nonce: BigInt(nonce),
    gasLimit: gas + signaturesGas({ agile }),
    maxFeePerGas,
    maxPriorityFeePerGas: transaction.maxPriorityFeePerGas ?? maxFeePerGas,
    to: to ? addressFromHex(to) : undefined,
    value: value ?? 0n,
    data: bytesOf(data),
    accessList: (transaction.accessList ?? []).map(accessListEntry),
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizations: [],
    agile,
  };
}

function accessListEntry({ address, storageKeys }: AccessList[number]): {
  readonly address: Address;
  readonly storageKeys: UnsignedTransaction["accessList"][number]["storageKeys"];
} {
  return { address: addressFromHex(address), storageKeys: storageKeys.map((key) => hashFromHex(key)) };
}

function bytesOf(data: Hex | undefined): Bytes {
  return data === undefined ? EMPTY_BYTES : hex(data);
}
