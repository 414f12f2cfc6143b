import {
  addressFromHex,
  type Bytes,
  bigintToBytes,
  concatBytes,
  hex,
  padLeft,
  toHex,
  utf8,
} from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import { type AccountKey, keyHash } from "@ostrom/execution";
import { encodeAbiParameters, type Hex } from "viem";
import type { AccountSigner } from "./account-signer.ts";
import {
  encodeKeySetsCall,
  type KeySetPlan,
  keyArgument,
  keySetContext,
  newSetArgument,
} from "./key-sets.ts";

// What changes an account's keys: the call data of transactions to KEY_SETS_CONTRACT, with the signatures that KeySets asks for. What is signed is
// computed here, never asked from a server.

/** Whose keys change, on which chain. */
export type KeyOwner = { readonly chainId: number | bigint; readonly account: Hex };

/** A plan, with a signer of each of its keys in their order. */
export type SignedPlan = Omit<KeySetPlan, "keys"> & { readonly signers: readonly AccountSigner[] };

/** A guardian's approval of a proposal. */
export type Approval = {
  readonly guardian: AccountSigner;
  /** The proposal's: one more than there were. */
  readonly proposal: number;
};

const WORD_BYTES = 32;
const NEW_SET = [
  {
    type: "tuple",
    components: [
      { name: "threshold", type: "uint8" },
      {
        name: "keys",
        type: "tuple[]",
        components: [
          { name: "schemeId", type: "uint8" },
          { name: "publicKey", type: "bytes" },
        ],
      },
      { name: "timelock", type: "uint32" },
      {
        name: "guardian",
        type: "tuple",
        components: [
          { name: "schemeId", type: "uint8" },
          { name: "publicKey", type: "bytes" },
        ],
      },
    ],
  },
] as const;
const AUTHORIZATIONS = [
  {
    type: "tuple[]",
    components: [
      { name: "keyIndex", type: "uint8" },
      { name: "signature", type: "bytes" },
    ],
  },
] as const;

/** Gives an account its first keys; the account itself sends it. @param version one more than its newest. */
export async function enrollmentCall(owner: KeyOwner, version: number, plan: SignedPlan): Promise<Hex> {
  const { set, signatures } = await provePossession(owner, version, plan);
  return encodeKeySetsCall("enroll", [newSetArgument(set), signatures]);
}

/** Proposes other keys; the account itself sends it, and `applyCall` puts them in force when the timelock has passed.
 * @param version one more than its newest. */
export async function proposalCall(
  owner: KeyOwner,
  version: number,
  plan: SignedPlan,
  approval?: Approval,
): Promise<Hex> {
  const { set, signatures } = await provePossession(owner, version, plan);
  const approved =
    approval === undefined
      ? "0x"
      : await signDigest(
          approval.guardian,
          digestOf("ostrom/keyset-approval/1", owner, approval.proposal, keySetHash(set)),
        );
  return encodeKeySetsCall("propose", [newSetArgument(set), signatures, approved]);
}

/** Puts a proposal in force whose time has come; anybody sends it. */
export function applyCall(account: Hex): Hex {
  return encodeKeySetsCall("applyProposal", [account]);
}

/** Takes the own proposal back; the account itself sends it. */
export function cancellationCall(): Hex {
  return encodeKeySetsCall("cancel", []);
}

/** Takes a proposal back by the guardian's key; anybody sends it. @param proposal its number and hash, as the chain has them. */
export async function guardianCancellationCall(
  owner: KeyOwner,
  proposal: { readonly number: number; readonly hash: Hex },
  guardian: AccountSigner,
): Promise<Hex> {
  const digest = digestOf("ostrom/keyset-cancellation/1", owner, proposal.number, hex(proposal.hash));
  return encodeKeySetsCall("cancelByGuardian", [owner.account, await signDigest(guardian, digest)]);
}

/** Commits the account to a post-quantum key; the account itself sends it. */
export function protectionCall(key: AccountKey): Hex {
  return encodeKeySetsCall("protect", [toHex(keyHash(key))]);
}

