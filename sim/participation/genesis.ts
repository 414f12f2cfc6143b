import { type Address, type Bytes, EMPTY_BYTES, must } from "@ostrom/base";
import {
  addressOfSecretKey,
  type ConsensusParameters,
  createGenesis,
  type Genesis,
  type GenesisModules,
  genesisModule,
  MEMBERSHIP_ADDRESS,
} from "@ostrom/execution";
import { encodeSettings, type MembershipSettings, type OrganisationSettings } from "@ostrom/membership-chain";
import { encodeStakingSettings, type InitialValidator, type StakingSettings } from "@ostrom/staking-chain";
import {
  CLIENT_BALANCE,
  candidateOf,
  clientKey,
  FAST_TIMES,
  feeRecipientKey,
  SIMULATED_CHAIN_ID,
  SIMULATED_GENESIS_MS,
} from "../genesis.ts";
import { adminKey, delegatorKey, guestKey, operatorOf, strangerKey, vrfKeyOf } from "./accounts.ts";
import { simulatedModule } from "./modules.ts";

/** Who decides on the validators: the members, stake, or first the members and then stake. */
export const PARTICIPATION_MODES = ["membership", "staking", "graduate"] as const;
export type ParticipationMode = (typeof PARTICIPATION_MODES)[number];

export const COIN: bigint = 10n ** 18n;
/** What one unit of weight in the first set has at stake. */
export const STAKE_OF_A_WEIGHT: bigint = 100n * COIN;
export const DELEGATORS = 3;

export type ParticipationGenesis = {
  readonly mode: ParticipationMode;
  /** Of the first set. */
  readonly weights: readonly number[];
  /** All who have a machine. */
  readonly identities: number;
  readonly clients: number;
  readonly staking: StakingSettings;
  readonly thresholdPercent: number;
  readonly proposalBlocks: number;
  readonly consensus: Partial<ConsensusParameters>;
  readonly epochLength: number;
  readonly epochLead: number;
};

/** A chain whose validators a module decides on, with production's modules and settings. */
export function participationGenesis(options: ParticipationGenesis): Genesis {
  const { mode, weights, identities, clients } = options;
  const all = Array.from({ length: identities }, (_, index) => index);
  const funded: readonly Bytes[] = [
    ...Array.from({ length: clients }, (_, index) => clientKey(index)),
    ...all.map(feeRecipientKey),
    ...[...all, identities].map(adminKey),
    ...all.map(guestKey),
    ...Array.from({ length: DELEGATORS }, (_, index) => delegatorKey(index)),
    strangerKey,
  ];
  const { epochLength, epochLead } = options;
  return createGenesis({
    profile: "alliance",
    chainId: SIMULATED_CHAIN_ID,
    timestampMs: SIMULATED_GENESIS_MS,
    validators: weights.map((weight, index) => candidateOf(index, weight)),
    accounts: funded.map((key) => ({
      address: addressOfSecretKey(key),
      balance: CLIENT_BALANCE,
      nonce: 0n,
      code: EMPTY_BYTES,
      storage: [],
    })),
    consensus: { ...FAST_TIMES, ...options.consensus },
    epochLength,
    epochLead,
    validatorSets: { kind: "module", name: mode === "staking" ? "staking" : "membership" },
    modules: genesisModules(options),
  });
}

function genesisModules(options: ParticipationGenesis): GenesisModules {
  if (options.mode === "staking") {
    const initial = options.weights.map((weight, index) => initialValidator(index, weight));
    const settings = encodeStakingSettings(options.staking, initial);
    return { authority: undefined, active: [genesisModule(moduleOf("staking"), settings)] };
  }
  const settings = encodeSettings(membershipSettings(options));
  return { authority: MEMBERSHIP_ADDRESS, active: [genesisModule(moduleOf("membership"), settings)] };
}

function moduleOf(name: string): ReturnType<typeof simulatedModule> & {} {
  return must(simulatedModule(name), "both modules are there");
}

/** Some have their stake from genesis, the others from their accounts. */
function initialValidator(identity: number, weight: number): InitialValidator {
  const { consensusKey, proofOfPossession, transportKey, name, host, port } = candidateOf(identity, weight);
  return {
    operator: operatorOf(identity),
    stake: BigInt(weight) * STAKE_OF_A_WEIGHT,
    isGranted: isGranted(identity),
    consensusKey,
    proofOfPossession,
    transportKey,
    vrfKey: vrfKeyOf(identity).publicKey,
    name,
    host,
    port,
    commission: 100 * identity,
  };
}

/** Accounts that bond, delegate and report. */
export function stakeHolders(identities: number): readonly Address[] {
  return [
    ...Array.from({ length: identities }, (_, identity) => operatorOf(identity)),
    ...Array.from({ length: DELEGATORS }, (_, index) => addressOfSecretKey(delegatorKey(index))),
  ];
}

function isGranted(identity: number): boolean {
  return identity % 2 === 0;
}

/** What genesis makes for initial validators. */
export function grantedStake({ mode, weights }: Pick<ParticipationGenesis, "mode" | "weights">): bigint {
  if (mode !== "staking") return 0n;
  return weights.reduce(
    (sum, weight, index) => (isGranted(index) ? sum + BigInt(weight) * STAKE_OF_A_WEIGHT : sum),
    0n,
  );
}

export const ORGANISATION_LIMITS = { validators: 2, observers: 1, accounts: 4 } as const;
/** Shares of a member's weight: each has one node. */
export const NODE_WEIGHT = 1;

function membershipSettings(options: ParticipationGenesis): MembershipSettings {
  const { weights, identities, clients, thresholdPercent, proposalBlocks } = options;
  const members = weights.map((weight, identity): OrganisationSettings => {
    const { consensusKey, proofOfPossession, transportKey, name, host, port } = candidateOf(identity, weight);
    return {
      name: `Organisation ${identity}`,
      admin: addressOfSecretKey(adminKey(identity)),
      limits: { ...ORGANISATION_LIMITS, weight },
      filter: [],
      certificates: [],
      nodes: [
        {
          role: "validator",
          account: operatorOf(identity),
          weight: NODE_WEIGHT,
          filter: [],
          ...{ consensusKey, proofOfPossession, transportKey, name, host, port },
        },
      ],
      accounts: [{ address: addressOfSecretKey(guestKey(identity)), roles: ["sender"] }],
    };
  });
  const users: readonly Address[] = Array.from({ length: clients }, (_, index) =>
    addressOfSecretKey(clientKey(index)),
  );
  const ofClients: OrganisationSettings = {
    name: "Clients",
    admin: addressOfSecretKey(adminKey(identities)),
    limits: { validators: 0, observers: 0, accounts: users.length, weight: 0 },
    filter: [],
    certificates: [],
    nodes: [],
    accounts: users.map((address) => ({ address, roles: ["sender"] })),
  };
  return {
    owner: undefined,
    thresholdPercent,
    proposalBlocks,
    openToAll: false,
    organisations: [...members, ofClients],
  };
}
