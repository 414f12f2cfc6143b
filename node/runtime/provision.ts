import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  addressFromHex,
  type Bytes,
  EMPTY_BYTES,
  type Failure,
  fail,
  fromHex,
  ok,
  type Result,
  toHex,
  unwrap,
  Weight,
} from "@ostrom/base";
import { bls, deriveBlsSecretKey, isBlsSecretKey } from "@ostrom/crypto";
import {
  createGenesis,
  formatGenesis,
  type Genesis,
  type ProfileName,
  parseGenesis,
} from "@ostrom/execution";
import { createIdentity, type Identity, identityFromPem } from "@ostrom/network";
import {
  CONFIGURATION_FILE,
  DEFAULT_CONFIGURATION,
  GENESIS_FILE,
  type NodeConfiguration,
  readJsonFile,
} from "./configuration.ts";

/** A node's secrets, in its folder, readable by its owner alone. */
const CONSENSUS_KEY_FILE = "consensus.key";
const TRANSPORT_IDENTITY_FILE = "transport.pem";
export const KEYS_FOLDER = "keys";
const SECRET_MODE = 0o600;
const OTHERS_MASK = 0o077;
const FOLDER_MODE = 0o700;
const CONSENSUS_SECRET_BYTES = 32;

export type NodeSecrets = { readonly consensusSecret: Bytes; readonly identity: Identity };

/** What one validator of a new network is to be. */
export type ValidatorPlan = {
  readonly name: string;
  readonly folder: string;
  readonly feeRecipient: string;
  readonly weight: number;
  /** Where the others reach it. */
  readonly link: { readonly host: string; readonly port: number };
  /** The address of its machine on which it listens for them, if that is another than `link.host`. */
  readonly listenHost?: string;
  readonly rpc: { readonly host: string; readonly port: number };
};

export type NetworkPlan = {
  readonly chainId: number;
  readonly profile: ProfileName;
  readonly timestampMs: number;
  /** Funded accounts: address -> wei. */
  readonly balances: ReadonlyMap<string, bigint>;
  readonly validators: readonly ValidatorPlan[];
  readonly entropy: (length: number) => Bytes;
};

/** Creates keys for each validator and one genesis for all, and writes a folder for each: keys, node.json, genesis.json. The folder is
 * all that a validator's machine needs.
 * Errors: `provision/exists` (a folder holds a node already), and those of parseGenesis. */
export function provisionNetwork(plan: NetworkPlan): Result<Genesis, Failure> {
  for (const { folder } of plan.validators) {
    const paths = [CONFIGURATION_FILE, GENESIS_FILE, KEYS_FOLDER].map((name) => join(folder, name));
    if (paths.some((path) => existsSync(path))) {
      return fail("provision/exists", `${folder} holds a node already; choose another folder or remove it`);
    }
  }
  const created = [];
  for (const validator of plan.validators) {
    const secrets: NodeSecrets = {
      consensusSecret: deriveBlsSecretKey(plan.entropy(CONSENSUS_SECRET_BYTES)),
      identity: createIdentity(),
    };
    created.push({ validator, secrets });
  }
  const document = formatGenesis(describeGenesis(plan, created));
  const genesis = parseGenesis(document);
  if (!genesis.ok) return genesis;
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  for (const { validator, secrets } of created) writeNodeFolder(validator, secrets, text);
  return genesis;
}

function describeGenesis(
  plan: NetworkPlan,
  created: readonly { readonly validator: ValidatorPlan; readonly secrets: NodeSecrets }[],
): Genesis {
  return createGenesis({
    profile: plan.profile,
    chainId: BigInt(plan.chainId),
    timestampMs: plan.timestampMs,
    accounts: [...plan.balances].map(([address, balance]) => ({
      address: addressFromHex(address),
      balance,
      nonce: 0n,
      code: EMPTY_BYTES,
      storage: [],
    })),
    validators: created.map(({ validator, secrets }) => ({
      name: validator.name,
      address: addressFromHex(validator.feeRecipient),
      weight: Weight(validator.weight),
      consensusKey: bls().publicKey(secrets.consensusSecret),
      proofOfPossession: bls().provePossession(secrets.consensusSecret),
      transportKey: unwrap(fromHex(secrets.identity.peerId)),
      host: validator.link.host,
      port: validator.link.port,
    })),
  });
}

