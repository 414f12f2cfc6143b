import { must, toHex, ZERO_HASH } from "@ostrom/base";
import { chainHash, type Header, type SignedTransaction } from "@ostrom/execution";
import { blockToJson, pendingTransactionToJson } from "@ostrom/rpc-schema";
import { emptyTrieRoot } from "@ostrom/state";
import type { JsonObject } from "./json.ts";
import type { RequestContext } from "./method.ts";

const EMPTY_BLOOM: Uint8Array = new Uint8Array(256);

/** The block that would come next if this node's pool made it, not executed: hash and nonce are null, and so is
 * miner where it is not known who would be, as geth has it; roots and gas used are not known and stand empty. */
export async function pendingBlock(context: RequestContext, isFull: boolean): Promise<JsonObject> {
  const { backend, blocks, fees } = context;
  const parent = must(backend.chain.header(blocks.heads().latest), "the head must have a header");
  const { pending } = await backend.pool.content();
  const chosen = fitting(pending, parent.header.gasLimit);
  const told = backend.nextBlock?.();
  const miner = told?.coinbase === undefined ? null : toHex(told.coinbase);
  const emptyRoot = emptyTrieRoot(chainHash(backend.info.rules));
  const header: Header = {
    ...parent.header,
    parentHash: parent.hash,
    number: parent.header.number + 1,
    timestamp: told?.timestamp ?? Math.max(parent.header.timestamp, Math.floor(context.nowMs() / 1000)),
    transactionsRoot: emptyRoot,
    receiptsRoot: emptyRoot,
    logsBloom: EMPTY_BLOOM,
    gasUsed: 0n,
    baseFeePerGas: fees.nextBaseFee(),
    extraData: ZERO_HASH,
  };
  const size = chosen.reduce((sum, { raw }) => sum + raw.length, 0);
  const transactions = chosen.map((transaction) =>
    isFull ? pendingTransactionToJson(transaction) : toHex(transaction.hash),
  );
  return { ...blockToJson(ZERO_HASH, header, size, transactions), hash: null, nonce: null, miner };
}

function fitting(pending: readonly SignedTransaction[], gasLimit: bigint): readonly SignedTransaction[] {
  let gasLeft = gasLimit;
  return pending.filter((transaction) => {
    if (transaction.gasLimit > gasLeft) return false;
    gasLeft -= transaction.gasLimit;
    return true;
  });
}
