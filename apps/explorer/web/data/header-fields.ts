import { splitFlatList } from "./flat-rlp.ts";

/** What a list of blocks shows of a header. */
export type HeaderFields = {
  readonly parentHash: string;
  readonly miner: string;
  readonly number: number;
  readonly gasLimit: number;
  readonly gasUsed: number;
  /** In seconds since 1970. */
  readonly timestamp: number;
  readonly baseFeePerGas: bigint;
};

/** Positions in a header's RLP list. Source: Ethereum's Yellow Paper 4.3; EIP-1559. */
const FIELD = {
  parentHash: 0,
  miner: 2,
  number: 8,
  gasLimit: 9,
  gasUsed: 10,
  timestamp: 11,
  baseFeePerGas: 15,
} as const;

/** Reads a header's RLP, as `ostrom_getHeaders` sends it: 700 bytes where the block with all its transactions' hashes may have
 * megabytes. Only for display: nothing is proved here. @throws RangeError if it is none. */
export function readHeaderFields(rlp: string): HeaderFields {
  const fields = splitFlatList(rlp);
  const at = (position: number): string => {
    const field = fields[position];
    if (field === undefined) throw new RangeError("a header has more fields");
    return field;
  };
  const quantity = (position: number): number => Number.parseInt(at(position) || "0", 16);
  return {
    parentHash: `0x${at(FIELD.parentHash)}`,
    miner: `0x${at(FIELD.miner)}`,
    number: quantity(FIELD.number),
    gasLimit: quantity(FIELD.gasLimit),
    gasUsed: quantity(FIELD.gasUsed),
    timestamp: quantity(FIELD.timestamp),
    baseFeePerGas: BigInt(`0x${at(FIELD.baseFeePerGas) || "0"}`),
  };
}
