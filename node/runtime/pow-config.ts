import type { Hash } from "@ostrom/base";
import type { PowConfig, WorkHash } from "@ostrom/consensus";
import { workHash } from "@ostrom/crypto";
import { chainHash, type PowGenesis } from "@ostrom/execution";

/** What one node keeps of branches that may never count, beyond the longest that it may have to follow; a header takes some 700
 * bytes. */
const MAX_SIDE_HEADERS = 4_096;
const MAX_HEADERS_AHEAD = 16_384;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What the engine of a mined chain is configured with.
 * @param genesisHash of block 0.
 * @param hash makes the work; the one that genesis names, or, under a simulator, one that costs less. */
export function powConfig(
  { timestampMs, consensus, rules }: PowGenesis,
  genesisHash: Hash,
  hash: WorkHash = { name: consensus.hash, hash: workHash(consensus.hash) },
): PowConfig {
  return {
    domain: { genesisHash, hashId: rules.hashId, hash: chainHash(rules), workHash: hash },
    genesis: { timestampMs, executedHash: genesisHash },
    targetIntervalMs: consensus.targetIntervalMs,
    halflifeMs: consensus.halflifeMs,
    initialTarget: consensus.initialTarget,
    finalityDepth: consensus.finalityDepth,
    maxReorgDepth: consensus.maxReorgDepth,
    clockToleranceMs: consensus.clockToleranceMs,
    maxPayloadBytes: consensus.maxPayloadBytes,
    fetchRetryMs: consensus.fetchRetryMs,
    maxSideHeaders: consensus.maxReorgDepth + MAX_SIDE_HEADERS,
    maxHeadersAhead: MAX_HEADERS_AHEAD,
    maxBodyBytes: MAX_BODY_BYTES,
  };
}

/** Blocks are taken off by their reverse differences: those must be kept as long as a reorganisation may be deep.
 * @returns what is wrong with node.json, in words. */
export function checkHistory(historyBlocks: number, { consensus }: PowGenesis): string | undefined {
  const { maxReorgDepth } = consensus;
  if (historyBlocks >= maxReorgDepth) return undefined;
  return `"historyBlocks" must be at least ${maxReorgDepth}, the maxReorgDepth of genesis.json; found ${historyBlocks}`;
}
