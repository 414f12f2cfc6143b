/** Puts items at the end, and forgets the oldest beyond `limit`. Never changes `ring`. */
export function pushBounded<Item>(
  ring: readonly Item[],
  items: readonly Item[],
  limit: number,
): readonly Item[] {
  if (items.length === 0) return ring;
  if (items.length >= limit) return items.slice(-limit);
  return [...ring.slice(Math.max(0, ring.length + items.length - limit)), ...items];
}
