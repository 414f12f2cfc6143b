import { assert, type Bytes } from "@ostrom/base";

/** Many byte strings in one buffer, which crosses threads by being handed over instead of copied one by one. */
export type PackedBytes = { readonly lengths: Uint32Array; readonly bytes: Bytes };

export function packBytes(items: readonly Bytes[]): PackedBytes {
  const lengths = new Uint32Array(items.length);
  let total = 0;
  items.forEach((item, index) => {
    lengths[index] = item.length;
    total += item.length;
  });
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const item of items) {
    bytes.set(item, offset);
    offset += item.length;
  }
  return { lengths, bytes };
}

/** The items again; they share the memory of the packed buffer. */
export function unpackBytes({ lengths, bytes }: PackedBytes): readonly Bytes[] {
  const items: Bytes[] = [];
  let offset = 0;
  for (const length of lengths) {
    items.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  assert(offset === bytes.length, "packed lengths must add up to the packed bytes");
  return items;
}
