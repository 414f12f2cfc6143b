/** Answers of Ethereum's JSON-RPC, as far as the pages read them. Quantities are hex digits after `0x`. */
export type RpcHeader = {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly miner: string;
  readonly timestamp: string;
  readonly gasUsed: string;
  readonly gasLimit: string;
  readonly baseFeePerGas?: string;
  readonly extraData: string;
  readonly stateRoot: string;
  readonly transactionsRoot: string;
  readonly receiptsRoot: string;
  readonly logsBloom: string;
  readonly mixHash: string;
  readonly nonce: string;
  readonly difficulty: string;
  readonly sha3Uncles: string;
  readonly withdrawalsRoot?: string;
  readonly requestsHash?: string;
  readonly parentBeaconBlockRoot?: string;
  readonly blobGasUsed?: string;
  readonly excessBlobGas?: string;
};

export type RpcBlock<Item = string> = RpcHeader & {
  readonly size: string;
  readonly transactions: readonly Item[];
};

export type RpcTransaction = {
  readonly hash: string;
  readonly type: string;
  readonly from: string;
  readonly to: string | null;
  readonly nonce: string;
  readonly value: string;
  readonly gas: string;
  readonly gasPrice?: string;
  readonly maxFeePerGas?: string;
  readonly maxPriorityFeePerGas?: string;
  readonly input: string;
  readonly chainId?: string;
  readonly blockNumber: string | null;
  readonly blockHash: string | null;
  readonly transactionIndex: string | null;
  readonly accessList?: readonly { readonly address: string; readonly storageKeys: readonly string[] }[];
  readonly authorizationList?: readonly unknown[];
};

export type RpcLog = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly logIndex: string;
  readonly blockNumber: string;
  readonly transactionHash: string;
};

export type RpcReceipt = {
  readonly status: string;
  readonly gasUsed: string;
  readonly cumulativeGasUsed: string;
  readonly effectiveGasPrice: string;
  readonly contractAddress: string | null;
  readonly logs: readonly RpcLog[];
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly from: string;
  readonly to: string | null;
  readonly type: string;
};

/** Of `ostrom_getTransactionStatus`. */
export type RpcTransactionStatus = {
  readonly status: "included" | "pending" | "queued" | "dropped" | "unknown";
  readonly blockNumber?: string;
  readonly certified?: boolean;
  readonly reason?: string;
  readonly message?: string;
};

/** Of `ostrom_getStateCertificate`: RLP of the header, and the certificate as core/consensus encodes it. */
export type RpcCertificate = {
  readonly height: string;
  readonly header: string;
  readonly certificate: string;
};

/** Of `ostrom_getValidators`. */
export type RpcValidatorSet = {
  readonly epoch: string;
  readonly currentEpoch: string;
  readonly firstBlock: string;
  readonly lastBlock: string;
  readonly setHash: string;
  readonly validators: readonly {
    readonly index: string;
    readonly name: string;
    readonly address: string;
    readonly weight: string;
  }[];
};
