import type { Bytes } from "@ostrom/base";
import type { ModuleState } from "@ostrom/execution";
import type { PeerId } from "@ostrom/network";
import { type KeyValueReader, storeReader } from "@ostrom/state";
import { readHead, readHeader, type StoreView } from "@ostrom/storage";
import type { LinkPolicy, LinkRole } from "./link-policy.ts";

/** What a module's chain package may say about links, as `linkRules` beside `chainModules`: reads of the chain's state. All of it is
 * undefined where the module was never activated. */
export type ModuleLinkRules = {
  readonly admitsStrangers?: ((state: ModuleState) => boolean | undefined) | undefined;
  /** Whether a peer is let in though no validator set has it. */
  readonly isMemberPeer?: ((state: ModuleState, peerId: PeerId) => boolean) | undefined;
  readonly linkKindOf?: ((state: ModuleState, peerId: PeerId) => LinkRole | undefined) | undefined;
  /** DER of those that may have issued a peer's certificate; empty: it needs none. */
  readonly certificateAuthoritiesOf?:
    | ((state: ModuleState, peerId: PeerId) => readonly Bytes[] | undefined)
    | undefined;
};

/** Reads the rules of the modules that have some. @param addresses of chain packages. */
export async function importLinkRules(addresses: readonly string[]): Promise<readonly ModuleLinkRules[]> {
  const found = await Promise.all(
    addresses.map(
      async (address) => ((await import(address)) as { readonly linkRules?: ModuleLinkRules }).linkRules,
    ),
  );
  return found.filter((rules) => rules !== undefined);
}

/** A node whose newest block is older than this does not know which authorities organisations have now: it asks for the key alone, or a
 * node that joins after an authority was replaced could not be linked with anybody who would tell it so. */
const STALE_MS = 600_000;
const MS_PER_SECOND = 1_000;
const MAX_ANSWERS = 4_096;
/** So often it is seen whether there is a newer block. */
const LOOK_MS = 100;

/** The newest executed block, and the state after it. */
export type NewestState = {
  readonly state: ModuleState;
  readonly head: () => { readonly height: number; readonly timestampMs: number } | undefined;
};

export function newestStateOf(store: StoreView & KeyValueReader): NewestState {
  return {
    state: storeReader(store),
    head: () => {
      const height = readHead(store)?.height;
      const stored = height === undefined ? undefined : readHeader(store, height);
      if (height === undefined || stored === undefined) return undefined;
      return { height, timestampMs: stored.header.timestamp * MS_PER_SECOND };
    },
  };
}

/** What the chain's state says about links, as of the newest executed block. Answers are kept from block to block, because links ask at
 * every frame. @returns undefined where no module has anything to say. */
export function moduleLinkPolicy(
  rules: readonly ModuleLinkRules[],
  { state, head }: NewestState,
  nowMs: () => number,
): LinkPolicy | undefined {
  if (rules.length === 0) return undefined;
  let newest: ReturnType<NewestState["head"]>;
  let lookedMs = Number.NEGATIVE_INFINITY;
  const kept = new Map<string, unknown>();
  const remember = <Answer>(question: string, read: () => Answer): Answer => {
    if (Math.abs(nowMs() - lookedMs) >= LOOK_MS) {
      lookedMs = nowMs();
      const found = head();
      if (found?.height !== newest?.height) kept.clear();
      newest = found;
    }
    if (kept.size >= MAX_ANSWERS) kept.clear();
    if (!kept.has(question)) kept.set(question, read());
    return kept.get(question) as Answer;
  };
  const first = <Answer>(read: (one: ModuleLinkRules) => Answer | undefined): Answer | undefined => {
    for (const one of rules) {
      const answer = read(one);
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  const isStale = (): boolean => {
    remember("head", () => true);
    return newest === undefined || nowMs() - newest.timestampMs > STALE_MS;
  };
  return {
    admitsStrangers: () => remember("strangers", () => first((one) => one.admitsStrangers?.(state))),
    isMember: (peerId) =>
      remember(`member ${peerId}`, () => rules.some((one) => one.isMemberPeer?.(state, peerId) === true)),
    isStale,
    roleOf: (peerId) =>
      remember(`role ${peerId}`, () => first((one) => one.linkKindOf?.(state, peerId)) ?? "full"),
    certificateAuthoritiesOf: (peerId) => {
      const authorities = remember(`authorities ${peerId}`, () =>
        first((one) => one.certificateAuthoritiesOf?.(state, peerId)),
      );
      return authorities === undefined || authorities.length === 0 || isStale() ? undefined : authorities;
    },
  };
}
