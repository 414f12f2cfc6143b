import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Address, createRandom, toHex, toHexDigits } from "@ostrom/base";
import { WebSocket } from "ws";
import { type AccessSettings, OPEN_ACCESS } from "./access-control.ts";
import { type AccountRole, accessClassOf, mayCall, type ObserverFilter } from "./access-roles.ts";
import type { OperatorCall } from "./backend.ts";
import { createMethods } from "./methods.ts";
import { createRpcServer, type RpcServer, RpcStartError } from "./server.ts";
import { createFakeBackend } from "./testing/fake-backend.ts";
import { post, type RpcAnswer } from "./testing/http-client.ts";
import { createAccountToken, createSecretToken } from "./token.ts";

const random = createRandom(11);
const SECRET = random.bytes(32);
const NOW_SECONDS = 1_800_000_000;

type Known = { readonly roles: readonly AccountRole[]; readonly filter?: ObserverFilter };

/** A server whose chain knows accounts, and a clock that a test sets. */
class Served {
  readonly backend = createFakeBackend();
  readonly known = new Map<string, Known>();
  readonly calls: OperatorCall[] = [];
  readonly logged: string[] = [];
  nowMs = NOW_SECONDS * 1_000;
  server: RpcServer | undefined;
  url = "";

  async start(settings: Partial<AccessSettings>, host = "127.0.0.1"): Promise<void> {
    const of = (account: Address): Known | undefined => this.known.get(toHexDigits(account));
    this.server = createRpcServer({
      backend: {
        ...this.backend,
        operate: async (call) => {
          this.calls.push(call);
          return { ok: true, value: call.method };
        },
      },
      host,
      port: 0,
      access: {
        settings: {
          ...OPEN_ACCESS,
          kind: "jwt",
          maxTokenSeconds: 3_600,
          operatorSecret: SECRET,
          ...settings,
        },
        reads: { rolesOf: (account) => of(account)?.roles ?? [], filterOf: (account) => of(account)?.filter },
      },
      log: (_level, message, fields) => this.logged.push(`${message} ${JSON.stringify(fields)}`),
      nowMs: () => this.nowMs,
    });
    const { port } = await this.server.start();
    this.url = `http://127.0.0.1:${port}`;
  }

  /** A token of a new account with these roles. */
  tokenOf(roles: readonly AccountRole[], filter?: ObserverFilter, seconds = 600): string {
    const key = { kind: "secp256k1" as const, secret: random.bytes(32) };
    const issuedAt = Math.floor(this.nowMs / 1_000);
    const { genesisHash } = this.backend.info;
    const { token, account } = createAccountToken(key, { genesisHash, issuedAt, seconds });
    this.known.set(toHexDigits(account), { roles, ...(filter === undefined ? {} : { filter }) });
    return token;
  }

  async call(
    method: string,
    token?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly answer: RpcAnswer; readonly challenge: string | null }> {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method,
      params: method.startsWith("admin_s") ? ["b"] : [],
    });
    const sent = token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
    const { status, text, headers: received } = await post(this.url, body, sent);
    return { status, answer: JSON.parse(text) as RpcAnswer, challenge: received.get("www-authenticate") };
  }

  async statuses(method: string, tokens: readonly (string | undefined)[]): Promise<readonly number[]> {
    const answers = await Promise.all(tokens.map((token) => this.call(method, token)));
    return answers.map(({ status }) => status);
  }
}

const reasonOf = ({ error }: RpcAnswer): unknown =>
  (error?.data as { readonly reason?: unknown } | undefined)?.reason;

test("each method is in one class, and none that changes the node is a read", () => {
  for (const name of createMethods().keys()) {
    const accessClass = accessClassOf(name);
    if (name.startsWith("admin_")) assert.equal(accessClass, "operate", name);
    if (name.includes("sendRaw")) assert.equal(accessClass, "submit", name);
  }
  assert.equal(accessClassOf("debug_traceTransaction"), "read");
  assert.equal(accessClassOf("debug_traceCall"), "read");
  assert.equal(accessClassOf("debug_traceBlockByHash"), "read");
  assert.equal(accessClassOf("debug_traceBlock"), "operate");
  assert.equal(accessClassOf("debug_traceTransactionX"), "operate");
  assert.equal(accessClassOf("debug_getRawBlock"), "read");
  assert.equal(accessClassOf("constructor"), "read");
  assert.ok(
    !mayCall({ roles: ["auditor"], filter: [] }, "read"),
    "who sees a part by right must not read the rest",
  );
});

