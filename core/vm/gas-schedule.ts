/** What instructions cost and how large things may be. None of this differs between Cancun, Prague and Osaka; what does
 * is in fork-rules.ts. Amounts are in gas.
 * Sources: Yellow Paper, appendix G, as changed by the EIPs named below. */
export const GAS = {
  zero: 0,
  jumpDestination: 1,
  base: 2,
  veryLow: 3,
  low: 5,
  mid: 8,
  high: 10,
  /** Each byte of the exponent (EIP-160). */
  exponentByte: 50,
  keccak: 30,
  keccakWord: 6,
  copyWord: 3,
  memoryWord: 3,
  blockHash: 20,
  blobHash: 3,
  log: 375,
  logTopic: 375,
  logByte: 8,

  /** EIP-2929. */
  warmAccess: 100,
  coldAccount: 2600,
  coldSlot: 2100,

  /** EIP-2200, EIP-3529. */
  storageSet: 20_000,
  /** 5000 less the cold access, which is charged apart. */
  storageReset: 2900,
  storageClearRefund: 4800,
  /** SSTORE fails with this much gas or less, so that a stipend cannot write. */
  storageSentry: 2300,
  /** EIP-1153. */
  transientStorage: 100,

  callValue: 9000,
  callStipend: 2300,
  newAccount: 25_000,
  create: 32_000,
  /** EIP-3860. */
  initCodeWord: 2,
  codeDepositByte: 200,
  selfDestruct: 5000,
} as const;

/** What a transaction pays before it runs. Sources: Yellow Paper, appendix G; EIP-2028, 2930, 3860, 7623, 7702. */
export const TRANSACTION_GAS = {
  base: 21_000n,
  create: 32_000n,
  zeroByte: 4n,
  nonZeroByte: 16n,
  initCodeWord: 2n,
  accessListAddress: 2400n,
  accessListSlot: 1900n,
  /** Charged for each authorization, as if its account were new. */
  newAuthorization: 25_000n,
  /** What an authorization costs if the account is there; the difference is refunded. */
  authorization: 12_500n,
  /** EIP-7623: the least a "token" of call data costs; a zero byte is one token, another byte four. */
  floorToken: 10n,
  floorTokensOfNonZeroByte: 4n,
  /** EIP-3529: at most a fifth of the gas used is refunded. */
  refundDivisor: 5n,
} as const;

/** A call passes on all but one part in this many (EIP-150). */
export const CALL_GAS_DIVISOR = 64n;

export const MAX_STACK_SIZE = 1024;
/** Frames below the outermost one. */
export const MAX_CALL_DEPTH = 1024;
/** EIP-170, in bytes. */
export const MAX_CODE_SIZE = 24_576;
/** EIP-3860, in bytes. */
export const MAX_INIT_CODE_SIZE: number = 2 * MAX_CODE_SIZE;
/** EIP-2681: an account with this nonce can do nothing more. */
export const MAX_NONCE: bigint = 2n ** 64n - 1n;

/** Blocks that BLOCKHASH reaches back. */
export const BLOCK_HASH_WINDOW = 256n;

/** A frame that asks for more memory is out of gas. It would cost over 2^43 gas, far beyond any block's limit (and
 * 2^19 times what EIP-7825 lets a transaction have), while all byte offsets and costs stay exact in a double. */
export const MAX_MEMORY_SIZE: number = 2 ** 31;
