import { randomBytes } from "node:crypto";
import { type Address, addressFromHex, type Bytes, fromHex, must, toHex, unwrap } from "@ostrom/base";
import { bls, ecvrf, SCHEME_BLS12381 } from "@ostrom/crypto";
import {
  moduleKeyPath,
  type PublicKey,
  readModuleKey,
  readPublicKeys,
  readSecrets,
  UsageError,
  writeSecret,
} from "@ostrom/runtime";
import { consentMessage } from "@ostrom/staking-chain";
import { stakingKeys, VRF_KEY } from "./keys.ts";

/** What a machine tells of itself so that an account elsewhere can bond it. All in it is public; it holds for that account alone. */
export type RegistrationFile = {
  readonly format: 1;
  readonly operator: string;
  readonly consensusKey: string;
  readonly proofOfPossession: string;
  readonly transportKey: string;
  readonly vrfKey: string;
  readonly consent: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
};

const BYTES: Readonly<Partial<Record<keyof RegistrationFile, number>>> = {
  operator: 20,
  consensusKey: 48,
  proofOfPossession: 96,
  transportKey: 32,
  vrfKey: 33,
  consent: 96,
};
const NAME = /^[A-Za-z0-9._-]{1,32}$/;
const HOST = /^[A-Za-z0-9.:_-]{1,64}$/;
const HIGHEST_PORT = 65_535;

/** Makes those of staking's keys that a node's folder lacks. @returns their paths. @throws ModuleKeyError, UsageError. */
export function createMissingKeys(folder: string): readonly string[] {
  readPublic(folder);
  return stakingKeys.flatMap(({ name, create }) => {
    if (readModuleKey(folder, name) !== undefined) return [];
    const path = moduleKeyPath(folder, name);
    writeSecret(path, `${toHex(create((length) => new Uint8Array(randomBytes(length))))}\n`);
    return [path];
  });
}

/** The public parts of staking's keys in a node's folder, by name. */
export function readStakingKeys(folder: string): Readonly<Record<string, Bytes>> {
  return Object.fromEntries(
    stakingKeys.flatMap(({ name, publicPart }) => {
      const secret = readModuleKey(folder, name);
      return secret === undefined ? [] : [[name, publicPart(secret)]];
    }),
  );
}

/** Describes a machine for the account that bonds it, whose consent it signs. @throws UsageError. */
export function describeMachine(
  folder: string,
  place: { readonly name: string; readonly host: string; readonly port: number },
  chainId: bigint,
  operator: Address,
): RegistrationFile {
  const { peerId, consensus } = readPublic(folder);
  const vrfSecret = readModuleKey(folder, VRF_KEY);
  if (vrfSecret === undefined)
    throw new UsageError(`${folder} has no key for staking: make it with ostrom staking keys ${folder}`);
  return {
    format: 1,
    operator: toHex(operator),
    ...publicPartsOf(consensus[0]),
    transportKey: `0x${peerId}`,
    vrfKey: toHex(ecvrf().publicKey(vrfSecret)),
    consent: toHex(signConsent(folder, consensus[0].publicKey, chainId, operator)),
    ...place,
  };
}

/** What one of a folder's consensus keys signs to become an account's. @throws UsageError if the folder has no such key. */
export function signConsent(folder: string, publicKey: Bytes, chainId: bigint, operator: Address): Bytes {
  const secrets = readSecrets(folder);
  if (!secrets.ok) throw new UsageError(secrets.error.message);
  const { consensusSecret, furtherSecrets = [] } = secrets.value;
  const wanted = toHex(publicKey);
  const secret = [consensusSecret, ...furtherSecrets].find(
    (one) => one?.schemeId === SCHEME_BLS12381 && toHex(bls().publicKey(one.secret)) === wanted,
  );
  if (secret === undefined) throw new UsageError(`${folder} does not hold the consensus key ${wanted}`);
  return bls().sign(secret.secret, consentMessage(chainId, operator));
}

/** Checks what a machine told. @throws UsageError. */
export function readRegistration(text: string, where: string): RegistrationFile {
  const json = parse(text, where);
  for (const [name, bytes] of Object.entries(BYTES)) {
    const value = json[name];
    if (typeof value !== "string" || !/^0x[0-9a-fA-F]*$/.test(value) || value.length !== 2 + 2 * bytes)
      throw new UsageError(
        `${where}: "${name}" must be ${bytes} bytes in hex; ask the machine's operator for a new file`,
      );
  }
  const { format, name, host, port } = json as Partial<RegistrationFile>;
  const isPort = Number.isInteger(port) && port! > 0 && port! <= HIGHEST_PORT;
  if (
    format !== 1 ||
    typeof name !== "string" ||
    !NAME.test(name) ||
    typeof host !== "string" ||
    !HOST.test(host) ||
    !isPort
  )
    throw new UsageError(
      `${where}: its format, name, host or port cannot be; make it with ostrom staking keys`,
    );
  return json as RegistrationFile;
}

/** As the contract takes it. @param commission in parts of 10,000. */
export function registrationArgument(
  file: RegistrationFile,
  commission: number,
): Readonly<Record<string, unknown>> {
  const { consensusKey, proofOfPossession, transportKey, vrfKey, consent, name, host, port } = file;
  return { consensusKey, proofOfPossession, transportKey, vrfKey, consent, name, host, port, commission };
}

export function operatorOf(file: RegistrationFile): Address {
  return addressFromHex(file.operator);
}

/** The consensus key of a folder whose public part is given, or the newest one. @throws UsageError. */
export function findConsensusKey(folder: string, wanted: string | undefined): PublicKey {
  const { consensus } = readPublic(folder);
  if (wanted === undefined) return must(consensus.at(-1), "a node has a consensus key");
  const found = consensus.find(({ publicKey }) => toHex(publicKey) === wanted.toLowerCase());
  if (found === undefined) throw new UsageError(`${folder} does not hold the consensus key ${wanted}`);
  return found;
}

function readPublic(folder: string) {
  const keys = readPublicKeys(folder);
  if (!keys.ok) throw new UsageError(keys.error.message);
  return keys.value;
}

function publicPartsOf({ publicKey, proofOfPossession }: PublicKey): {
  readonly consensusKey: string;
  readonly proofOfPossession: string;
} {
  return { consensusKey: toHex(publicKey), proofOfPossession: toHex(proofOfPossession) };
}

function parse(text: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new UsageError(`${where}: expected what ostrom staking keys writes, which is JSON`);
}

/** Bytes of a text that was checked before. */
export function bytesOf(text: string): Bytes {
  return unwrap(fromHex(text));
}
