export { addressOfPublicKey, recoverAddress } from "./address.ts";
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
} from "./engine.ts";
export { modularPower } from "./modular-power.ts";
export { BLS_POSSESSION_TAG, BLS_SIGNATURE_TAG, nobleBls } from "./noble-bls.ts";
export { type NobleP256Point, nobleEcvrf, nobleEcvrfGroup } from "./noble-ecvrf.ts";
export { nobleHash } from "./noble-hash.ts";
export { BLS_GENERATOR_G2, BLS_NEGATED_GENERATOR_G1, KZG_TAU_G2 } from "./noble-kzg.ts";
export { nobleSecp256k1 } from "./noble-secp256k1.ts";
export { BLAKE2_INITIALIZATION_VECTOR, BLAKE2_PERMUTATIONS } from "./plain-blake2.ts";
export {
  HASH_KECCAK256,
  HASH_SCHEMES,
  HASH_SHA256,
  HASH_SM3,
  type HashScheme,
  hashScheme,
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
export {
  assertBlsSecretKey,
  assertSecp256k1SecretKey,
  BLS_ORDER,
  isBlsSecretKey,
  isSecp256k1SecretKey,
  P256_ORDER,
  SECP256K1_ORDER,
  SECRET_KEY_LENGTH,
} from "./secret-keys.ts";
export {
  installSignatureEngines,
  type SignatureEngine,
  type SignatureEngines,
  signatureEngine,
  signatureEngineNames,
  verifySignature,
} from "./signature-engine.ts";
export { sm3 } from "./sm3.ts";
export {
  installWorkHashes,
  REFERENCE_WORK_HASHES,
  WORK_SCRYPT,
  type WorkHashEngine,
  type WorkHashName,
  workHash,
} from "./work-hash.ts";
