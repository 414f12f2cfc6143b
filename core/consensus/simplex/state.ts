import { type Hash, toHexDigits, View, ZERO_HASH } from "@ostrom/base";
import type { TrustedTip } from "../sync.ts";
import type { Tally } from "../tally.ts";
import type {
  Certificate,
  CertificateKind,
  Message,
  OrderedBlock,
  StateCertificate,
  ValidatorIndex,
  Vote,
  VoteKind,
} from "../types.ts";
import { leaderOf } from "./leader.ts";
import type { Effect, FaultCode, FinalizedTip, SimplexConfig, TimerId } from "./types.ts";

/** Everything a validator remembers above its newest finalized block. Plain data, never mutated. */
export type SimplexState = {
  readonly config: SimplexConfig;
  /** q of the set. */
  readonly quorum: number;
  /** The view this validator is in: tip.view < view. */
  readonly view: View;
  /** The view that certificates admit to; `view` follows it within the same step. */
  readonly admittedView: View;
  /** Whether the fetch timer is running. */
  readonly fetchArmed: boolean;
  readonly tip: FinalizedTip;
  /** The epoch's last block is final (rule E3): nothing is signed, proposed or asked for any more. */
  readonly ended: boolean;
  /** Validators that spoke of a later epoch (rule E5). */
  readonly ahead: ReadonlySet<ValidatorIndex>;
  /** Whom the newest `sync` named. */
  readonly syncPeer: ValidatorIndex | undefined;
  readonly trail: Trail | undefined;
  /** Views above the tip's of which anything is known. */
  readonly views: ReadonlyMap<View, ViewState>;
  /** Bodies of blocks above the tip, by hexadecimal digest. */
  readonly blocks: ReadonlyMap<string, KnownBlock>;
  /** Whether the pool holds anything to include. */
  readonly poolPending: boolean;
  /** Whether the timers of this view allow for a leader that waits with an empty pool. */
  readonly idlePacing: boolean;
  /** The parent for which a payload is being built in this view. */
  readonly building: ParentBlock | undefined;
  /** Highest finalization whose block does not yet connect to the tip here. */
  readonly pendingFinalization: Certificate | undefined;
  /** What is missing and, by its key, how often it was asked for. */
  readonly requests: ReadonlyMap<string, RequestProgress>;
  /** Newest state certificate whose signatures were checked. */
  readonly checkedStateCertificate: StateCertificate | undefined;
  /** Highest view of which each validator was heard. */
  readonly lastHeard: ReadonlyMap<ValidatorIndex, View>;
  /** Own view at which each lagging peer was last sent a certificate. */
  readonly helped: ReadonlyMap<ValidatorIndex, View>;
  /** This validator signs nothing for views up to this one (rule S14). */
  readonly abstainThrough: View;
  /** Reports of the others' views while the log is lost; undefined if it is not. */
  readonly viewReports: ReadonlyMap<ValidatorIndex, View> | undefined;
};

export type ViewState = {
  readonly leader: ValidatorIndex;
  /** The leader's proposal that came first; its body is among the blocks. */
  readonly proposal: { readonly digest: Hash; readonly signature: Uint8Array } | undefined;
  readonly checkAsked: boolean;
  readonly tallies: Readonly<Record<VoteKind, Tally<Vote>>>;
  readonly certificates: Readonly<Partial<Record<CertificateKind, Certificate>>>;
  /** What this validator has decided to sign, whether or not the signature is there yet. */
  readonly own: {
    readonly notarize: Hash | undefined;
    readonly nullify: boolean;
    readonly finalize: boolean;
  };
  /** Validators caught at something in this view: their further votes in it are not read. */
  readonly ignored: ReadonlySet<ValidatorIndex>;
};

/** Blocks of a peer that continue the tip, too many to be proven final by one answer (rule S11). Of each answer only where it ended is
 * kept; once their final descendant is reached, all these ends are final, and the blocks are asked for again. */
