import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, EMPTY_BYTES, utf8 } from "@ostrom/base";
import { sha256 } from "./engine.ts";
import { SCHEME_P256, SCHEME_WEBAUTHN_P256 } from "./schemes.ts";
import { P256_ORDER } from "./secret-keys.ts";
import { signatureEngine, verifySignature } from "./signature-engine.ts";
import { encodeAssertion, toBase64Url, webauthnPublicKey } from "./webauthn.ts";

const SECRET = new Uint8Array(32).fill(9);
const MESSAGE = new Uint8Array(32).fill(0xfb);
const SITE = "wallet.example";
const PRESENT_AND_VERIFIED = 0x05;

const p256 = signatureEngine(SCHEME_P256)!;
const engine = signatureEngine(SCHEME_WEBAUTHN_P256)!;
const PUBLIC_KEY = webauthnPublicKey(p256.publicKey(SECRET), SITE);

type Parts = {
  readonly relyingParty?: string;
  readonly flags?: number;
  readonly extensions?: Bytes;
  readonly json?: string;
};

function clientData(
  fields: {
    readonly type?: string;
    readonly challenge?: string;
    readonly origin?: string;
    readonly tail?: string;
  } = {},
): string {
  const { type = "webauthn.get", challenge = toBase64Url(MESSAGE), origin = `https://${SITE}` } = fields;
  return `{"type":"${type}","challenge":"${challenge}","origin":"${origin}"${fields.tail ?? ',"crossOrigin":false}'}`;
}

/** What an authenticator would sign of these parts, however wrong they are. */
function assertion({
  relyingParty = SITE,
  flags = PRESENT_AND_VERIFIED,
  extensions = EMPTY_BYTES,
  json = clientData(),
}: Parts = {}): Bytes {
  const authenticatorData = concatBytes(
    sha256(utf8(relyingParty)),
    Uint8Array.of(flags, 0, 0, 0, 7),
    extensions,
  );
  const clientDataJson = utf8(json);
  const signature = p256.sign(SECRET, concatBytes(authenticatorData, sha256(clientDataJson)), EMPTY_BYTES);
  return encodeAssertion({ authenticatorData, clientDataJson, signature });
}

function isValid(signature: Bytes, publicKey = PUBLIC_KEY, message: Bytes = MESSAGE): boolean {
  return verifySignature(SCHEME_WEBAUTHN_P256, publicKey, message, signature);
}

test("base64url is RFC 4648's, section 5, without padding", () => {
  const expected = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
  for (const [length, text] of expected.entries())
    assert.equal(toBase64Url(utf8("foobar").subarray(0, length)), text);
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  assert.equal(toBase64Url(all), Buffer.from(all).toString("base64url"));
});

test("an assertion of a present and verified user on the message is a signature", () => {
  assert.equal(isValid(assertion()), true);
  assert.equal(isValid(assertion({ flags: 0x0d })), true, "backup eligible");
  assert.equal(isValid(assertion({ flags: 0x1d })), true, "backed up");
  assert.equal(isValid(assertion({ flags: 0x85, extensions: Uint8Array.of(0xa0) })), true, "extensions");
});

test("a key in a file signs as a passkey of localhost", () => {
  const signature = engine.sign(SECRET, MESSAGE, EMPTY_BYTES);
  assert.equal(isValid(signature, engine.publicKey(SECRET)), true);
  assert.equal(isValid(signature), false, "another relying party");
  assert.equal(isValid(signature, engine.publicKey(SECRET), new Uint8Array(31)), false);
});

test("authenticator data of another site, or without presence or verification, is refused", () => {
  assert.equal(isValid(assertion({ relyingParty: "thief.example" })), false);
  for (const flags of [0x00, 0x01, 0x04])
    assert.equal(isValid(assertion({ flags })), false, `flags ${flags}`);
});

test("authenticator data that cannot be of an assertion is refused", () => {
  assert.equal(isValid(assertion({ flags: 0x15 })), false, "backed up, not eligible");
  assert.equal(isValid(assertion({ flags: 0x45 })), false, "attested credential");
  assert.equal(isValid(assertion({ flags: 0x85 })), false, "extensions announced and absent");
  assert.equal(isValid(assertion({ extensions: Uint8Array.of(0xa0) })), false, "extensions not announced");
});

test("messages of any length are signed, as far as their challenge has room", () => {
  for (const length of [0, 1, 2, 3, 33, 400, 1_000, 100_000]) {
    const message = new Uint8Array(length).fill(length);
    const signature = assertion({ json: clientData({ challenge: toBase64Url(message.subarray(0, 1_100)) }) });
    assert.equal(isValid(signature, PUBLIC_KEY, message), length <= 400, `${length}`);
  }
});

