/** What a node answers, as far as the index reads it. Source: execution-apis. Quantities and bytes are 0x-prefixed hex. */

export type BlockAnswer = {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly timestamp: string;
  readonly miner: string;
  readonly gasUsed: string;
  readonly gasLimit: string;
  readonly baseFeePerGas?: string;
  readonly size: string;
  readonly transactions: readonly TransactionAnswer[];
};

export type TransactionAnswer = {
  readonly hash: string;
  readonly type: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly gas: string;
  readonly input: string;
};

export type ReceiptAnswer = {
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly contractAddress: string | null;
  readonly effectiveGasPrice: string;
  readonly gasUsed: string;
  readonly status: string;
  readonly logs: readonly LogAnswer[];
};

export type LogAnswer = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex: string;
};

/** A block with all that happened in it. */
export type ReadBlock = { readonly block: BlockAnswer; readonly receipts: readonly ReceiptAnswer[] };

/** Where the index and the node stand. */
export type Tip = { readonly number: number; readonly hash: string };

/** Source: geth's callTracer. */
export type CallFrame = {
  readonly type: string;
  readonly from: string;
  readonly to?: string;
  readonly value?: string;
  readonly gasUsed: string;
  readonly input: string;
  readonly error?: string;
  readonly calls?: readonly CallFrame[];
};
