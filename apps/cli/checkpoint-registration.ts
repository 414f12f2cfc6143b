import { randomBytes } from "node:crypto";
import { addressFromHex, type Bytes, fromHex, type Hash, must, toHex, unwrap } from "@ostrom/base";
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

export const CHECKPOINT_KEYS_ABI: Abi = parseAbi([
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

/** Makes what a validator sends so that its checkpoint key counts, from the next epoch on whose validators are not decided yet.
 * @param folder of the validator's node, with its consensus key. @param newName of the key that replaces the present one; without it, the
 * newest one of the folder is registered, or a first one is made. */
export async function planRegistration(
  rpc: string,
  folder: string,
  newName: string | undefined,
): Promise<PlannedRegistration> {
  const { member, consensus } = await findMember(rpc, folder);
  const present = readCheckpointSecrets(folder);
  if (!present.ok) throw new UsageError(present.error.message);
  const consensusKeyHash = keccak256(unwrap(fromHex(member.consensusKey)));
  const own = await registrationOf(rpc, consensusKeyHash, member.address);
  const ofGenesis = await registrationOf(rpc, consensusKeyHash, NO_ACCOUNT);
  const currentHash = own.keyHash === NO_HASH ? ofGenesis.keyHash : own.keyHash;
  const current = present.value.find(
    ({ secret: one }) => toHex(checkpointKeyHash(keyOf(one))) === currentHash,
  );
  if (currentHash !== NO_HASH && current === undefined)
    throw new UsageError(
      `the key ${currentHash} is registered, which alone can name another one, and ${folder} does not hold it`,
    );
  if (current !== undefined && newName === undefined)
    throw new UsageError(`${current.path} is registered already; --new NAME replaces it by another key`);
  const { path, secret } = keyToRegister(folder, present.value, newName);
  const publicKey = keyOf(secret);
  const keyHash = checkpointKeyHash(publicKey);
  const chainId = BigInt(await ask<string>(rpc, "eth_chainId"));
  const account = addressFromHex(member.address.toLowerCase());
  const digest = registrationDigest(chainId, account, consensusKeyHash, keyHash, own.sequence + 1n);
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
  return { file: path, keyHash: toHex(keyHash), account: member.address, to, data };
}

/** The folder's key, or a new one where another is asked for or none is there. */
function keyToRegister(
  folder: string,
  [present]: readonly StoredCheckpointKey[],
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
