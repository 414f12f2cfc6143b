import { assert, type Bytes, equalBytes, type Failure, fail, Height, ok, type Result } from "@ostrom/base";
import { asertTarget } from "./asert.ts";
import { hasWork, headerBytes, workOfTarget } from "./header.ts";
import {
  type ChainPoint,
  MEDIAN_TIME_BLOCKS,
  type PowConfig,
  type PowFaultCode,
  type PowHeader,
} from "./types.ts";

/** Where every chain begins. Genesis has no work. */
export function genesisPoint(config: PowConfig): ChainPoint {
  return {
    height: Height(0),
    id: config.domain.genesisHash,
    timestampMs: config.genesis.timestampMs,
    target: config.initialTarget,
    totalWork: 0n,
    anchorTimestampMs: undefined,
    recentTimestampsMs: [config.genesis.timestampMs],
  };
}

/** The target of the block after this one (W3). Block 1 has initialTarget, and its time begins the schedule: a chain whose genesis was
 * written long before its first block does not start behind. */
export function nextTarget(config: PowConfig, point: ChainPoint): bigint {
  if (point.anchorTimestampMs === undefined) return config.initialTarget;
  const schedule = {
    anchorTarget: config.initialTarget,
    maxTarget: config.initialTarget,
    targetInterval: config.targetIntervalMs,
    halflife: config.halflifeMs,
  };
  const anchorParentTimeMs = point.anchorTimestampMs - config.targetIntervalMs;
  return asertTarget(schedule, point.timestampMs - anchorParentTimeMs, point.height - 1);
}

/** The least time of the block after this one: above the median of the last MEDIAN_TIME_BLOCKS (W4). */
export function earliestTimestampMs(point: ChainPoint): number {
  const sorted = point.recentTimestampsMs.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  assert(median !== undefined, "a chain point knows at least its own time");
  return median + 1;
}

/** The point that a header leads to. Checks nothing. */
export function pointAfter(point: ChainPoint, header: PowHeader, id: ChainPoint["id"]): ChainPoint {
  return {
    height: header.height,
    id,
    timestampMs: header.timestampMs,
    target: header.target,
    totalWork: point.totalWork + workOfTarget(header.target),
    anchorTimestampMs: point.anchorTimestampMs ?? header.timestampMs,
    recentTimestampsMs: [header.timestampMs, ...point.recentTimestampsMs].slice(0, MEDIAN_TIME_BLOCKS),
  };
}

/** Checks what a header and its chain decide for ever, whoever looks and whenever (W2, W3, W4); not how far its time is ahead.
 * Work is looked at last, because it costs most; nobody stores a header before.
 * @param bytes what is hashed, if it is at hand: `headerBytes`.
 * @returns what is hashed.
 * Errors: `pow/bad-sequence` if it does not follow the point, `pow/bad-header` for all else. */
export function checkHeader(
  config: PowConfig,
  point: ChainPoint,
  header: PowHeader,
  bytes: Bytes = headerBytes(config.domain, header),
): Result<Bytes, Failure<PowFaultCode>> {
  if (header.height !== point.height + 1 || !equalBytes(header.parent, point.id)) {
    return fail("pow/bad-sequence", `height ${header.height} does not follow height ${point.height}`);
  }
  const target = nextTarget(config, point);
  if (header.target !== target) {
    return fail("pow/bad-header", `height ${header.height}: the target must be ${target}`);
  }
  const earliestMs = earliestTimestampMs(point);
  if (header.timestampMs < earliestMs) {
    return fail("pow/bad-header", `height ${header.height}: the time must be at least ${earliestMs}`);
  }
  if (!hasWork(config.domain, bytes, target)) {
    return fail("pow/bad-header", `height ${header.height}: the work hash is above the target`);
  }
  return ok(bytes);
}
