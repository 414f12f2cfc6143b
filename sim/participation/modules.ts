import { type Bytes, concatBytes, equalBytes, Hash, toHexDigits, wordToBytes } from "@ostrom/base";
import {
  decodeEvidence,
  epochOfEvidence,
  ethereumDomain,
  placeOfEvidence,
  verifyEvidenceByKey,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import { type ChainModule, installModules, type ModulePrecompile } from "@ostrom/execution";
import { chainModules as membershipModules } from "@ostrom/membership-chain";
import type { Installed } from "@ostrom/runtime";
import {
  EVIDENCE_PRECOMPILE_ADDRESS,
  POSSESSION_PRECOMPILE_ADDRESS,
  chainModules as stakingModules,
} from "@ostrom/staking-chain";
import { FORKS } from "@ostrom/vm";
import { NO_COSTS, simulatedSign, simulatedSignatures, verifyPossession } from "../signatures.ts";

const KEY_LENGTH = 48;
const SIGNATURE_LENGTH = 96;
const HASH_LENGTH = 32;
const POSSESSION_LENGTH: number = KEY_LENGTH + SIGNATURE_LENGTH;
const CONSENT_LENGTH: number = POSSESSION_LENGTH + SIGNATURE_LENGTH + HASH_LENGTH;
const GAS = 150_000n;

/** As modules/staking/chain/evidence-precompile.ts answers, under simulated signatures. */
const evidence: ModulePrecompile = {
  address: EVIDENCE_PRECOMPILE_ADDRESS,
  gas: () => GAS,
  run: (input) => {
    const head = KEY_LENGTH + HASH_LENGTH;
    const decoded = decodeEvidence(input.slice(head));
    if (input.length <= head || !decoded.ok) return undefined;
    const key = input.slice(0, KEY_LENGTH);
    const domain = {
      ...ethereumDomain(Hash(input.slice(KEY_LENGTH, head))),
      signatures: simulatedSignatures(NO_COSTS, () => undefined),
    };
    if (!verifyEvidenceByKey(domain, key, decoded.value).ok) return undefined;
    return concatBytes(
      wordToBytes(BigInt(epochOfEvidence(decoded.value))),
      wordToBytes(decoded.value.kind === "votes" ? 0n : 1n),
      wordToBytes(BigInt(placeOfEvidence(decoded.value))),
    );
  },
};

/** As modules/staking/chain/possession-precompile.ts answers, under simulated signatures. */
const possession: ModulePrecompile = {
  address: POSSESSION_PRECOMPILE_ADDRESS,
  gas: () => GAS,
  run: (input) => {
    if (input.length !== POSSESSION_LENGTH && input.length !== CONSENT_LENGTH) return undefined;
    const key = input.slice(0, KEY_LENGTH);
    if (!verifyPossession(key, input.slice(KEY_LENGTH, POSSESSION_LENGTH))) return undefined;
    const consent = input.slice(POSSESSION_LENGTH);
    const signature = consent.subarray(0, SIGNATURE_LENGTH);
    const hasConsented =
      consent.length === 0 || equalBytes(simulatedSign(key, consent.subarray(SIGNATURE_LENGTH)), signature);
    return hasConsented ? wordToBytes(1n) : undefined;
  },
};

/** What production computes; each node of a network asks the same, so each answer is computed once. */
function remembered(precompile: ModulePrecompile): ModulePrecompile {
  const answers = new Map<string, Bytes | undefined>();
  return {
    ...precompile,
    run: (input) => {
      const name = toHexDigits(keccak256(input));
      if (answers.has(name)) return answers.get(name)?.slice();
      if (answers.size >= MAX_ANSWERS) answers.clear();
      const answer = precompile.run(input);
      answers.set(name, answer);
      return answer?.slice();
    },
  };
}

const MAX_ANSWERS = 4_096;

/** Production's modules; only precompiles that verify consensus keys do so under simulated signatures. A code hash names addresses of
 * precompiles, not what they compute, so state names these modules as it names production's. */
export const SIMULATED_MODULES: readonly ChainModule[] = [...membershipModules, ...stakingModules].map(
  (module): ChainModule => {
    const { precompiles } = module;
    if (precompiles === undefined) return module;
    const stand = new Map([evidence, possession].map((each) => [toHexDigits(each.address), each]));
    return {
      ...module,
      precompiles: precompiles.map((each) => remembered(stand.get(toHexDigits(each.address)) ?? each)),
    };
  },
);

/** A program with these modules. */
export function programWith(modules: readonly ChainModule[]): Installed {
  return { modules: installModules(modules), forks: FORKS };
}

export const SIMULATED_PROGRAM: Installed = programWith(SIMULATED_MODULES);

export function simulatedModule(name: string): ChainModule | undefined {
  return SIMULATED_MODULES.findLast((module) => module.name === name);
}
