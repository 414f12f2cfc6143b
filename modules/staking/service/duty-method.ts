import { type Bytes, fromHex, Hash, toHex, unwrap } from "@ostrom/base";
import { ECVRF_PUBLIC_KEY_LENGTH } from "@ostrom/crypto";
import {
  defineModuleMethod,
  invalidParams,
  type Json,
  LATEST,
  type ModuleMethod,
  type ModuleReads,
  optional,
  parameterTypes,
  quantity,
  required,
} from "@ostrom/runtime";
import { readStakingSettings } from "@ostrom/staking-chain";
import type { DutyView, Reportable } from "./duty-view.ts";
import { readDuties, type SeenEvidence } from "./read-duties.ts";

/** Pieces that one answer looks at: more than a set of the largest size leaves behind before it is replaced. */
const MAX_PIECES = 1_024;

/** What a validator's service asks its node. */
export const dutyMethod: ModuleMethod = defineModuleMethod({
  name: "staking_getDuties",
  summary:
    "What a validator is to send now: whether it may reveal what it draws, and which contradictions of others can be reported.",
  parameters: [
    required("account", parameterTypes.address),
    optional("vrfKey", parameterTypes.data, undefined),
  ],
  returns:
    "{isActive, height, epoch, round, input, own: null | {staker, mayReveal}, reportable: [{staker, epoch, consensusKey, evidence, announcedIn}]}",
  run: (reads, account, vrfKey) => {
    if (vrfKey !== undefined && vrfKey.length !== ECVRF_PUBLIC_KEY_LENGTH)
      throw invalidParams(`invalid argument 1: expected a key of ${ECVRF_PUBLIC_KEY_LENGTH} bytes`);
    return reads.withState(LATEST, (state, height) => {
      const { evidenceEpochs } = readStakingSettings(state) ?? { evidenceEpochs: 0 };
      const seen = seenEvidence(reads, evidenceEpochs);
      return dutiesJson(readDuties(state, { chainId: reads.chainId, height }, { account, vrfKey }, seen));
    });
  },
});

function seenEvidence({ validators }: ModuleReads, evidenceEpochs: number): readonly SeenEvidence[] {
  if (validators === undefined) return [];
  const from = Math.max(0, validators.currentEpoch() - evidenceEpochs);
  const sets = new Map<number, ReturnType<typeof validators.set>>();
  return validators.evidence(from, MAX_PIECES).flatMap(({ epoch, validator, bytes }) => {
    if (!sets.has(epoch)) sets.set(epoch, validators.set(epoch));
    const consensusKey = sets.get(epoch)?.validators[validator]?.consensusKey;
    return consensusKey === undefined ? [] : [{ epoch, consensusKey, evidence: bytes }];
  });
}

function dutiesJson(view: DutyView): Json {
  const { own } = view;
  return {
    isActive: view.isActive,
    height: quantity(view.height),
    epoch: quantity(view.epoch),
    round: quantity(view.round),
    input: toHex(view.input),
    own: own === undefined ? null : { staker: quantity(own.staker), mayReveal: own.mayReveal },
    reportable: view.reportable.map(({ staker, epoch, consensusKey, evidence, announcedIn }) => ({
      staker: quantity(staker),
      epoch: quantity(epoch),
      consensusKey: toHex(consensusKey),
      evidence: toHex(evidence),
      announcedIn: quantity(announcedIn),
    })),
  };
}

type Texts<T> = { readonly [Name in keyof T]: string };
type DutiesJson = Omit<Texts<DutyView>, "isActive" | "own" | "reportable"> & {
  readonly isActive: boolean;
  readonly own: { readonly staker: string; readonly mayReveal: boolean } | null;
  readonly reportable: readonly Texts<Reportable>[];
};

/** Reads what the method answers. It comes from the node that the service belongs to. */
export function readDutiesJson(json: unknown): DutyView {
  const { isActive, height, epoch, round, input, own, reportable } = json as DutiesJson;
  return {
    isActive,
    height: Number(height),
    epoch: Number(epoch),
    round: Number(round),
    input: Hash(bytesOf(input)),
    own: own === null ? undefined : { staker: Number(own.staker), mayReveal: own.mayReveal },
    reportable: reportable.map((piece) => ({
      staker: Number(piece.staker),
      epoch: Number(piece.epoch),
      consensusKey: bytesOf(piece.consensusKey),
      evidence: bytesOf(piece.evidence),
      announcedIn: Number(piece.announcedIn),
    })),
  };
}

function bytesOf(text: string): Bytes {
  return unwrap(fromHex(text));
}