function writeNodeFolder(validator: ValidatorPlan, secrets: NodeSecrets, genesisText: string): void {
  const keys = join(validator.folder, KEYS_FOLDER);
  mkdirSync(keys, { recursive: true, mode: FOLDER_MODE });
  const configuration: Partial<NodeConfiguration> = {
    name: validator.name,
    link: { host: validator.listenHost ?? validator.link.host, port: validator.link.port },
    rpc: { ...DEFAULT_CONFIGURATION.rpc, ...validator.rpc },
  };
  writeFileSync(join(keys, CONSENSUS_KEY_FILE), `${toHex(secrets.consensusSecret)}\n`, {
    mode: SECRET_MODE,
    flag: "wx",
  });
  writeFileSync(
    join(keys, TRANSPORT_IDENTITY_FILE),
    secrets.identity.privateKeyPem + secrets.identity.certificatePem,
    {
      mode: SECRET_MODE,
      flag: "wx",
    },
  );
  writeFileSync(join(validator.folder, GENESIS_FILE), genesisText);
  // Last: its presence says that the folder is complete.
  writeFileSync(
    join(validator.folder, CONFIGURATION_FILE),
    `${JSON.stringify(configuration, undefined, 2)}\n`,
  );
}

/** Reads a node's keys. Errors: `keys/unreadable`, `keys/exposed` (others than their owner may read them), `keys/invalid`. The
 * message never holds key material. */
export function readSecrets(
  folder: string,
): Result<NodeSecrets, Failure<"keys/unreadable" | "keys/exposed" | "keys/invalid">> {
  const keys = join(folder, KEYS_FOLDER);
  let consensusText: string;
  let identityPem: string;
  try {
    for (const name of [CONSENSUS_KEY_FILE, TRANSPORT_IDENTITY_FILE]) {
      const path = join(keys, name);
      if (isExposed(path))
        return fail("keys/exposed", `${path} can be read by others than its owner: run chmod 600 ${path}`);
    }
    consensusText = readFileSync(join(keys, CONSENSUS_KEY_FILE), "utf8").trim();
    identityPem = readFileSync(join(keys, TRANSPORT_IDENTITY_FILE), "utf8");
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    const problem = code === "ENOENT" ? `${path} is not there` : `${keys}: ${message}`;
    return fail("keys/unreadable", `${problem}: put this node's own keys back, from its backup`);
  }
  const restore = "put this node's own key back, from its backup";
  const consensusSecret = fromHex(consensusText);
  if (!consensusSecret.ok || !isBlsSecretKey(consensusSecret.value)) {
    return fail(
      "keys/invalid",
      `${join(keys, CONSENSUS_KEY_FILE)}: expected a BLS12-381 secret key of ${CONSENSUS_SECRET_BYTES} bytes in hex; ${restore}`,
    );
  }
  const identity = identityFromPem(identityPem);
  if (!identity.ok)
    return fail(
      "keys/invalid",
      `${join(keys, TRANSPORT_IDENTITY_FILE)}: ${identity.error.message}; ${restore}`,
    );
  return ok({ consensusSecret: consensusSecret.value, identity: identity.value });
}

/** Windows has no such permissions and reports a mode of its own making. */
function isExposed(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & OTHERS_MASK) !== 0;
}

/** Reads genesis.json of a node's folder. Errors: `genesis/unreadable`, and those of parseGenesis. */
export function readGenesis(folder: string): Result<Genesis, Failure> {
  const path = join(folder, GENESIS_FILE);
  const parsed = readJsonFile(path);
  if (!parsed.ok) return fail("genesis/unreadable", parsed.error.message);
  const genesis = parseGenesis(parsed.value);
  if (genesis.ok) return genesis;
  const { code, message } = genesis.error;
  return fail(code, `${path}: ${message}; put the network's genesis.json back`);
}
