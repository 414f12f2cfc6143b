import { equalBytes, type Hash, type View } from "@ostrom/base";
import type { CertificateKind, OrderedBlock, ValidatorIndex } from "../types.ts";
import { readSignerBitmap } from "../validator-set.ts";
import { type Draft, type KnownBlock, keyOf, notarizationOf, type ParentBlock, viewState } from "./state.ts";

/** Something this validator cannot go on without, and who should have it. */
export type Need =
  | {
      readonly kind: "certificate";
      readonly view: View;
      readonly want: CertificateKind | "any";
      /** Who claimed to have it; the others are asked after it. */
      readonly askFirst: ValidatorIndex | undefined;
    }
  | {
      readonly kind: "block";
      readonly view: View;
      readonly digest: Hash;
      readonly askAmong: readonly ValidatorIndex[];
    };

export type ParentLookup =
  | { readonly kind: "found"; readonly parent: ParentBlock; readonly ancestors: readonly OrderedBlock[] }
  | { readonly kind: "missing"; readonly needs: readonly Need[] }
  /** No honest leader can have proposed this. */
  | { readonly kind: "impossible"; readonly why: string };

type Chain =
  | { readonly kind: "complete"; readonly blocks: readonly KnownBlock[] }
  | { readonly kind: "missing"; readonly view: View; readonly digest: Hash }
  | { readonly kind: "conflict" };

/** Most certificates that one proposal may make this validator ask for at once. */
const MAX_NEEDS_OF_PROPOSAL = 64;

/** The blocks from just above the tip up to `digest`, in height order, as far as their bodies are here. */
export function chainTo(draft: Draft, digest: Hash, view: View): Chain {
  const { tip, blocks } = draft.state;
  const path: KnownBlock[] = [];
  let next = { digest, view };
  while (!equalBytes(next.digest, tip.digest)) {
    if (next.view <= tip.view) return { kind: "conflict" };
    const known = blocks.get(keyOf(next.digest));
    if (known === undefined) return { kind: "missing", ...next };
    path.push(known);
    next = { digest: known.block.parent, view: known.block.parentView };
  }
  return { kind: "complete", blocks: path.reverse() };
}

/** Rule S3: a proposal's parent is notarized, every view between the two is nullified, and all bodies are here. */
export function findParent(draft: Draft, block: OrderedBlock): ParentLookup {
  const { tip, views } = draft.state;
  const { parentView, view } = block;
  if (parentView < tip.view || parentView >= view) {
    return {
      kind: "impossible",
      why: `the parent's view ${parentView} is not between ${tip.view} and ${view}`,
    };
  }
  const { leader } = viewState(draft, view);
  const needs: Need[] = [];
  if (parentView === tip.view) {
    if (!equalBytes(block.parent, tip.digest))
      return { kind: "impossible", why: "the parent is not the final block" };
  } else {
    const certificate = notarizationOf(views.get(parentView));
    if (certificate === undefined) {
      needs.push({ kind: "certificate", view: parentView, want: "notarization", askFirst: leader });
    } else if (!equalBytes(certificate.digest, block.parent)) {
      return { kind: "impossible", why: "another block was notarized in the parent's view" };
    }
  }
  for (let between = parentView + 1; between < view && needs.length < MAX_NEEDS_OF_PROPOSAL; between++) {
    const skipped = views.get(between as View)?.certificates;
    if (skipped?.finalization !== undefined)
      return { kind: "impossible", why: "a final block is passed over" };
    if (skipped?.nullification !== undefined) continue;
    needs.push({ kind: "certificate", view: between as View, want: "nullification", askFirst: leader });
  }
  return needs.length > 0 ? { kind: "missing", needs } : withAncestors(draft, block.parent, parentView);
}

/** Rule S2: the parent this validator extends as the leader of `view`: the highest notarized block whose bodies are here
 * and after which every view is nullified. */
export function chooseParent(draft: Draft, view: View): ParentLookup {
  const { tip, views } = draft.state;
  const needs: Need[] = [];
  for (let candidate = view - 1; candidate > tip.view && needs.length < MAX_NEEDS_OF_PROPOSAL; candidate--) {
    const known = views.get(candidate as View);
    const notarization = notarizationOf(known);
    const isNullified = known?.certificates.nullification !== undefined;
    if (notarization !== undefined) {
      const lookup = withAncestors(draft, notarization.digest, candidate as View);
      if (needs.length === 0 && lookup.kind === "found") return lookup;
      if (!isNullified) return needs.length === 0 ? lookup : { kind: "missing", needs };
    }
    if (isNullified) continue;
    needs.push({ kind: "certificate", view: candidate as View, want: "any", askFirst: undefined });
  }
  return needs.length === 0 ? withAncestors(draft, tip.digest, tip.view) : { kind: "missing", needs };
}

/** Who is known to hold the block that was notarized in a view; everybody, if that is not known. */
export function holdersOf(draft: Draft, view: View): readonly ValidatorIndex[] {
  const { validators } = draft.state.config;
  const certificate = notarizationOf(draft.state.views.get(view));
  const signers = certificate === undefined ? undefined : readSignerBitmap(validators, certificate.signers);
  if (signers?.ok) return signers.value;
  return validators.validators.map((_, index) => index as ValidatorIndex);
}

function withAncestors(draft: Draft, digest: Hash, view: View): ParentLookup {
  const chain = chainTo(draft, digest, view);
  switch (chain.kind) {
    case "conflict":
      return { kind: "impossible", why: "the parent's chain does not contain the final block" };
    case "missing": {
      const askAmong = holdersOf(draft, chain.view);
      return {
        kind: "missing",
        needs: [{ kind: "block", view: chain.view, digest: chain.digest, askAmong }],
      };
    }
    case "complete": {
      const last = chain.blocks.at(-1);
      return {
        kind: "found",
        parent: last === undefined ? draft.state.tip : parentFrom(last),
        ancestors: chain.blocks.map((known) => known.block),
      };
    }
    default:
      return chain satisfies never;
  }
}

function parentFrom({ block, digest }: KnownBlock): ParentBlock {
  const { view, height, timestampMs, stateCertificate } = block;
  return { view, height, digest, timestampMs, stateCertificate };
}
