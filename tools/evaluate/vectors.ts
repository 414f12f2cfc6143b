import {
  installCipherEngines,
  installEngines,
  installKeyAgreement,
  installSignatureEngines,
  REFERENCE_CIPHER_ENGINES,
  REFERENCE_ENGINES,
  REFERENCE_KEY_AGREEMENT,
  REFERENCE_SIGNATURE_ENGINES,
} from "@ostrom/crypto";
import { installNativeCrypto } from "../../node/runtime/native-crypto.ts";
import { acvpMlDsa, acvpMlKem } from "./acvp.ts";
import { ed25519Speccheck, rfc9380 } from "./edge-vectors.ts";
import type { VectorOutcome } from "./vector-record.ts";
import { wycheproofP256, wycheproofSecp256k1 } from "./wycheproof-ecdsa.ts";
import { wycheproofAgreement, wycheproofCiphers, wycheproofDerivation } from "./wycheproof-secrets.ts";
import { wycheproofEd25519, wycheproofMlDsaSign, wycheproofMlDsaVerify } from "./wycheproof-signatures.ts";

const SOURCES: readonly (() => VectorOutcome[])[] = [
  wycheproofSecp256k1,
  wycheproofP256,
  wycheproofEd25519,
  ed25519Speccheck,
  wycheproofMlDsaVerify,
  wycheproofMlDsaSign,
  acvpMlDsa,
  rfc9380,
  wycheproofCiphers,
  wycheproofDerivation,
  wycheproofAgreement,
  acvpMlKem,
];

/** Files beside these that say nothing of what we offer, and why. */
export const FILES_NOT_APPLICABLE: Readonly<Record<string, string>> = {
  "wycheproof/aes_gcm_siv_test.json": "a cipher that we do not offer",
  "wycheproof/chacha20_poly1305_test.json": "a cipher that we do not offer",
  "wycheproof/sm4_ccm_test.json": "a mode that we do not offer",
  "wycheproof/ecdh_secp256k1_test.json": "no agreement over secp256k1 is offered",
  "rfc9380/P256_XMD_SHA-256_SSWU_NU_.json.gz":
    "ECVRF finds its points by trial (TAI), and nothing else hashes to P-256",
  "rfc9380/P256_XMD_SHA-256_SSWU_RO_.json.gz":
    "ECVRF finds its points by trial (TAI), and nothing else hashes to P-256",
  "frost/*": "no threshold signatures are offered",
};

/** Runs every applicable file through the portable engines, then through the native ones, which stay installed. */
export function runCryptoVectors(): VectorOutcome[] {
  installReference();
  const portable = SOURCES.flatMap((run) => run());
  installNativeCrypto();
  return [...portable, ...SOURCES.flatMap((run) => run())];
}

function installReference(): void {
  installEngines(REFERENCE_ENGINES);
  installSignatureEngines(REFERENCE_SIGNATURE_ENGINES);
  installCipherEngines(REFERENCE_CIPHER_ENGINES);
  installKeyAgreement(REFERENCE_KEY_AGREEMENT);
}
