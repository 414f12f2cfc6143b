import { View } from "@ostrom/base";
import {
  type ConsensusDomain,
  decodeBlock,
  decodeCertificate,
  decodeStateCertificate,
  leaderOf,
} from "@ostrom/consensus";
import type { Participation } from "@ostrom/rpc";
import { readHead, readOrdered, readStateCertificate, type StoreView } from "@ostrom/storage";
import type { EpochSets } from "./epoch-sets.ts";

/** Blocks in one answer. */
const MAX_BLOCKS = 1_000;
/** Blocks of which it is remembered what their certificates say: reading them anew costs as much as their payloads are long. */
const MAX_KNOWN = 2_048;
/** Views without a block, before one block, whose leaders are looked up. */
const MAX_SKIPPED_VIEWS = 1_000;
const BITS = 8;

/** What a block's certificates say. */
type BlockFacts = {
  readonly proposer: number;
  /** Leaders of the views between its parent's and its own. */
  readonly missed: readonly number[];
  /** Bitmaps; undefined: it has none of its own. */
  readonly finalization: Uint8Array | undefined;
  readonly result: Uint8Array | undefined;
};

/** Tells how validators have done from what every node stores: so a node that was away knows it as well as any other. */
export function createParticipation(
  store: StoreView,
  sets: EpochSets,
  domain: ConsensusDomain,
): (epoch: number, blocks: number) => Participation | undefined {
  const known = new Map<number, BlockFacts>();
  const factsOf = (height: number): BlockFacts | undefined => {
    const found = known.get(height);
    if (found !== undefined) return found;
    const facts = readFacts(store, sets, domain, height);
    // A certificate of the result comes later than the block.
    if (facts?.result !== undefined) remember(known, height, facts);
    return facts;
  };
  return (epoch, blocks) => {
    const set = sets.of(epoch);
    const head = readHead(store)?.height ?? 0;
    if (set === undefined) return undefined;
    const bounds = sets.bounds(epoch);
    const toBlock = Math.min(head, bounds.lastHeight);
    const fromBlock = Math.max(bounds.firstHeight, toBlock - Math.min(blocks, MAX_BLOCKS) + 1);
    const facts: BlockFacts[] = [];
    for (let height = fromBlock; height <= toBlock; height++) {
      const one = factsOf(height);
      if (one !== undefined) facts.push(one);
    }
    return summarize(facts, set.validators.validators.length, fromBlock, toBlock);
  };
}

function remember(known: Map<number, BlockFacts>, height: number, facts: BlockFacts): void {
  known.set(height, facts);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? 0);
}

function readFacts(
  store: StoreView,
  sets: EpochSets,
  domain: ConsensusDomain,
  height: number,
): BlockFacts | undefined {
  const ordered = readOrdered(store, height);
  const block = ordered === undefined ? undefined : decodeBlock(ordered.block);
  const set = block?.ok === true ? sets.of(block.value.epoch) : undefined;
  if (ordered === undefined || block?.ok !== true || set === undefined) return undefined;
  const { view, parentView, proposer } = block.value;
  const missed: number[] = [];
  for (let at = Math.max(parentView + 1, view - MAX_SKIPPED_VIEWS); at < view; at++)
    missed.push(leaderOf(domain, set.validators, View(at)));
  const finalization = decodeCertificate(ordered.finalization);
  const isOwn = finalization.ok && finalization.value.view === view;
  const stored = readStateCertificate(store, height);
  const result = stored === undefined ? undefined : decodeStateCertificate(stored);
  return {
    proposer,
    missed,
    finalization: isOwn ? finalization.value.signers : undefined,
    result: result?.ok === true ? result.value.signers : undefined,
  };
}

function summarize(
  facts: readonly BlockFacts[],
  validators: number,
  fromBlock: number,
  toBlock: number,
): Participation {
  const has = (bitmap: Uint8Array | undefined, index: number): boolean =>
    ((bitmap?.[Math.floor(index / BITS)] ?? 0) & (1 << (index % BITS))) !== 0;
  const count = (holds: (one: BlockFacts) => boolean): number => facts.filter(holds).length;
  return {
    fromBlock,
    toBlock,
    finalizations: count(({ finalization }) => finalization !== undefined),
    results: count(({ result }) => result !== undefined),
    validators: Array.from({ length: validators }, (_, index) => ({
      proposedBlocks: count(({ proposer }) => proposer === index),
      missedLeads: facts.reduce(
        (sum, { missed }) => sum + missed.filter((leader) => leader === index).length,
        0,
      ),
      finalizationsSigned: count(({ finalization }) => has(finalization, index)),
      resultsSigned: count(({ result }) => has(result, index)),
    })),
  };
}
