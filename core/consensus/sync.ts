import {
  equalBytes,
  type Failure,
  fail,
  type Hash,
  type Height,
  ok,
  type Result,
  type View,
} from "@ostrom/base";
import { orderDigest } from "./block.ts";
import { verifyCertificate } from "./certificates.ts";
import type { Certificate, ConsensusDomain, OrderedBlock, ValidatorSet } from "./types.ts";
import { MAX_RANGE_BLOCKS } from "./types.ts";

/** Where a segment must begin: a finalized block that is already trusted. */
export type TrustedTip = {
  readonly view: View;
  readonly height: Height;
  readonly digest: Hash;
  readonly timestampMs: number;
};

export type SegmentErrorCode = "segment/empty" | "segment/too-long" | "segment/link" | "segment/certificate";

export type LinkedBlock = { readonly block: OrderedBlock; readonly digest: Hash };

/** Checks that blocks continue a trusted tip, one after the other, and that the finalization certificate is for the last:
 * then all of them are final. No clock and no payload is checked: a quorum did that when it voted.
 * @returns the blocks with their digests, in height order. Errors: `segment/empty`, `segment/too-long`,
 * `segment/link` (epoch, height, parent, view or time do not continue), `segment/certificate`. */
export function verifyChainSegment(
  domain: ConsensusDomain,
  set: ValidatorSet,
  tip: TrustedTip,
  blocks: readonly OrderedBlock[],
  finalization: Certificate,
): Result<readonly LinkedBlock[], Failure<SegmentErrorCode>> {
  if (blocks.length === 0) return fail("segment/empty", "a segment without blocks");
  if (blocks.length > MAX_RANGE_BLOCKS)
    return fail("segment/too-long", `a segment of ${blocks.length} blocks`);
  const linked: LinkedBlock[] = [];
  let parent = tip;
  for (const block of blocks) {
    if (block.epoch !== set.epoch || !continues(parent, block)) {
      return fail("segment/link", `block ${block.height} does not continue block ${parent.height}`);
    }
    const digest = orderDigest(domain, block);
    linked.push({ block, digest });
    parent = { view: block.view, height: block.height, digest, timestampMs: block.timestampMs };
  }
  const isOfLast = finalization.view === parent.view && equalBytes(finalization.digest, parent.digest);
  if (finalization.kind !== "finalization" || !isOfLast) {
    return fail("segment/certificate", "the certificate does not finalize the last block");
  }
  const verified = verifyCertificate(domain, set, finalization);
  return verified.ok ? ok(linked) : fail("segment/certificate", verified.error.message);
}

/** Whether a block may follow its parent, as far as the two of them tell. */
export function continues(parent: TrustedTip, block: OrderedBlock): boolean {
  return (
    block.height === parent.height + 1 &&
    equalBytes(block.parent, parent.digest) &&
    block.parentView === parent.view &&
    block.view > parent.view &&
    block.timestampMs > parent.timestampMs
  );
}
