import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AgreementChecker } from "./testing/agreement.ts";
import { type CliProcess, runCli, startCli } from "./testing/cli-process.ts";
import { findFreePorts } from "./testing/free-ports.ts";
import { blockHashes, blockNumber, LONG_WAIT_MS, waitUntil } from "./testing/test-network.ts";

const MACHINES = ["bank-a", "bank-b", "bank-c"];
const root = mkdtempSync(join(tmpdir(), "ostrom-machines-"));
const [rpcPort, linkPort] = (await findFreePorts(MACHINES.length, 2)) as [number, number];
const urls = MACHINES.map((_, index) => `http://127.0.0.1:${rpcPort + index}`);
const folderOf = (name: string): string => join(root, name);
const descriptionOf = (name: string): string => join(folderOf(name), "public.json");
const account = (index: number): string => `0x${String(index + 1).repeat(40)}`;
const started: CliProcess[] = [];

after(async () => {
  for (const { process } of started) process.kill("SIGKILL");
  await Promise.all(started.map(({ ended }) => ended));
  rmSync(root, { recursive: true, force: true });
});

async function succeedWithJson<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await runCli([...args, "--json"]);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return JSON.parse(stdout) as T;
}

async function refused(args: readonly string[], says: RegExp): Promise<void> {
  const { code, stderr } = await runCli(args);
  assert.equal(code, 1, args.join(" "));
  assert.match(stderr, /^ostrom [^\n]+\n$/);
  assert.match(stderr, says);
}

type Made = {
  readonly path: string;
  readonly hash: string;
  readonly validators: readonly { readonly fingerprint: string }[];
};

const BEGIN = [
  "init",
  "--chain-id",
  "777",
  "--profile",
  "alliance",
  "--epoch-length",
  "40",
  "--timestamp-ms",
  "1700000000000",
];
const joins = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => ["--join", descriptionOf(name)]);
const fingerprints: string[] = [];

test("each machine makes its own keys and a description in which there is no secret", async () => {
  for (const [index, name] of MACHINES.entries()) {
    const made = await succeedWithJson<{ readonly description: string; readonly fingerprint: string }>(
      ...["keys", "create", "--out", folderOf(name), "--name", `${name}-1`, "--organisation", name],
      ...["--host", `127.0.0.1:${linkPort + index}`, "--rpc-port", String(rpcPort + index)],
      ...["--account", account(index)],
    );
    assert.equal(made.description, descriptionOf(name));
    fingerprints.push(made.fingerprint);
    const keys = join(folderOf(name), "keys");
    const description = readFileSync(descriptionOf(name), "utf8");
    for (const file of readdirSync(keys)) {
      if (process.platform !== "win32") assert.equal(statSync(join(keys, file)).mode & 0o077, 0, file);
      const lines = readFileSync(join(keys, file), "utf8").split("\n");
      for (const line of lines.filter((one) => /^(?:0x)?[0-9A-Za-z+/=]{40,}$/.test(one)))
        assert.ok(!description.includes(line.replace(/^0x/, "")), `${file} is not in the description`);
    }
    assert.ok(existsSync(join(keys, "vrf.key")), "keys of modules are made too");
  }
  await refused(
    ["keys", "create", "--out", folderOf("bank-a"), "--name", "x", "--host", "h", "--account", account(0)],
    /holds a node already/,
  );
});

test("whoever has the descriptions makes the same genesis, in whatever order; the fingerprints are those of the machines", async () => {
  const made = await succeedWithJson<Made>(...BEGIN, "--out", join(root, "one"), ...joins(MACHINES));
  const again = await succeedWithJson<Made>(
    ...BEGIN,
    "--out",
    join(root, "two"),
    ...joins([...MACHINES].reverse()),
  );
  assert.equal(made.hash, again.hash);
  assert.equal(readFileSync(made.path, "utf8"), readFileSync(again.path, "utf8"));
  assert.deepEqual(made.validators.map(({ fingerprint }) => fingerprint).sort(), [...fingerprints].sort());
  await refused([...BEGIN, "--out", join(root, "one"), ...joins(MACHINES)], /is there already/);
});

test("a description that was changed, or is none, is refused with its name", async () => {
  const forged = join(root, "forged.json");
  const description = JSON.parse(readFileSync(descriptionOf("bank-b"), "utf8")) as Record<string, unknown>;
  const other = JSON.parse(readFileSync(descriptionOf("bank-c"), "utf8")) as Record<string, unknown>;
  writeFileSync(forged, JSON.stringify({ ...description, consensusKey: other["consensusKey"] }));
  const withForged = [...BEGIN, "--out", join(root, "three"), ...joins(["bank-a"]), "--join", forged];
  await refused(withForged, /does not prove that this validator holds the secret key/);
  writeFileSync(forged, JSON.stringify({ ...description, port: 70_000 }));
  await refused(withForged, /--join [^\n]*forged\.json: "port" must be a port/);
  writeFileSync(forged, "{");
  await refused(withForged, /forged\.json: it is no JSON/);
  await refused(
    [...BEGIN, "--out", join(root, "three"), ...joins(["bank-a"]), "--host", "h"],
    /--host: the descriptions/,
  );
  assert.ok(!existsSync(join(root, "three")));
});

test("with genesis.json beside its keys each machine runs, and all agree", async () => {
  for (const name of MACHINES)
    cpSync(join(root, "one", "genesis.json"), join(folderOf(name), "genesis.json"));
  for (const name of MACHINES) started.push(startCli(["run", "--data-dir", folderOf(name), "--json"]));
  await waitUntil("all nodes answer", LONG_WAIT_MS, () =>
    started.every((one) => one.stdout().includes("ready")),
  );
  for (const url of urls)
    await waitUntil(
      `a second block at ${url}`,
      LONG_WAIT_MS,
      async () => (await blockNumber(url, "latest")) >= 2,
    );
  const agreement = new AgreementChecker();
  for (const [index, url] of urls.entries()) {
    const hashes = await blockHashes(url, 1, 2);
    hashes.forEach((hash, offset) => {
      agreement.add({
        kind: "block",
        name: MACHINES[index]!,
        number: 1 + offset,
        hash: hash!,
        transactions: 0,
        gasUsed: "0",
      });
    });
  }
  agreement.assertAgreement();
  const { stdout } = await runCli(["modules", "--rpc", urls[0]!]);
  assert.match(stdout, /membership {2}version 1, active since block 1/);
});
