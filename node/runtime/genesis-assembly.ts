import {
  type Address,
  addressFromHex,
  EMPTY_BYTES,
  type Failure,
  fail,
  Hash,
  ok,
  type Result,
  toHex,
  Weight,
} from "@ostrom/base";
import {
  type AnyGenesis,
  type ChainModule,
  type CryptographicSuite,
  createGenesis,
  createPowGenesis,
  formatGenesis,
  type GenesisJson,
  type GenesisModule,
  type GenesisModules,
  type GenesisRequest,
  genesisModule,
  hasCheckpoints,
  type PowGenesisRequest,
  type ProfileName,
  parseGenesis,
  type SignatureCheck,
  type ValidatorSets,
} from "@ostrom/execution";
import type { Fork } from "@ostrom/vm";
import { CHECKPOINT_KEY_NAME } from "./checkpoint-keys.ts";
import type { ModuleKey, ModuleParticipant, ServiceModule } from "./module-face.ts";

/** The modules that a new chain begins with. */
export type NetworkModules = {
  /** Who may schedule others and later versions. */
  readonly authority: Address | undefined;
  /** In the order in which their hooks are called. */
  readonly active: readonly {
    readonly module: ChainModule;
    readonly settings: ServiceModule["settings"];
    /** NAME=VALUE for `settings`. */
    readonly options: Readonly<Record<string, string>>;
  }[];
  /** What the machines of validators make keys for. */
  readonly keys: readonly ModuleKey[];
  /** Wei at genesis for each account among those keys. */
  readonly accountFunds: bigint;
};

/** What a chain begins with, but its validators. */
export type GenesisPlan = {
  readonly chainId: number;
  readonly profile: ProfileName;
  readonly timestampMs: number;
  /** Funded accounts: address -> wei. */
  readonly balances: ReadonlyMap<string, bigint>;
  /** Makes it a chain that is mined; its validators are then the nodes that all others link with. */
  readonly pow?: PowGenesisRequest["pow"] | undefined;
  /** Blocks in an epoch, and who decides on the set of the next one; defaults to those of genesis for good. */
  readonly epochLength?: number | undefined;
  readonly validatorSets?: ValidatorSets | undefined;
  readonly modules?: NetworkModules | undefined;
  /** Cryptography; SUITES.ethereum unless said. The validators' keys are of its kinds. */
  readonly suite?: CryptographicSuite | undefined;
  /** Who checks the signatures of batched transactions; all unless said. */
  readonly signatureCheck?: SignatureCheck | undefined;
  /** What accounts may do with their keys; what is not said is the profile's. */
  readonly keys?: GenesisRequest["keys"];
  /** Rule set of Ethereum from genesis on; the newest unless said. */
  readonly fork?: Fork | undefined;
};

/** One genesis of what all validators tell of themselves: the same wherever it is made of the same.
 * Errors: those of the modules' settings and of parseGenesis. */
export function assembleGenesis(
  plan: GenesisPlan,
  participants: readonly ModuleParticipant[],
): Result<{ readonly genesis: AnyGenesis; readonly document: GenesisJson }, Failure> {
  const balances = new Map<string, bigint>();
  const give = (address: string, amount: bigint): void => {
    const key = address.toLowerCase();
    balances.set(key, (balances.get(key) ?? 0n) + amount);
  };
  for (const [address, amount] of plan.balances) give(address, amount);
  const modules = plan.modules === undefined ? undefined : assembleModules(plan, participants, give);
  if (modules !== undefined && !modules.ok) return modules;
  const request: GenesisRequest = {
    profile: plan.profile,
    chainId: BigInt(plan.chainId),
    timestampMs: plan.timestampMs,
    epochLength: plan.epochLength,
    validatorSets: plan.validatorSets,
    modules: modules?.value,
    suite: plan.suite,
    keys: plan.keys,
    consensus: plan.signatureCheck === undefined ? {} : { signatureCheck: plan.signatureCheck },
    rules: plan.fork === undefined ? {} : { forks: [{ fork: plan.fork, fromTimestamp: 0 }] },
    accounts: [...balances].map(([address, balance]) => ({
      address: addressFromHex(address),
      balance,
      nonce: 0n,
      code: EMPTY_BYTES,
      storage: [],
    })),
    validators: participants.map((participant) => ({
      name: participant.name,
      address: participant.account,
      weight: Weight(participant.weight),
      consensusKey: participant.consensusKey,
      proofOfPossession: participant.proofOfPossession,
      transportKey: participant.transportKey,
      host: participant.host,
      port: participant.port,
    })),
  };
  const { pow } = plan;
  const made = pow === undefined ? createGenesis(request) : createPowGenesis({ ...request, pow });
  const checkpointKeys = checkpointKeysOf(made, participants);
  const document = formatGenesis(checkpointKeys === undefined ? made : { ...made, checkpointKeys });
  const genesis = parseGenesis(document);
  return genesis.ok ? ok({ genesis: genesis.value, document }) : genesis;
}

/** The hashes of all first validators' checkpoint keys, where the chain can have checkpoints and each of them has told one. */
function checkpointKeysOf(
  { suite, keys, consensus }: AnyGenesis,
  participants: readonly ModuleParticipant[],
): readonly Hash[] | undefined {
  if (!hasCheckpoints({ suite, hasKeySets: keys !== undefined, isMined: consensus.engine === "pow" }))
    return undefined;
  const hashes = participants.flatMap((participant) => {
    const told = participant.keys[CHECKPOINT_KEY_NAME];
    return told?.length === HASH_BYTES ? [Hash(told)] : [];
  });
  return hashes.length === participants.length ? hashes : undefined;
}

const HASH_BYTES = 32;

function assembleModules(
  { chainId, modules }: GenesisPlan,
  participants: readonly ModuleParticipant[],
  give: (address: string, amount: bigint) => void,
): Result<GenesisModules, Failure> {
  const { authority, active, keys, accountFunds } = modules!;
  const begun: GenesisModule[] = [];
  for (const { module, settings, options } of active) {
    const unknown = Object.keys(options)[0];
    if (settings === undefined && unknown !== undefined)
      return fail("module/no-settings", `module ${module.name} has no settings, not even "${unknown}"`);
    const made = settings?.({ chainId: BigInt(chainId), validators: participants, options });
    if (made !== undefined && !made.ok) return made;
    begun.push(genesisModule(module, made?.value.settings ?? EMPTY_BYTES));
    for (const { address, balance } of made?.value.balances ?? []) give(toHex(address), balance);
  }
  const accounts = keys.filter(({ isAccount }) => isAccount === true);
  for (const participant of participants) {
    for (const { name } of accounts) {
      const account = participant.keys[name];
      if (account !== undefined && accountFunds > 0n) give(toHex(account), accountFunds);
    }
  }
  return ok({ authority, active: begun });
}
