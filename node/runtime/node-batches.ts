import { quorumWeight, totalWeight, type ValidatorSet } from "@ostrom/consensus";
import { BatchDesk } from "./batch-desk.ts";
import { type BatchDeskPorts, type BatchEpoch, DEFAULT_BATCH_LIMITS } from "./batch-ports.ts";
import { peerIdsOf } from "./epoch-sets.ts";
import type { NodeCoreOptions } from "./node-core-options.ts";

/** What the rest of a node is to its batches. */
type NodeHooks = Pick<
  BatchDeskPorts,
  "pool" | "baseFee" | "unexecuted" | "changed" | "evidence" | "fault" | "failed"
> & {
  /** Newest executed height. */
  readonly head: number;
};

/** @returns undefined where a node has no key for its links or nobody who checks: it has no part in batches. */
export function openBatchDesk(
  options: NodeCoreOptions,
  { head, ...hooks }: NodeHooks,
): BatchDesk | undefined {
  const { transport, checker, genesis, batchLimits, domain } = options;
  const { checkBatch } = checker;
  if (transport === undefined || checkBatch === undefined) return undefined;
  return new BatchDesk(
    {
      ...hooks,
      clock: options.clock,
      log: options.log,
      network: options.network,
      store: options.store,
      checkBatch,
      transport,
      genesisHash: domain.genesisHash,
      hash: domain.hash,
      mode: genesis.consensus.signatureCheck ?? "all",
      limits: { ...DEFAULT_BATCH_LIMITS, ...batchLimits },
      blockGasLimit: genesis.rules.blockGasLimit,
    },
    head,
  );
}

/** Batches are of one epoch: what its set means for them. @param own index of this node, if it has one. */
export function batchEpochOf(
  validators: ValidatorSet,
  own: number | undefined,
  mayAuthor: boolean,
): BatchEpoch {
  const members = validators.validators;
  return {
    authors: {
      epoch: validators.epoch,
      keys: members.map(({ transportKey }) => transportKey),
      weights: members.map(({ weight }) => weight),
      leastWeight: totalWeight(validators) - quorumWeight(validators) + 1,
    },
    own,
    mayAuthor,
    peerIds: peerIdsOf(validators),
  };
}
