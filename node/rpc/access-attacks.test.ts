import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type Address, type Bytes, createRandom, toHex, utf8 } from "@ostrom/base";
import { secp256k1, sha256 } from "@ostrom/crypto";
import { OPEN_ACCESS } from "./access-control.ts";
import { type AccountRole, accessClassOf, type ObserverFilter } from "./access-roles.ts";
import { createMethods } from "./methods.ts";
import { createRpcServer, type RpcServer } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { post, type RpcAnswer } from "./testing/http-client.ts";
import { createAccountToken, verifyToken } from "./token.ts";

const random = createRandom(17);
const NOW_SECONDS = 1_800_000_000;
const SECRET = random.bytes(32);
const KEY = { kind: "secp256k1" as const, secret: random.bytes(32) };
const backend = createFakeBackend();
const { genesisHash } = backend.info;
const REQUEST = { genesisHash, issuedAt: NOW_SECONDS, seconds: 600 };

type Rights = { readonly roles: readonly AccountRole[]; readonly filter?: ObserverFilter };

async function serve(
  kind: "none" | "jwt",
  rights: Rights,
): Promise<{ readonly server: RpcServer; readonly url: string }> {
  const server = createRpcServer({
    backend: { ...backend, operate: async ({ method }) => ({ ok: true, value: method }) },
    host: "127.0.0.1",
    port: 0,
    access: {
      settings: {
        ...OPEN_ACCESS,
        kind,
        anonymousReads: false,
        maxTokenSeconds: 3_600,
        operatorSecret: SECRET,
        peerId: "aa",
      },
      reads: { rolesOf: () => rights.roles, filterOf: () => rights.filter },
    },
    nowMs: () => NOW_SECONDS * 1_000,
  });
  const { port } = await server.start();
  return { server, url: `http://127.0.0.1:${port}` };
}

const bodyOf = (method: string): string => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: [] });

describe("an auditor who sees a part by right", () => {
  let served: { readonly server: RpcServer; readonly url: string };
  const headers = { authorization: `Bearer ${createAccountToken(KEY, REQUEST).token}` };
  before(async () => {
    served = await serve("jwt", { roles: ["auditor"], filter: [random.bytes(20) as Address] });
  });
  after(() => served.server.stop());

  const FREE = new Set(["basics", "observe", "audit"]);

  test("reaches no other method by any name, alone or in a batch with methods that are allowed", async () => {
    const hidden = [...createMethods().keys()].filter((name) => !FREE.has(accessClassOf(name)));
    assert.ok(hidden.length > 40);
    const { text } = await post(
      served.url,
      `[${hidden
        .flatMap((name) => [bodyOf("eth_chainId"), bodyOf(name)])
        .slice(0, 100)
        .join(",")}]`,
      headers,
    );
    for (const [index, answer] of (JSON.parse(text) as RpcAnswer[]).entries())
      assert.equal(answer.error?.code, index % 2 === 0 ? undefined : 4100, `answer ${index}`);
    for (const name of hidden) {
      const { status } = await post(served.url, bodyOf(name), headers);
      assert.equal(status, 403, name);
    }
    for (const alias of ["ETH_getBalance", "eth_getBalance ", "eth.getBalance", "__proto__", "constructor"]) {
      const { text: answer } = await post(served.url, bodyOf(alias), headers);
      assert.equal((JSON.parse(answer) as RpcAnswer).error?.code, -32_601, alias);
    }
  });
});

test("a server of this machine alone, behind a proxy, serves nobody operator methods who comes through it", async () => {
  const { server, url } = await serve("none", { roles: [] });
  assert.equal((await post(url, bodyOf("admin_nodeInfo"))).status, 200);
  for (const headers of [
    { "x-forwarded-for": "203.0.113.9" },
    { "x-real-ip": "203.0.113.9" },
    { via: "1.1 proxy.example" },
    { forwarded: "for=203.0.113.9" },
    { origin: "null" },
    { origin: "chrome-extension://abcdefghijklmnop" },
  ])
    assert.equal((await post(url, bodyOf("admin_nodeInfo"), headers)).status, 403, JSON.stringify(headers));
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
    assert.equal((await post(url, bodyOf("admin_nodeInfo"), { "content-type": type })).status, 415, type);
  await server.stop();
});

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
const seal = (head: unknown, claims: unknown, sign: (bytes: Bytes) => Uint8Array): string => {
  const signed = `${encode(head)}.${encode(claims)}`;
  return `${signed}.${Buffer.from(sign(utf8(signed))).toString("base64url")}`;
};

