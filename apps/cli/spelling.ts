/** What somebody may have meant is at most so far from it, and no more than a third of its letters. */
const MAX_DISTANCE = 3;

/** The nearest of some words to one that is none of them; undefined if none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.min(MAX_DISTANCE, Math.max(1, Math.floor(word.length / 3))) + 1;
  for (const candidate of candidates) {
    const isBeginning = word.length > 1 && candidate.startsWith(word);
    const distance = isBeginning ? Math.min(1, least) : distanceBetween(word, candidate);
    if (distance >= least) continue;
    [best, least] = [candidate, distance];
  }
  return best;
}

/** "; did you mean X?", or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>, prefix = ""): string {
  const found = nearest(word, candidates);
  return found === undefined ? "" : `; did you mean ${prefix}${found}?`;
}

/** How many letters to add, leave out, change or swap with their neighbour (optimal string alignment). */
function distanceBetween(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let least = Math.min(
        above[column]! + 1,
        current[column - 1]! + 1,
        above[column - 1]! + (isSame ? 0 : 1),
      );
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && isSwap) least = Math.min(least, before[column - 2]! + 1);
      current.push(least);
    }
    [before, above] = [above, current];
  }
  return above[b.length]!;
}