export type Trail = {
  readonly peer: ValidatorIndex;
  /** Verified, of a descendant of all of them. */
  readonly finalization: Certificate;
  /** In height order. */
  readonly ends: readonly TrustedTip[];
  readonly isProven: boolean;
};

/** Fetch timers since something was first missed, and how many peers were asked for it. */
export type RequestProgress = { readonly ticks: number; readonly sent: number };

export type KnownBlock = {
  readonly block: OrderedBlock;
  readonly digest: Hash;
  readonly persisted: boolean;
  /** What `verdict` said; undefined before. */
  readonly valid: boolean | undefined;
};

/** What a block is checked against, whether its parent is the tip or not. */
export type ParentBlock = Pick<
  FinalizedTip,
  "view" | "height" | "digest" | "timestampMs" | "stateCertificate"
>;

/** The state and the effects of a step while it is being made. Only the holder of a draft changes it; the states it
 * replaces stay as they were. */
export type Draft = { state: SimplexState; readonly effects: Effect[] };

export const EMPTY_TALLIES: ViewState["tallies"] = {
  notarize: new Map(),
  nullify: new Map(),
  finalize: new Map(),
};

/** The key of a digest in maps. */
export function keyOf(digest: Hash): string {
  return toHexDigits(digest);
}

export function nextView(view: View): View {
  return View(view + 1);
}

/** What is known of a view; a fresh state if that is nothing. */
export function viewState(draft: Draft, view: View): ViewState {
  return draft.state.views.get(view) ?? freshView(draft.state.config, view);
}

export function changeView(draft: Draft, view: View, change: Partial<ViewState>): void {
  const views = new Map(draft.state.views);
  views.set(view, { ...viewState(draft, view), ...change });
  changeState(draft, { views });
}

export function changeBlock(draft: Draft, known: KnownBlock): void {
  changeState(draft, { blocks: new Map(draft.state.blocks).set(keyOf(known.digest), known) });
}

/** Logs a body, once: it stands in the log before any vote for it. */
export function persistBlock(draft: Draft, known: KnownBlock): void {
  if (!known.persisted) emit(draft, { kind: "persist", record: { kind: "block", block: known.block } });
  changeBlock(draft, { ...known, persisted: true });
}

/** Whether a block of this height is above the epoch's last one: a sealing block (rule E2). */
export function isSealing({ config }: SimplexState, height: number): boolean {
  return height > config.lastHeight;
}

export function changeState(draft: Draft, change: Partial<SimplexState>): void {
  draft.state = { ...draft.state, ...change };
}

export function emit(draft: Draft, effect: Effect): void {
  draft.effects.push(effect);
}

/** To all who are linked: a validator alone may have followers. */
export function broadcast(draft: Draft, message: Message): void {
  emit(draft, { kind: "broadcast", message });
}

export function setTimer(draft: Draft, id: TimerId, delayMs: number): void {
  emit(draft, { kind: "setTimer", id, token: draft.state.view, delayMs });
}

export function fault(draft: Draft, peer: ValidatorIndex, code: FaultCode, message: string): void {
  emit(draft, { kind: "fault", peer, code, message });
}

/** The certificate that proves a block of this view notarized: a finalization does that too. */
export function notarizationOf(view: ViewState | undefined): Certificate | undefined {
  return view?.certificates.notarization ?? view?.certificates.finalization;
}

export function makeVote(draft: Draft, kind: VoteKind, view: View, digest: Hash = ZERO_HASH): Vote {
  return { kind, epoch: draft.state.config.validators.epoch, view, digest };
}

function freshView(config: SimplexConfig, view: View): ViewState {
  return {
    leader: leaderOf(config.domain, config.validators, view),
    proposal: undefined,
    checkAsked: false,
    tallies: EMPTY_TALLIES,
    certificates: {},
    own: { notarize: undefined, nullify: false, finalize: false },
    ignored: new Set(),
  };
}
