import { randomBytes } from "node:crypto";
import {
  addressFromHex,
  type Bytes,
  equalBytes,
  fromHex,
  type Hash,
  must,
  toHex,
  unwrap,
} from "@ostrom/base";
import { checkpointKeyHash } from "@ostrom/consensus";
import { keccak256, SCHEME_ML_DSA_44, signatureEngine, signatureScheme } from "@ostrom/crypto";
import {
  CHECKPOINT_KEY_CONTEXT,
  CHECKPOINT_KEYS_ADDRESS,
  consensusRegistrationMessage,
  registrationDigest,
} from "@ostrom/execution";
import {
  addCheckpointKey,
  type ConsensusSecret,
  publicKeyOfSecret,
  readCheckpointSecrets,
  readConsensusSecrets,
  type StoredCheckpointKey,
  schemeOfSecret,
} from "@ostrom/runtime";
import { type Abi, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from "viem";
import { UsageError } from "./command.ts";
import { ask } from "./rpc-client.ts";
import { askSet, type ToldSet } from "./validator-contracts.ts";

const CHECKPOINT_KEYS_ABI: Abi = parseAbi([
  "struct Registration { bytes32 keyHash; uint64 sequence; bytes consensusProof; }",
  "function register(bytes32 consensusKeyHash, bytes checkpointKey, bytes consensusProof, bytes possession, bytes currentKey, bytes approval)",
  "function registrationOf(bytes32 consensusKeyHash, address account) view returns (Registration)",
]);
const NO_ACCOUNT = `0x${"0".repeat(40)}` as const;
const NO_HASH = `0x${"0".repeat(64)}` as const;

/** The transaction that registers a validator's checkpoint key. */
export type PlannedRegistration = {
  readonly file: string;
  readonly keyHash: string;
  /** Of the validator: it must send the transaction. */
  readonly account: string;
  readonly to: string;
  readonly data: string;
};

type Registration = { readonly keyHash: Hex; readonly sequence: bigint };
type Member = ToldSet["validators"][number];

/** Whose checkpoint key is registered, and for which of its consensus keys. */
type Registrant = {
  readonly folder: string;
  /** Of the validator. */
  readonly account: string;
  readonly consensus: ConsensusSecret;
};

/** Makes what a validator sends so that its checkpoint key counts, from the next epoch on whose validators are not decided yet.
 * @param folder of the validator's node, with its consensus key. @param newName of the key that replaces the present one; without it, the
 * newest one of the folder is registered, or a first one is made. */
export async function planRegistration(
  rpc: string,
  folder: string,
  newName: string | undefined,
): Promise<PlannedRegistration> {
  const { member, consensus } = await findMember(rpc, folder);
  return plan(rpc, { folder, account: member.address, consensus }, undefined, newName);
}

/** The same for a consensus key that the validator has changed to, or is about to: checkpoint keys are registered for one consensus key, and
 * what is registered for the one before does not count for it. The checkpoint key stays.
 * @returns undefined on a chain without checkpoints, and where the new key certifies them itself. */
export async function planRegistrationOfNextKey(
  rpc: string,
  folder: string,
  next: { readonly account: string; readonly previous: string; readonly publicKey: Bytes },
): Promise<PlannedRegistration | undefined> {
  const secrets = readConsensusSecrets(folder);
  if (!secrets.ok) throw new UsageError(secrets.error.message);
  const consensus = must(
    secrets.value.find((one) => equalBytes(publicKeyOfSecret(one).publicKey, next.publicKey)),
    "the new key is in the folder",
  );
  if (signatureScheme(consensus.schemeId)?.isPostQuantum === true || !(await hasCheckpoints(rpc)))
    return undefined;
  const previous = keccak256(unwrap(fromHex(next.previous)));
  const present = await presentKey(rpc, previous, next.account);
  return plan(rpc, { folder, account: next.account, consensus }, present, undefined);
}

/** The same for a key of the folder that the validator, which another key of the folder stands for, changes to.
 * @param consensusKey its public key, hex digits. */
export async function planRegistrationForKey(
  rpc: string,
  folder: string,
  consensusKey: string,
): Promise<PlannedRegistration> {
  const { member } = await findMember(rpc, folder);
  const secrets = readConsensusSecrets(folder);
  const publicKey = fromHex(consensusKey);
  const isHeld =
    publicKey.ok &&
    secrets.ok &&
    secrets.value.some((one) => equalBytes(publicKeyOfSecret(one).publicKey, publicKey.value));
  if (!isHeld) throw new UsageError(`--consensus-key: ${folder} holds no such key`);
  const next = { account: member.address, previous: member.consensusKey, publicKey: publicKey.value };
  const planned = await planRegistrationOfNextKey(rpc, folder, next);
  if (planned === undefined)
    throw new UsageError("that key needs none: it certifies checkpoints itself, or this chain has none");
  return planned;
}

/** @param preferred hash of the key that is registered if the folder holds it, undefined: its first one. */
async function plan(
  rpc: string,
  { folder, account: name, consensus }: Registrant,
  preferred: string | undefined,
  newName: string | undefined,
): Promise<PlannedRegistration> {
  const present = readCheckpointSecrets(folder);
  if (!present.ok) throw new UsageError(present.error.message);
  const consensusKeyHash = keccak256(publicKeyOfSecret(consensus).publicKey);
  const { sequence } = await registrationOf(rpc, consensusKeyHash, name);
  const currentHash = await presentKey(rpc, consensusKeyHash, name);
  const named = (hash: string | undefined): StoredCheckpointKey | undefined =>
    present.value.find(({ secret: one }) => toHex(checkpointKeyHash(keyOf(one))) === hash);
  const current = named(currentHash);
  if (currentHash !== undefined && current === undefined)
    throw new UsageError(
      `the key ${currentHash} is registered, which alone can name another one, and ${folder} does not hold it`,
    );
  if (current !== undefined && newName === undefined)
    throw new UsageError(`${current.path} is registered already; --new NAME replaces it by another key`);
  const { path, secret } = keyToRegister(folder, named(preferred) ?? present.value[0], newName);
  const publicKey = keyOf(secret);
  const keyHash = checkpointKeyHash(publicKey);
  const chainId = BigInt(await ask<string>(rpc, "eth_chainId"));
  const account = addressFromHex(name.toLowerCase());
  const digest = registrationDigest(chainId, account, consensusKeyHash, keyHash, sequence + 1n);
  const proof = schemeOfSecret(consensus).sign(consensus.secret, consensusRegistrationMessage(digest));
  const data = encodeFunctionData({
    abi: CHECKPOINT_KEYS_ABI,
    functionName: "register",
    args: [
      toHex(consensusKeyHash),
      toHex(publicKey),
      toHex(proof),
      signed(secret, digest),
      current === undefined ? "0x" : toHex(keyOf(current.secret)),
      current === undefined ? "0x" : signed(current.secret, digest),
    ],
  });
  const to = toHex(CHECKPOINT_KEYS_ADDRESS);
  return { file: path, keyHash: toHex(keyHash), account: name, to, data };
}

/** Hash of the checkpoint key that counts for a consensus key of an account. */
async function presentKey(rpc: string, consensusKeyHash: Hash, account: string): Promise<string | undefined> {
  const own = await registrationOf(rpc, consensusKeyHash, account);
  if (own.keyHash !== NO_HASH) return own.keyHash;
  const ofGenesis = await registrationOf(rpc, consensusKeyHash, NO_ACCOUNT);
  return ofGenesis.keyHash === NO_HASH ? undefined : ofGenesis.keyHash;
}

async function hasCheckpoints(rpc: string): Promise<boolean> {
  return (await ask<Hex>(rpc, "eth_getCode", [toHex(CHECKPOINT_KEYS_ADDRESS), "latest"])) !== "0x";
}

/** The folder's key, or a new one where another is asked for or none is there. */
function keyToRegister(
  folder: string,
  present: StoredCheckpointKey | undefined,
  newName: string | undefined,
): StoredCheckpointKey {
  if (newName === undefined && present !== undefined) return present;
  const made = addCheckpointKey(folder, newName, (length) => new Uint8Array(randomBytes(length)));
  if (!made.ok) throw new UsageError(made.error.message);
  return made.value;
}

export function describeRegistration({
  file,
  keyHash,
  account,
  to,
  data,
}: PlannedRegistration): readonly string[] {
  return [
    `The checkpoint key is in ${file}, readable by you alone.`,
    "",
    `hash  ${keyHash}`,
    "",
    `Send from the validator's account, ${account}:`,
    `  ostrom send --to ${to} --data ${data} --key-file FILE`,
    "",
    "It counts from the next epoch on whose validators are not decided yet (ostrom checkpoints). Keep the old key until then.",
  ];
}

/** This node's entry in the newest set, and the consensus key that it has there. */
async function findMember(
  rpc: string,
  folder: string,
): Promise<{ readonly member: Member; readonly consensus: ConsensusSecret }> {
  const secrets = readConsensusSecrets(folder);
  if (!secrets.ok) throw new UsageError(secrets.error.message);
  const current = await askSet(rpc);
  const next = await askSet(rpc, Number(current!.currentEpoch) + 1);
  const newest = (next ?? current)!;
  if (signatureScheme(Number(newest.schemeId))?.isPostQuantum === true)
    throw new UsageError(
      "the validators of this chain vote by ML-DSA: their consensus keys certify checkpoints",
    );
  for (const consensus of secrets.value) {
    const publicKey = toHex(publicKeyOfSecret(consensus).publicKey);
    const member = newest.validators.find(({ consensusKey }) => consensusKey === publicKey);
    if (member !== undefined) return { member, consensus };
  }
  throw new UsageError(`${rpc}: no consensus key of ${folder} is a validator's of the newest set there`);
}

async function registrationOf(rpc: string, consensusKeyHash: Hash, account: string): Promise<Registration> {
  const args = [toHex(consensusKeyHash), account];
  const data = encodeFunctionData({ abi: CHECKPOINT_KEYS_ABI, functionName: "registrationOf", args });
  const to = toHex(CHECKPOINT_KEYS_ADDRESS);
  const output = await ask<Hex>(rpc, "eth_call", [{ to, data }, "latest"]);
  if (output === "0x") throw new UsageError(`${rpc}: this chain has no epoch checkpoints`);
  return decodeFunctionResult({
    abi: CHECKPOINT_KEYS_ABI,
    functionName: "registrationOf",
    data: output,
  }) as Registration;
}

function keyOf(secret: ConsensusSecret): Bytes {
  return schemeOfSecret(secret).publicKey(secret.secret);
}

function signed({ schemeId, secret }: ConsensusSecret, digest: Hash): Hex {
  if (schemeId !== SCHEME_ML_DSA_44)
    throw new UsageError("a checkpoint key that is registered is of ml-dsa-44");
  const engine = must(signatureEngine(schemeId), "it has an engine");
  return toHex(engine.sign(secret, digest, CHECKPOINT_KEY_CONTEXT)) as Hex;
}
