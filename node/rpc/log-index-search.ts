import type { LogIndexReads, LogTerm } from "./backend.ts";

/** Finds candidate blocks by the index of logs: of each group (an address or one of several, a topic at a position or one of several)
 * the next heights are read, the group that reaches furthest with them leads, and the others are asked about its heights alone. So a
 * filter costs what its rarest part costs. */

/** Heights of one value that are read at once. */
const HEIGHTS_AT_ONCE = 256;
/** Of many alternatives each is read in parts at least this large. */
const LEAST_AT_ONCE = 16;
/** A leading height is looked up in groups of at most so many alternatives; in larger ones the block itself tells. */
const MAX_LOOKED_UP = 16;

export type Candidates = {
  /** Ascending; a few may have no match in truth. */
  readonly heights: readonly number[];
  /** Blocks up to here have been looked at. */
  readonly through: number;
  /** Entries of the index that were read. */
  readonly reads: number;
};

type Part = {
  readonly alternatives: readonly LogTerm[];
  readonly heights: readonly number[];
  readonly through: number;
};

/** The next candidates in a range that lies in the index.
 * @param groups each must match by one of its alternatives; none: any log does. */
export async function nextCandidates(
  index: LogIndexReads,
  groups: readonly (readonly LogTerm[])[],
  fromBlock: number,
  toBlock: number,
): Promise<Candidates> {
  const parts: Part[] = [];
  let reads = 0;
  for (const alternatives of groups.length === 0 ? [[]] : groups) {
    const part = await readPart(index, alternatives, fromBlock, toBlock);
    reads += part.reads;
    parts.push(part);
  }
  const leader = parts.reduce((best, part) => (isBetter(part, best) ? part : best));
  const others = parts
    .filter((part) => part !== leader)
    .map((part) => ({ ...part, known: new Set(part.heights) }));
  const heights = leader.heights.filter((height) =>
    others.every(({ alternatives, through, known }) => {
      if (height <= through) return known.has(height);
      if (alternatives.length > MAX_LOOKED_UP) return true;
      return alternatives.some((term) => {
        reads++;
        return index.has(term, height);
      });
    }),
  );
  return { heights, through: leader.through, reads };
}

function isBetter(part: Part, than: Part): boolean {
  if (part.through !== than.through) return part.through > than.through;
  return part.heights.length < than.heights.length;
}

async function readPart(
  index: LogIndexReads,
  alternatives: readonly LogTerm[],
  fromBlock: number,
  toBlock: number,
): Promise<Part & { readonly reads: number }> {
  const terms: readonly (LogTerm | undefined)[] = alternatives.length === 0 ? [undefined] : alternatives;
  const each = Math.max(LEAST_AT_ONCE, Math.floor(HEIGHTS_AT_ONCE / terms.length));
  const heights = new Set<number>();
  let through = toBlock;
  let reads = 0;
  for (const term of terms) {
    // Past where another alternative stops nothing counts yet.
    const found = await index.heights(term, fromBlock, through, each);
    // Each search costs something, found or not.
    reads += found.length + 1;
    if (found.length === each) through = found.at(-1)!;
    for (const height of found) heights.add(height);
  }
  const merged = [...heights].filter((height) => height <= through).sort((a, b) => a - b);
  return { alternatives, heights: merged, through, reads };
}
