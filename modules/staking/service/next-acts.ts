import { type Address, type Bytes, concatBytes, type Hash, toHexDigits } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import type { DutyView, Reportable } from "./duty-view.ts";

/** What a validator's service sends. */
export type Act =
  | { readonly kind: "reveal"; readonly staker: number; readonly round: number; readonly input: Hash }
  | { readonly kind: "announce"; readonly commitment: Hash }
  | { readonly kind: "report"; readonly evidence: Bytes; readonly consensusKey: Bytes };

/** What it remembers between two looks at the chain; it may forget all without harm. */
export type ActMemory = {
  /** By act. */
  readonly attempts: ReadonlyMap<string, Attempts>;
  /** Height at which a contradiction was first seen, by its bytes' hash. */
  readonly seen: ReadonlyMap<string, number>;
};

type Attempts = { readonly count: number; readonly height: number };

export const NO_MEMORY: ActMemory = { attempts: new Map(), seen: new Map() };

/** One act is tried so often, and then no more until the service is started anew. */
const MAX_ATTEMPTS = 8;
/** Blocks until an act whose effect is not in state is tried again; doubled each time. */
const FIRST_RETRY_BLOCKS = 8;
/** All validators see a contradiction at about the same time, and one report is enough: each waits for its turn, which differs with
 * every contradiction. */
const REPORT_TURNS = 8;
const BLOCKS_OF_A_TURN = 4;
/** Of one look. */
const MAX_REPORTS = 4;
const MAX_REMEMBERED = 512;

/** What is to be sent now, most urgent first. Pure: the same view and memory give the same acts.
 * @param account that sends. @returns what to remember before the next look: with each act counted as tried. */
export function nextActs(
  view: DutyView,
  memory: ActMemory,
  account: Address,
): { readonly acts: readonly Act[]; readonly memory: ActMemory } {
  if (!view.isActive) return { acts: [], memory };
  const seen = remembered(memory.seen);
  for (const { evidence } of view.reportable) {
    const key = toHexDigits(keccak256(evidence));
    if (!seen.has(key)) seen.set(key, view.height);
  }
  const wanted = [...revealOf(view), ...reportsOf(view, seen, account)];
  const attempts = remembered(memory.attempts);
  const acts = wanted.filter((act) => mayTry(attempts.get(keyOf(act)), view.height));
  for (const act of acts) {
    const key = keyOf(act);
    attempts.set(key, { count: (attempts.get(key)?.count ?? 0) + 1, height: view.height });
  }
  return { acts, memory: { attempts, seen } };
}

/** What an account says before it reports, so that nobody who sees the report on its way can take the reward: as `announce` has it. */
export function commitmentOf(evidence: Bytes, account: Address): Hash {
  return keccak256(concatBytes(keccak256(evidence), new Uint8Array(12), account));
}

function revealOf({ own, round, input }: DutyView): readonly Act[] {
  return own?.mayReveal === true ? [{ kind: "reveal", staker: own.staker, round, input }] : [];
}

function reportsOf(view: DutyView, seen: ReadonlyMap<string, number>, account: Address): readonly Act[] {
  const isDue = ({ staker, evidence, announcedIn }: Reportable): boolean => {
    if (staker === view.own?.staker) return false;
    if (announcedIn > 0) return true;
    const waited = view.height - (seen.get(toHexDigits(keccak256(evidence))) ?? view.height);
    return waited >= turnOf(evidence, account) * BLOCKS_OF_A_TURN;
  };
  const due = onePerOffence(view.reportable.filter(isDue)).slice(0, MAX_REPORTS);
  return due.map(({ evidence, consensusKey, announcedIn }) =>
    announcedIn === 0
      ? { kind: "announce", commitment: commitmentOf(evidence, account) }
      : { kind: "report", evidence, consensusKey },
  );
}

/** A validator is slashed once an epoch, whatever else it did in it. What is announced goes first. */
function onePerOffence(reportable: readonly Reportable[]): readonly Reportable[] {
  const first = new Map<string, Reportable>();
  for (const piece of reportable) {
    const key = `${piece.staker}/${piece.epoch}`;
    const known = first.get(key);
    if (known === undefined || (known.announcedIn === 0 && piece.announcedIn > 0)) first.set(key, piece);
  }
  return [...first.values()];
}

function turnOf(evidence: Bytes, account: Address): number {
  return keccak256(concatBytes(keccak256(evidence), account))[0]! % REPORT_TURNS;
}

function mayTry(before: Attempts | undefined, height: number): boolean {
  if (before === undefined) return true;
  return (
    before.count < MAX_ATTEMPTS && height >= before.height + FIRST_RETRY_BLOCKS * 2 ** (before.count - 1)
  );
}

function keyOf(act: Act): string {
  switch (act.kind) {
    case "reveal":
      return `reveal/${act.staker}/${act.round}`;
    case "announce":
      return `announce/${toHexDigits(act.commitment)}`;
    case "report":
      return `report/${toHexDigits(keccak256(act.evidence))}`;
    default:
      return act satisfies never;
  }
}

/** A copy to write into; of too many entries the oldest are left out. */
function remembered<T>(entries: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...entries].slice(-MAX_REMEMBERED));
}
