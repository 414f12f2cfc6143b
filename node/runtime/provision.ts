import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  addressFromHex,
  type Bytes,
  type Failure,
  fail,
  fromHex,
  type Hash,
  must,
  ok,
  type Result,
  toHex,
  unwrap,
} from "@ostrom/base";
import {
  type AnyGenesis,
  type CryptographicSuite,
  consensusSchemeOf,
  isPostQuantumSuite,
  parseGenesis,
  SUITES,
} from "@ostrom/execution";
import { createIdentity } from "@ostrom/network";
import {
  CHECKPOINT_KEY_NAME,
  checkpointKeyHashOf,
  createCheckpointSecret,
  writeCheckpointKey,
} from "./checkpoint-keys.ts";
import {
  CONFIGURATION_FILE,
  DEFAULT_CONFIGURATION,
  GENESIS_FILE,
  type MiningSettings,
  type NodeConfiguration,
  readJsonFile,
} from "./configuration.ts";
import {
  type ConsensusSecret,
  createConsensusSecret,
  formatConsensusSecret,
  publicKeyOfSecret,
} from "./consensus-secret.ts";
import { assembleGenesis, type GenesisPlan } from "./genesis-assembly.ts";
import type { ModuleKey, ModuleParticipant } from "./module-face.ts";
import { moduleKeyPath } from "./module-keys.ts";
import {
  CONSENSUS_KEY_FILE,
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
  /** Gets fees and rewards, and answers for the validator. */
  readonly feeRecipient: string;
  readonly weight: number;
  /** Defaults to its name. */
  readonly organisation?: string;
  /** DER of the organisation's certificate authority. */
  readonly certificateAuthority?: Bytes | undefined;
  /** Where the others reach it. */
  readonly link: { readonly host: string; readonly port: number };
  /** The address of its machine on which it listens for them, if that is another than `link.host`. */
  readonly listenHost?: string;
  readonly rpc: { readonly host: string; readonly port: number };
  /** Where it tells of its metrics and health; nowhere, unless said. */
  readonly metrics?: NodeConfiguration["metrics"] | undefined;
  /** Where it begins to look for others: as in node.json. */
  readonly bootstrap?: NodeConfiguration["bootstrap"];
  /** Where it tells strangers that it is, if that is another place than where it listens. */
  readonly advertise?: readonly string[];
};

export type NetworkPlan = GenesisPlan & {
  readonly validators: readonly ValidatorPlan[];
  readonly mining?: Partial<MiningSettings> | undefined;
  readonly entropy: (length: number) => Bytes;
};

type Entropy = NetworkPlan["entropy"];
/** A node's secrets, those of modules by name. */
type MadeSecrets = NodeSecrets & {
  readonly ofModules: ReadonlyMap<string, Bytes>;
  /** undefined: validators' own keys are post-quantum. */
  readonly checkpointSecret: ConsensusSecret | undefined;
};

/** Creates keys for each validator and one genesis for all, and writes a folder for each: keys, node.json, genesis.json. The folder is
 * all that a validator's machine needs.
 * Errors: `provision/exists` (a folder holds a node already), and those of assembleGenesis. */
export function provisionNetwork(plan: NetworkPlan): Result<AnyGenesis, Failure> {
  const taken = takenFolder(plan.validators.map(({ folder }) => folder));
  if (taken !== undefined) return taken;
  const keys = plan.modules?.keys ?? [];
  const created = plan.validators.map((validator) => ({
    validator,
    secrets: createSecrets(plan.entropy, keys, plan.suite),
  }));
  const participants = created.map(({ validator, secrets }) => participantOf(validator, secrets, keys));
  const assembled = assembleGenesis(plan, participants);
  if (!assembled.ok) return assembled;
  const text = `${JSON.stringify(assembled.value.document, undefined, 2)}\n`;
  const { checkpointKeys } = assembled.value.genesis;
  for (const { validator, secrets } of created) {
    const needed = checkpointKeys === undefined ? { ...secrets, checkpointSecret: undefined } : secrets;
    writeNodeFolder(plan, validator, needed, text);
  }
  return ok(assembled.value.genesis);
}

/** Makes the folder of one machine of a network that has no genesis yet: its own keys and node.json. genesis.json joins them when it is
 * assembled of what all machines tell of themselves.
 * @param keys of modules, which are made too. @param suite that the genesis will have. @returns what this one tells.
 * Errors: `provision/exists`. */
export function provisionMachine(
  validator: ValidatorPlan,
  keys: readonly ModuleKey[],
  entropy: Entropy,
  suite: CryptographicSuite = SUITES.ethereum,
): Result<ModuleParticipant, Failure> {
  const taken = takenFolder([validator.folder]);
  if (taken !== undefined) return taken;
  const secrets = createSecrets(entropy, keys, suite);
  writeNodeFolder({}, validator, secrets, undefined);
  return ok(participantOf(validator, secrets, keys));
}

/** What the others must know of a node before a validator set can name it. */
export type JoiningKeys = {
  readonly consensusKey: Bytes;
  readonly proofOfPossession: Bytes;
  /** Its identity on the network: the raw transport key in hex digits. */
  readonly peerId: string;
  /** Of its key for epoch checkpoints, where its chain has them: it is registered when a set names the validator. */
  readonly checkpointKeyHash: Hash | undefined;
  /** Public parts of the modules' keys, by name. */
  readonly keys: Readonly<Record<string, Bytes>>;
};

/** Makes the folder of a node for a chain that is there already: new keys, node.json, and a copy of the chain's genesis.json. It follows
 * until a validator set names its keys.
 * @param genesisPath the genesis.json of a node of that chain. @param peers as in node.json. @param keys of modules, which are made too.
 * @param schemeId by which validators vote now, where that is no longer what genesis says.
 * Errors: `provision/exists`, and those of reading genesis.json. */
