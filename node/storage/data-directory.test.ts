import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDataDirectory, readSecretFile, writeSecretFile } from "./data-directory.ts";
import { StorageError } from "./errors.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ostrom-data-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("data directory: created with its version, for its owner alone, and opened again", () =>
  inFolder(async (parent) => {
    const path = join(parent, "a", "data");
    const opened = await openDataDirectory(path, { create: true });
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal(await readFile(join(path, "VERSION"), "utf8"), "ostrom data 1\n");
    assert.equal(opened.chainPath, join(path, "chain"));
    await opened.release();
    assert.deepEqual(await readdir(path), ["LOCK", "VERSION"]);
    const again = await openDataDirectory(path, { create: false });
    await again.release();
  }));

test("data directory: a second start over the same data is storage/locked and names the process", () =>
  inFolder(async (folder) => {
    const opened = await openDataDirectory(folder, { create: true });
    await assert.rejects(openDataDirectory(folder, { create: true }), (error) => {
      assert.ok(error instanceof StorageError && error.code === "storage/locked");
      assert.match(error.message, new RegExp(`process ${process.pid}\\b`));
      return true;
    });
    await opened.release();
    const again = await openDataDirectory(folder, { create: true });
    await again.release();
    assert.deepEqual(await readdir(folder), ["LOCK", "VERSION"]);
  }));

test("data directory: a living process keeps its lock, a killed one does not", () =>
  inFolder(async (folder) => {
    const script = `
      const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dirname, "data-directory.ts"))});
      await openDataDirectory(process.argv[1], { create: true });
      process.stdout.write("locked");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await assert.rejects(openDataDirectory(folder, { create: true }), (error) => {
      assert.ok(error instanceof StorageError && error.code === "storage/locked");
      assert.match(error.message, new RegExp(`process ${child.pid}\\b`));
      return true;
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    const opened = await openDataDirectory(folder, { create: true });
    await opened.release();
  }));

test("data directory: what a crash left in the lock's files holds nothing", () =>
  inFolder(async (folder) => {
    await (await openDataDirectory(folder, { create: true })).release();
    for (const text of ["1\n", `${process.pid}\n`, "", "garbage"]) {
      await writeFile(join(folder, "LOCK.pid"), text);
      const opened = await openDataDirectory(folder, { create: false });
      await opened.release();
      await opened.release();
    }
  }));

test("data directory: of many that race for it, one gets it", () =>
  inFolder(async (folder) => {
    for (let round = 0; round < 3; round++) {
      const attempts = await Promise.allSettled(
        Array.from({ length: 4 }, () => openDataDirectory(folder, { create: true })),
      );
      const winners = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
      assert.equal(winners.length, 1);
      await winners[0]!.release();
    }
    assert.deepEqual(await readdir(folder), ["LOCK", "VERSION"]);
  }));

test("data directory: another version, a missing one, and a folder without data are told apart", () =>
  inFolder(async (folder) => {
    await assert.rejects(openDataDirectory(join(folder, "no"), { create: false }), {
      code: "storage/missing",
    });
    await assert.rejects(openDataDirectory(folder, { create: false }), { code: "storage/missing" });
    await writeFile(join(folder, "VERSION"), "ostrom data 2\n");
    await assert.rejects(openDataDirectory(folder, { create: true }), { code: "storage/unknown-version" });
    await writeFile(join(folder, "VERSION"), "ostr");
    await assert.rejects(openDataDirectory(folder, { create: true }), { code: "storage/damaged" });
    await rm(join(folder, "VERSION"));
    await mkdir(join(folder, "chain"));
    await assert.rejects(openDataDirectory(folder, { create: true }), { code: "storage/damaged" });
    await writeFile(join(folder, "file"), "");
    await assert.rejects(openDataDirectory(join(folder, "file"), { create: false }), {
      code: "storage/failed",
    });
  }));

test("secret files: for their owner alone, never replaced, refused where others may read them", () =>
  inFolder(async (folder) => {
    const path = join(folder, "key.pem");
    await writeSecretFile(path, "secret\n");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await readSecretFile(path), "secret\n");
    await assert.rejects(writeSecretFile(path, "other\n"), { code: "storage/failed" });
    assert.equal(await readSecretFile(path), "secret\n");
    await chmod(path, 0o640);
    await assert.rejects(readSecretFile(path), { code: "storage/exposed" });
    await assert.rejects(readSecretFile(join(folder, "none")), { code: "storage/missing" });
  }));
