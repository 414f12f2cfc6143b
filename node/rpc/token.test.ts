import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { type Address, createRandom, type Hash, toHex, unwrap } from "@ostrom/base";
import { keccak256 } from "@ostrom/crypto";
import {
  createAccountToken,
  createSecretToken,
  MAX_TOKEN_BYTES,
  type TokenErrorCode,
  type TokenRules,
  verifyToken,
} from "./token.ts";

const random = createRandom(7);
const KEY = { kind: "secp256k1" as const, secret: random.bytes(32) };
const ED25519 = { kind: "ed25519" as const, secret: random.bytes(32) };
const GENESIS = keccak256(random.bytes(8));
const SECRET = random.bytes(32);
const NOW = 1_800_000_000;
const RULES: TokenRules = {
  genesisHash: GENESIS,
  peerId: "aa",
  operatorSecret: SECRET,
  maxSeconds: 3_600,
  nowSeconds: NOW,
};

function codeOf(token: string, rules: Partial<TokenRules> = {}): TokenErrorCode | "ok" {
  const result = verifyToken(token, { ...RULES, ...rules });
  return result.ok ? "ok" : result.error.code;
}

function token(
  change: { seconds?: number; issuedAt?: number; genesisHash?: Hash; node?: string } = {},
): string {
  return createAccountToken(KEY, { genesisHash: GENESIS, issuedAt: NOW, seconds: 600, ...change }).token;
}

function forge(header: object, claims: object, signature: string): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode(header)}.${encode(claims)}.${signature}`;
}

test("a token of each algorithm speaks for its account, or for the operator secret", () => {
  for (const key of [KEY, ED25519]) {
    const { token: made, account } = createAccountToken(key, {
      genesisHash: GENESIS,
      issuedAt: NOW,
      seconds: 600,
    });
    const verified = unwrap(verifyToken(made, RULES));
    assert.deepEqual(verified, {
      holder: { kind: "account", account },
      expiresAt: NOW + 600,
      node: undefined,
    });
  }
  const verified = unwrap(verifyToken(createSecretToken(SECRET, NOW), RULES));
  assert.equal(verified.holder.kind, "secret");
});

test("an ES256K signature of another program is accepted (RFC 8812: SHA-256, r and s of 32 bytes)", async () => {
  const { sign } = await import("viem/accounts");
  const signed = `${Buffer.from('{"alg":"ES256K","typ":"JWT"}').toString("base64url")}.`;
  const { privateKeyToAccount } = await import("viem/accounts");
  const privateKey = toHex(KEY.secret) as `0x${string}`;
  const claims = {
    sub: privateKeyToAccount(privateKey).address,
    aud: toHex(GENESIS),
    iat: NOW,
    exp: NOW + 60,
  };
  const message = signed + Buffer.from(JSON.stringify(claims)).toString("base64url");
  const { createHash } = await import("node:crypto");
  const hash = `0x${createHash("sha256").update(message).digest("hex")}` as const;
  const { r, s } = await sign({ hash, privateKey });
  const signature = Buffer.from(r.slice(2).padStart(64, "0") + s.slice(2).padStart(64, "0"), "hex");
  assert.equal(codeOf(`${message}.${signature.toString("base64url")}`), "ok");
});

test("each rule has its code", () => {
  assert.equal(codeOf("x".repeat(MAX_TOKEN_BYTES + 1)), "token/too-long");
  assert.equal(codeOf("a.b"), "token/malformed");
  assert.equal(codeOf(""), "token/malformed");
  assert.equal(codeOf(`${token()}.x`), "token/malformed");
  assert.equal(codeOf(`${token()}=`), "token/malformed");
  assert.equal(codeOf(token({ genesisHash: keccak256(SECRET) })), "token/wrong-audience");
  assert.equal(codeOf(token({ node: "bb" })), "token/wrong-node");
  assert.equal(codeOf(token({ node: "aa" })), "ok");
  assert.equal(codeOf(token({ issuedAt: NOW - 600 })), "token/expired");
  assert.equal(codeOf(token({ issuedAt: NOW - 599 })), "ok");
  assert.equal(codeOf(token({ issuedAt: NOW + 31 })), "token/not-yet-valid");
  assert.equal(codeOf(token({ issuedAt: NOW + 30 })), "ok");
  assert.equal(codeOf(token({ seconds: 3_601 })), "token/lives-too-long");
  assert.equal(codeOf(createSecretToken(random.bytes(32), NOW)), "token/wrong-signature");
  assert.equal(
    codeOf(createSecretToken(SECRET, NOW), { operatorSecret: undefined }),
    "token/wrong-signature",
  );
  assert.equal(codeOf(createSecretToken(SECRET, NOW - 60)), "token/expired");
  assert.equal(codeOf(createSecretToken(SECRET, NOW + 61)), "token/not-yet-valid");
});

test("the algorithm is not the token's to choose: none, HS256 with a public value, and others are refused", () => {
  const { account } = createAccountToken(KEY, { genesisHash: GENESIS, issuedAt: NOW, seconds: 600 });
  const claims = { sub: toHex(account), aud: toHex(GENESIS), iat: NOW, exp: NOW + 60 };
  for (const alg of ["none", "None", "RS256", "ES256", "", undefined]) {
    assert.equal(codeOf(forge({ alg }, claims, "")), "token/unknown-algorithm", String(alg));
  }
  const publicly = (secret: Uint8Array): string => {
    const unsigned = forge({ alg: "HS256" }, claims, "").slice(0, -1);
    return `${unsigned}.${createHmac("sha256", secret).update(unsigned).digest("base64url")}`;
  };
  assert.equal(codeOf(publicly(account)), "token/wrong-signature");
  assert.equal(codeOf(publicly(new Uint8Array(0))), "token/wrong-signature");
  assert.equal(codeOf(forge({ alg: "ES256K", crit: ["exp"] }, claims, "AA")), "token/malformed");
});

test("an EdDSA token whose key is not the account's is refused, and so is a key that is no point", () => {
  const other = { kind: "ed25519" as const, secret: random.bytes(32) };
  const { account } = createAccountToken(ED25519, { genesisHash: GENESIS, issuedAt: NOW, seconds: 60 });
  const { token: made } = createAccountToken(other, { genesisHash: GENESIS, issuedAt: NOW, seconds: 60 });
  const [header, , signature] = made.split(".");
  const claims = { sub: toHex(account as Address), aud: toHex(GENESIS), iat: NOW, exp: NOW + 60 };
  const swapped = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
  assert.equal(codeOf(swapped), "token/wrong-signature");
  for (const x of ["", "AA", Buffer.alloc(32, 255).toString("base64url"), 5, null]) {
    const jwk = { kty: "OKP", crv: "Ed25519", x };
    assert.equal(codeOf(forge({ alg: "EdDSA", jwk }, claims, "A".repeat(86))), "token/wrong-signature");
  }
});

test("whatever is changed in a token, it is refused, and the message shows none of it", () => {
  const made = [token(), createSecretToken(SECRET, NOW)];
  for (const original of made) {
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.from(original);
      const at = random.below(bytes.length);
      bytes[at] = 33 + random.below(94);
      const changed = bytes.toString();
      if (changed === original) continue;
      const result = verifyToken(changed, RULES);
      assert.ok(!result.ok, changed);
      assert.ok(!result.error.message.includes(original.split(".")[2]!.slice(0, 10)));
    }
  }
});
