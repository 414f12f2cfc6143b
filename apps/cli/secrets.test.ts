import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask } from "./rpc-client.ts";
import { type CliProcess, runCli, startCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import {
  blockNumber,
  createTestNetwork,
  LONG_WAIT_MS,
  type TestNetwork,
  waitUntil,
} from "./testing/test-network.ts";

/** Its consensus key is at the signer. */
const REMOTE = 0;
/** Asks who asks. */
const GUARDED = 1;
/** Taken away, so that the others are just a quorum. */
const ABSENT = 3;
const PASSPHRASE = "no line of any log has this phrase";

let network: TestNetwork;
let signer: CliProcess;
let signerPort = 0;
const printed: string[] = [];
const secrets = new Map<string, string>([["passphrase", PASSPHRASE]]);
const at = (name: string): string => join(network.directory, name);

/** Runs a command; what it prints is looked through in the end. */
async function ostrom(...args: readonly string[]): Promise<string> {
  const environment = { OSTROM_KEYSTORE: at("keystore"), OSTROM_PASSPHRASE: PASSPHRASE };
  const { code, stdout, stderr } = await runCli(args, { environment });
  printed.push(stdout, stderr);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

async function startSigner(...flags: readonly string[]): Promise<void> {
  const args = ["signer", "serve", "--data-dir", at("signer"), "--port", String(signerPort), "--json"];
  signer = startCli([...args, ...flags]);
  await waitUntil("the signer is ready", LONG_WAIT_MS, async () => signer.stdout().includes('"ready"'));
}

async function stopSigner(): Promise<void> {
  signer.process.kill("SIGTERM");
  const { stdout, stderr } = await signer.ended;
  printed.push(stdout, stderr);
}

async function isFinalBeyond(block: number): Promise<void> {
  await waitUntil(`blocks after ${block} are final`, LONG_WAIT_MS, async () => {
    return (await blockNumber(network.urls[REMOTE]!, "finalized")) > block + 2;
  });
}

before(async () => {
  network = await createTestNetwork({ validators: 4 });
  [signerPort] = (await findFreePorts(1, 1)) as [number];
  mkdirSync(at("signer/keys"), { recursive: true });
  renameSync(join(network.folder(REMOTE), "keys/consensus.key"), at("signer/keys/consensus.key"));
  await startSigner("--first");
  const url = `http://127.0.0.1:${signerPort}`;
  const tokenFile = at("signer/keys/signer.token");
  await ostrom("signer", "use", network.folder(REMOTE), "--url", url, "--token-file", tokenFile);
  const path = join(network.folder(GUARDED), "node.json");
  const configuration = JSON.parse(readFileSync(path, "utf8")) as { readonly rpc: object };
  const rpc = { ...configuration.rpc, authentication: "jwt" };
  writeFileSync(path, JSON.stringify({ ...configuration, rpc }));
  await Promise.all(network.file.nodes.map((_, index) => network.start(index, ["--log-level", "debug"])));
});

after(async () => {
  await stopSigner();
  await network.dispose();
});

test("a validator whose key is at a signer votes; without its signer it waits, and votes again when it is back", async () => {
  await isFinalBeyond(0);
  await network.kill(ABSENT, "SIGTERM");
  await isFinalBeyond(await blockNumber(network.urls[REMOTE]!, "finalized"));
  await stopSigner();
  await waitUntil("the node misses its signer", LONG_WAIT_MS, async () =>
    network.log(REMOTE).includes("the signer gives no signature"),
  );
  const halted = await blockNumber(network.urls[REMOTE]!, "finalized");
  await startSigner();
  await isFinalBeyond(halted);
  await network.start(ABSENT, ["--log-level", "debug"]);
});

test("a signer that has lost its log does not start", async () => {
  const lost = await runCli(["signer", "serve", "--data-dir", network.folder(GUARDED), "--port", "0"]);
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /nobody knows what these keys have signed/);
});

test("after a full run, no secret stands in a log, in an output, or in any file but those of keys", async () => {
  const account = at("account.key");
  await ostrom("account", "new", "--out", account);
  await ostrom("account", "import", account);
  await ostrom("account", "new", "--key", "sm2", "--with", "ml-dsa-44");
  const genesis = join(network.folder(GUARDED), "genesis.json");
  const made = await runCli(["token", "create", "--account-key", account, "--genesis", genesis]);
  secrets.set("token", made.stdout.trim());
  await ask(network.urls[GUARDED]!, "eth_chainId", [], made.stdout.trim()).catch(() => undefined);
  await ask(network.urls[GUARDED]!, "eth_chainId", [], `${made.stdout.trim()}x`).catch(() => undefined);
  await ostrom("send", "--rpc", network.urls[REMOTE]!, "--to", `0x${"42".repeat(20)}`, "--value", "1");
  await ostrom("status", "--data-dir", network.directory).catch(() => undefined);
  secrets.set("account", digitsOf(readFileSync(account, "utf8")));
  for (const folder of [at("signer"), ...network.file.nodes.map((_, index) => network.folder(index))])
    collectSecrets(folder);
  assert.ok(secrets.size > 4 * 3, `${secrets.size} secrets are looked for`);
  printed.push(signer.stdout(), signer.stderr());
  const files = filesOutsideKeys(network.directory).filter((path) => path !== account);
  assert.ok(
    files.some((path) => path.endsWith("node.log")) &&
      files.some((path) => path.endsWith("operator-log.jsonl")),
  );
  for (const [name, secret] of secrets) {
    assert.ok(secret.length >= 32, name);
    assert.ok(!printed.join("\n").includes(secret), `${name} was printed`);
  }
  for (const path of files) {
    const bytes = readFileSync(path);
    for (const [name, secret] of secrets) {
      assert.ok(!bytes.includes(secret), `${name} stands in ${path}`);
      if (/^[0-9a-f]+$/.test(secret))
        assert.ok(!bytes.includes(Buffer.from(secret, "hex")), `bytes of ${name} stand in ${path}`);
    }
  }
});

/** Whatever a folder's keys hold: hex digits, or lines of PEM. */
function collectSecrets(folder: string): void {
  for (const name of readdirSync(join(folder, "keys"))) {
    const path = join(folder, "keys", name);
    assert.equal(statSync(path).mode & 0o077, 0, `${path} can be read by others`);
    const text = readFileSync(path, "utf8");
    const pem = /-----BEGIN PRIVATE KEY-----([^-]+)-----/.exec(text)?.[1];
    const found = pem ?? (name === "has-voted" || name.endsWith(".json") ? undefined : text);
    if (pem !== undefined) secrets.set(path, pem.trim().split("\n")[0]!);
    else if (found !== undefined) secrets.set(path, digitsOf(found));
  }
}

function digitsOf(text: string): string {
  return text.trim().replace(/^(?:[a-z0-9-]+:)?(?:0x)?/, "");
}

function filesOutsideKeys(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.split("/").includes("keys"));
}
