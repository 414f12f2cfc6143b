/** Pieces of hand-written modules, for tests that need wrong ones. Sizes and counts are below 128. */
export function section(id: number, ...items: (readonly number[])[]): number[] {
  const content = [items.length, ...items.flat()];
  return [id, content.length, ...content];
}

export function moduleOf(...sections: (readonly number[])[]): Uint8Array {
  return Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, ...sections.flat()]);
}

export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [bytes.length, ...bytes];
}

/** A module with a memory, a table, a mutable i32 global, an immutable i64 global, and one function ([i32]) -> [i32] with an
 * i64 local (index 1) and the given code, to which the final `end` is added. */
export function moduleWithCode(...code: number[]): Uint8Array {
  const body = [0x01, 0x01, 0x7e, ...code, 0x0b];
  return moduleOf(
    section(1, [0x60, 1, 0x7f, 1, 0x7f], [0x60, 0, 0], [0x60, 0, 2, 0x7f, 0x7e]),
    section(3, [0]),
    section(4, [0x70, 0x00, 1]),
    section(5, [0x00, 1]),
    section(6, [0x7f, 1, 0x41, 0, 0x0b], [0x7e, 0, 0x42, 0, 0x0b]),
    section(10, [body.length, ...body]),
  );
}