describe("with jwt", () => {
  const served = new Served();
  before(() => served.start({ anonymousReads: false }));
  after(() => served.server?.stop());

  test("who says nothing gets 401 and a challenge; roles open their methods, others answer 403", async () => {
    const nothing = await served.call("eth_chainId");
    assert.deepEqual(
      [nothing.status, nothing.challenge, reasonOf(nothing.answer)],
      [401, "Bearer", "rpc/unauthenticated"],
    );
    assert.equal(nothing.answer.error?.code, 4100);
    const tokens = [[], ["sender"], ["deployer"], ["auditor"], ["operator"]].map((roles) =>
      served.tokenOf(roles as AccountRole[]),
    );
    assert.deepEqual(await served.statuses("eth_chainId", tokens), [403, 200, 200, 200, 200]);
    assert.deepEqual(await served.statuses("eth_gasPrice", tokens), [403, 200, 200, 403, 200]);
    assert.deepEqual(await served.statuses("eth_sendRawTransaction", tokens), [403, 200, 200, 403, 200]);
    assert.deepEqual(await served.statuses("ostrom_getOperatorLog", tokens), [403, 403, 403, 200, 200]);
    assert.deepEqual(await served.statuses("admin_nodeInfo", tokens), [403, 403, 403, 403, 200]);
    const refused = await served.call("admin_nodeInfo", tokens[1]);
    assert.deepEqual([refused.challenge, reasonOf(refused.answer)], [null, "rpc/forbidden"]);
  });

  test("an observer of some addresses may not read the rest by any other method; one of all may", async () => {
    const some = served.tokenOf(["auditor"], [random.bytes(20) as Address]);
    const all = served.tokenOf(["auditor"], "all");
    for (const method of [
      "eth_getBlockByNumber",
      "eth_getLogs",
      "eth_call",
      "debug_getRawBlock",
      "txpool_content",
      "eth_subscribe",
    ])
      assert.deepEqual(await served.statuses(method, [some]), [403], method);
    assert.deepEqual(await served.statuses("eth_gasPrice", [some, all]), [403, 200]);
    assert.deepEqual(await served.statuses("eth_blockNumber", [some, all]), [200, 200]);
  });

  test("the operator secret opens all; the actor of each act is the one who showed the token", async () => {
    const secret = createSecretToken(SECRET, NOW_SECONDS);
    served.calls.length = 0;
    assert.equal((await served.call("admin_startBackup", secret)).status, 200);
    const operator = served.tokenOf(["operator"]);
    assert.equal((await served.call("admin_startBackup", operator)).status, 200);
    const account = [...served.known.keys()].at(-1);
    assert.deepEqual(
      served.calls.map(({ actor, isOwner }) => [actor, isOwner]),
      [
        ["operator-secret", true],
        [`0x${account}`, false],
      ],
    );
  });

  test("a token that is not good is refused before anything is read, and neither answer nor log has it", async () => {
    const expired = served.tokenOf(["operator"], undefined, 60);
    assert.equal((await served.call("eth_chainId", expired)).status, 200);
    served.nowMs += 60_000;
    const answered = await served.call("eth_chainId", expired);
    assert.deepEqual([answered.status, reasonOf(answered.answer)], [401, "token/expired"]);
    assert.equal(answered.challenge, 'Bearer error="invalid_token"');
    const forged = `${expired.slice(0, -8)}AAAAAAAA`;
    for (const header of [
      `Bearer ${forged}`,
      "Bearer",
      "Basic YTpi",
      `Bearer ${"x".repeat(3_000)}`,
      "Bearer a b",
    ]) {
      const { status, text } = await post(served.url, "{}", { authorization: header });
      assert.equal(status, 401, header.slice(0, 20));
      assert.ok(!text.includes(forged.slice(-40)));
    }
    assert.ok(!served.logged.join("").includes(expired.slice(-40)));
    served.nowMs -= 60_000;
  });

  test("in a batch each request is judged by itself", async () => {
    const sender = served.tokenOf(["sender"]);
    const requests = ["eth_chainId", "admin_nodeInfo"].map((method, id) => ({ jsonrpc: "2.0", id, method }));
    const { status, text } = await post(served.url, JSON.stringify(requests), {
      authorization: `Bearer ${sender}`,
    });
    const answers = JSON.parse(text) as RpcAnswer[];
    assert.deepEqual([status, answers[0]!.error, answers[1]!.error?.code], [200, undefined, 4100]);
  });

  test("a role that the chain takes back is gone with the next block", async () => {
    const token = served.tokenOf(["operator"]);
    const account = [...served.known.keys()].at(-1)!;
    assert.equal((await served.call("admin_nodeInfo", token)).status, 200);
    served.known.set(account, { roles: [] });
    served.backend.grow();
    assert.equal((await served.call("admin_nodeInfo", token)).status, 403);
  });
});

type Client = {
  readonly ask: (method: string, params?: readonly unknown[]) => Promise<RpcAnswer>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly end: () => void;
};

