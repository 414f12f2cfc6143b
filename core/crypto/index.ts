export { addressOfPublicKey, recoverAddress } from "./address.ts";
export { AES_BLOCK_BYTES, aesCbcDecrypt, aesCbcEncrypt, aesCtr } from "./aes-modes.ts";
export type {
  Blake2Engine,
  Bls12381Engine,
  Bn254Engine,
  ModularEngine,
  P256Engine,
} from "./arithmetic-engines.ts";
export { deriveBlsSecretKey } from "./bls-key-generation.ts";
export {
  type Certificate,
  type CertificateErrorCode,
  formCertificate,
  MAX_CERTIFICATE_SIGNERS,
  readCertificate,
  readSigners,
  type SignedVote,
  verifyCertificate,
  writeSigners,
} from "./certificate.ts";
export {
  CIPHER_AES_256_GCM,
  CIPHER_NONCE_LENGTH,
  CIPHER_SM4_GCM,
  CIPHER_TAG_LENGTH,
  type CipherEngine,
  type CipherEngines,
  cipher,
  guardCipher,
  installCipherEngines,
  REFERENCE_CIPHER_ENGINES,
} from "./cipher-engine.ts";
export { createDecodedKeyCache } from "./decoded-key-cache.ts";
export {
  assertEcvrfSecretKey,
  createEcvrf,
  ECVRF_OUTPUT_LENGTH,
  ECVRF_PROOF_LENGTH,
  ECVRF_PUBLIC_KEY_LENGTH,
  type EcvrfEngine,
  type EcvrfGroup,
  ecvrfOutput,
  isEcvrfSecretKey,
} from "./ecvrf.ts";
export {
  type BlsEngine,
  blake2,
  bls,
  bls12381,
  bn254,
  type Engines,
  ecvrf,
  engineNames,
  type HashEngine,
  installEngines,
  keccak256,
  modular,
  p256,
  REFERENCE_ENGINES,
  ripemd160,
  type Secp256k1Engine,
  secp256k1,
  sha256,
  sm3,
} from "./engine.ts";
export { guardSignatures } from "./guarded-signatures.ts";
export { hashFunction } from "./hash-function.ts";
export { hkdfExpand, hkdfExtract, hmac } from "./hmac.ts";
export {
  guardKeyAgreement,
  installKeyAgreement,
  type KeyAgreementEngine,
  keyAgreement,
  ML_KEM_768_CIPHERTEXT_LENGTH,
  ML_KEM_768_PUBLIC_KEY_LENGTH,
  ML_KEM_768_SECRET_KEY_LENGTH,
  REFERENCE_KEY_AGREEMENT,
} from "./key-agreement.ts";
export { modularPower } from "./modular-power.ts";
export { BLS_POSSESSION_TAG, BLS_SIGNATURE_TAG, nobleBls } from "./noble-bls.ts";
export { type NobleP256Point, nobleEcvrf, nobleEcvrfGroup } from "./noble-ecvrf.ts";
export { nobleHash } from "./noble-hash.ts";
export { BLS_GENERATOR_G2, BLS_NEGATED_GENERATOR_G1, KZG_TAU_G2 } from "./noble-kzg.ts";
export { nobleSecp256k1 } from "./noble-secp256k1.ts";
export { sm2MessageHash, sm2SignerHash } from "./noble-sm2.ts";
export {
  isPayableScryptCost,
  MAX_PBKDF2_ITERATIONS,
  pbkdf2Key,
  type ScryptCost,
  scryptKey,
} from "./password-keys.ts";
export { BLAKE2_INITIALIZATION_VECTOR, BLAKE2_PERMUTATIONS } from "./plain-blake2.ts";
export { REFERENCE_SIGNATURE_ENGINES } from "./reference-signatures.ts";
export {
  HASH_KECCAK256,
  HASH_SCHEMES,
  HASH_SHA256,
  HASH_SM3,
  type HashScheme,
  hashScheme,
  isSignatureLength,
  SCHEME_BLS12381,
  SCHEME_ED25519,
  SCHEME_FALCON_512,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_SLH_DSA_SHA2_128S,
  SCHEME_SM2,
  SCHEME_WEBAUTHN_P256,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  signatureScheme,
  signatureSchemeByName,
} from "./schemes.ts";
export { recoveringSignatures } from "./secp256k1-signatures.ts";
export {
  assertBlsSecretKey,
  assertP256SecretKey,
  assertSecp256k1SecretKey,
  assertSm2SecretKey,
  BLS_ORDER,
  isBlsSecretKey,
  isP256SecretKey,
  isSecp256k1SecretKey,
  isSm2SecretKey,
  P256_ORDER,
  SECP256K1_ORDER,
  SECRET_KEY_LENGTH,
  SM2_ORDER,
} from "./secret-keys.ts";
export {
  installSignatureEngines,
  type SignatureEngine,
  type SignatureEngines,
  signatureEngine,
  signatureEngineNames,
  verifySignature,
} from "./signature-engine.ts";
export {
  readSm2Point,
  SM2_A,
  SM2_B,
  SM2_BASE_X,
  SM2_BASE_Y,
  SM2_FIELD,
  type Sm2Point,
  Sm2Points,
  writeSm2Point,
} from "./sm2-curve.ts";
export {
  signatureInList,
  VALIDATOR_SCHEME_IDS,
  type ValidatorScheme,
  validatorScheme,
  validatorSchemeByName,
  validatorSchemeOfKey,
} from "./validator-scheme.ts";
export {
  encodeAssertion,
  type WebauthnAssertion,
  webauthnPublicKey,
  webauthnSignatures,
} from "./webauthn.ts";
export {
  installWorkHashes,
  REFERENCE_WORK_HASHES,
  WORK_SCRYPT,
  type WorkHashEngine,
  type WorkHashName,
  workHash,
} from "./work-hash.ts";
export {
  X_WING_CIPHERTEXT_LENGTH,
  X_WING_PUBLIC_KEY_LENGTH,
  X_WING_RANDOMNESS_LENGTH,
  X_WING_SECRET_KEY_LENGTH,
  xWingDecapsulate,
  xWingEncapsulate,
  xWingPublicKey,
} from "./x-wing.ts";
