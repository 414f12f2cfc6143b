/** Every limit of the server, by name. Bytes, counts and milliseconds as the names say; all are configurable. */
export type RpcLimits = {
  /** Of an HTTP request's body. Larger ones answer 413 before they are read to the end. */
  readonly bodyBytes: number;
  /** Requests in one batch. */
  readonly batchRequests: number;
  /** Of a whole batch's answers; the ones past it answer an error each. */
  readonly batchResponseBytes: number;
  /** Bytes of HTTP answers that clients have not taken yet, of all connections; past it new requests answer 503. */
  readonly unreadResponseBytes: number;
  /** HTTP requests (a batch is one) and WebSocket messages being worked on at once. */
  readonly concurrentRequests: number;
  /** Of one HTTP connection: who sends more ahead than this before it reads answers hears 503. */
  readonly connectionRequests: number;
  /** Bytes of all bodies that are being received or worked on; past it new requests answer 503. */
  readonly receivedBytes: number;
  /** Open connections, HTTP and WebSocket together. */
  readonly connections: number;
  /** How long one HTTP request or WebSocket message may take from its last byte to its answer. */
  readonly requestTimeoutMs: number;
  /** How long a client may take to send a request's headers, and its whole body. */
  readonly receiveTimeoutMs: number;
  /** After this much silence a socket without a request closes. */
  readonly idleTimeoutMs: number;
  /** Blocks that one eth_getLogs may look through one by one: those of a short range, or before the index of logs began. */
  readonly logRangeBlocks: number;
  /** Blocks that one search may look at because the index of logs names them, and entries of it that it may read. */
  readonly logBlocks: number;
  readonly logIndexReads: number;
  /** Logs that one answer may hold. */
  readonly logResults: number;
  /** Addresses, or alternatives of one topic, in one log filter. */
  readonly logAlternatives: number;
  /** Blocks in one eth_feeHistory. */
  readonly feeHistoryBlocks: number;
  /** Reward percentiles in one eth_feeHistory. */
  readonly feeHistoryPercentiles: number;
  /** Storage keys in one eth_getProof or eth_getStorageValues. */
  readonly storageKeys: number;
  /** Gas that eth_call, eth_estimateGas and eth_createAccessList may use. */
  readonly callGas: bigint;
  /** Simulations given to the executor at once; more wait their turn. */
  readonly concurrentSimulations: number;
  /** Simulations that may wait; more answer "busy". */
  readonly waitingSimulations: number;
  /** How long a trace may take, unless the request asks for less: then its thread is ended. */
  readonly traceTimeoutMs: number;
  /** Bytes that a trace may hold while it is made, about, and its answer have. */
  readonly traceBytes: number;
  /** Accounts and storage slots in one state override set, together. */
  readonly overrideEntries: number;
  /** Bytes of one raw transaction. */
  readonly transactionBytes: number;
  /** Transactions, and their bytes, that wait for the pool's answer at once; more hear that the node is busy. */
  readonly submittedTransactions: number;
  readonly submittedBytes: number;
  /** No more are let in than the pool answers in about this time. */
  readonly submissionWaitMs: number;
  /** How long eth_sendRawTransactionSync waits unless told, and at most. */
  readonly syncDefaultTimeoutMs: number;
  readonly syncMaxTimeoutMs: number;
  /** Installed polling filters, of all clients. */
  readonly filters: number;
  /** A filter that nobody polls for so long is uninstalled. */
  readonly filterIdleMs: number;
  /** Hashes of pending transactions remembered for polling filters; a filter that lags further behind misses some. */
  readonly pendingHashes: number;
  readonly webSocketMessageBytes: number;
  /** Messages of one connection being worked on at once; then its socket is not read. */
  readonly webSocketConcurrentMessages: number;
  readonly webSocketSubscriptions: number;
  /** Bytes waiting to be sent to a client that does not read. Past it, the connection is dropped. */
  readonly webSocketSendBufferBytes: number;
  /** Interval of pings; a client that missed one is dropped. */
  readonly webSocketPingMs: number;
  /** Decoded blocks kept in memory. */
  readonly cachedBlocks: number;
  /** Transactions that the kept blocks may have together (bounds the cache's memory). */
  readonly cachedTransactions: number;
  /** Bytes of the answers that are kept ready with them. */
  readonly cachedTextBytes: number;
};

const MEBIBYTE = 1024 * 1024;
const SECOND_MS = 1000;

export const DEFAULT_LIMITS: RpcLimits = {
  bodyBytes: 16 * MEBIBYTE,
  batchRequests: 1_000,
  batchResponseBytes: 32 * MEBIBYTE,
  unreadResponseBytes: 256 * MEBIBYTE,
  concurrentRequests: 2_000,
  connectionRequests: 64,
  receivedBytes: 128 * MEBIBYTE,
  connections: 4_096,
  requestTimeoutMs: 30 * SECOND_MS,
  receiveTimeoutMs: 20 * SECOND_MS,
  idleTimeoutMs: 75 * SECOND_MS,
  logRangeBlocks: 100_000,
  logBlocks: 10_000,
  logIndexReads: 500_000,
  logResults: 20_000,
  logAlternatives: 1_000,
  feeHistoryBlocks: 1_024,
  feeHistoryPercentiles: 100,
  storageKeys: 1_024,
  callGas: 50_000_000n,
  concurrentSimulations: 16,
  waitingSimulations: 4_096,
  traceTimeoutMs: 20 * SECOND_MS,
  traceBytes: 64 * MEBIBYTE,
  overrideEntries: 16_384,
  transactionBytes: 128 * 1024,
  submittedTransactions: 16_384,
  submittedBytes: 32 * MEBIBYTE,
  submissionWaitMs: 500,
  syncDefaultTimeoutMs: 10 * SECOND_MS,
  syncMaxTimeoutMs: 25 * SECOND_MS,
  filters: 10_000,
  filterIdleMs: 300 * SECOND_MS,
  pendingHashes: 65_536,
  webSocketMessageBytes: 16 * MEBIBYTE,
  webSocketConcurrentMessages: 64,
  webSocketSubscriptions: 1_000,
  webSocketSendBufferBytes: 16 * MEBIBYTE,
  webSocketPingMs: 30 * SECOND_MS,
  cachedBlocks: 256,
  cachedTransactions: 20_000,
  cachedTextBytes: 64 * MEBIBYTE,
};
