import { must } from "@ostrom/base";
import { FORKS, type Fork } from "@ostrom/vm";
import type { ScheduledFork } from "./module-registry.ts";
import type { ChainRules, Header, Transaction } from "./types.ts";

/** The rule set of a block: the newest of those that genesis has begin by time and state by height.
 * @param timestamp in seconds.
 * @param scheduled what the registry of modules says, and the block's height. Rule sets that this program does not know count for
 * nothing here: who executes a block makes sure that there are none (`missingActivations`). */
export function forkAt(
  rules: Pick<ChainRules, "forks">,
  timestamp: number,
  scheduled?: { readonly forks: readonly ScheduledFork[]; readonly height: number } | undefined,
): Fork {
  let current = must(rules.forks[0], "a chain must have a first rule set").fork;
  for (const { fork, fromTimestamp } of rules.forks) if (fromTimestamp <= timestamp) current = fork;
  if (scheduled === undefined) return current;
  const begun = new Set(
    scheduled.forks.flatMap(({ fork, height }) => (height <= scheduled.height ? [fork] : [])),
  );
  return FORKS.findLast((fork) => fork === current || begun.has(fork)) ?? current;
}

/** The base fee of the block after `parent`, in wei. Source: EIP-1559, with the denominator, the elasticity and the lower
 * bound from genesis in place of its constants. */
export function nextBaseFee(
  parent: Pick<Header, "baseFeePerGas" | "gasUsed" | "gasLimit">,
  rules: Pick<ChainRules, "baseFeeChangeDenominator" | "elasticityMultiplier" | "minBaseFeePerGas">,
): bigint {
  const { baseFeePerGas, gasUsed, gasLimit } = parent;
  const next = unboundedNextBaseFee(baseFeePerGas, gasUsed, gasLimit / rules.elasticityMultiplier, rules);
  return next > rules.minBaseFeePerGas ? next : rules.minBaseFeePerGas;
}

function unboundedNextBaseFee(
  baseFee: bigint,
  gasUsed: bigint,
  target: bigint,
  rules: Pick<ChainRules, "baseFeeChangeDenominator">,
): bigint {
  // A target of 0 has no fullness to measure.
  if (gasUsed === target || target === 0n) return baseFee;
  if (gasUsed < target)
    return baseFee - (baseFee * (target - gasUsed)) / target / rules.baseFeeChangeDenominator;
  const rise = (baseFee * (gasUsed - target)) / target / rules.baseFeeChangeDenominator;
  return baseFee + (rise > 0n ? rise : 1n);
}

/** What a transaction pays for a unit of gas, in wei. It must pay the base fee at least: callers check.
 * Source: EIP-1559. */
export function effectiveGasPrice(
  transaction: Pick<Transaction, "maxFeePerGas" | "maxPriorityFeePerGas">,
  baseFeePerGas: bigint,
): bigint {
  const wished = baseFeePerGas + transaction.maxPriorityFeePerGas;
  return wished < transaction.maxFeePerGas ? wished : transaction.maxFeePerGas;
}

/** What of the price goes to the proposer, in wei; negative if the transaction does not pay the base fee. */
export function effectiveTip(
  transaction: Pick<Transaction, "maxFeePerGas" | "maxPriorityFeePerGas">,
  baseFeePerGas: bigint,
): bigint {
  return effectiveGasPrice(transaction, baseFeePerGas) - baseFeePerGas;
}
