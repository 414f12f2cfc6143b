import { equalBytes } from "@ostrom/base";
import { verifyCertificate } from "../certificates.ts";
import { type LinkedBlock, linkBlocks, type TrustedTip, verifyChainSegment } from "../sync.ts";
import type { Certificate, OrderedBlock, ValidatorIndex } from "../types.ts";
import { finalizeBlocks } from "./finality.ts";
import { changeState, type Draft, fault, type Trail } from "./state.ts";

/** Consecutive final blocks from a peer's store (rule S11). What is here already is passed over. */
export function onBlockRange(
  draft: Draft,
  from: ValidatorIndex | undefined,
  blocks: readonly OrderedBlock[],
  finalization: Certificate,
): void {
  const { config, tip, trail, syncPeer } = draft.state;
  if (finalization.epoch !== config.validators.epoch || finalization.view <= tip.view) return;
  const end = trail?.ends.at(-1);
  if (
    trail !== undefined &&
    !trail.isProven &&
    from === trail.peer &&
    blocks[0]?.height === end!.height + 1
  ) {
    extendTrail(draft, trail, end!, blocks, finalization);
    return;
  }
  const ahead = blocks.filter((block) => block.height > tip.height);
  const [first, last] = [ahead[0], ahead.at(-1)];
  // What comes late, or continues a trail that is given up, is nobody's fault.
  if (first === undefined || last === undefined || first.height > tip.height + 1) return;
  // A finalization of a later view can only be of a descendant.
  if (finalization.view <= last.view) {
    const segment = verifyChainSegment(config.domain, config.validators, tip, ahead, finalization);
    if (segment.ok) finalizeBlocks(draft, segment.value, finalization);
    else blame(draft, from, segment.error.message);
    return;
  }
  // Of others than the one that was asked it is not read: hashing megabytes is no answer to what costs its sender nothing.
  const mayBegin = trail === undefined && from !== undefined && from === syncPeer;
  if (!mayBegin && !trail?.isProven) return;
  const linked = linkBlocks(config.domain, config.validators, tip, ahead);
  if (!linked.ok) blame(draft, from, linked.error.message);
  else if (trail?.isProven) followTrail(draft, trail, linked.value);
  else if (mayBegin) beginTrail(draft, from, linked.value, finalization);
}

/** Blocks none of which is proven final: they are, if their sender can go on from there to the block that is. */
function beginTrail(
  draft: Draft,
  from: ValidatorIndex,
  linked: readonly LinkedBlock[],
  finalization: Certificate,
): void {
  const { config } = draft.state;
  const isFinal =
    finalization.kind === "finalization" &&
    verifyCertificate(config.domain, config.validators, finalization).ok;
  const end = endOf(linked);
  if (!isFinal || end.height >= config.lastHeight) {
    blame(draft, from, "nothing proves its blocks final");
    return;
  }
  changeState(draft, { trail: { peer: from, finalization, ends: [end], isProven: false } });
}

/** The next blocks of the same sender. Its blocks come to the finalized one, because views grow with heights; or it lied. */
function extendTrail(
  draft: Draft,
  trail: Trail,
  end: TrustedTip,
  blocks: readonly OrderedBlock[],
  finalization: Certificate,
): void {
  const { domain, validators, lastHeight } = draft.state.config;
  const linked = linkBlocks(domain, validators, end, blocks);
  const reached = linked.ok ? endOf(linked.value) : undefined;
  const isThere = linked.ok && verifyChainSegment(domain, validators, end, blocks, finalization).ok;
  const mayGoOn =
    reached !== undefined && reached.view < trail.finalization.view && reached.height < lastHeight;
  if (reached === undefined || !(isThere || mayGoOn)) {
    changeState(draft, { trail: undefined });
    blame(draft, trail.peer, "its blocks do not lead to the final one");
    return;
  }
  const ends = [...trail.ends, reached];
  changeState(draft, {
    trail: isThere ? { ...trail, finalization, ends, isProven: true } : { ...trail, ends },
  });
}

/** Blocks up to an end of the trail that is known to be final. */
function followTrail(draft: Draft, trail: Trail, linked: readonly LinkedBlock[]): void {
  const isEnd = ({ block, digest }: LinkedBlock): boolean =>
    trail.ends.some((end) => end.height === block.height && equalBytes(end.digest, digest));
  const known = linked.findLastIndex(isEnd);
  if (known >= 0) finalizeBlocks(draft, linked.slice(0, known + 1), trail.finalization);
}

function endOf(linked: readonly LinkedBlock[]): TrustedTip {
  const { block, digest } = linked.at(-1)!;
  return { view: block.view, height: block.height, digest, timestampMs: block.timestampMs };
}

function blame(draft: Draft, peer: ValidatorIndex | undefined, why: string): void {
  if (peer !== undefined) fault(draft, peer, "consensus/bad-segment", why);
}
