import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Bytes, Epoch, type Hash, toHex, unwrap, View, ZERO_HASH } from "@ostrom/base";
import {
  type ConsensusDomain,
  checkpointSigningBytes,
  ethereumDomain,
  executedSigningBytes,
  type VoteKind,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, SCHEME_BLS12381 } from "@ostrom/crypto";
import { createConsensusSecret, formatConsensusSecret, publicKeyOfSecret } from "./consensus-secret.ts";
import { machineEntropy } from "./machine.ts";
import {
  type RemoteSignerSettings,
  readRemoteSigner,
  remoteConsensusKeys,
  useRemoteSigner,
} from "./remote-signer.ts";
import { type RemoteSignerServer, startRemoteSigner } from "./remote-signer-server.ts";
import { readStatement, SigningGuard } from "./signing-guard.ts";

const TOKEN = "a token of the test";
const hash = (byte: number): Hash => new Uint8Array(32).fill(byte) as Hash;
const domain: ConsensusDomain = ethereumDomain(hash(1));
const vote = (kind: VoteKind, view: number, digest = hash(9), epoch = 0): Bytes =>
  voteSigningBytes(domain, {
    kind,
    epoch: Epoch(epoch),
    view: View(view),
    digest: kind === "nullify" ? ZERO_HASH : digest,
  });
const executed = (height: number, result: Hash, epoch = 0): Bytes =>
  executedSigningBytes(domain, {
    epoch: Epoch(epoch),
    height: height as never,
    orderDigest: hash(3),
    executedHash: result,
    nextSetHash: hash(4),
  });

function checkAndRemember(guard: SigningGuard, message: Bytes, key = "aa"): string {
  const statement = unwrap(readStatement(message));
  const checked = guard.check(key, statement);
  if (!checked.ok) return checked.error.code;
  guard.remember(key, statement, message);
  return "";
}

test("a signer's guard lets no key contradict itself, in votes or in results", () => {
  const guard = new SigningGuard();
  const said: readonly (readonly [Bytes, string])[] = [
    [vote("notarize", 5), ""],
    [vote("notarize", 5), ""],
    [vote("notarize", 5, hash(8)), "signer/contradiction"],
    [vote("finalize", 5), ""],
    [vote("nullify", 5), "signer/contradiction"],
    [vote("nullify", 6), ""],
    [vote("notarize", 6), ""],
    [vote("finalize", 6), "signer/contradiction"],
    [vote("notarize", 5, hash(8), 1), ""],
    [executed(7, hash(2)), ""],
    [executed(7, hash(2)), ""],
    [executed(7, hash(5)), "signer/contradiction"],
    [executed(7, hash(2), 1), "signer/contradiction"],
  ];
  for (const [index, [message, code]] of said.entries())
    assert.equal(checkAndRemember(guard, message), code, `${index}`);
  assert.equal(
    checkAndRemember(guard, vote("notarize", 5, hash(8)), "bb"),
    "",
    "another key has signed nothing",
  );
});

test("what a guard has forgotten it refuses, and what it writes down gives the same guard again", () => {
  const guard = new SigningGuard();
  for (let view = 1; view <= 16_400; view++)
    assert.equal(checkAndRemember(guard, vote("notarize", view)), "");
  for (let height = 1; height <= 16_400; height++) checkAndRemember(guard, executed(height, hash(2)));
  const again = new SigningGuard();
  for (const record of guard.entries()) again.replay(record);
  for (const one of [guard, again]) {
    assert.equal(checkAndRemember(one, vote("notarize", 100, hash(7))), "signer/over");
    assert.equal(checkAndRemember(one, vote("nullify", 100)), "signer/over");
    assert.equal(checkAndRemember(one, executed(100, hash(7))), "signer/over");
    assert.equal(checkAndRemember(one, vote("notarize", 16_400, hash(7))), "signer/contradiction");
    assert.equal(checkAndRemember(one, executed(16_400, hash(7))), "signer/contradiction");
  }
});

