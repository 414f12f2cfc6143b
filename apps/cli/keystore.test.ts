import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runInProcess } from "./testing/in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "ostrom-keystore-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const PASSPHRASE = "a phrase that stands in no output";
const environment = { OSTROM_KEYSTORE: at("keystore"), OSTROM_PASSPHRASE: PASSPHRASE };

type Shown = {
  readonly address?: string;
  readonly threshold: number;
  readonly keys: readonly { readonly scheme: string }[];
  readonly file: string;
};

async function ostrom(...args: readonly string[]): Promise<string> {
  const ended = await runInProcess(args, environment);
  assert.equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
  assert.ok(!`${ended.stdout}${ended.stderr}`.includes(PASSPHRASE), "a passphrase is never shown");
  return ended.stdout;
}

async function shown(...args: readonly string[]): Promise<Shown> {
  return JSON.parse(await ostrom(...args, "--json")) as Shown;
}

async function refused(args: readonly string[], says: RegExp): Promise<void> {
  const { code, stderr } = await runInProcess(args, environment);
  assert.equal(code, 1, args.join(" "));
  assert.match(stderr, says);
}

test("a hybrid account is kept in one file that only its owner can read, and listed", async () => {
  const made = await shown("account", "new", "--key", "ml-dsa-44", "--with", "secp256k1");
  assert.deepEqual(
    made.keys.map(({ scheme }) => scheme),
    ["ml-dsa-44", "secp256k1"],
  );
  assert.equal(made.threshold, 2);
  assert.equal(statSync(made.file).mode & 0o777, 0o600);
  assert.equal(statSync(at("keystore")).mode & 0o777, 0o700);
  const [listed] = (await ostrom("account", "list", "--json")).trim().split("\n");
  assert.deepEqual(JSON.parse(listed!), made);
  const oneOf = await shown("account", "new", "--key", "sm2", "--with", "ml-dsa-65", "--threshold", "1");
  assert.equal(oneOf.threshold, 1);
});

test("a key goes out as PEM and as Web3 Secret Storage, encrypted, and comes in as the same account", async () => {
  const made = await shown("account", "new", "--key", "secp256k1");
  for (const format of ["pem", "web3"]) {
    const out = at(`exported.${format}`);
    await ostrom("account", "export", made.address!, "--format", format, "--out", out);
    assert.equal(statSync(out).mode & 0o777, 0o600);
    await refused(["account", "import", out], /already/);
    const imported = await shown("account", "import", out, "--out", at(`from-${format}.json`));
    assert.equal(imported.address, made.address);
  }
  const sm2 = await shown("account", "new", "--key", "sm2");
  await refused(
    ["account", "export", sm2.address!, "--format", "web3", "--out", at("no.web3")],
    /secp256k1 alone/,
  );
});

test("an import of a file that others can read, or with another passphrase, is refused", async () => {
  const made = await shown("account", "new", "--key", "p-256");
  const out = at("p256.pem");
  await ostrom("account", "export", made.address!, "--out", out);
  writeFileSync(at("wrong"), "not the one\n", { mode: 0o600 });
  await refused(
    ["account", "import", out, "--out", at("p256.json"), "--from-passphrase-file", at("wrong")],
    /passphrase is not its own/,
  );
  chmodSync(out, 0o644);
  await refused(["account", "import", out, "--out", at("p256.json")], /can be read by others/);
});

test("a file is encrypted to several keys, opened by each, and encrypted anew to other ones in place", async () => {
  const sm2 = await shown("account", "new", "--key", "sm2");
  const hybrid = await shown("account", "new", "--key", "x-wing");
  assert.equal(hybrid.address, undefined);
  writeFileSync(at("note"), "what the members agreed on");
  writeFileSync(at("auditor.pem"), await ostrom("account", "export", hybrid.file, "--format", "public"));
  await ostrom(
    "encrypt",
    at("note"),
    "--to",
    sm2.address!,
    "--to",
    at("auditor.pem"),
    "--out",
    at("note.sealed"),
  );
  for (const key of [sm2.address!, hybrid.file]) {
    await ostrom("decrypt", at("note.sealed"), "--key", key, "--out", at("opened"));
    assert.equal(readFileSync(at("opened"), "utf8"), "what the members agreed on");
    assert.equal(statSync(at("opened")).mode & 0o777, 0o600);
    rmSync(at("opened"));
  }
  const before = (await ostrom("decrypt", at("note.sealed"))).trim().split("\n");
  assert.deepEqual(
    before.map((line) => line.split(" ")[0]),
    ["sm2", "x-wing"],
  );
  const anew = ["reencrypt", at("note.sealed"), "--key", sm2.address!, "--to", hybrid.file] as const;
  assert.match(await ostrom(...anew), /: reencrypted/);
  assert.match(await ostrom(...anew), /: up to date/);
  await refused(["decrypt", at("note.sealed"), "--key", sm2.address!, "--out", at("no")], /other keys/);
  await ostrom("decrypt", at("note.sealed"), "--key", hybrid.file, "--out", at("opened"));
  assert.equal(readFileSync(at("opened"), "utf8"), "what the members agreed on");
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes("reencrypting")),
    [],
  );
});
