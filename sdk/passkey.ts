import {
  type Bytes,
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  type Failure,
  fail,
  hex,
  ok,
  type Result,
} from "@ostrom/base";
import { encodeAssertion, P256_ORDER, SCHEME_WEBAUTHN_P256, webauthnPublicKey } from "@ostrom/crypto";
import type { AccountSigner } from "./account-signer.ts";
import { DerError, DerReader } from "./der.ts";

/** A passkey: a P-256 key that never leaves its authenticator, as accounts have it. Keep it (it is no secret) to sign with it later. */
export type Passkey = {
  readonly credentialId: Bytes;
  /** A domain: its pages, and no others, can ask for signatures. */
  readonly relyingPartyId: string;
  /** Of the scheme webauthn-p256. */
  readonly publicKey: Bytes;
};

export type NewPasskey = {
  /** Shown by the browser. */
  readonly userName: string;
  /** Shown by the browser; default the relying party's id. */
  readonly siteName?: string;
  /** Default: the page's host. It may be a parent domain of it. */
  readonly relyingPartyId?: string;
};

export type PasskeyFailure = Failure<
  /** No browser, or one without Web Authentication. */
  | "passkey/unavailable"
  /** The user, or the authenticator, has refused, or time ran out. */
  | "passkey/refused"
  /** The authenticator answered something that is no P-256 key, or no signature. */
  | "passkey/malformed"
>;

/** COSE's number of ECDSA over P-256 with SHA-256. */
const ES256 = -7;
const CHALLENGE_LENGTH = 32;
const USER_ID_LENGTH = 16;
const COORDINATE_LENGTH = 32;
/** SubjectPublicKeyInfo of an uncompressed point of P-256, up to its coordinates (RFC 5480). */
const P256_KEY_HEAD: Bytes = hex("0x3059301306072a8648ce3d020106082a8648ce3d03010703420004");

/** Has the user create a passkey, in a browser. */
export async function createPasskey(request: NewPasskey): Promise<Result<Passkey, PasskeyFailure>> {
  const relyingPartyId = request.relyingPartyId ?? globalThis.location?.hostname ?? "";
  const asked = await askAuthenticator((credentials) =>
    credentials.create({
      publicKey: {
        rp: { id: relyingPartyId, name: request.siteName ?? relyingPartyId },
        user: {
          id: randomBytes(USER_ID_LENGTH),
          name: request.userName,
          displayName: request.userName,
        },
        // Nobody checks where the key was made: whoever registers it in an account vouches for it.
        challenge: randomBytes(CHALLENGE_LENGTH),
        attestation: "none",
        pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
      },
    }),
  );
  if (!asked.ok) return asked;
  const response = asked.value.response as AuthenticatorAttestationResponse;
  const point = readP256Key(new Uint8Array(response.getPublicKey() ?? new ArrayBuffer(0)));
  if (point === undefined) return fail("passkey/malformed", "the authenticator made no P-256 key");
  const publicKey = webauthnPublicKey(point, relyingPartyId);
  return ok({ credentialId: new Uint8Array(asked.value.rawId), relyingPartyId, publicKey });
}

/** Signs with a passkey, in a browser: the user confirms each signature. Where that fails, `sign` throws PasskeyError. */
export function passkeySigner(passkey: Passkey): AccountSigner {
  return {
    schemeId: SCHEME_WEBAUTHN_P256,
    publicKey: passkey.publicKey,
    sign: async (message) => {
      const signature = await signWithPasskey(passkey, message);
      if (!signature.ok) throw new PasskeyError(signature.error);
      return signature.value;
    },
  };
}

/** Has the user sign a message. @returns a signature of the scheme webauthn-p256. */
export async function signWithPasskey(
  { credentialId, relyingPartyId }: Passkey,
  message: Bytes,
): Promise<Result<Bytes, PasskeyFailure>> {
  const asked = await askAuthenticator((credentials) =>
    credentials.get({
      publicKey: {
        challenge: message.slice(),
        rpId: relyingPartyId,
        allowCredentials: [{ type: "public-key", id: credentialId.slice() }],
        userVerification: "required",
      },
    }),
  );
  if (!asked.ok) return asked;
  const response = asked.value.response as AuthenticatorAssertionResponse;
  const signature = readEcdsaSignature(new Uint8Array(response.signature));
  if (signature === undefined) return fail("passkey/malformed", "the authenticator gave no ECDSA signature");
  return ok(
    encodeAssertion({
      authenticatorData: new Uint8Array(response.authenticatorData),
      clientDataJson: new Uint8Array(response.clientDataJSON),
      signature,
    }),
  );
}

/** A passkey gave no signature; `failure` says why. */
export class PasskeyError extends Error {
  override readonly name: string = "PasskeyError";
  readonly failure: PasskeyFailure;

  constructor(failure: PasskeyFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

async function askAuthenticator(
  ask: (credentials: CredentialsContainer) => Promise<Credential | null>,
): Promise<Result<PublicKeyCredential, PasskeyFailure>> {
  const credentials = globalThis.navigator?.credentials;
  if (credentials === undefined)
    return fail("passkey/unavailable", "passkeys need a browser and a page from https or localhost");
  try {
    const credential = await ask(credentials);
    if (credential === null) return fail("passkey/refused", "the authenticator gave nothing");
    return ok(credential as PublicKeyCredential);
  } catch (error) {
    return fail("passkey/refused", `the authenticator refused: ${(error as Error).message}`);
  }
}

/** @returns x || y, or undefined for any other key. */
function readP256Key(subjectPublicKeyInfo: Bytes): Bytes | undefined {
  const head = subjectPublicKeyInfo.subarray(0, P256_KEY_HEAD.length);
  const point = subjectPublicKeyInfo.slice(P256_KEY_HEAD.length);
  return equalBytes(head, P256_KEY_HEAD) && point.length === 2 * COORDINATE_LENGTH ? point : undefined;
}

/** Reads what authenticators give, an ECDSA-Sig-Value in DER (RFC 3279), and takes the lower of the two s.
 * @returns r || s, or undefined for anything else. */
function readEcdsaSignature(der: Bytes): Bytes | undefined {
  try {
    const outer = new DerReader(der);
    const inner = outer.enter();
    const [r, s] = [bytesToBigint(inner.integer()), bytesToBigint(inner.integer())];
    inner.end();
    outer.end();
    if (r === 0n || s === 0n || r >= P256_ORDER || s >= P256_ORDER) return undefined;
    const lower = s > P256_ORDER / 2n ? P256_ORDER - s : s;
    return concatBytes(bigintToBytes(r, COORDINATE_LENGTH), bigintToBytes(lower, COORDINATE_LENGTH));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}
