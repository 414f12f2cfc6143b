import { concatBytes, equalBytes, Weight, wordToBytes } from "@ostrom/base";
import { decodeEvidence, epochOfEvidence, placeOfEvidence } from "@ostrom/consensus";
import {
  type ChainModule,
  type ModuleState,
  mappingSlot,
  STAKING_ADDRESS,
  type Validator,
} from "@ostrom/execution";
import { readNodes } from "@ostrom/membership-chain";
import { EVIDENCE_PRECOMPILE_ADDRESS, readStakers } from "@ostrom/staking-chain";
import type { BootSeams } from "../boot-simplex.ts";
import { operatorOf } from "../participation/accounts.ts";
import { replaceModule } from "../participation/replaced-module.ts";
import type { PlantedBug } from "./planted-bug.ts";

// Bugs in what modules compute, in every node alike: no two nodes disagree, so only what holds of participation itself shows them.

function changed(name: string, change: (module: ChainModule) => Partial<ChainModule>): BootSeams {
  return { installed: (installed) => replaceModule(installed, name, change) };
}

/** Nobody is asked who may send. */
const askNobody: PlantedBug = {
  name: "ask nobody who may send",
  participation: "membership",
  seams: changed("membership", () => ({ permits: undefined })),
  faults: [],
  epochs: true,
  breaks: ["permission"],
  within: 10,
};

/** A suspended member's validators stay in the set. */
const keepTheSuspended: PlantedBug = {
  name: "keep the suspended",
  participation: "membership",
  seams: changed("membership", ({ validatorSet }) => ({
    validatorSet: (state, nextEpoch, current) => {
      const answer = validatorSet?.(state, nextEpoch, current);
      if (answer === undefined) return undefined;
      const suspended = readNodes(state)
        .filter(({ role, isActive }) => role === "validator" && !isActive)
        .map((node): Validator => ({ ...node, address: node.account, weight: Weight(1) }));
      return { ...answer, set: { ...answer.set, validators: [...answer.set.validators, ...suspended] } };
    },
  })),
  faults: [],
  epochs: true,
  breaks: ["membership"],
  from: 5,
  within: 20,
};

/** The set loses one of its members on the way into state. */
const dropAMember: PlantedBug = {
  name: "drop a member of the set",
  participation: "staking",
  seams: changed("staking", ({ validatorSet }) => ({
    validatorSet: (state, nextEpoch, current) => {
      const answer = validatorSet?.(state, nextEpoch, current);
      if (answer === undefined || answer.set.validators.length <= 4) return answer;
      return { ...answer, set: { ...answer.set, validators: answer.set.validators.slice(1) } };
    },
  })),
  faults: [],
  epochs: true,
  breaks: ["validator-set"],
  within: 10,
};

/** Who makes a block gets a coin that nobody has accounted for. */
const mintForBlocks: PlantedBug = {
  name: "mint for blocks",
  participation: "staking",
  seams: changed("staking", ({ beginBlock }) => ({
    beginBlock: (context) => {
      beginBlock?.(context);
      const account = operatorOf(context.origin?.proposer ?? 0);
      context.state.setBalance(account, context.state.balance(account) + 1n);
    },
  })),
  faults: [],
  epochs: true,
  breaks: ["supply"],
  within: 5,
};

/** Rewards are promised and not made. */
const forgetToMint: PlantedBug = {
  name: "forget to mint",
  participation: "staking",
  seams: changed("staking", ({ sealEpoch }) => ({
    sealEpoch: (context, nextEpoch) => {
      const before = context.state.balance(STAKING_ADDRESS);
      sealEpoch?.(context, nextEpoch);
      context.state.setBalance(STAKING_ADDRESS, before);
    },
  })),
  faults: [],
  epochs: true,
  breaks: ["stake-conserved"],
  within: 10,
};

const FRESH_AFTER_SLOT = 16n;

/** All sets count as decided anew in the first epoch, so that stake is paid out while it votes. */
const payTooEarly: PlantedBug = {
  name: "pay out while it votes",
  participation: "staking",
  seams: changed("staking", ({ sealEpoch }) => ({
    sealEpoch: (context, nextEpoch) => {
      sealEpoch?.(context, nextEpoch);
      for (let epoch = 0; epoch <= nextEpoch; epoch++) {
        const slot = mappingSlot(wordToBytes(BigInt(epoch)), FRESH_AFTER_SLOT);
        context.state.setStorage(STAKING_ADDRESS, slot, 1n);
      }
    },
  })),
  faults: [],
  epochs: true,
  breaks: ["stake-locked"],
  within: 20,
};

const MAX_STAKERS = 64;

function goneStaker(state: ModuleState): Validator | undefined {
  const gone = readStakers(state, 1, MAX_STAKERS).find(
    ({ isJailed, isTombstoned, hasExited }) => isJailed || isTombstoned || hasExited,
  );
  if (gone === undefined) return undefined;
  return { ...gone, address: gone.operator, weight: Weight(1), proofOfPossession: new Uint8Array(96) };
}

/** Who was slashed, jailed or has left stays in the set. */
const keepTheGone: PlantedBug = {
  name: "keep who is slashed or gone",
  participation: "staking",
  seams: changed("staking", ({ validatorSet }) => ({
    validatorSet: (state, nextEpoch, current) => {
      const answer = validatorSet?.(state, nextEpoch, current);
      const gone = goneStaker(state);
      if (answer === undefined || gone === undefined) return answer;
      return { ...answer, set: { ...answer.set, validators: [...answer.set.validators, gone] } };
    },
  })),
  faults: ["byzantine"],
  epochs: true,
  actors: ["contradictor", "equivocator"],
  breaks: ["stake-voting"],
  within: 20,
};

const EVIDENCE_OFFSET = 80;

/** Whoever is accused is guilty. */
const believeAccusers: PlantedBug = {
  name: "believe accusers",
  participation: "staking",
  seams: changed("staking", ({ precompiles = [] }) => ({
    precompiles: precompiles.map((precompile) =>
      equalBytes(precompile.address, EVIDENCE_PRECOMPILE_ADDRESS)
        ? {
            ...precompile,
            run: (input) => {
              const decoded = decodeEvidence(input.slice(EVIDENCE_OFFSET));
              if (!decoded.ok) return undefined;
              const words = [
                BigInt(epochOfEvidence(decoded.value)),
                0n,
                BigInt(placeOfEvidence(decoded.value)),
              ];
              return concatBytes(...words.map(wordToBytes));
            },
          }
        : precompile,
    ),
  })),
  faults: [],
  epochs: true,
  breaks: ["slashing"],
  within: 10,
};

export const PARTICIPATION_BUGS: readonly PlantedBug[] = [
  askNobody,
  keepTheSuspended,
  dropAMember,
  mintForBlocks,
  forgetToMint,
  payTooEarly,
  keepTheGone,
  believeAccusers,
];