test("a signer's guard signs one checkpoint for an epoch, also after what it wrote down was read again", () => {
  const checkpoint = (epoch: number, result: Hash): Bytes =>
    checkpointSigningBytes(domain, {
      epoch: Epoch(epoch),
      height: (10 * (epoch + 1)) as never,
      executedHash: result,
      nextSetHash: hash(4),
      nextCheckpointSetHash: hash(5),
    });
  const guard = new SigningGuard();
  assert.equal(checkAndRemember(guard, checkpoint(3, hash(2))), "");
  assert.equal(checkAndRemember(guard, vote("notarize", 5)), "");
  const again = new SigningGuard();
  for (const record of guard.entries()) again.replay(record);
  for (const one of [guard, again]) {
    assert.equal(checkAndRemember(one, checkpoint(3, hash(2))), "", "the same");
    assert.equal(checkAndRemember(one, checkpoint(3, hash(9))), "signer/contradiction");
    assert.equal(checkAndRemember(one, checkpoint(2, hash(9))), "", "an epoch before, late");
    assert.equal(checkAndRemember(one, checkpoint(9_000, hash(2))), "");
    assert.equal(checkAndRemember(one, checkpoint(4, hash(2))), "signer/over");
  }
});

test("nothing but votes and results is ever signed", () => {
  const message = vote("notarize", 5);
  for (const bytes of [new Uint8Array(0), hash(1), message.subarray(1), new Uint8Array([...message, 0])]) {
    const read = readStatement(bytes);
    assert.equal(read.ok ? "" : read.error.code, "signer/malformed");
  }
});

