import { assert, Epoch, View } from "@ostrom/base";
import type { Certificate } from "../types.ts";
import { chainTo } from "./ancestry.ts";
import {
  changeState,
  type Draft,
  emit,
  type KnownBlock,
  nextView,
  type Trail,
  type ViewState,
} from "./state.ts";
import type { FinalizedTip, TimerId } from "./types.ts";

const TIMERS: readonly TimerId[] = ["seal", "leader", "advance", "standstill", "fetch"];

/** Rule S11: a finalization makes its block and all ancestors final, as soon as their bodies are here. */
export function finalizeDue(draft: Draft): void {
  const { pendingFinalization } = draft.state;
  if (pendingFinalization === undefined) return;
  const chain = chainTo(draft, pendingFinalization.digest, pendingFinalization.view);
  assert(chain.kind !== "conflict", "a final block must extend every final block before it");
  if (chain.kind === "complete") finalizeBlocks(draft, chain.blocks, pendingFinalization);
}

/** The node got to a newer final block by other means. */
export function moveTip(draft: Draft, tip: FinalizedTip): void {
  const { config } = draft.state;
  if (tip.height <= draft.state.tip.height || tip.epoch !== config.validators.epoch) return;
  assert(tip.height < config.lastHeight, "the last block of an epoch comes with what proves it final");
  advanceTip(draft, tip);
}

/** Forgets what lies at or below a new tip (rule S10). */
function advanceTip(draft: Draft, tip: FinalizedTip): void {
  const { views, blocks, pendingFinalization, trail, admittedView } = draft.state;
  const isPending = pendingFinalization !== undefined && pendingFinalization.view > tip.view;
  const reached = nextView(tip.view);
  changeState(draft, {
    tip,
    views: new Map([...views].filter(([view]: readonly [View, ViewState]) => view > tip.view)),
    blocks: new Map([...blocks].filter(([, known]) => known.block.view > tip.view)),
    pendingFinalization: isPending ? pendingFinalization : undefined,
    trail: trailAbove(trail, tip),
    admittedView: View(Math.max(reached, admittedView)),
  });
}

/** What is left of a trail above a new tip; nothing, if it was not proven. */
function trailAbove(trail: Trail | undefined, tip: FinalizedTip): Trail | undefined {
  const ends = trail?.isProven ? trail.ends.filter((end) => end.height > tip.height) : [];
  return trail === undefined || ends.length === 0 ? undefined : { ...trail, ends };
}

/** Makes blocks final that continue the tip. @param finalization of the last of them or of a descendant. */
export function finalizeBlocks(
  draft: Draft,
  chain: readonly Pick<KnownBlock, "block" | "digest">[],
  finalization: Certificate,
): void {
  const { lastHeight } = draft.state.config;
  const ordered = chain.filter(({ block }) => block.height <= lastHeight);
  for (const { block, digest } of ordered) emit(draft, { kind: "finalized", block, digest, finalization });
  const last = ordered.at(-1);
  if (last === undefined) return;
  const { epoch, view, height, timestampMs, stateCertificate } = last.block;
  advanceTip(draft, {
    epoch,
    view,
    height,
    digest: last.digest,
    timestampMs,
    stateCertificate,
    finalization,
  });
  if (height === lastHeight) endEpoch(draft, chain.slice(ordered.length), finalization);
}

/** Rule E3. Only the last block and what made it final are remembered, for those who are behind. */
function endEpoch(
  draft: Draft,
  sealing: readonly Pick<KnownBlock, "block">[],
  finalization: Certificate,
): void {
  const { tip, config } = draft.state;
  const { view } = finalization;
  changeState(draft, {
    ended: true,
    tip: { ...tip, view },
    view: nextView(view),
    admittedView: nextView(view),
    views: new Map(),
    blocks: new Map(),
    requests: new Map(),
    building: undefined,
    pendingFinalization: undefined,
    trail: undefined,
    viewReports: undefined,
    ahead: new Set(),
  });
  for (const id of TIMERS) emit(draft, { kind: "cancelTimer", id });
  emit(draft, {
    kind: "epochEnded",
    tip: {
      ...tip,
      epoch: Epoch(config.validators.epoch + 1),
      view: View(0),
      finalization: undefined,
    },
    proof: { sealing: sealing.map(({ block }) => block), finalization },
  });
}
