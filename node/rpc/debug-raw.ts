import { toHex } from "@ostrom/base";
import { encodeBlock, encodeHeader, encodeReceipt } from "@ostrom/execution";
import { type BlockParameter, blockParameter } from "./block-parameter.ts";
import { headerNotFound, type ReadBlock } from "./block-reader.ts";
import { hash } from "./decode.ts";
import { defineMethod, type Method, type RequestContext, required } from "./method.ts";

function find({ blocks }: RequestContext, parameter: BlockParameter): ReadBlock {
  const blockNumber = blocks.resolve(parameter);
  const block = blockNumber === undefined ? undefined : blocks.byNumber(blockNumber);
  if (block === undefined) throw headerNotFound(parameter);
  return block;
}

const block = required("block", blockParameter);

export const debugRawMethods: readonly Method[] = [
  defineMethod({
    name: "debug_getRawHeader",
    summary: "A header's RLP, of which the block hash is the hash.",
    parameters: [block],
    returns: "data",
    run: (context, parameter) => toHex(encodeHeader(find(context, parameter).header)),
  }),
  defineMethod({
    name: "debug_getRawBlock",
    summary: "A block's RLP.",
    parameters: [block],
    returns: "data",
    run: (context, parameter) => {
      const { header, transactions } = find(context, parameter);
      return toHex(
        encodeBlock(
          header,
          transactions.map(({ raw }) => raw),
        ),
      );
    },
  }),
  defineMethod({
    name: "debug_getRawReceipts",
    summary: "The receipts of a block as the receipts trie has them.",
    parameters: [block],
    returns: "array of data",
    run: (context, parameter) =>
      find(context, parameter)
        .receipts()
        .map((receipt) => toHex(encodeReceipt(receipt))),
  }),
  defineMethod({
    name: "debug_getRawTransaction",
    summary: "A transaction's bytes, executed or waiting in this node's pool.",
    parameters: [required("hash", hash)],
    returns: "data; empty if it is not known",
    run: async ({ backend, blocks }, transactionHash) => {
      const location = backend.chain.transactionLocation(transactionHash);
      if (location === undefined)
        return toHex((await backend.pool.get(transactionHash))?.raw ?? new Uint8Array(0));
      const found = blocks.byNumber(location.blockNumber)?.transactions[location.index];
      return toHex(found?.raw ?? new Uint8Array(0));
    },
  }),
];