test("client data of another type or challenge is refused", () => {
  for (const type of ["webauthn.create", "payment.get", ""])
    assert.equal(isValid(assertion({ json: clientData({ type }) })), false, type);
  const other = new Uint8Array(32).fill(0xfa);
  const challenges = [toBase64Url(other), `${toBase64Url(MESSAGE)}=`, toBase64Url(MESSAGE.subarray(1)), ""];
  for (const challenge of challenges)
    assert.equal(isValid(assertion({ json: clientData({ challenge }) })), false, challenge);
  assert.equal(isValid(assertion(), PUBLIC_KEY, other), false);
});

test("the challenge is read from the place where browsers write it, never from a later member", () => {
  const rest = `"challenge":"${toBase64Url(MESSAGE)}","origin":"https://${SITE}","crossOrigin":false}`;
  assert.equal(isValid(assertion({ json: `{"type":"webauthn.get","challenge":"AAAA",${rest}` })), false);
  assert.equal(isValid(assertion({ json: `{"type":"webauthn.get",${rest}` })), true);
  for (const space of [" ", "\n", "\t"])
    assert.equal(
      isValid(assertion({ json: `{"type":"webauthn.get",${space}${rest}` })),
      false,
      "white space",
    );
  assert.equal(
    isValid(assertion({ json: `{${rest.slice(0, -1)},"type":"webauthn.get"}` })),
    false,
    "another order",
  );
});

test("the origin must be plain characters, so that what follows it is what it seems", () => {
  for (const origin of ["", "https://a\\u0022", "https://a\u0007", "https://é", 'https://a"b'])
    assert.equal(isValid(assertion({ json: clientData({ origin }) })), false, origin);
});

test("a page within another site's page is refused; members after the known ones are not", () => {
  const refused = [
    ',"crossOrigin":true}',
    ',"crossOrigin":true,"topOrigin":"https://thief.example"}',
    ',"topOrigin":"https://thief.example"}',
    ',"crossOrigin":false',
    ',"crossOrigin":false,',
    ',"crossOrigin":false}}',
    ',"crossOrigin":false} ',
    ',"crossOrigin":falsehood}',
    "",
    ",}",
  ];
  for (const tail of refused) assert.equal(isValid(assertion({ json: clientData({ tail }) })), false, tail);
  const more =
    ',"crossOrigin":false,"other_keys_can_be_added_here":"do not compare clientDataJSON against a template"}';
  assert.equal(isValid(assertion({ json: clientData({ tail: more }) })), true);
  assert.equal(isValid(assertion({ json: clientData({ tail: "}" }) })), true, "WebKit's");
});

test("lengths that do not add up, and more than 1,024 bytes, are refused", () => {
  const good = assertion();
  for (const length of [0, 1, 2, 38, 39, 40, 41, good.length - 1])
    assert.equal(isValid(good.subarray(0, length)), false, `${length}`);
  assert.equal(isValid(concatBytes(good, Uint8Array.of(0))), false);
  for (const at of [0, 39]) {
    const longer = good.slice();
    longer[at] = 0xff;
    assert.equal(isValid(longer), false, `length at ${at}`);
  }
  const empty = clientData({ tail: ',"crossOrigin":false,"x":""}' });
  const room = 1024 - assertion({ json: empty }).length;
  const filled = (count: number): Bytes => assertion({ json: empty.replace('""', `"${"x".repeat(count)}"`) });
  assert.equal(filled(room).length, 1024);
  assert.equal(isValid(filled(room)), true);
  assert.equal(isValid(filled(room + 1)), false);
});

test("the mirrored signature, another key, and a signature on the bare message are refused", () => {
  const good = assertion();
  const s = BigInt(`0x${Buffer.from(good.subarray(-32)).toString("hex")}`);
  const high = Buffer.from((P256_ORDER - s).toString(16).padStart(64, "0"), "hex");
  assert.equal(isValid(concatBytes(good.subarray(0, -32), high)), false);
  assert.equal(isValid(good, webauthnPublicKey(p256.publicKey(MESSAGE), SITE)), false);
  assert.equal(isValid(good, PUBLIC_KEY.subarray(1)), false);
  assert.equal(isValid(concatBytes(good.subarray(0, -64), p256.sign(SECRET, MESSAGE, EMPTY_BYTES))), false);
});
