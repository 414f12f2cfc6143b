import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DEVELOPMENT_MNEMONIC, deriveAccounts } from "@ostrom/runtime";
import { english, generateMnemonic } from "viem/accounts";
import { AgreementChecker } from "./testing/agreement.ts";
import { type CliProcess, eventsOf, runCli, startCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const VALIDATORS = 4;
const CHAIN_ID = 2_026;
const INDICES = Array.from({ length: VALIDATORS }, (_, index) => index);
const root = mkdtempSync(join(tmpdir(), "ostrom-init-"));
const out = join(root, "network");
const folders = INDICES.map((index) => join(out, `validator-${index + 1}`));
const [rpcPort, linkPort] = (await findFreePorts(VALIDATORS, 2)) as [number, number];
const urls = INDICES.map((index) => `http://127.0.0.1:${rpcPort + index}`);
const mnemonicFile = join(root, "mnemonic.txt");
const keyFile = join(root, "alice.key");
const started: CliProcess[] = [];
const receiver = "0x00000000000000000000000000000000000000aa";

after(async () => {
  for (const { process } of started) process.kill("SIGKILL");
  await Promise.all(started.map(({ ended }) => ended));
  rmSync(root, { recursive: true, force: true });
});

/** Exit code 1 (2 where the command line cannot be read), and one line, which says this. */
async function refused(args: readonly string[], says: RegExp, exitCode = 1): Promise<void> {
  const { code, stdout, stderr } = await runCli(args);
  assert.equal(code, exitCode, `${args.join(" ")}: ${stdout}${stderr}`);
  assert.match(stderr, /^ostrom[^\n]*: [^\n]+\n$/, args.join(" "));
  assert.match(stderr, says);
}

async function succeed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { cwd: root });
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

async function succeedWithJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await succeed(...args, "--json")) as T;
}

test("help tells what each command does, with examples; what is no command or flag gets one line", async () => {
  const overview = await succeed("--help");
  assert.match(overview, /Examples:\n {2}ostrom up/);
  for (const command of [
    "up",
    "init",
    "run",
    "status",
    "validators",
    "keys",
    "work",
    "send",
    "call",
    "deploy",
    "account",
  ]) {
    assert.match(overview, new RegExp(`\\n {2}${command} +[a-z]`));
  }
  const [asked, flagged] = await Promise.all([succeed("help", "up"), succeed("up", "--help")]);
  assert.equal(asked, flagged);
  assert.match(asked, /Usage: ostrom up .*Flags .*--validators N.*Examples:\n {2}ostrom up\n/s);
  await Promise.all([
    refused(["upp"], /there is no command "upp"; did you mean up\? See: ostrom --help/, 2),
    refused(["help", "upp"], /there is no command "upp"/, 2),
    refused(["up", "--prot", "1"], /there is no flag --prot; did you mean --port\? See: ostrom up --help/, 2),
    refused(["run", "--data-dir", join(root, "nothing")], /node\.json is not there: name a folder/),
    refused(
      ["status", "--rpc", `http://127.0.0.1:${rpcPort}`],
      /no node answers at .*ECONNREFUSED.*start one/,
    ),
    refused(["up", "--config", join(root, "none.json")], /none\.json: it is not there/),
  ]);
});

test("ostrom init refuses what everybody could spend", async () => {
  const file = join(root, "public.txt");
  writeFileSync(file, ` ${DEVELOPMENT_MNEMONIC.toUpperCase().replaceAll(" ", "\n  ")}\n`);
  const [first, , , , , , , , , last] = deriveAccounts(DEVELOPMENT_MNEMONIC, 10);
  const common = ["init", "--chain-id", String(CHAIN_ID), "--out", out];
  const publicMnemonic = /belongs to the public development mnemonic: anybody could spend its coins/;
  await Promise.all([
    refused([...common, "--fund-mnemonic", file], /holds the public development mnemonic/),
    refused([...common, "--fund", `${first!.address}=1`], publicMnemonic),
    refused([...common, "--fund", `${last!.address.toLowerCase()}=1`], publicMnemonic),
    refused([...common, "--fee-recipient", first!.address], publicMnemonic),
    refused(["init", "--out", out], /choose a chain id/),
    refused([...common, "--host", "a", "--host", "b"], /name one for each of the 4 validators, found 2/),
    refused([...common, "--fund", "0x12=1"], /expected an address/),
    refused([...common, "--fund", `${first!.address.replace("0xf3", "0xF3")}=1`], /no checksum of it/),
    refused([...common, "--fund", `${receiver}=x`], /expected an amount/),
  ]);
  assert.equal(existsSync(out), false, "nothing was made");
});