test("tokens that confuse algorithms, keys, chains, nodes or JSON are refused", () => {
  const { account } = createAccountToken(KEY, REQUEST);
  const claims = { sub: toHex(account), aud: toHex(genesisHash), iat: NOW_SECONDS, exp: NOW_SECONDS + 600 };
  const own = (bytes: Bytes): Uint8Array => secp256k1().sign(sha256(bytes), KEY.secret).signature;
  const other = (bytes: Bytes): Uint8Array => secp256k1().sign(sha256(bytes), random.bytes(32)).signature;
  const hmac = (key: Uint8Array) => (bytes: Bytes) => createHmac("sha256", key).update(bytes).digest();
  const publicKey = secp256k1().publicKey(KEY.secret);
  const none = (): Uint8Array => new Uint8Array(0);
  const bad: Readonly<Record<string, string>> = {
    none: seal({ alg: "none" }, claims, none),
    "ES256K without a signature": seal({ alg: "ES256K" }, claims, none),
    "a signature of zeros": seal({ alg: "ES256K" }, claims, () => new Uint8Array(64)),
    "HS256 with the account's public key": seal({ alg: "HS256" }, claims, hmac(publicKey)),
    "HS256 with no key": seal({ alg: "HS256" }, claims, hmac(none())),
    "HS256 with a key that the header names": seal(
      { alg: "HS256", kid: "/dev/null", jwk: { k: "" } },
      claims,
      hmac(none()),
    ),
    "an account's signature as the secret's": seal({ alg: "HS256" }, claims, own),
    "another's signature": seal(
      { alg: "ES256K", jwk: { crv: "secp256k1" }, kid: toHex(account) },
      claims,
      other,
    ),
    "a list of algorithms": seal({ alg: ["ES256K"] }, claims, own),
    "an algorithm of the prototype": `${Buffer.from('{"__proto__":{"alg":"ES256K"}}').toString("base64url")}.${encode(claims)}.AA`,
    "another chain": seal({ alg: "ES256K" }, { ...claims, aud: toHex(random.bytes(32)) }, own),
    "no chain": seal({ alg: "ES256K" }, { ...claims, aud: undefined }, own),
    "another node": seal({ alg: "ES256K" }, { ...claims, node: "bb" }, own),
    "no end": seal({ alg: "ES256K" }, { ...claims, exp: undefined }, own),
    "an end that is text": seal({ alg: "ES256K" }, { ...claims, exp: `${NOW_SECONDS + 600}` }, own),
    "an end beyond numbers": seal({ alg: "ES256K" }, { ...claims, exp: 1e300 }, own),
    "made tomorrow": seal(
      { alg: "ES256K" },
      { ...claims, iat: NOW_SECONDS + 86_400, exp: NOW_SECONDS + 86_500 },
      own,
    ),
    "claims that are a list": seal({ alg: "ES256K" }, [claims], own),
    nested: seal({ alg: "ES256K" }, JSON.parse("[".repeat(400) + "]".repeat(400)), own),
    huge: seal({ alg: "ES256K", padding: "x".repeat(4_096) }, claims, own),
    critical: seal({ alg: "ES256K", crit: ["exp"] }, claims, own),
    "a fourth part": `${seal({ alg: "ES256K" }, claims, own)}.AA`,
  };
  const rules = {
    genesisHash,
    peerId: "aa",
    operatorSecret: SECRET,
    maxSeconds: 3_600,
    nowSeconds: NOW_SECONDS,
  };
  assert.ok(verifyToken(seal({ alg: "ES256K" }, claims, own), rules).ok);
  for (const [name, token] of Object.entries(bad)) assert.ok(!verifyToken(token, rules).ok, name);
});