describe("a remote signer", () => {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-signer-"));
  const nodeFolder = join(folder, "node");
  const secret = createConsensusSecret(SCHEME_BLS12381, machineEntropy.bytes);
  const { publicKey } = publicKeyOfSecret(secret);
  const logged: string[] = [];
  let server: RemoteSignerServer;
  let port = 0;

  const start = async (isFirst: boolean): Promise<string> => {
    const started = await startRemoteSigner({
      ...{ folder, host: "127.0.0.1", port, token: TOKEN, isFirst },
      log: (level, message, fields) => logged.push(JSON.stringify({ level, message, ...fields })),
    });
    if (!started.ok) return started.error.code;
    server = started.value;
    port = server.port;
    return "";
  };
  const settings = (token = TOKEN): Omit<RemoteSignerSettings, "keys"> => ({
    url: `http://127.0.0.1:${port}`,
    token,
    certificate: "",
  });
  const ask = async (
    body: unknown,
    token = TOKEN,
  ): Promise<{ status: number; body: Record<string, string> }> => {
    const response = await fetch(`http://127.0.0.1:${port}/sign`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const sign = (message: Bytes): ReturnType<typeof ask> =>
    ask({ publicKey: toHex(publicKey), message: toHex(message) });

  before(async () => {
    for (const one of [folder, nodeFolder]) mkdirSync(join(one, "keys"), { recursive: true });
    writeFileSync(join(folder, "keys", "consensus.key"), formatConsensusSecret(secret), { mode: 0o600 });
    assert.equal(await start(false), "signer/no-log");
    assert.equal(await start(true), "");
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("signs for who has the token, and for nobody else", async () => {
    const message = vote("notarize", 1);
    const { status, body } = await sign(message);
    assert.equal(status, 200);
    assert.ok(
      bls().verify(publicKey, message, new Uint8Array(Buffer.from(body["signature"]!.slice(2), "hex"))),
    );
    assert.equal((await ask({ publicKey: toHex(publicKey), message: toHex(message) }, "wrong")).status, 401);
    assert.equal((await ask({ publicKey: "0x00", message: toHex(message) })).status, 404);
    assert.equal((await ask({ publicKey: toHex(publicKey), message: toHex(hash(1)) })).status, 400);
    assert.equal((await ask("nonsense")).status, 400);
  });

  test("refuses a contradiction also after a restart, and of two at once signs one", async () => {
    const results = await Promise.all([sign(vote("notarize", 20)), sign(vote("notarize", 20, hash(8)))]);
    assert.deepEqual(results.map(({ status }) => status).sort(), [200, 409]);
    assert.equal((await sign(vote("finalize", 21))).status, 200);
    await server.stop();
    assert.equal(await start(false), "");
    const refused = await sign(vote("nullify", 21));
    assert.equal(refused.status, 409);
    assert.equal(refused.body["code"], "signer/contradiction");
    assert.equal((await sign(vote("finalize", 21))).status, 200);
  });

  test("a folder with files that are no log of its is a folder without a log", async () => {
    const other = join(folder, "other");
    for (const one of ["keys", "signer-log"]) mkdirSync(join(other, one), { recursive: true });
    writeFileSync(join(other, "keys", "consensus.key"), formatConsensusSecret(secret), { mode: 0o600 });
    writeFileSync(join(other, "signer-log", "copy of log-0000000001.wal"), "");
    const started = await startRemoteSigner({
      ...{ folder: other, host: "127.0.0.1", port: 0, token: TOKEN, isFirst: false },
      log: () => undefined,
    });
    if (started.ok) await started.value.stop();
    assert.equal(started.ok ? "" : started.error.code, "signer/no-log");
  });

  test("keys that a signer names and cannot have are refused, and nothing is written", async () => {
    const { proofOfPossession } = publicKeyOfSecret(secret);
    const right = {
      scheme: "bls12-381",
      publicKey: toHex(publicKey),
      proofOfPossession: toHex(proofOfPossession),
    };
    const named = [
      [],
      [undefined],
      [{ ...right, scheme: "rot13" }],
      [{ ...right, publicKey: 7 }],
      [{ ...right, publicKey: "0x00" }],
      [{ ...right, proofOfPossession: "0xzz" }],
      [right, { ...right, proofOfPossession: `0x${"00".repeat(96)}` }],
    ];
    let keys: unknown;
    const hostile = createServer((_request, response) => response.end(JSON.stringify({ keys })));
    await new Promise<void>((resolve) => hostile.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(hostile.address() as AddressInfo).port}`;
    for (keys of named) {
      const used = await useRemoteSigner(nodeFolder, { url, token: TOKEN, certificate: "" });
      assert.equal(used.ok ? "" : used.error.code, "signer/refused", JSON.stringify(keys));
      assert.deepEqual(readdirSync(join(nodeFolder, "keys")), []);
    }
    hostile.closeAllConnections();
    await new Promise<void>((resolve) => hostile.close(() => resolve()));
  });

  test("a second signer on the same folder does not start", async () => {
    const other = startRemoteSigner({
      ...{ folder, host: "127.0.0.1", port: 0, token: TOKEN, isFirst: false },
      log: () => undefined,
    });
    await assert.rejects(other, { code: "storage/locked" });
  });

  test("a node's key at a signer signs, waits while the signer is away, and gives up what is refused or needless", async () => {
    const used = unwrap(await useRemoteSigner(nodeFolder, settings()));
    assert.equal(statSync(join(nodeFolder, "keys", "remote-signer.json")).mode & 0o777, 0o600);
    assert.deepEqual(unwrap(readRemoteSigner(nodeFolder)), used);
    const [key] = remoteConsensusKeys(used, (level, message) => logged.push(`${level} ${message}`));
    const request = key!.signElsewhere!;
    const message = vote("notarize", 30);
    assert.ok(bls().verify(publicKey, message, (await request(message, () => false))!));
    assert.equal(await request(vote("notarize", 30, hash(8)), () => false), undefined);
    await server.stop();
    let isMoot = false;
    const needless = request(vote("notarize", 31), () => isMoot);
    const waited = request(vote("notarize", 32), () => false);
    isMoot = true;
    assert.equal(await needless, undefined);
    assert.equal(await start(false), "");
    assert.ok(bls().verify(publicKey, vote("notarize", 32), (await waited)!));
  });

  test("a description of a signer that others can read, or that is none, is refused without its text", () => {
    const path = join(nodeFolder, "keys", "remote-signer.json");
    chmodSync(path, 0o644);
    const exposed = readRemoteSigner(nodeFolder);
    assert.equal(exposed.ok ? "" : exposed.error.code, "keys/exposed");
    chmodSync(path, 0o600);
    writeFileSync(path, `{"token": "${TOKEN}"`);
    const invalid = readRemoteSigner(nodeFolder);
    assert.equal(invalid.ok ? "" : invalid.error.code, "keys/invalid");
    assert.ok(!JSON.stringify(invalid).includes(TOKEN));
  });

  test("neither key nor token stands in what a signer logs", () => {
    const text = logged.join("\n");
    assert.ok(text.includes("refused to sign"));
    for (const hidden of [TOKEN, toHex(secret.secret).slice(2)]) assert.ok(!text.includes(hidden));
    assert.ok(readFileSync(join(folder, "keys", "consensus.key"), "utf8").length > 0);
  });
});
