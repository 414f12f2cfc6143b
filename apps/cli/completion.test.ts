import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCli } from "./testing/cli-process.ts";

const folder = mkdtempSync(join(tmpdir(), "ostrom-completion-"));
const file = (shell: string): string => join(folder, `ostrom.${shell}`);

before(async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout, stderr } = await runCli(["completion", shell]);
    assert.deepEqual([code, stderr], [0, ""]);
    writeFileSync(file(shell), stdout);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** What bash offers where the last of these words is being typed. */
function completed(...words: readonly string[]): readonly string[] {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ostrom; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { encoding: "utf8", cwd: folder } as const;
  return execFileSync("bash", ["-c", script, "bash", file("bash"), ...words], options)
    .split("\n")
    .filter((line) => line !== "");
}

test("bash: commands, those of modules, their flags and values", () => {
  assert.ok(completed("ostrom", "st").includes("status"));
  assert.ok(completed("ostrom", "st").includes("staking"));
  assert.deepEqual(completed("ostrom", "help", "expo"), ["export"]);
  assert.ok(completed("ostrom", "staking", "").includes("bond"));
  assert.ok(completed("ostrom", "staking", "bond", "--").includes("--json"));
  assert.deepEqual(completed("ostrom", "send", "--val"), ["--value"]);
  assert.deepEqual(completed("ostrom", "send", "--no-w"), ["--no-wait"]);
  assert.deepEqual(completed("ostrom", "keys", "r"), ["rotate"]);
  assert.deepEqual(completed("ostrom", "completion", ""), ["bash", "zsh", "fish"]);
  assert.deepEqual(completed("ostrom", "up", "--profile", "al"), ["alliance"]);
  assert.deepEqual(completed("ostrom", "init", "--profile", "cb"), ["cbdc"]);
  assert.deepEqual(completed("ostrom", "up", "--suite", ""), ["ethereum", "sm", "post-quantum"]);
  assert.deepEqual(completed("ostrom", "up", "--signature-check", "m"), ["minority"]);
  assert.deepEqual(completed("ostrom", "init", "--consensus", "s"), ["simplex"]);
  assert.deepEqual(completed("ostrom", "send", "--value", ""), []);
});

test("bash: folders where a folder is wanted, files where a file", () => {
  assert.deepEqual(completed("ostrom", "deploy", "ostrom.b"), ["ostrom.bash"]);
  assert.deepEqual(completed("ostrom", "up", "--data-dir", "ostrom.b"), []);
});

for (const [shell, check] of [
  ["zsh", "-n"],
  ["fish", "--no-execute"],
] as const) {
  test(`${shell}: the script is one that the shell can read`, (t) => {
    const { status, stderr, error } = spawnSync(shell, [check, file(shell)], { encoding: "utf8" });
    if (error !== undefined) {
      t.skip(`${shell} is not installed here`);
      return;
    }
    assert.deepEqual([status, stderr], [0, ""]);
  });
}

test("a shell that there is no script for is refused with those that there are", async () => {
  const { code, stderr } = await runCli(["completion", "tcsh"]);
  assert.equal(code, 2);
  assert.match(stderr, /expected one of bash, zsh, fish, found "tcsh"/);
});
