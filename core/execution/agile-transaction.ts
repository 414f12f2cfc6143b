import {
  Address,
  type Bytes,
  equalBytes,
  type Failure,
  type Hash,
  must,
  ok,
  type Result,
  toHexDigits,
} from "@ostrom/base";
import { RlpError, type RlpItem, readRlpBytes, readRlpCount, readRlpList, readRlpUint } from "@ostrom/codec";
import { isSignatureLength, signatureEngine } from "@ostrom/crypto";
import {
  accountScheme,
  addressOfKeys,
  isAuthorizedBy,
  isPostQuantumScheme,
  MAX_AUTHORIZATIONS,
  MAX_KEYS,
  transactionContext,
} from "./account-keys.ts";
import type { AccountKey, AgileFields, KeyAuthorization } from "./types.ts";

export type AgileErrorCode = "transaction/invalid-keys" | "transaction/invalid-authorizations";

type AgileFailure = Failure<AgileErrorCode>;

const UINT64_BYTES = 8;
/** More would not fit a key set's record. */
const MAX_KEY_SET_VERSION = 2 ** 32 - 1;

/** Reads the last six items of an agile transaction and checks all that needs neither state nor signatures: caps, known schemes, exact lengths,
 * the order of authorizations, that inline keys are distinct, enough of them sign, and the sender is theirs (below).
 * Throws RlpError for another shape. Errors: `transaction/invalid-keys`, `transaction/invalid-authorizations`. */
export function readAgileFields(items: readonly (RlpItem | undefined)[]): Result<AgileFields, AgileFailure> {
  const [sender, keySetVersion, validUntil, threshold, inlineKeys, authorizations] = items;
  const fields: AgileFields = {
    sender: Address(readRlpBytes(sender, "sender", 20)),
    keySetVersion: readRlpCount(keySetVersion, "key set version"),
    validUntil: readRlpUint(validUntil, "valid until", UINT64_BYTES),
    threshold: readRlpCount(threshold, "threshold"),
    inlineKeys: readCapped(inlineKeys, "inline keys", MAX_KEYS).map(readKey),
    authorizations: readCapped(authorizations, "authorizations", MAX_AUTHORIZATIONS).map(readAuthorization),
  };
  const wrong = checkKeys(fields) ?? checkAuthorizations(fields);
  return wrong === undefined ? ok(fields) : { ok: false, error: wrong };
}

/** Whether all signatures of inline keys are valid; true where there are no inline keys, since the keys are in state then.
 * @param message what the keys sign (`signingHash`). */
export function hasValidInlineSignatures(
  { inlineKeys, authorizations }: AgileFields,
  message: Hash,
): boolean {
  if (inlineKeys.length === 0) return true;
  return authorizations.every((authorization) => {
    const key = inlineKeys[authorization.keyIndex];
    return key !== undefined && isAuthorizedBy(key, message, authorization);
  });
}

/** A key that signs a transaction. */
export type KeySigner = {
  readonly keyIndex: number;
  readonly schemeId: number;
  readonly secretKey: Bytes;
};

/** The signatures of an agile transaction. @param message names who signs: it must be of these keys, in this order. */
export function signWithKeys(message: Hash, signers: readonly KeySigner[]): readonly KeyAuthorization[] {
  return signers.map(({ keyIndex, schemeId, secretKey }) => {
    const engine = must(signatureEngine(schemeId), "a signer's scheme must have an engine");
    return { keyIndex, schemeId, signature: engine.sign(secretKey, message, transactionContext(schemeId)) };
  });
}

function checkKeys({ sender, keySetVersion, threshold, inlineKeys }: AgileFields): AgileFailure | undefined {
  if (inlineKeys.length === 0) {
    if (threshold !== 0) return invalidKeys("a threshold without inline keys");
    if (keySetVersion === 0 || keySetVersion > MAX_KEY_SET_VERSION)
      return invalidKeys(`there is no key set of version ${keySetVersion}`);
    return undefined;
  }
  if (keySetVersion !== 0) return invalidKeys("inline keys beside a key set");
  if (threshold < 1 || threshold > inlineKeys.length)
    return invalidKeys(`a threshold of ${threshold} of ${inlineKeys.length} keys`);
  for (const { schemeId, publicKey } of inlineKeys) {
    const scheme = accountScheme(schemeId);
    if (scheme === undefined) return invalidKeys(`unknown algorithm ${schemeId}`);
    if (publicKey.length !== scheme.publicKeyLength)
      return invalidKeys(
        `a public key of ${publicKey.length} bytes; those of ${scheme.name} have ${scheme.publicKeyLength}`,
      );
  }
  if (inlineKeys.length > 1) {
    const distinct = new Set(
      inlineKeys.map(({ schemeId, publicKey }) => `${schemeId}/${toHexDigits(publicKey)}`),
    );
    if (distinct.size < inlineKeys.length) return invalidKeys("the same key twice");
  }
  // A post-quantum key that the sender has committed to is not the one that its address is of; whether it is, state says.
  const [only] = inlineKeys;
  if (inlineKeys.length === 1 && only !== undefined && isPostQuantumScheme(only.schemeId)) return undefined;
  return equalBytes(addressOfKeys(threshold, inlineKeys), sender)
    ? undefined
    : invalidKeys("the sender's address is not that of the inline keys");
}

function checkAuthorizations({
  threshold,
  inlineKeys,
  authorizations,
}: AgileFields): AgileFailure | undefined {
  if (authorizations.length < Math.max(1, threshold))
    return invalidAuthorizations(
      `${authorizations.length} authorizations, ${Math.max(1, threshold)} are needed`,
    );
  let previous = -1;
  for (const { keyIndex, schemeId, signature } of authorizations) {
    if (keyIndex <= previous) return invalidAuthorizations("key indices must ascend");
    if (keyIndex >= (inlineKeys.length === 0 ? MAX_KEYS : inlineKeys.length))
      return invalidAuthorizations(`there is no key ${keyIndex}`);
    const key = inlineKeys[keyIndex];
    if (key !== undefined && key.schemeId !== schemeId)
      return invalidAuthorizations(`key ${keyIndex} is of another algorithm than its signature`);
    const scheme = accountScheme(schemeId);
    if (scheme === undefined) return invalidAuthorizations(`unknown algorithm ${schemeId}`);
    if (!isSignatureLength(scheme, signature.length))
      return invalidAuthorizations(
        `a signature of ${signature.length} bytes; ${scheme.name} has ${scheme.signatureLength}`,
      );
    previous = keyIndex;
  }
  return undefined;
}

function readCapped(item: RlpItem | undefined, what: string, most: number): readonly RlpItem[] {
  const list = readRlpList(item, what);
  if (list.length > most)
    throw new RlpError("rlp/wrong-shape", `${what}: at most ${most}, found ${list.length}`);
  return list;
}

function readKey(item: RlpItem): AccountKey {
  const [schemeId, publicKey] = readRlpList(item, "inline key", 2);
  return { schemeId: readRlpCount(schemeId, "algorithm"), publicKey: readRlpBytes(publicKey, "public key") };
}

function readAuthorization(item: RlpItem): KeyAuthorization {
  const [keyIndex, schemeId, signature] = readRlpList(item, "authorization", 3);
  return {
    keyIndex: readRlpCount(keyIndex, "key index"),
    schemeId: readRlpCount(schemeId, "algorithm"),
    signature: readRlpBytes(signature, "signature"),
  };
}

function invalidKeys(message: string): AgileFailure {
  return { code: "transaction/invalid-keys", message };
}

function invalidAuthorizations(message: string): AgileFailure {
  return { code: "transaction/invalid-authorizations", message };
}
