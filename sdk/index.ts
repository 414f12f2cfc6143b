export { addressOfPublicKeys } from "./account-address.ts";
export { type AccountSigner, keyPairSigner, schemeOfName } from "./account-signer.ts";
export {
  type AgileAccount,
  AgileAccountError,
  type AgileAccountOptions,
  type AgileRequest,
  toAgileAccount,
} from "./agile-account.ts";
export type { CertifiedHeader } from "./certified-header.ts";
export type { LightChain } from "./chain.ts";
export { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
export type { EncryptionErrorCode, EncryptionFailure } from "./encryption-failure.ts";
export {
  type CheckpointChain,
  checkpointsOfGenesis,
  checkpointToStart,
  type ProvedCheckpoint,
  takeCheckpoint,
  verifyCheckpoints,
} from "./epoch-checkpoints.ts";
export type { LightErrorCode, LightFailure, LightResult } from "./failure.ts";
export {
  type FilteredAnswer,
  type FilteredBlock,
  type FilteredTransaction,
  verifyFilteredBlocks,
} from "./filtered-blocks.ts";
export type { Disagreement } from "./follower.ts";
export { decryptHybrid, encryptHybrid, HYBRID_OVERHEAD } from "./hybrid-encryption.ts";
export {
  createKeyPair,
  ENCRYPTION_SCHEMES,
  type Entropy,
  KEY_SCHEMES,
  type KeyErrorCode,
  type KeyFailure,
  type KeyPair,
  keyPairOf,
  type PublicKey,
  platformEntropy,
  wipe,
  X_WING,
} from "./key-pair.ts";
export {
  type Approval,
  applyCall,
  breakCall,
  breakDigest,
  cancellationCall,
  enrollmentCall,
  guardianCancellationCall,
  type KeyOwner,
  keySetHash,
  messageDigest,
  proposalCall,
  protectionCall,
  protectionChangeCall,
  type SignedPlan,
  signBreak,
} from "./key-set-changes.ts";
export {
  type AccountKeys,
  type ContractCall,
  describeKey,
  encodeKeySetsCall,
  KEY_SETS_CONTRACT,
  KEYED_ACCOUNT_CONTRACT,
  type KeySetPlan,
  type KeySetReader,
  type KeySetVersion,
  keySetReader,
  type OnChainKeys,
  readAccountKeys,
  readBreakers,
  readTimelockMinimum,
} from "./key-sets.ts";
export { KEY_SETS_ABI } from "./key-sets-abi.ts";
export {
  DEFAULT_SCRYPT_COST,
  describeKeystore,
  KEYSTORE_FORMAT,
  type KeyRing,
  type KeystoreFace,
  MAX_KEYSTORE_KEYS,
  openKeystore,
  sealKeystore,
  wipeKeys,
} from "./keystore.ts";
export { isWeb3Keystore, openWeb3Keystore, sealWeb3Keystore } from "./keystore-v3.ts";
export {
  type At,
  createLightClient,
  DEFAULT_TRUSTING_PERIOD_MS,
  type LightClient,
  type LightClientOptions,
} from "./light-client.ts";
export type { LocalCall } from "./local-call.ts";
export {
  createPasskey,
  type NewPasskey,
  type Passkey,
  PasskeyError,
  type PasskeyFailure,
  passkeySigner,
  signWithPasskey,
} from "./passkey.ts";
export {
  isEncryptedPem,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
} from "./pem.ts";
export type { LightStorage } from "./persistence.ts";
export { ProviderError } from "./provider-error.ts";
export type {
  LogCriteria,
  ProvedBody,
  ProvedLog,
  ProvedOutcome,
  ProvedTransaction,
} from "./reads.ts";
export {
  MAX_RECIPIENTS,
  openMessage,
  type RecipientName,
  recipientName,
  recipientsOf,
  resealMessage,
  SEALED_CIPHERS,
  sealMessage,
} from "./sealed-message.ts";
export { type HttpServerOptions, httpServer, type LightServer, type RpcCall } from "./server.ts";
export { decryptSm2, encryptSm2, sm2CiphertextFromDer, sm2CiphertextToDer } from "./sm2-encryption.ts";
export type { ProvedAccount, ProvedReceipt } from "./state-proof.ts";
export type { Equivocation } from "./trust.ts";
export type { VerifiedHeader } from "./verified-headers.ts";
export {
  createVerifiedProvider,
  PROVED_METHODS,
  type Unproved,
  type VerifiedProvider,
  type VerifiedProviderOptions,
} from "./verified-provider.ts";
export { verifiedTransport } from "./verified-transport.ts";
