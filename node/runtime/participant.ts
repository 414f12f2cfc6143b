import {
  addressFromHex,
  type Bytes,
  type Failure,
  fail,
  fromHex,
  must,
  ok,
  type Result,
  toHex,
  toHexDigits,
  unwrap,
  utf8,
} from "@ostrom/base";
import { keccak256, VALIDATOR_SCHEME_IDS, validatorScheme } from "@ostrom/crypto";
import { TRANSPORT_KEY_LENGTHS } from "@ostrom/execution";
import type { ModuleParticipant } from "./module-face.ts";

/** A validator's description of itself as a file: what its machine tells the others. All in it is public. */
export type ParticipantFile = {
  readonly format: 1;
  readonly name: string;
  readonly organisation: string;
  readonly certificateAuthority?: string;
  readonly account: string;
  readonly weight: number;
  readonly consensusKey: string;
  readonly proofOfPossession: string;
  readonly transportKey: string;
  readonly host: string;
  readonly port: number;
  readonly keys: Readonly<Record<string, string>>;
};

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const HOST = /^[A-Za-z0-9.:-]{1,253}$/;
const MAX_PORT = 65_535;
const MAX_KEYS = 16;
const MAX_CERTIFICATE_BYTES = 8_192;
const MAX_KEY_BYTES = 256;
const FINGERPRINT_GROUPS = 4;
const GROUP_DIGITS = 4;

export function describeParticipant(participant: ModuleParticipant): ParticipantFile {
  const { certificateAuthority } = participant;
  return {
    format: 1,
    name: participant.name,
    organisation: participant.organisation,
    ...(certificateAuthority === undefined ? {} : { certificateAuthority: toHex(certificateAuthority) }),
    account: toHex(participant.account),
    weight: participant.weight,
    consensusKey: toHex(participant.consensusKey),
    proofOfPossession: toHex(participant.proofOfPossession),
    transportKey: toHex(participant.transportKey),
    host: participant.host,
    port: participant.port,
    keys: Object.fromEntries(
      Object.entries(participant.keys)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, key]) => [name, toHex(key)]),
    ),
  };
}

/** Sixteen digits that people can compare: of two descriptions they are the same only if all else is. */
export function participantFingerprint(participant: ModuleParticipant): string {
  const digits = toHexDigits(keccak256(utf8(JSON.stringify(describeParticipant(participant)))));
  const groups = Array.from({ length: FINGERPRINT_GROUPS }, (_, index) =>
    digits.slice(index * GROUP_DIGITS, (index + 1) * GROUP_DIGITS),
  );
  return groups.join(" ");
}

/** Reads a description; whether its keys are good the genesis tells that is made of it. Errors: `participant/invalid`. */
export function readParticipant(json: unknown): Result<ModuleParticipant, Failure<"participant/invalid">> {
  const problem = findProblem(json);
  if (problem !== undefined) return fail("participant/invalid", problem);
  const file = json as ParticipantFile;
  const bytes = (text: string): Bytes => unwrap(fromHex(text));
  return ok({
    name: file.name,
    organisation: file.organisation,
    certificateAuthority:
      file.certificateAuthority === undefined ? undefined : bytes(file.certificateAuthority),
    account: addressFromHex(file.account),
    weight: file.weight,
    consensusKey: bytes(file.consensusKey),
    proofOfPossession: bytes(file.proofOfPossession),
    transportKey: bytes(file.transportKey),
    host: file.host,
    port: file.port,
    keys: Object.fromEntries(Object.entries(file.keys).map(([name, key]) => [name, bytes(key)])),
  });
}

const SCHEMES = VALIDATOR_SCHEME_IDS.map((id) => must(validatorScheme(id), "it is one of validators"));
const KEY_LENGTHS = SCHEMES.map(({ publicKeyLength }) => publicKeyLength);
const PROOF_LENGTHS = SCHEMES.map(({ proofLength }) => proofLength);

type Check = readonly [key: string, isRight: (value: unknown) => boolean, expected: string];

const isHex = (length: number | undefined, most: number) => (value: unknown) =>
  typeof value === "string" &&
  /^0x(?:[0-9a-fA-F]{2})*$/.test(value) &&
  (length === undefined ? value.length <= 2 + 2 * most : value.length === 2 + 2 * length);
/** Which of them belong together the genesis tells that is made of it. */
const isHexOf = (lengths: readonly number[]) => (value: unknown) =>
  lengths.some((length) => isHex(length, 0)(value));
const isText =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === "string" && pattern.test(value);
const isCount = (least: number, most: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;

const CHECKS: readonly Check[] = [
  ["format", (value) => value === 1, "1"],
  ["name", isText(NAME), "1 to 64 letters, digits, dots, underscores or hyphens"],
  ["organisation", isText(NAME), "1 to 64 letters, digits, dots, underscores or hyphens"],
  [
    "certificateAuthority",
    (value) => value === undefined || isHex(undefined, MAX_CERTIFICATE_BYTES)(value),
    "a certificate (DER) in hex",
  ],
  ["account", isHex(20, 0), "an address"],
  ["weight", isCount(1, Number.MAX_SAFE_INTEGER), "a whole number above 0"],
  ["consensusKey", isHexOf(KEY_LENGTHS), "a public key in hex, of a scheme that validators vote by"],
  ["proofOfPossession", isHexOf(PROOF_LENGTHS), "a proof of possession of such a key in hex"],
  [
    "transportKey",
    isHexOf(TRANSPORT_KEY_LENGTHS),
    "a raw public key in hex, of a kind that links are pinned to",
  ],
  ["host", isText(HOST), "a host name or an IP address"],
  ["port", isCount(1, MAX_PORT), `a port, 1 to ${MAX_PORT}`],
  ["keys", isKeys, "names of keys with their public parts in hex"],
];

function isKeys(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_KEYS &&
    entries.every(
      ([name, key]) => /^[a-z][a-z0-9-]{0,30}$/.test(name) && isHex(undefined, MAX_KEY_BYTES)(key),
    )
  );
}

function findProblem(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return "it is no JSON object";
  const fields = json as Readonly<Record<string, unknown>>;
  const known = new Set(CHECKS.map(([key]) => key));
  const unknown = Object.keys(fields).find((key) => !known.has(key));
  if (unknown !== undefined) return `"${unknown}" has no meaning in a description`;
  const wrong = CHECKS.find(
    ([key, isRight]) => !isRight(Object.hasOwn(fields, key) ? fields[key] : undefined),
  );
  return wrong === undefined ? undefined : `"${wrong[0]}" must be ${wrong[2]}`;
}