export function provisionJoiner(
  validator: Omit<ValidatorPlan, "feeRecipient" | "weight">,
  genesisPath: string,
  entropy: (length: number) => Bytes,
  peers: NodeConfiguration["peers"] = {},
  keys: readonly ModuleKey[] = [],
  schemeId?: number,
): Result<JoiningKeys, Failure> {
  const taken = takenFolder([validator.folder]);
  if (taken !== undefined) return taken;
  const document = readJsonFile(genesisPath);
  if (!document.ok) return fail("genesis/unreadable", document.error.message);
  const genesis = parseGenesis(document.value);
  if (!genesis.ok) return genesis;
  const { suite, checkpointKeys } = genesis.value;
  const made = createSecrets(entropy, keys, suite, schemeId);
  const secrets = checkpointKeys === undefined ? { ...made, checkpointSecret: undefined } : made;
  const text = `${JSON.stringify(document.value, undefined, 2)}\n`;
  // Whoever wants a stranger's machine to mine says so, and where the rewards go.
  const mining = validator.bootstrap === undefined ? undefined : { enabled: false };
  writeNodeFolder({ mining }, validator, secrets, text, peers);
  const { publicKey, proofOfPossession } = publicKeyOfSecret(secrets.consensusSecret);
  return ok({
    consensusKey: publicKey,
    proofOfPossession,
    peerId: secrets.identity.peerId,
    checkpointKeyHash:
      secrets.checkpointSecret === undefined ? undefined : checkpointKeyHashOf(secrets.checkpointSecret),
    keys: publicParts(secrets, keys),
  });
}

function takenFolder(folders: readonly string[]): Result<never, Failure<"provision/exists">> | undefined {
  const folder = folders.find((one) =>
    [CONFIGURATION_FILE, GENESIS_FILE, KEYS_FOLDER].some((name) => existsSync(join(one, name))),
  );
  if (folder === undefined) return undefined;
  return fail("provision/exists", `${folder} holds a node already; choose another folder or remove it`);
}

function createSecrets(
  entropy: Entropy,
  keys: readonly ModuleKey[],
  suite: CryptographicSuite = SUITES.ethereum,
  schemeId: number = consensusSchemeOf(suite).id,
): MadeSecrets {
  return {
    consensusSecret: createConsensusSecret(schemeId, entropy),
    identity: createIdentity(suite.transport),
    checkpointSecret: isPostQuantumSuite(suite) ? undefined : createCheckpointSecret(entropy),
    ofModules: new Map(keys.map(({ name, create }) => [name, create(entropy)])),
  };
}

function participantOf(
  validator: ValidatorPlan,
  secrets: MadeSecrets,
  keys: readonly ModuleKey[],
): ModuleParticipant {
  const { publicKey, proofOfPossession } = publicKeyOfSecret(secrets.consensusSecret);
  return {
    name: validator.name,
    organisation: validator.organisation ?? validator.name,
    certificateAuthority: validator.certificateAuthority,
    account: addressFromHex(validator.feeRecipient),
    weight: validator.weight,
    consensusKey: publicKey,
    proofOfPossession,
    transportKey: unwrap(fromHex(secrets.identity.peerId)),
    host: validator.link.host,
    port: validator.link.port,
    keys: {
      ...(secrets.checkpointSecret === undefined
        ? {}
        : { [CHECKPOINT_KEY_NAME]: checkpointKeyHashOf(secrets.checkpointSecret) }),
      ...publicParts(secrets, keys),
    },
  };
}

function publicParts(
  { ofModules }: MadeSecrets,
  keys: readonly ModuleKey[],
): Readonly<Record<string, Bytes>> {
  return Object.fromEntries(
    keys.map(({ name, publicPart }) => [name, publicPart(must(ofModules.get(name), "it was made just now"))]),
  );
}

function writeNodeFolder(
  { mining }: Pick<NetworkPlan, "mining">,
  validator: Omit<ValidatorPlan, "feeRecipient" | "weight">,
  secrets: MadeSecrets,
  genesisText: string | undefined,
  peers: NodeConfiguration["peers"] = {},
): void {
  const keys = join(validator.folder, KEYS_FOLDER);
  mkdirSync(keys, { recursive: true, mode: FOLDER_MODE });
  const configuration: Partial<NodeConfiguration> = {
    name: validator.name,
    link: { host: validator.listenHost ?? validator.link.host, port: validator.link.port },
    rpc: { ...DEFAULT_CONFIGURATION.rpc, ...validator.rpc },
    ...(validator.metrics === undefined ? {} : { metrics: validator.metrics }),
    ...(mining === undefined ? {} : { mining: { ...DEFAULT_CONFIGURATION.mining, ...mining } }),
    ...(Object.keys(peers).length === 0 ? {} : { peers }),
    ...(validator.bootstrap === undefined ? {} : { bootstrap: validator.bootstrap }),
    ...(validator.advertise === undefined
      ? {}
      : { discovery: { ...DEFAULT_CONFIGURATION.discovery, advertise: validator.advertise } }),
  };
  writeSecret(join(keys, CONSENSUS_KEY_FILE), formatConsensusSecret(secrets.consensusSecret));
  writeSecret(
    join(keys, TRANSPORT_IDENTITY_FILE),
    secrets.identity.privateKeyPem + secrets.identity.certificatePem,
  );
  if (secrets.checkpointSecret !== undefined) writeCheckpointKey(validator.folder, secrets.checkpointSecret);
  for (const [name, secret] of secrets.ofModules)
    writeSecret(moduleKeyPath(validator.folder, name), `${toHex(secret)}\n`);
  if (genesisText !== undefined) writeFileSync(join(validator.folder, GENESIS_FILE), genesisText);
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
