import { err, must, ok, type Result } from "@ostrom/base";
import {
  HASH_KECCAK256,
  HASH_SM3,
  type SignatureScheme,
  signatureScheme,
  signatureSchemeByName,
  type ValidatorScheme,
  validatorSchemeByName,
} from "@ostrom/crypto";
import {
  duplicate,
  inconsistent,
  type JsonFailure,
  JsonReadError,
  type Place,
  readChoice,
  readList,
  readObject,
} from "./json-reader.ts";
import type { ChainRules } from "./types.ts";

/** Named presets of the values of `CryptographicSuite`; no code asks for the name. */
export type SuiteName = "ethereum" | "sm" | "post-quantum";

/** Hash of headers, trie nodes and keys, and of consensus' digests. */
export type SuiteHash = "keccak256" | "sm3";
/** Signatures of votes and certificates, at first: the validator set in state names its own scheme. */
export type ConsensusSchemeName = "bls12-381" | "sm2" | "ml-dsa-44" | "ml-dsa-65";
/** Keys that links between validators are pinned to. */
export type TransportKind = "ed25519" | "sm2" | "ml-dsa-44";
/** Signatures that may authorize transactions; names as in core/crypto's registry. */
export type AccountSchemeName =
  | "secp256k1"
  | "p-256"
  | "ed25519"
  | "sm2"
  | "ml-dsa-44"
  | "ml-dsa-65"
  | "ml-dsa-87"
  | "slh-dsa-sha2-128s"
  | "falcon-512"
  | "webauthn-p256";

/** Which cryptography the chain uses, by name. */
export type CryptographicSuite = {
  readonly hash: SuiteHash;
  readonly consensus: ConsensusSchemeName;
  readonly transport: TransportKind;
  /** What may authorize transactions; all else is refused. The first is what tools make new accounts of. */
  readonly accounts: readonly AccountSchemeName[];
};

/** The suite as genesis.json has it: without `accounts` where they are those of `ethereum`, as they were before there was a choice. */
export type SuiteJson = Omit<CryptographicSuite, "accounts"> & {
  readonly accounts?: readonly AccountSchemeName[];
};

const HASH_IDS: Readonly<Record<SuiteHash, number>> = { keccak256: HASH_KECCAK256, sm3: HASH_SM3 };
const SUITE_HASHES: readonly SuiteHash[] = ["keccak256", "sm3"];
const CONSENSUS_SCHEMES: readonly ConsensusSchemeName[] = ["bls12-381", "sm2", "ml-dsa-44", "ml-dsa-65"];
export const TRANSPORT_KINDS: readonly TransportKind[] = ["ed25519", "sm2", "ml-dsa-44"];

/** What a genesis.json without `suite.accounts` means. Permanent: another list would make existing chains others. */
const ETHEREUM_ACCOUNTS: readonly AccountSchemeName[] = [
  "secp256k1",
  "p-256",
  "ed25519",
  "sm2",
  "ml-dsa-44",
  "ml-dsa-65",
  "ml-dsa-87",
  "slh-dsa-sha2-128s",
  "webauthn-p256",
];
/** All that there are: Falcon is experimental, and only where genesis names it. */
export const ACCOUNT_SCHEMES: readonly AccountSchemeName[] = [...ETHEREUM_ACCOUNTS, "falcon-512"];

/** The presets. `sm` and `post-quantum` still admit secp256k1, so that Ethereum's tools work; a genesis whose `accounts` leaves it out
 * refuses it. */
export const SUITES: Readonly<Record<SuiteName, CryptographicSuite>> = {
  ethereum: {
    hash: "keccak256",
    consensus: "bls12-381",
    transport: "ed25519",
    accounts: ETHEREUM_ACCOUNTS,
  },
  sm: { hash: "sm3", consensus: "sm2", transport: "sm2", accounts: ["sm2", "secp256k1"] },
  "post-quantum": {
    hash: "keccak256",
    consensus: "ml-dsa-44",
    transport: "ml-dsa-44",
    accounts: ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "slh-dsa-sha2-128s", "secp256k1"],
  },
};

export const SUITE_NAMES: readonly SuiteName[] = ["ethereum", "sm", "post-quantum"];

/** Scheme of the consensus keys that genesis names; later sets name their own. */
export function consensusSchemeOf(suite: Pick<CryptographicSuite, "consensus">): ValidatorScheme {
  return must(validatorSchemeByName(suite.consensus), "a suite names a scheme that validators vote with");
}

/** Whether votes and certificates withstand quantum computers from genesis on. Such a chain refuses what would hand its validator set to an
 * elliptic curve: stake's sortition. */
export function isPostQuantumSuite(suite: Pick<CryptographicSuite, "consensus">): boolean {
  return signatureScheme(consensusSchemeOf(suite).id)?.isPostQuantum === true;
}

/** Scheme of the keys that links are pinned to. */
export function transportSchemeOf(suite: Pick<CryptographicSuite, "transport">): SignatureScheme {
  return knownScheme(suite.transport);
}

/** Id of the hash function, as `hashFunction` of core/crypto takes it. */
export function hashIdOf(suite: Pick<CryptographicSuite, "hash">): number {
  return HASH_IDS[suite.hash];
}

/** What a suite fixes for execution. */
export function rulesOfSuite(
  suite: CryptographicSuite,
): Pick<ChainRules, "hashId" | "accountSchemes" | "refusesSortition"> {
  return {
    hashId: hashIdOf(suite),
    accountSchemes: suite.accounts.map((name) => knownScheme(name).id),
    ...(isPostQuantumSuite(suite) ? { refusesSortition: true } : {}),
  };
}

/** Reads `suite`; without `accounts` they are those of `ethereum`. */
export function readSuite(place: Place): CryptographicSuite {
  const fields = readObject(place, ["hash", "consensus", "transport"], ["accounts"]);
  return {
    hash: readChoice(fields.hash, SUITE_HASHES),
    consensus: readChoice(fields.consensus, CONSENSUS_SCHEMES),
    transport: readChoice(fields.transport, TRANSPORT_KINDS),
    accounts: fields.accounts === undefined ? ETHEREUM_ACCOUNTS : readAccountSchemes(fields.accounts),
  };
}

/** Reads the value of genesis.json's `suite` alone. Errors: `genesis/...`, as `parseGenesis` has them. */
export function parseSuite(json: unknown): Result<CryptographicSuite, JsonFailure> {
  try {
    return ok(readSuite({ value: json, path: "suite" }));
  } catch (error) {
    if (error instanceof JsonReadError) return err(error.failure);
    throw error;
  }
}

/** Writes `suite` in canonical form. */
export function formatSuite({ hash, consensus, transport, accounts }: CryptographicSuite): SuiteJson {
  const isDefault =
    accounts.length === ETHEREUM_ACCOUNTS.length &&
    accounts.every((name, index) => name === ETHEREUM_ACCOUNTS[index]);
  return { hash, consensus, transport, ...(isDefault ? {} : { accounts }) };
}

function readAccountSchemes(place: Place): readonly AccountSchemeName[] {
  const entries = readList(place);
  if (entries.length === 0)
    throw inconsistent(place, "must name at least one scheme, or nobody could send a transaction");
  const seen = new Set<AccountSchemeName>();
  return entries.map((entry) => {
    const name = readChoice(entry, ACCOUNT_SCHEMES);
    if (seen.has(name)) throw duplicate(entry, "the list has this scheme already");
    seen.add(name);
    return name;
  });
}

function knownScheme(name: AccountSchemeName | TransportKind): SignatureScheme {
  return must(signatureSchemeByName(name), "schemes of suites are in the registry");
}
