import { type ChainRules, decodeTransaction, effectiveTip, nextBaseFee } from "@ostrom/execution";
import { type JsonObject, quantity } from "@ostrom/rpc-schema";
import type { ProvedBody } from "./reads.ts";
import type { VerifiedHeader } from "./verified-headers.ts";

/** What to suggest as a tip where the newest blocks say nothing, as a node does: nothing on a chain that may charge nothing. */
const DEFAULT_TIP = 1_000_000_000n;
const SUGGESTED_PERCENT = 60;
const MAX_TIP = 500_000_000_000n;
const BLOB_BASE_FEE = 1n;

/** A tip that blocks like these took: their 60th percentile. */
export function suggestTip(rules: ChainRules, bodies: readonly ProvedBody[]): bigint {
  const tips = bodies
    .flatMap(paidIn)
    .map(({ tip }) => tip)
    .sort(ascending);
  const tip = tips[Math.floor(((tips.length - 1) * SUGGESTED_PERCENT) / 100)];
  if (tip === undefined) return rules.minBaseFeePerGas === 0n ? 0n : DEFAULT_TIP;
  return tip < MAX_TIP ? tip : MAX_TIP;
}

/** eth_feeHistory of consecutive blocks, oldest first. @param bodies of the same blocks, where percentiles are wanted. */
export function feeHistory(
  rules: ChainRules,
  blocks: readonly VerifiedHeader[],
  bodies: readonly ProvedBody[],
  percentiles: readonly number[],
): JsonObject {
  const fees = blocks.map(({ header }) => header.baseFeePerGas);
  const newest = blocks.at(-1);
  if (newest !== undefined) fees.push(nextBaseFee(newest.header, rules));
  const rewards = bodies.map((body) => rewardsOf(body, percentiles).map(quantity));
  return {
    oldestBlock: quantity(blocks[0]?.header.number ?? 0),
    ...(percentiles.length === 0 ? {} : { reward: rewards }),
    baseFeePerGas: fees.map(quantity),
    gasUsedRatio: blocks.map(({ header }) => Number(header.gasUsed) / Number(header.gasLimit)),
    baseFeePerBlobGas: fees.map(() => quantity(BLOB_BASE_FEE)),
    blobGasUsedRatio: blocks.map(() => 0),
  };
}

type Paid = { readonly tip: bigint; readonly gasUsed: bigint };

function paidIn({ block, transactions, receipts }: ProvedBody): Paid[] {
  let before = 0n;
  return transactions.map((raw, index) => {
    const total = receipts[index]?.cumulativeGasUsed ?? before;
    const gasUsed = total - before;
    before = total;
    const decoded = decodeTransaction(raw);
    return { tip: decoded.ok ? effectiveTip(decoded.value, block.header.baseFeePerGas) : 0n, gasUsed };
  });
}

/** The tips that these shares of a block's gas paid at most. */
function rewardsOf(body: ProvedBody, percentiles: readonly number[]): readonly bigint[] {
  const paid = paidIn(body).sort((a, b) => ascending(a.tip, b.tip));
  let index = 0;
  let gasSoFar = paid[0]?.gasUsed ?? 0n;
  return percentiles.map((percentile) => {
    const threshold = (Number(body.block.header.gasUsed) * percentile) / 100;
    while (Number(gasSoFar) < threshold && index < paid.length - 1) gasSoFar += paid[++index]?.gasUsed ?? 0n;
    return paid[index]?.tip ?? 0n;
  });
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