test("ostrom init, told by a file: one genesis for all, keys that only their owner can read, nothing overwritten", async () => {
  const mnemonic = generateMnemonic(english);
  writeFileSync(mnemonicFile, mnemonic);
  writeFileSync(keyFile, deriveAccounts(mnemonic, 1)[0]!.secretKey, { mode: 0o600 });
  const config = join(root, "init.json");
  const host = INDICES.map((index) => `127.0.0.1:${linkPort + index}`);
  writeFileSync(
    config,
    JSON.stringify({ chainId: CHAIN_ID, out, host, fund: [`${receiver}=2.5`], fundMnemonic: mnemonicFile }),
  );
  const made = await succeedWithJson<{ chainId: number; validators: { folder: string }[] }>(
    "init",
    "--config",
    config,
  );
  assert.equal(made.chainId, CHAIN_ID);
  assert.deepEqual(
    made.validators.map(({ folder }) => folder),
    folders,
  );
  const texts = new Set(folders.map((folder) => readFileSync(join(folder, "genesis.json"), "utf8")));
  assert.equal(texts.size, 1);
  const secrets = new Set<string>();
  for (const folder of folders) {
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, "keys")).mode & 0o777, 0o700);
    for (const name of ["consensus.key", "transport.pem"]) {
      const path = join(folder, "keys", name);
      assert.equal(statSync(path).mode & 0o777, 0o600, path);
      secrets.add(readFileSync(path, "utf8"));
    }
  }
  assert.equal(secrets.size, 2 * VALIDATORS, "each has keys of its own");
  await refused(["init", "--config", config], /validator-1 holds a node already; choose another folder/);
  await refused(["up", "--data-dir", out], /holds validators that "ostrom up" did not make/);
});

test("ostrom run on each folder: a network that finalizes a funded transfer; the other commands speak JSON too", async () => {
  for (const [index, folder] of folders.entries()) {
    started.push(startCli(["run", "--data-dir", folder, "--rpc-port", String(rpcPort + index), "--json"]));
  }
  for (const [index, node] of started.entries()) {
    await waitUntil(`validator-${index + 1} is ready`, LONG_WAIT_MS, () => {
      if (node.process.exitCode !== null) throw new Error(node.stderr());
      return eventsOf(node).some(({ event }) => event === "ready");
    });
  }
  const from = ["--key-file", keyFile, "--rpc", urls[0]!];
  type Sent = {
    readonly hash: string;
    readonly status: string;
    readonly block: number;
    readonly contract?: string;
  };
  const sent = await succeedWithJson<Sent>("send", ...from, "--to", receiver, "--value", "1.5");
  assert.equal(sent.status, "success");
  for (const url of urls) {
    await waitUntil("the transfer is finalized everywhere", LONG_WAIT_MS, async () => {
      return (await blockNumber(url, "finalized")) >= sent.block;
    });
  }
  const balance = await succeedWithJson<{ wei: string }>("account", "balance", receiver, "--rpc", urls[3]!);
  assert.equal(balance.wei, (4n * 10n ** 18n).toString());

  // Init code of a contract that answers 42 to whatever it is asked.
  const made = await succeedWithJson<Sent>(
    "send",
    ...from,
    "--data",
    "0x69602a60005260206000f3600052600a6016f3",
  );
  const signature = "answer() view returns (uint256)";
  const answered = await succeedWithJson<object>("call", made.contract!, signature, "--rpc", urls[0]!);
  assert.deepEqual(answered, { output: `0x${"2a".padStart(64, "0")}`, result: "42" });
  assert.equal(await succeed("call", made.contract!, signature, "--rpc", urls[0]!), "42\n");
  await refused(["call", receiver, signature, "--rpc", urls[0]!], /returned nothing: no contract is there/);
  await refused(
    ["send", ...from, "--to", receiver, "--value", "1000000000"],
    /insufficient funds|exceeds the balance/i,
  );

  const table = await succeed("status", ...urls.flatMap((url) => ["--rpc", url]));
  assert.match(table, /JSON-RPC +chain +block .*All 4 agree on the chain up to block \d+\./s);
  const lines = (await succeed("status", ...urls.flatMap((url) => ["--rpc", url]), "--json"))
    .trim()
    .split("\n");
  for (const [index, line] of lines.entries()) {
    const { rpc, chainId, finalized } = JSON.parse(line) as {
      rpc: string;
      chainId: number;
      finalized: number;
    };
    assert.deepEqual([rpc, chainId], [urls[index], CHAIN_ID]);
    assert.ok(finalized >= sent.block);
  }
});

test("all nodes have the same blocks, and end cleanly when they are asked to", async () => {
  const agreement = new AgreementChecker();
  for (const url of urls) {
    const height = await blockNumber(url, "finalized");
    (await blockHashes(url, 0, height)).forEach((hash, number) => {
      agreement.addBlock(number, String(hash), url);
    });
  }
  agreement.assertAgreement();
  for (const { process } of started) process.kill("SIGTERM");
  for (const { code, signal, stderr } of await Promise.all(started.map(({ ended }) => ended))) {
    assert.deepEqual([code, signal, stderr], [0, null, ""]);
  }
});

test("ostrom account: keys that only their owner can read, never overwritten; the development accounts", async () => {
  const file = join(root, "bob.key");
  const made = await succeedWithJson<{ address: string; file: string }>("account", "new", "--out", file);
  assert.match(made.address, /^0x[0-9a-fA-F]{40}$/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await refused(["account", "new", "--out", file], /is there already; a key is never overwritten/);
  const lines = (await succeed("account", "dev", "--json")).trim().split("\n");
  assert.equal(lines.length, 10);
  assert.equal((JSON.parse(lines[9]!) as { index: number }).index, 9);
});
