/** solc's `storageLayout`. Source: Solidity documentation, "JSON Output" of "Layout of State Variables in Storage". */
type LayoutType = {
  readonly encoding: "inplace" | "mapping" | "dynamic_array" | "bytes";
  readonly label: string;
  readonly numberOfBytes: string;
  /** Of mappings. */
  readonly key?: string;
  readonly value?: string;
};
type LayoutEntry = {
  readonly label: string;
  readonly offset: number;
  readonly slot: string;
  readonly type: string;
};

export type StorageVariable = {
  readonly name: string;
  readonly type: string;
  /** 32 bytes, as hex digits with 0x. */
  readonly slot: `0x${string}`;
  /** In the slot, from its lowest byte. */
  readonly offset: number;
  readonly bytes: number;
  readonly encoding: LayoutType["encoding"];
  /** Of a mapping: the type of its keys, and what stands at each. */
  readonly mapping?: {
    readonly key: string;
    readonly value: Pick<StorageVariable, "type" | "bytes" | "encoding">;
  };
};

const MAX_VARIABLES = 200;
const WORD_DIGITS = 64;
const SLOT = /^\d{1,78}$/;

/** The state variables of a contract and where they are stored; none if this is no layout. */
export function readLayout(layout: unknown): readonly StorageVariable[] {
  const { storage, types } = (layout ?? {}) as {
    readonly storage?: readonly LayoutEntry[];
    readonly types?: Readonly<Record<string, LayoutType>> | null;
  };
  if (!Array.isArray(storage)) return [];
  return (storage as readonly LayoutEntry[])
    .slice(0, MAX_VARIABLES)
    .flatMap(({ label, offset, slot, type }) => {
      const known = types?.[type];
      if (known === undefined || !SLOT.test(slot)) return [];
      const key = types?.[known.key ?? ""];
      const value = types?.[known.value ?? ""];
      const variable = { name: label, slot: slotText(BigInt(slot)), offset, ...shapeOf(known) };
      if (key === undefined || value === undefined) return [variable];
      return [{ ...variable, mapping: { key: key.label, value: shapeOf(value) } }];
    });
}

function shapeOf({
  label,
  numberOfBytes,
  encoding,
}: LayoutType): Pick<StorageVariable, "type" | "bytes" | "encoding"> {
  return { type: label, bytes: Number(numberOfBytes), encoding };
}

export function slotText(slot: bigint): `0x${string}` {
  return `0x${slot.toString(16).padStart(WORD_DIGITS, "0")}`;
}

/** What a variable holds, by the word in its slot; undefined for what has no value of its own there (mappings, structures, long lists).
 * @param word 32 bytes as hex digits with 0x. */
export function storedValue(
  { type, offset, bytes, encoding }: StorageVariable,
  word: string,
): string | undefined {
  const digits = word.slice(2).padStart(WORD_DIGITS, "0");
  if (encoding === "mapping") return undefined;
  if (encoding === "bytes") return shortBytes(type, digits);
  if (encoding === "dynamic_array") return `${BigInt(`0x${digits}`)} entries`;
  if (bytes > WORD_DIGITS / 2 || type.startsWith("struct") || type.includes("[")) return undefined;
  const end = WORD_DIGITS - 2 * offset;
  const own = digits.slice(end - 2 * bytes, end);
  if (type === "bool") return BigInt(`0x${own}`) === 0n ? "false" : "true";
  if (/^uint|^enum/.test(type)) return BigInt(`0x${own}`).toString();
  if (/^int/.test(type)) return BigInt.asIntN(8 * bytes, BigInt(`0x${own}`)).toString();
  return `0x${own}`;
}

const LONG_FLAG = 1n;

/** Up to 31 bytes stand in the slot itself, with twice their length in the lowest byte; of longer ones the slot has only the length. */
function shortBytes(type: string, digits: string): string {
  const word = BigInt(`0x${digits}`);
  if ((word & LONG_FLAG) === LONG_FLAG) return `(${(word - LONG_FLAG) / 2n} bytes)`;
  const length = Number(word & 0xffn) / 2;
  const own = digits.slice(0, 2 * length);
  if (type !== "string") return `0x${own}`;
  const bytes = Uint8Array.from({ length }, (_, index) =>
    Number.parseInt(own.slice(2 * index, 2 * index + 2), 16),
  );
  return JSON.stringify(new TextDecoder().decode(bytes));
}
