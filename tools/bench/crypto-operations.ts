import { type Bytes, createRandom, EMPTY_BYTES, Hash, must, uint64ToBytes } from "@ostrom/base";
import {
  type BlsEngine,
  type CipherEngines,
  deriveBlsSecretKey,
  type HashEngine,
  type KeyAgreementEngine,
  nobleBls,
  nobleSecp256k1,
  REFERENCE_CIPHER_ENGINES,
  REFERENCE_ENGINES,
  REFERENCE_KEY_AGREEMENT,
  REFERENCE_SIGNATURE_ENGINES,
  SCHEME_ML_DSA_44,
  SCHEME_ML_DSA_65,
  SCHEME_ML_DSA_87,
  SCHEME_SLH_DSA_SHA2_128S,
  type Secp256k1Engine,
  SIGNATURE_SCHEMES,
  type SignatureEngine,
  type SignatureScheme,
} from "@ostrom/crypto";
import { loadNativeCrypto, loadNativeSignatures } from "../../node/runtime/native-crypto.ts";
import { createNativeCiphers, createNativeKeyAgreement } from "../../node/runtime/native-crypto-ciphers.ts";

export type CryptoOperation = {
  readonly scheme: string;
  readonly engine: string;
  readonly action: string;
  readonly run: () => unknown;
  /** Fewest repetitions in a measured run: a signature by rejection takes a random number of attempts. */
  readonly repetitions?: number;
};

const random = createRandom(6);
const MESSAGE = random.bytes(128);
const LATTICE_SCHEMES: readonly number[] = [SCHEME_ML_DSA_44, SCHEME_ML_DSA_65, SCHEME_ML_DSA_87];
const FEWEST_ATTEMPTS = 16;
const AGGREGATED_SIGNERS = 128;
const CIPHER_NAMES: readonly string[] = ["", "aes-256-gcm", "sm4-gcm"];

const native = loadNativeCrypto();

/** What every ratio is to. */
export const RECOVERY: CryptoOperation = recoveryBy(native.secp256k1);

/** Everything that core/crypto has slots for, by each engine. Signing by the portable SLH-DSA is left out: it takes seconds. */
export function cryptoOperations(): readonly CryptoOperation[] {
  return [
    ...signatureOperations(),
    ...[native.hash, REFERENCE_ENGINES.hash].flatMap(hashing),
    ...[createNativeCiphers(), REFERENCE_CIPHER_ENGINES].flatMap(sealing),
    ...[createNativeKeyAgreement(), REFERENCE_KEY_AGREEMENT].flatMap(agreeing),
  ];
}

/** Every signature scheme by each of its engines, the one that a node uses first. */
export function signatureOperations(): readonly CryptoOperation[] {
  const nativeSignatures = loadNativeSignatures(native.secp256k1);
  const signatures = SIGNATURE_SCHEMES.flatMap((scheme) => {
    const portable = REFERENCE_SIGNATURE_ENGINES[scheme.id];
    // An assertion of WebAuthn is a P-256 signature with JSON around it.
    if (portable === undefined || !scheme.hasFixedSignatureLength) return [];
    const installed = nativeSignatures[scheme.id];
    const signer = installed ?? portable;
    return [installed, portable].flatMap((engine) =>
      engine === undefined ? [] : signing(scheme, engine, signer),
    );
  });
  return [
    RECOVERY,
    recoveryBy(nobleSecp256k1),
    ...signatures,
    ...[native.bls, nobleBls].flatMap(aggregation),
  ];
}

function recoveryBy(engine: Secp256k1Engine): CryptoOperation {
  const hash = Hash(random.bytes(32));
  const { signature, yParity } = engine.sign(hash, new Uint8Array(32).fill(5));
  return {
    scheme: "secp256k1",
    engine: engine.name,
    action: "recover",
    run: () => engine.recover(hash, signature, yParity),
  };
}

