import {
  equalBytes,
  type Failure,
  fail,
  type Hash,
  type Height,
  must,
  ok,
  type Result,
  type View,
} from "@ostrom/base";
import { orderDigest } from "./block.ts";
import { verifyCertificate } from "./certificates.ts";
import type { Certificate, ConsensusDomain, OrderedBlock, ValidatorSet } from "./types.ts";
import { MAX_RANGE_BLOCKS, MAX_SEALING_BLOCKS } from "./types.ts";

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
  const linked = linkBlocks(domain, set, tip, blocks);
  if (!linked.ok) return linked;
  const last = must(linked.value.at(-1), "a segment has blocks");
  if (finalization.kind !== "finalization" || !isAbout(finalization, last)) {
    return fail("segment/certificate", "the certificate does not finalize the last block");
  }
  const verified = verifyCertificate(domain, set, finalization);
  return verified.ok ? linked : fail("segment/certificate", verified.error.message);
}

/** Checks that blocks of one epoch continue a tip, one after the other, and says nothing about whether any of them is final.
 * @returns the blocks with their digests, in height order. Errors: `segment/empty`, `segment/too-long`, `segment/link`. */
export function linkBlocks(
  domain: ConsensusDomain,
  set: ValidatorSet,
  tip: TrustedTip,
  blocks: readonly OrderedBlock[],
): Result<readonly LinkedBlock[], Failure<Exclude<SegmentErrorCode, "segment/certificate">>> {
  if (blocks.length === 0) return fail("segment/empty", "a segment without blocks");
  if (blocks.length > MAX_RANGE_BLOCKS + MAX_SEALING_BLOCKS)
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
  return ok(linked);
}

/** Whether a certificate names this block. */
function isAbout(certificate: Certificate, { block, digest }: LinkedBlock): boolean {
  return certificate.view === block.view && equalBytes(certificate.digest, digest);
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
