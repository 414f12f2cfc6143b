import type { Bytes } from "@ostrom/base";
import type { SignedTransaction } from "@ostrom/execution";
import { type Decoder, type Method, optional, parameterTypes, required, ValueError } from "@ostrom/rpc";
import type { Controls } from "./controls.ts";
import { define, invalidInput, orThrow, whole } from "./method-parts.ts";

/** Of one reorganisation. */
const MAX_REPLACED_TRANSACTIONS = 10_000;

export type ReorganisationParts = {
  /** A signed transaction, or the fields of one that is sent in somebody's name; it is made when it is called. */
  readonly readTransaction: (given: unknown) => () => SignedTransaction;
};

type Placed = { readonly transaction: unknown; readonly block: number };

const placed: Decoder<Placed> = {
  type: "[raw transaction or its fields, which of the new blocks: 0 is the first]",
  decode: (value) => {
    if (!Array.isArray(value) || value.length !== 2) throw new ValueError("expected [transaction, block]");
    return { transaction: value[0], block: whole.decode(value[1]) };
  },
};

const pairsOf: Decoder<readonly Placed[]> = {
  type: `array of ${placed.type}`,
  decode: (value) => {
    if (value === null) return [];
    if (!Array.isArray(value)) throw new ValueError("expected an array of [transaction, block]");
    if (value.length > MAX_REPLACED_TRANSACTIONS)
      throw new ValueError(`more than ${MAX_REPLACED_TRANSACTIONS}`);
    return value.map((pair) => placed.decode(pair));
  },
};

const options: Decoder<{ readonly depth: number; readonly placed: readonly Placed[] }> = {
  type: "depth, or {depth, tx_block_pairs}",
  decode: (value) => {
    if (typeof value !== "object" || value === null) return { depth: whole.decode(value), placed: [] };
    const { depth, tx_block_pairs, txBlockPairs } = value as Readonly<Record<string, unknown>>;
    const pairs = pairsOf.decode(tx_block_pairs ?? txBlockPairs ?? []);
    return { depth: whole.decode(depth), placed: pairs };
  },
};

/** What takes blocks off the chain, and puts others in their place. */
export function reorganisationMethods(
  { chain }: Controls,
  { readTransaction }: ReorganisationParts,
): readonly Method[] {
  const checkedDepth = (depth: number): void => {
    const { number } = chain.maker.head.header;
    if (depth > number)
      throw invalidInput(`Can't reorg past genesis: depth ${depth}, newest block ${number}`);
  };
  const reorganise = (depth: number, pairs: readonly Placed[]): Promise<null> =>
    chain.exclusive(async () => {
      checkedDepth(depth);
      const late = pairs.find(({ block }) => block >= depth);
      if (late !== undefined) {
        throw invalidInput(
          `a transaction is for the new block ${late.block}: with depth ${depth} there are 0 to ${depth - 1}`,
        );
      }
      const blocks = Array.from({ length: depth }, (_, block) =>
        pairs.filter((pair) => pair.block === block).map(({ transaction }) => readTransaction(transaction)),
      );
      await chain.unwind(depth);
      const waiting = chain.pool.all();
      for (const transactions of blocks) {
        chain.pool.clear();
        for (const make of transactions) orThrow(chain.pool.add(make()));
        orThrow(await chain.makeBlock());
      }
      chain.pool.clear();
      for (const transaction of waiting) chain.pool.add(transaction);
      return null;
    });
  return [
    define({
      name: "anvil_rollback",
      summary: "Takes the newest blocks off the chain.",
      parameters: [optional("depth", whole, 1)],
      returns: "null",
      run: (depth) =>
        chain.exclusive(async () => {
          checkedDepth(depth);
          await chain.unwind(depth);
          return null;
        }),
    }),
    define({
      name: "anvil_reorg",
      summary: "Takes the newest blocks off, and makes as many others with the transactions that are given.",
      parameters: [required("options", options), optional("pairs", pairsOf, [])],
      returns: "null",
      run: ({ depth, placed: within }, pairs) => reorganise(depth, [...within, ...pairs]),
    }),
  ];
}

/** Bytes that a client gives as the whole of a transaction; undefined: it gives its fields. */
export function rawOf(given: unknown): Bytes | undefined {
  return typeof given === "string" ? parameterTypes.data.decode(given) : undefined;
}
