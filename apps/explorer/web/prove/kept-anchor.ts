import { createStore, type Store } from "../data/store.ts";
import type { ChainPin } from "./proof-model.ts";

/** What this browser keeps of the chain that it trusts. */
export type KeptAnchor = {
  readonly pin?: ChainPin | undefined;
  /** Milliseconds since 1970. */
  readonly pinnedAtMs?: number | undefined;
  /** A line of `ostrom checkpoint` that the user has given. */
  readonly checkpoint?: string | undefined;
};

const ANCHOR_KEY = "ostrom.anchor";
const TRUST_KEY = "ostrom.trust";
/** A browser gives a page some megabytes; a longer text is verified anew each time. */
const MAX_TRUST_CHARACTERS = 500_000;
const HASH = /^0x[0-9a-f]{64}$/;

export const anchorStore: Store<KeptAnchor> = createStore(readAnchor(read(ANCHOR_KEY)));

/** Pins the chain by which something was proved for the first time, and keeps what was verified. */
export function keepProved(pin: ChainPin, trust: string | undefined): void {
  const { pin: kept } = anchorStore.get();
  if (kept === undefined) changeAnchor({ ...anchorStore.get(), pin, pinnedAtMs: Date.now() });
  if (trust !== undefined && trust.length <= MAX_TRUST_CHARACTERS) write(TRUST_KEY, trust);
}

/** What an earlier proof has verified. The light client refuses what is another chain's. */
export function keptTrust(): string | undefined {
  return read(TRUST_KEY);
}

/** Starts from a checkpoint that the user has from somebody trusted. */
export function giveCheckpoint(checkpoint: string): void {
  remove(TRUST_KEY);
  changeAnchor({ ...anchorStore.get(), checkpoint });
}

/** Forgets the chain: the next proof pins the one that is offered then. */
export function forgetAnchor(): void {
  remove(TRUST_KEY);
  remove(ANCHOR_KEY);
  anchorStore.set({});
}

function changeAnchor(next: KeptAnchor): void {
  anchorStore.set(next);
  write(ANCHOR_KEY, JSON.stringify(next));
}

/** Reads what was kept; what is damaged is as if there were nothing. */
export function readAnchor(text: string | undefined): KeptAnchor {
  if (text === undefined) return {};
  try {
    const { pin, pinnedAtMs, checkpoint } = JSON.parse(text) as KeptAnchor;
    const isPin = pin !== undefined && HASH.test(pin.genesisHash) && HASH.test(pin.setHash);
    return {
      ...(isPin ? { pin } : {}),
      ...(typeof pinnedAtMs === "number" ? { pinnedAtMs } : {}),
      ...(typeof checkpoint === "string" ? { checkpoint } : {}),
    };
  } catch {
    return {};
  }
}

/** A hash in groups of four digits, which eyes compare. */
export function fingerprint(hash: string): string {
  return hash.replace(/^0x/, "").replace(/(.{4})(?=.)/g, "$1 ");
}

// A private window may have no storage: what is pinned then lasts as long as the page.
function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    remove(key);
  }
}

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // There is nothing to remove either.
  }
}
