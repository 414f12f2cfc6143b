export {
  addressOfKey,
  addressOfKeys,
  keyHash,
  keysDigest,
  MAX_KEYS,
  transactionContext,
} from "./account-keys.ts";
export type { AgileErrorCode, KeySigner } from "./agile-transaction.ts";
export {
  type AppliedBlock,
  applyBlock,
  type BlockInput,
  type BlockObserver,
  type ExecutionWatch,
  receiptOf,
  sealBlock,
} from "./apply-block.ts";
export {
  type AppliedTransaction,
  applyTransaction,
  type TransactionEnvironment,
} from "./apply-transaction.ts";
export { BLOOM_LENGTH, bloomMayContain, logsBloom, mergeBlooms } from "./bloom.ts";
export {
  type CallFrame,
  CallRecorder,
  type CallTracerOptions,
  type ReadRevertReason,
  type TracedLog,
} from "./call-tracer.ts";
export { blockOfCall, callHindrance, transactionOfCall } from "./call-transaction.ts";
export { chainHash } from "./chain-hash.ts";
export type {
  BlockOrigin,
  ChainModule,
  GenesisModule,
  GenesisModules,
  ModuleContract,
  ModulePrecompile,
  ModuleState,
  ModuleValidatorSet,
  PermissionRefusal,
  PermissionRequest,
  SystemContext,
} from "./chain-module.ts";
export {
  CHECKPOINT_KEY_CONTEXT,
  CHECKPOINT_KEYS_ADDRESS,
  type CheckpointRegistration,
  consensusRegistrationMessage,
  provedName,
  readCheckpointKeys,
  readCheckpointRegistration,
  registrationDigest,
  type VerifyConsensusSignature,
  verifyConsensusSignature,
} from "./checkpoint-keys.ts";
export { type AccessListOutcome, createAccessList } from "./create-access-list.ts";
export {
  defaultEpochLead,
  type EpochSchedule,
  epochOfHeight,
  frozenHeight,
  lastHeight,
} from "./epochs.ts";
export { estimateGas, type GasEstimate } from "./estimate-gas.ts";
export {
  createExecutionTracer,
  type ExecutionTrace,
  type TracedMessage,
  type TracedStep,
} from "./execution-trace.ts";
export { describeFault } from "./fault-text.ts";
export { effectiveGasPrice, effectiveTip, forkAt, nextBaseFee } from "./fees.ts";
export {
  type AnyGenesis,
  type ConsensusParameters,
  type Genesis,
  type GenesisOfEngine,
  genesisBlock,
  genesisHash,
  genesisOfEngine,
  genesisState,
  type InstantGenesis,
  type InstantParameters,
  type PowGenesis,
  type ProfileName,
  type SignatureCheck,
} from "./genesis.ts";
export { hasCheckpoints } from "./genesis-checkpoints.ts";
export {
  formatGenesis,
  type GenesisAccountJson,
  type GenesisJson,
  type GenesisModulesJson,
  type GenesisValidatorJson,
} from "./genesis-format.ts";
export { type GenesisErrorCode, type GenesisFailure, MAX_CHAIN_ID, parseGenesis } from "./genesis-json.ts";
export type { GenesisKeys, GenesisKeysJson } from "./genesis-keys.ts";
export { POW_HASH_NAMES, type PowHashName, type PowParameters } from "./genesis-pow.ts";
export {
  createGenesis,
  createPowGenesis,
  type GenesisRequest,
  type PowGenesisRequest,
} from "./genesis-profiles.ts";
export {
  ACCOUNT_SCHEMES,
  type AccountSchemeName,
  type ConsensusSchemeName,
  type CryptographicSuite,
  consensusSchemeOf,
  hashIdOf,
  isPostQuantumSuite,
  parseSuite,
  rulesOfSuite,
  SUITE_NAMES,
  SUITES,
  type SuiteHash,
  type SuiteJson,
  type SuiteName,
  TRANSPORT_KINDS,
  type TransportKind,
} from "./genesis-suites.ts";
export {
  MAX_WORK_MINERS,
  MAX_WORK_VALIDATORS,
  MAX_WORK_WINDOW_EPOCHS,
  type ValidatorSets,
  type ValidatorSetsJson,
  type WorkValidatorSets,
} from "./genesis-validator-sets.ts";
export {
  decodeHeader,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  encodeBlock,
  encodeHeader,
  hashHeader,
} from "./header.ts";
export { impersonatedSender, impersonateTransaction } from "./impersonation.ts";
export {
  defineModule,
  genesisModule,
  type InstalledModules,
  installModules,
  MAX_MODULE_VERSION,
  MODULE_NAME_PATTERN,
  type ModuleVersion,
  moduleCodeHash,
  NO_MODULES,
} from "./installed-modules.ts";
export { intrinsicGas, signaturesGas } from "./intrinsic-gas.ts";
export { KEY_SETS_ADDRESS, KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
export {
  type AuthorityCheck,
  authorityAsOf,
  hasValidSignatures,
  KEYED_CODE_HASH,
  type KeyAuthority,
  type KeyRules,
  keyStateOf,
  keysOfAuthorizations,
  rekeyedAccounts,
} from "./key-authority.ts";
export {
  type CurveBreak,
  type KeyRecord,
  type KeySet,
  type KeyState,
  readCurveBreak,
} from "./key-sets.ts";
export {
  ECVRF_VERIFY_ADDRESS,
  EVIDENCE_VERIFY_ADDRESS,
  MEMBERSHIP_ADDRESS,
  MODULE_REGISTRY_ADDRESS,
  POSSESSION_VERIFY_ADDRESS,
  STAKING_ADDRESS,
} from "./module-addresses.ts";
export { ACTIVATION_GAS, type ActivationReport } from "./module-hooks.ts";
export {
  type ActiveModule,
  type MissingActivation,
  type ModulePlan,
  missingActivations,
  planModules,
  plannedFork,
  plannedPrecompiles,
} from "./module-plan.ts";
export {
  activeVersion,
  hasRegistry,
  MAX_MODULES,
  MAX_SETTINGS_BYTES,
  MIN_NOTICE_BLOCKS,
  type ModuleActivation,
  type ModuleRegistry,
  moduleNameBytes,
  type RegisteredModule,
  readModuleRegistry,
  readModuleSettings,
  readValidatorSetsPort,
  type ScheduledFork,
  type ValidatorSetsPort,
} from "./module-registry.ts";
export {
  isSameValidatorSet,
  type NextSetFailure,
  type NextValidatorSet,
  readNextValidatorSet,
  type VerifyPossession,
  verifyKeyPossession,
} from "./next-validator-set.ts";
export { ObservedState } from "./observed-state.ts";
export {
  type CheckedPayload,
  checkPayload,
  checkPayloadBeforeSignatures,
  checkStaticallyUnderAny,
  decodePayload,
  EMPTY_PAYLOAD,
  encodePayload,
  MAX_PAYLOAD_TRANSACTIONS,
  type PayloadErrorCode,
  type PayloadRequest,
  type ReadPayload,
} from "./payload.ts";
export { type PermissionCheck, permissionAsOf } from "./permission.ts";
export type { PrestateTracerOptions } from "./prestate-tracer.ts";
export { decodeStoredReceipts } from "./receipt.ts";
export { encodeReceipt, encodeStoredReceipts } from "./receipt-encoding.ts";
export { BlockReplay, type ReplayInput } from "./replay-block.ts";
export {
  addressOfSecretKey,
  authorizationHash,
  recoverAuthority,
  signAuthorization,
  type TransactionSignature,
} from "./signature.ts";
export {
  type BlockOverride,
  type CallOutcome,
  type CallRequest,
  type Simulation,
  type SimulationFailure,
  simulateCall,
} from "./simulate.ts";
export { arraySlot, bytesStorage, mappingSlot, type ReadWord, readStoredBytes } from "./solidity-storage.ts";
export type { AccountOverride } from "./state-overrides.ts";
export { viewOfChanges, viewOfJournal } from "./state-views.ts";
export { checkStaticValidity, type StaticErrorCode } from "./static-validity.ts";
export type { StructLoggerOptions } from "./struct-logger.ts";
export {
  BEACON_ROOTS_ADDRESS,
  DEPLOYMENT_PROXY_ADDRESS,
  HISTORY_STORAGE_ADDRESS,
  MULTICALL3_ADDRESS,
  SYSTEM_ADDRESS,
} from "./system-contracts.ts";
export { TraceBudget, TraceTooLarge } from "./trace-budget.ts";
export { createTracer, type TraceOptions } from "./trace-transaction.ts";
export type { StateWatcher, TracedTransaction, TransactionTracer } from "./tracer.ts";
export {
  completeFields,
  decodeSignedTransaction,
  decodeTransaction,
  MAX_TRANSACTION_NONCE,
  recoverSender,
  signAgileTransaction,
  signTransaction,
  type TransactionFields,
} from "./transaction.ts";
export { encodeTransaction, signingHash, type UnsignedTransaction } from "./transaction-encoding.ts";
export type { TransactionErrorCode, TransactionFailure } from "./transaction-reader.ts";
export { blobGasOf, maxCost } from "./transaction-validity.ts";
export {
  type AccessListEntry,
  type AccountKey,
  AGILE_TRANSACTION_TYPE,
  type AgileFields,
  type Authorization,
  type ChainRules,
  type DevelopmentRules,
  type ExecutedBlock,
  type Header,
  type InstantBlock,
  type KeyAuthorization,
  type MinedBlock,
  type OrderedPayload,
  type Receipt,
  type SignedTransaction,
  type Skipped,
  type SkipReason,
  type Transaction,
  type TransactionType,
} from "./types.ts";
export {
  MAX_VALIDATOR_COUNT,
  readValidatorSet,
  TRANSPORT_KEY_LENGTHS,
  VALIDATOR_SET_ADDRESS,
  type Validator,
  type ValidatorSet,
  type ValidatorSetErrorCode,
  type ValidatorSetFailure,
} from "./validator-set.ts";
export { LEADER_SEED_SLOT, type PortReport, readLeaderSeed } from "./validator-set-port.ts";
export { findTicket, isTicket, ticketHash, type WorkTask, workPreimage } from "./work-ticket.ts";
