import { type HeaderFields, readHeaderFields } from "./header-fields.ts";
import type { LiveBlock } from "./live-chain.ts";
import { toNumber, toQuantity } from "./quantity.ts";
import type { RpcClient } from "./rpc.ts";

/** Blocks from one height to another, oldest first, with their numbers of transactions but without their bodies. At most 512. */
export async function readBlocks(rpc: RpcClient, from: number, to: number): Promise<readonly LiveBlock[]> {
  if (from > to) return [];
  const headers = await rpc.call<readonly string[]>("ostrom_getHeaders", [
    toQuantity(from),
    toQuantity(to - from + 1),
  ]);
  const fields = headers.map(readHeaderFields);
  return countTransactions(
    rpc,
    fields.map((field, index) => ({ ...blockOf(field), hash: fields[index + 1]?.parentHash })),
  );
}

/** With their numbers of transactions; a block that used no gas has none. */
export function countTransactions(
  rpc: RpcClient,
  blocks: readonly LiveBlock[],
): Promise<readonly LiveBlock[]> {
  return Promise.all(
    blocks.map(async (block) => {
      if (block.gasUsed === 0) return block;
      const count = await rpc.call<string | null>("eth_getBlockTransactionCountByNumber", [
        toQuantity(block.number),
      ]);
      return { ...block, transactions: count === null ? 0 : toNumber(count) };
    }),
  );
}

/** A block of which only the header is known. */
export function blockOf(header: HeaderFields): LiveBlock {
  const { number, miner, timestamp, gasUsed, gasLimit, baseFeePerGas } = header;
  return {
    number,
    hash: undefined,
    miner,
    timestamp,
    gasUsed,
    gasLimit,
    baseFeePerGas,
    transactions: 0,
    heardMs: undefined,
    certifiedMs: undefined,
  };
}
