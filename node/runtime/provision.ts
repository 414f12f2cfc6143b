import { existsSync, mkdirSync, writeFileSync } from "node:fs";
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
import { bls, deriveBlsSecretKey } from "@ostrom/crypto";
import {
  type AnyGenesis,
  createGenesis,
  createPowGenesis,
  formatGenesis,
  type GenesisRequest,
  type PowGenesisRequest,
  type ProfileName,
  parseGenesis,
  type ValidatorSets,
} from "@ostrom/execution";
import { createIdentity } from "@ostrom/network";
import {
  CONFIGURATION_FILE,
  DEFAULT_CONFIGURATION,
  GENESIS_FILE,
  type MiningSettings,
  type NodeConfiguration,
  readJsonFile,
} from "./configuration.ts";
import {
  CONSENSUS_KEY_FILE,
  CONSENSUS_SECRET_BYTES,
  KEYS_FOLDER,
  type NodeSecrets,
  TRANSPORT_IDENTITY_FILE,
  writeSecret,
} from "./node-keys.ts";

const FOLDER_MODE = 0o700;

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
  /** Makes it a chain that is mined; `validators` are then the nodes that all others link with. */
  readonly pow?: PowGenesisRequest["pow"] | undefined;
  readonly mining?: Partial<MiningSettings> | undefined;
  /** Blocks in an epoch, and who decides on the set of the next one; defaults to those of genesis for good. */
  readonly epochLength?: number | undefined;
  readonly validatorSets?: ValidatorSets | undefined;
  readonly entropy: (length: number) => Bytes;
};

/** Creates keys for each validator and one genesis for all, and writes a folder for each: keys, node.json, genesis.json. The folder is
 * all that a validator's machine needs.
 * Errors: `provision/exists` (a folder holds a node already), and those of parseGenesis. */
export function provisionNetwork(plan: NetworkPlan): Result<AnyGenesis, Failure> {
  const taken = takenFolder(plan.validators.map(({ folder }) => folder));
  if (taken !== undefined) return taken;
  const created = plan.validators.map((validator) => ({ validator, secrets: createSecrets(plan.entropy) }));
  const document = formatGenesis(describeGenesis(plan, created));
  const genesis = parseGenesis(document);
  if (!genesis.ok) return genesis;
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  for (const { validator, secrets } of created) writeNodeFolder(plan, validator, secrets, text);
  return genesis;
}

/** What the others must know of a node before a validator set can name it. */
export type JoiningKeys = {
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  /** Its identity on the network: the raw transport key in hex digits. */
  readonly peerId: string;
};

/** Makes the folder of a node for a chain that is there already: new keys, node.json, and a copy of the chain's genesis.json. It follows
 * until a validator set names its keys.
 * @param genesisPath the genesis.json of a node of that chain. @param peers as in node.json.
 * Errors: `provision/exists`, and those of reading genesis.json. */
export function provisionJoiner(
  validator: Omit<ValidatorPlan, "feeRecipient" | "weight">,
  genesisPath: string,
  entropy: (length: number) => Bytes,
  peers: NodeConfiguration["peers"] = {},
): Result<JoiningKeys, Failure> {
  const taken = takenFolder([validator.folder]);
  if (taken !== undefined) return taken;
  const document = readJsonFile(genesisPath);
  if (!document.ok) return fail("genesis/unreadable", document.error.message);
  const genesis = parseGenesis(document.value);
  if (!genesis.ok) return genesis;
  const secrets = createSecrets(entropy);
  const text = `${JSON.stringify(document.value, undefined, 2)}\n`;
  writeNodeFolder({}, validator, secrets, text, peers);
  return ok({
    consensusKey: bls().publicKey(secrets.consensusSecret),
    proofOfPossession: bls().provePossession(secrets.consensusSecret),
    peerId: secrets.identity.peerId,
  });
}

function takenFolder(folders: readonly string[]): Result<never, Failure<"provision/exists">> | undefined {
  const folder = folders.find((one) =>
    [CONFIGURATION_FILE, GENESIS_FILE, KEYS_FOLDER].some((name) => existsSync(join(one, name))),
  );
  if (folder === undefined) return undefined;
  return fail("provision/exists", `${folder} holds a node already; choose another folder or remove it`);
}

function createSecrets(entropy: (length: number) => Bytes): NodeSecrets {
  return {
    consensusSecret: deriveBlsSecretKey(entropy(CONSENSUS_SECRET_BYTES)),
    identity: createIdentity(),
  };
}

function describeGenesis(
  plan: NetworkPlan,
  created: readonly { readonly validator: ValidatorPlan; readonly secrets: NodeSecrets }[],
): AnyGenesis {
  const request: GenesisRequest = {
    profile: plan.profile,
    chainId: BigInt(plan.chainId),
    timestampMs: plan.timestampMs,
    epochLength: plan.epochLength,
    validatorSets: plan.validatorSets,
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
  };
  return plan.pow === undefined ? createGenesis(request) : createPowGenesis({ ...request, pow: plan.pow });
}

function writeNodeFolder(
  { mining }: Pick<NetworkPlan, "mining">,
  validator: Omit<ValidatorPlan, "feeRecipient" | "weight">,
  secrets: NodeSecrets,
  genesisText: string,
  peers: NodeConfiguration["peers"] = {},
): void {
  const keys = join(validator.folder, KEYS_FOLDER);
  mkdirSync(keys, { recursive: true, mode: FOLDER_MODE });
  const configuration: Partial<NodeConfiguration> = {
    name: validator.name,
    link: { host: validator.listenHost ?? validator.link.host, port: validator.link.port },
    rpc: { ...DEFAULT_CONFIGURATION.rpc, ...validator.rpc },
    ...(mining === undefined ? {} : { mining: { ...DEFAULT_CONFIGURATION.mining, ...mining } }),
    ...(Object.keys(peers).length === 0 ? {} : { peers }),
  };
  writeSecret(join(keys, CONSENSUS_KEY_FILE), `${toHex(secrets.consensusSecret)}\n`);
  writeSecret(
    join(keys, TRANSPORT_IDENTITY_FILE),
    secrets.identity.privateKeyPem + secrets.identity.certificatePem,
  );
  writeFileSync(join(validator.folder, GENESIS_FILE), genesisText);
  // Last: its presence says that the folder is complete.
  writeFileSync(
    join(validator.folder, CONFIGURATION_FILE),
    `${JSON.stringify(configuration, undefined, 2)}\n`,
  );
}

/** Reads genesis.json of a node's folder. Errors: `genesis/unreadable`, and those of parseGenesis. */
export function readGenesis(folder: string): Result<AnyGenesis, Failure> {
  const path = join(folder, GENESIS_FILE);
  const parsed = readJsonFile(path);
  if (!parsed.ok) return fail("genesis/unreadable", parsed.error.message);
  const genesis = parseGenesis(parsed.value);
  if (genesis.ok) return genesis;
  const { code, message } = genesis.error;
  return fail(code, `${path}: ${message}; put the network's genesis.json back`);
}
