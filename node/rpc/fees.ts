import { must } from "@ostrom/base";
import { type ChainRules, effectiveTip, nextBaseFee } from "@ostrom/execution";
import { BLOB_BASE_FEE, quantity } from "@ostrom/rpc-schema";
import type { ChainReads, NextBlock } from "./backend.ts";
import type { BlockReader, ReadBlock } from "./block-reader.ts";
import type { JsonObject } from "./json.ts";

/** What to suggest as a priority fee where the newest blocks say nothing: a round figure that costs next to nothing.
 * A chain whose base fee may be 0 charges nothing, so there it is 0: accounts without coins must be able to send. */
const DEFAULT_TIP = 1_000_000_000n;
/** The newest blocks that the suggestion looks at, the cheapest tips taken of each, and which of all is suggested.
 * Source: go-ethereum's gas price oracle (20 blocks, 3 tips, 60th percentile). */
const SAMPLED_BLOCKS = 20;
const SAMPLED_TIPS = 3;
const SUGGESTED_PERCENT = 60;
/** A tip above this is never suggested. */
const MAX_TIP = 500_000_000_000n;

/** Suggests fees from what the newest blocks paid. */
export type FeeOracle = {
  /** In wei. */
  readonly suggestedTip: () => bigint;
  /** The base fee that the next block will have, in wei. */
  readonly nextBaseFee: () => bigint;
};

export function createFeeOracle(
  blocks: BlockReader,
  chain: Pick<ChainReads, "header">,
  rules: ChainRules,
  nextBlock?: NextBlock,
): FeeOracle {
  let suggestion: { readonly head: number; readonly tip: bigint } | undefined;
  let samples = new Map<number, readonly bigint[]>();

  const suggest = (head: number): bigint => {
    const fresh = new Map<number, readonly bigint[]>();
    const oldest = Math.max(1, blocks.heads().earliest, head - SAMPLED_BLOCKS + 1);
    for (let number = head; number >= oldest; number--) {
      fresh.set(number, samples.get(number) ?? sampleTips(blocks.byNumber(number)));
    }
    samples = fresh;
    const tips = [...fresh.values()].flat().sort(ascending);
    if (tips.length === 0) return rules.minBaseFeePerGas === 0n ? 0n : DEFAULT_TIP;
    const tip = must(tips[Math.floor(((tips.length - 1) * SUGGESTED_PERCENT) / 100)], "an index in range");
    return tip < MAX_TIP ? tip : MAX_TIP;
  };

  return {
    suggestedTip: () => {
      const head = blocks.heads().latest;
      if (suggestion?.head !== head) suggestion = { head, tip: suggest(head) };
      return suggestion.tip;
    },
    nextBaseFee: () => {
      if (nextBlock !== undefined) return nextBlock().baseFeePerGas;
      const head = must(chain.header(blocks.heads().latest), "the head must have a header");
      return nextBaseFee(head.header, rules);
    },
  };
}

function sampleTips(block: ReadBlock | undefined): readonly bigint[] {
  if (block === undefined) return [];
  const tips = block.transactions.map((transaction) => effectiveTip(transaction, block.header.baseFeePerGas));
  return tips.sort(ascending).slice(0, SAMPLED_TIPS);
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** eth_feeHistory of blocks `oldest` to `newest`.
 * @param percentiles ascending, 0 to 100: the tips that these shares of a block's gas paid at most. */
export function feeHistory(
  blocks: BlockReader,
  chain: Pick<ChainReads, "header">,
  rules: ChainRules,
  range: { readonly oldest: number; readonly newest: number },
  percentiles: readonly number[],
): JsonObject {
  const baseFees: string[] = [];
  const ratios: number[] = [];
  const rewards: string[][] = [];
  let next = 0n;
  for (let number = range.oldest; number <= range.newest; number++) {
    const { header } = must(chain.header(number), "a block in range must have a header");
    baseFees.push(quantity(header.baseFeePerGas));
    ratios.push(Number(header.gasUsed) / Number(header.gasLimit));
    next = nextBaseFee(header, rules);
    if (percentiles.length === 0) continue;
    const block = must(blocks.byNumber(number), "a block in range must be there");
    rewards.push(rewardsOf(block, percentiles).map(quantity));
  }
  const length = range.newest - range.oldest + 1;
  return {
    oldestBlock: quantity(range.oldest),
    ...(percentiles.length === 0 ? {} : { reward: rewards }),
    baseFeePerGas: [...baseFees, quantity(next)],
    gasUsedRatio: ratios,
    baseFeePerBlobGas: new Array(length + 1).fill(quantity(BLOB_BASE_FEE)),
    blobGasUsedRatio: new Array(length).fill(0),
  };
}

function rewardsOf(block: ReadBlock, percentiles: readonly number[]): readonly bigint[] {
  const receipts = block.receipts();
  const paid = block.transactions.map((transaction, i) => ({
    tip: effectiveTip(transaction, block.header.baseFeePerGas),
    gasUsed: receipts[i]!.gasUsed,
  }));
  paid.sort((a, b) => ascending(a.tip, b.tip));
  let index = 0;
  let gasSoFar = paid[0]?.gasUsed ?? 0n;
  return percentiles.map((percentile) => {
    if (paid.length === 0) return 0n;
    const threshold = (Number(block.header.gasUsed) * percentile) / 100;
    while (Number(gasSoFar) < threshold && index < paid.length - 1) gasSoFar += paid[++index]!.gasUsed;
    return paid[index]!.tip;
  });
}
