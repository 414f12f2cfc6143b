export { TransactionPool } from "./pool.ts";
export {
  type AdmissionErrorCode,
  type AdmissionFailure,
  type Admitted,
  DEFAULT_POOL_LIMITS,
  type Dropped,
  type DropReason,
  type ExecutionNews,
  type PoolAccount,
  type PoolContent,
  type PoolLimits,
  type PoolStatus,
  type RuleSet,
  type Selection,
} from "./types.ts";