function signing(
  scheme: SignatureScheme,
  engine: SignatureEngine,
  signer: SignatureEngine,
): CryptoOperation[] {
  const secret = new Uint8Array(scheme.secretKeyLength).fill(7);
  const key = signer.publicKey(secret);
  const signature = signer.sign(secret, MESSAGE, EMPTY_BYTES);
  const named = { scheme: scheme.name, engine: engine.name };
  const verify = {
    ...named,
    action: "verify",
    run: () => engine.verify(key, MESSAGE, signature, EMPTY_BYTES),
  };
  if (scheme.id === SCHEME_SLH_DSA_SHA2_128S && engine !== signer) return [verify];
  let count = 0;
  const sign = (): Bytes => engine.sign(secret, uint64ToBytes(count++), EMPTY_BYTES);
  const isByRejection = LATTICE_SCHEMES.includes(scheme.id);
  return [
    verify,
    { ...named, action: "sign", run: sign, ...(isByRejection && { repetitions: FEWEST_ATTEMPTS }) },
  ];
}

function aggregation(engine: BlsEngine): CryptoOperation[] {
  const secrets = Array.from({ length: AGGREGATED_SIGNERS }, () => deriveBlsSecretKey(random.bytes(32)));
  const keys = secrets.map((secret) => native.bls.publicKey(secret));
  const first = must(secrets[0], "there are signers");
  const signature = native.bls.sign(first, MESSAGE);
  const joined = must(
    native.bls.aggregate(secrets.map((secret) => native.bls.sign(secret, MESSAGE))),
    "signatures join",
  );
  const named = { scheme: "bls12_381-g1-pop", engine: engine.name };
  return [
    { ...named, action: "verify", run: () => engine.verify(keys[0] ?? EMPTY_BYTES, MESSAGE, signature) },
    { ...named, action: "sign", run: () => engine.sign(first, MESSAGE) },
    { ...named, action: "verify-aggregate-128", run: () => engine.verifyAggregate(keys, MESSAGE, joined) },
  ];
}

function hashing(engine: HashEngine): CryptoOperation[] {
  const [short, long] = [random.bytes(64), random.bytes(1024)];
  return (["keccak256", "sha256", "sm3"] as const).flatMap((scheme) => [
    { scheme, engine: engine.name, action: "hash-64", run: () => engine[scheme](short) },
    { scheme, engine: engine.name, action: "hash-1024", run: () => engine[scheme](long) },
  ]);
}

function sealing(engines: CipherEngines): CryptoOperation[] {
  const plain = random.bytes(1024);
  const nonce = random.bytes(12);
  return Object.entries(engines).flatMap(([id, engine]) => {
    const key = random.bytes(engine.keyLength);
    const sealed = engine.seal(key, nonce, EMPTY_BYTES, plain);
    const named = { scheme: CIPHER_NAMES[Number(id)] ?? id, engine: engine.name };
    return [
      { ...named, action: "seal-1024", run: () => engine.seal(key, nonce, EMPTY_BYTES, plain) },
      { ...named, action: "open-1024", run: () => engine.open(key, nonce, EMPTY_BYTES, sealed) },
    ];
  });
}

function agreeing(engine: KeyAgreementEngine): CryptoOperation[] {
  const secret = new Uint8Array(32).fill(9);
  const seed = new Uint8Array(64).fill(3);
  const operation = (scheme: string, action: string, run: () => unknown): CryptoOperation => ({
    scheme,
    engine: engine.name,
    action,
    run,
  });
  const [edwards, national, lattice] = [
    engine.x25519PublicKey(secret),
    engine.sm2PublicKey(secret),
    engine.mlKem768PublicKey(seed),
  ] as [Bytes, Bytes, Bytes];
  const sealed = must(engine.mlKem768Encapsulate(lattice, secret), "its own key is one");
  return [
    operation("x25519", "agree", () => engine.x25519(secret, edwards)),
    operation("sm2", "agree", () => engine.sm2SharedPoint(secret, national)),
    operation("ml-kem-768", "encapsulate", () => engine.mlKem768Encapsulate(lattice, secret)),
    operation("ml-kem-768", "decapsulate", () => engine.mlKem768Decapsulate(seed, sealed.ciphertext)),
  ];
}