/** Commits the account to another post-quantum key, by the committed key; anybody sends it.
 * @param changes how often it was changed before. */
export async function protectionChangeCall(
  owner: KeyOwner,
  changes: number,
  committed: AccountSigner,
  next: AccountKey,
): Promise<Hex> {
  const commitment = keyHash(next);
  const signature = await signDigest(committed, digestOf("ostrom/protection/1", owner, changes, commitment));
  return encodeKeySetsCall("changeProtection", [
    owner.account,
    toHex(commitment),
    keyArgument(committed),
    signature,
  ]);
}

/** What breakers sign: that elliptic curves are broken since a time, in unix seconds. */
export function breakDigest(chainId: number | bigint, since: number): Bytes {
  return keccak256(concatBytes(tagOf("ostrom/elliptic-curves-broken/1"), word(chainId), word(since)));
}

/** A breaker's signature on `breakDigest`. */
export async function signBreak(
  chainId: number | bigint,
  since: number,
  breaker: AccountSigner,
): Promise<Hex> {
  return signDigest(breaker, breakDigest(chainId, since));
}

/** Declares that elliptic curves are broken; anybody sends it.
 * @param signatures of breakers, by their numbers in genesis. */
export function breakCall(
  since: number,
  signatures: readonly { readonly keyIndex: number; readonly signature: Hex }[],
): Hex {
  const ascending = [...signatures].sort((a, b) => a.keyIndex - b.keyIndex);
  return encodeKeySetsCall("declareBroken", [BigInt(since), ascending]);
}

/** What an account's keys sign for contracts that ask it whether a message is its own (ERC-1271). */
export function messageDigest(owner: KeyOwner, version: number, hash: Bytes): Bytes {
  return digestOf("ostrom/message/1", owner, version, hash);
}

/** Signatures on `messageDigest` as KeySets takes them. @param signers by their keys' numbers, ascending. */
export async function signMessageDigest(
  digest: Bytes,
  signers: readonly { readonly keyIndex: number; readonly signer: AccountSigner }[],
): Promise<Hex> {
  const authorizations: { readonly keyIndex: number; readonly signature: Hex }[] = [];
  for (const { keyIndex, signer } of signers)
    authorizations.push({ keyIndex, signature: await signDigest(signer, digest) });
  return encodeAbiParameters(AUTHORIZATIONS, [authorizations]);
}

/** KeySets' hash of a set that is to come. */
export function keySetHash(plan: KeySetPlan): Bytes {
  return keccak256(hex(encodeAbiParameters(NEW_SET, [newSetArgument(plan)])));
}

async function provePossession(
  owner: KeyOwner,
  version: number,
  { signers, ...others }: SignedPlan,
): Promise<{ readonly set: KeySetPlan; readonly signatures: readonly Hex[] }> {
  const keys = signers.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
  const set = { ...others, keys };
  const digest = digestOf("ostrom/keyset/1", owner, version, keySetHash(set));
  const signatures: Hex[] = [];
  // One after another: several passkeys cannot ask the user at once.
  for (const signer of signers) signatures.push(await signDigest(signer, digest));
  return { set, signatures };
}

async function signDigest(signer: AccountSigner, digest: Bytes): Promise<Hex> {
  return toHex(await signer.sign(digest, keySetContext(signer.schemeId)));
}

/** keccak256(abi.encode(keccak256(tag), chain id, account, number, hash)). */
function digestOf(tag: string, { chainId, account }: KeyOwner, number: number, hash: Bytes): Bytes {
  const address = padLeft(addressFromHex(account), WORD_BYTES);
  return keccak256(concatBytes(tagOf(tag), word(chainId), address, word(number), hash));
}

function tagOf(text: string): Bytes {
  return keccak256(utf8(text));
}

function word(value: number | bigint): Bytes {
  return bigintToBytes(BigInt(value), WORD_BYTES);
}
