/** A map that is never changed: `withEntry` gives another one, at the cost of copying one of its shards. Headers come by the hundred
 * into a tree of many thousands, which one flat map would copy each time. Keys are hexadecimal ids. */
export type ShardedMap<V> = {
  readonly shards: readonly ReadonlyMap<string, V>[];
  readonly size: number;
};

const SHARDS = 256;
const DIGITS = 16;

export function shardedMap<V>(entries: Iterable<readonly [string, V]>): ShardedMap<V> {
  const shards = Array.from({ length: SHARDS }, () => new Map<string, V>());
  let size = 0;
  for (const [key, value] of entries) {
    const shard = shards[shardOf(key)];
    if (shard?.has(key) === false) size++;
    shard?.set(key, value);
  }
  return { shards, size };
}

export function entryOf<V>(map: ShardedMap<V>, key: string): V | undefined {
  return map.shards[shardOf(key)]?.get(key);
}

export function withEntry<V>(map: ShardedMap<V>, key: string, value: V): ShardedMap<V> {
  const index = shardOf(key);
  const shard = new Map(map.shards[index]);
  const size = map.size + (shard.has(key) ? 0 : 1);
  return { shards: map.shards.with(index, shard.set(key, value)), size };
}

export function withoutEntry<V>(map: ShardedMap<V>, key: string): ShardedMap<V> {
  const index = shardOf(key);
  const shard = new Map(map.shards[index]);
  if (!shard.delete(key)) return map;
  return { shards: map.shards.with(index, shard), size: map.size - 1 };
}

/** In an order that depends on the keys and on the order of insertion alone. */
export function* valuesOf<V>(map: ShardedMap<V>): Generator<V> {
  for (const shard of map.shards) yield* shard.values();
}

/** The last characters, because those of small work at the front of an id say little and those of its end are spread evenly. */
function shardOf(key: string): number {
  return (key.charCodeAt(key.length - 1) * DIGITS + key.charCodeAt(key.length - 2)) % SHARDS;
}
