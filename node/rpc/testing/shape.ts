/** What is alike in several JSON values: which keys objects have, how strings are encoded, where null may stand. */
export type Shape = {
  isNullable: boolean;
  /** Encodings that every string seen here could have. */
  encodings: ReadonlySet<Encoding> | undefined;
  /** Kinds of the other values seen: boolean, number, array, object. */
  readonly kinds: Set<string>;
  /** Of an array's entries. */
  entries: Shape | undefined;
  /** Of objects; keys that not all of them have are optional. Objects with a `type` are told apart by it. */
  readonly objects: Map<string, ObjectShape>;
};

type ObjectShape = { readonly fields: Map<string, Shape>; required: ReadonlySet<string> };

type Encoding = "quantity" | "data" | "address" | "hash" | "bloom" | "text";

function emptyShape(): Shape {
  return {
    isNullable: false,
    encodings: undefined,
    kinds: new Set(),
    entries: undefined,
    objects: new Map(),
  };
}

function encodingsOf(text: string): ReadonlySet<Encoding> {
  const found = new Set<Encoding>();
  if (/^0x(0|[1-9a-f][0-9a-f]*)$/.test(text)) found.add("quantity");
  if (/^0x([0-9a-f]{2})*$/.test(text)) found.add("data");
  if (/^0x[0-9a-f]{40}$/.test(text)) found.add("address");
  if (/^0x[0-9a-f]{64}$/.test(text)) found.add("hash");
  if (/^0x[0-9a-f]{512}$/.test(text)) found.add("bloom");
  if (found.size === 0) found.add("text");
  return found;
}

/** Learns from one more value. */
export function learn(shape: Shape, value: unknown): void {
  if (value === null) {
    shape.isNullable = true;
  } else if (typeof value === "string") {
    const encodings = encodingsOf(value);
    shape.encodings =
      shape.encodings === undefined
        ? encodings
        : new Set([...shape.encodings].filter((one) => encodings.has(one)));
  } else if (Array.isArray(value)) {
    shape.kinds.add("array");
    shape.entries ??= emptyShape();
    for (const entry of value) learn(shape.entries, entry);
  } else if (typeof value === "object") {
    learnObject(shape, value as Record<string, unknown>);
  } else {
    shape.kinds.add(typeof value);
  }
}

export function createShape(): Shape {
  return emptyShape();
}

/** Objects whose keys are data (addresses, nonces), not names. */
function isMap(object: Record<string, unknown>): boolean {
  return Object.keys(object).some((key) => /^(0x[0-9a-fA-F]{40}|[0-9]+)$/.test(key));
}

function discriminator(object: Record<string, unknown>): string {
  return typeof object.type === "string" ? object.type : "";
}

function learnObject(shape: Shape, object: Record<string, unknown>): void {
  shape.kinds.add("object");
  if (isMap(object)) {
    shape.entries ??= emptyShape();
    for (const entry of Object.values(object)) learn(shape.entries, entry);
    return;
  }
  const keys = new Set(Object.keys(object));
  const known = shape.objects.get(discriminator(object));
  const fields = known?.fields ?? new Map<string, Shape>();
  shape.objects.set(discriminator(object), {
    fields,
    required: known === undefined ? keys : new Set([...known.required].filter((key) => keys.has(key))),
  });
  for (const [key, value] of Object.entries(object)) {
    const field = fields.get(key) ?? emptyShape();
    fields.set(key, field);
    learn(field, value);
  }
}

export type Comparison = {
  /** Values whose encoding or kind was compared. */
  values: number;
  readonly differences: string[];
};

/** Compares a value with what was learnt. @param path for messages. */
export function compare(shape: Shape, value: unknown, path: string, comparison: Comparison): void {
  comparison.values++;
  const differ = (what: string): void => {
    comparison.differences.push(`${path}: ${what}`);
  };
  if (value === null) {
    if (!shape.isNullable) differ("null is not among theirs");
  } else if (typeof value === "string") {
    const ours = encodingsOf(value);
    if (shape.encodings === undefined) {
      // Only null was seen here: it says nothing of how a value would look.
      if (shape.kinds.size > 0) differ(`a string, theirs is ${[...shape.kinds].join()}`);
    } else if (![...shape.encodings].some((encoding) => ours.has(encoding))) {
      differ(`${value.slice(0, 80)} is ${[...ours].join()}, theirs is ${[...shape.encodings].join()}`);
    }
  } else if (Array.isArray(value)) {
    if (!shape.kinds.has("array")) differ("an array is not among theirs");
    value.forEach((entry, i) => {
      if (shape.entries !== undefined && hasSeenAny(shape.entries))
        compare(shape.entries, entry, `${path}[${i}]`, comparison);
    });
  } else if (typeof value === "object") {
    if (!shape.kinds.has("object")) differ("an object is not among theirs");
    else compareObject(shape, value as Record<string, unknown>, path, comparison);
  } else if (!shape.kinds.has(typeof value)) {
    differ(`a ${typeof value} is not among theirs`);
  }
}

function hasSeenAny(shape: Shape): boolean {
  return shape.isNullable || shape.encodings !== undefined || shape.kinds.size > 0;
}

function compareObject(
  shape: Shape,
  object: Record<string, unknown>,
  path: string,
  comparison: Comparison,
): void {
  if (isMap(object)) {
    if (shape.entries === undefined) return;
    for (const [key, entry] of Object.entries(object))
      compare(shape.entries, entry, `${path}.${key}`, comparison);
    return;
  }
  const known = shape.objects.get(discriminator(object));
  if (known === undefined) {
    if (shape.objects.size > 0)
      comparison.differences.push(`${path}: type ${discriminator(object)} is not among theirs`);
    return;
  }
  for (const key of known.required) {
    if (!(key in object)) comparison.differences.push(`${path}.${key}: is missing`);
  }
  for (const [key, value] of Object.entries(object)) {
    const field = known.fields.get(key);
    if (field === undefined) comparison.differences.push(`${path}.${key}: is not among theirs`);
    else compare(field, value, `${path}.${key}`, comparison);
  }
}