async function connect(url: string, token?: string): Promise<Client> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  const waiting = new Map<number, (answer: RpcAnswer) => void>();
  socket.on("message", (data) => {
    const answer = JSON.parse(String(data)) as RpcAnswer;
    waiting.get(Number(answer.id))?.(answer);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  let id = 0;
  return {
    ask: (method, params = []) =>
      new Promise((resolve) => {
        waiting.set(++id, resolve);
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      }),
    closed,
    end: () => socket.close(),
  };
}

describe("WebSocket with jwt", () => {
  const served = new Served();
  before(() => served.start({ anonymousReads: false }));
  after(() => served.server?.stop());

  test("the token goes into the header, or into the first message; without it nothing is answered", async () => {
    const client = await connect(served.url);
    assert.equal((await client.ask("eth_chainId")).error?.code, 4100);
    const shown = await client.ask("rpc_authenticate", [served.tokenOf(["sender"])]);
    assert.deepEqual((shown.result as { roles: unknown }).roles, ["sender"]);
    assert.equal((await client.ask("eth_chainId")).error, undefined);
    assert.equal((await client.ask("admin_nodeInfo")).error?.code, 4100);
    client.end();
    const other = await connect(served.url, served.tokenOf(["operator"]));
    assert.equal((await other.ask("admin_nodeInfo")).error, undefined);
    other.end();
    await assert.rejects(connect(served.url, "a.b.c"), /401/);
  });

  test("a connection ends with its token, unless a newer one was shown", async () => {
    const client = await connect(served.url, served.tokenOf(["sender"], undefined, 1));
    const renewed = await connect(served.url, served.tokenOf(["sender"], undefined, 1));
    await renewed.ask("rpc_authenticate", [served.tokenOf(["sender"], undefined, 600)]);
    served.nowMs += 1_500;
    const { code, reason } = await client.closed;
    assert.deepEqual([code, reason], [1008, "the token has expired"]);
    assert.equal((await renewed.ask("eth_chainId")).error, undefined);
    renewed.end();
  });

  test("a subscription ends with the block that takes the right to read, though other rights are left", async () => {
    const client = await connect(served.url, served.tokenOf(["sender", "auditor"]));
    assert.equal((await client.ask("eth_subscribe", ["newHeads"])).error, undefined);
    served.known.set([...served.known.keys()].at(-1)!, { roles: ["auditor"], filter: [] });
    served.backend.grow();
    assert.equal((await client.closed).code, 1008);
  });

  test("a connection whose account has lost its last role ends with the next block", async () => {
    const client = await connect(served.url, served.tokenOf(["sender"]));
    served.known.set([...served.known.keys()].at(-1)!, { roles: [] });
    served.backend.grow();
    assert.equal((await client.closed).code, 1008);
  });
});

test("where reads are open, who says nothing reads, and does no more", async () => {
  const served = new Served();
  await served.start({ anonymousReads: true });
  assert.deepEqual(
    await Promise.all(
      ["eth_gasPrice", "eth_sendRawTransaction", "admin_nodeInfo", "ostrom_getOperatorLog"].map(
        async (method) => (await served.call(method)).status,
      ),
    ),
    [200, 401, 401, 401],
  );
  await served.server?.stop();
});

test("without authentication, this machine's programs may operate the node, pages in a browser may not", async () => {
  const served = new Served();
  await served.start({ kind: "none" });
  assert.equal((await served.call("admin_nodeInfo")).status, 200);
  const page = await served.call("admin_nodeInfo", undefined, { origin: "http://localhost:3000" });
  assert.equal(page.status, 403);
  const account = await served.call("eth_chainId", served.tokenOf(["operator"]));
  assert.deepEqual([account.status, reasonOf(account.answer)], [401, "token/not-accepted"]);
  await served.server?.stop();
});

test("without authentication, a server that others can reach serves no operator methods, or does not start", async () => {
  const served = new Served();
  await served.start({ kind: "none" }, "0.0.0.0");
  assert.equal((await served.call("eth_gasPrice")).status, 200);
  assert.equal((await served.call("admin_nodeInfo")).status, 401);
  assert.equal((await served.call("admin_nodeInfo", createSecretToken(SECRET, NOW_SECONDS))).status, 200);
  await served.server?.stop();
  await assert.rejects(new Served().start({ kind: "none", operatorMethods: "on" }, "0.0.0.0"), (error) => {
    return error instanceof RpcStartError && error.code === "rpc/unprotected";
  });
  const off = new Served();
  await off.start({ kind: "none", operatorMethods: "off" });
  assert.equal((await off.call("admin_nodeInfo", createSecretToken(SECRET, NOW_SECONDS))).status, 403);
  await off.server?.stop();
});

test("roles that node.json gives count besides those of the chain", async () => {
  const served = new Served();
  const key = { kind: "secp256k1" as const, secret: random.bytes(32) };
  const { genesisHash } = served.backend.info;
  const { token, account } = createAccountToken(key, { genesisHash, issuedAt: NOW_SECONDS, seconds: 60 });
  await served.start({ accounts: new Map([[toHex(account), ["operator"]]]) });
  assert.equal((await served.call("admin_nodeInfo", token)).status, 200);
  await served.server?.stop();
});
