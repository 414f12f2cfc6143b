import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Command,
  camelCase,
  describeCommand,
  type Flag,
  readFlags,
  UsageError,
  wrapped,
} from "./command.ts";
import { account } from "./commands/account.ts";
import { call } from "./commands/call.ts";
import { checkpoints } from "./commands/checkpoints.ts";
import { decrypt } from "./commands/decrypt.ts";
import { demo } from "./commands/demo.ts";
import { doctor } from "./commands/doctor.ts";
import { encrypt } from "./commands/encrypt.ts";
import { exportChain } from "./commands/export.ts";
import { init } from "./commands/init.ts";
import { keys } from "./commands/keys.ts";
import { reencrypt } from "./commands/reencrypt.ts";
import { run } from "./commands/run.ts";
import { send } from "./commands/send.ts";
import { signer } from "./commands/signer.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { validators } from "./commands/validators.ts";
import { work } from "./commands/work.ts";
import { runInProcess } from "./testing/in-process.ts";

const COMMANDS: readonly Command[] = [
  up,
  init,
  run,
  status,
  send,
  call,
  account,
  validators,
  keys,
  checkpoints,
  work,
  encrypt,
  decrypt,
  reencrypt,
  signer,
  demo,
  doctor,
  exportChain,
];
const JSON_FLAG: Flag = { name: "json", kind: "switch", help: "" };

const noFile = (): never => {
  throw new Error("no configuration file was named");
};

function sampleOf({ kind }: Flag): string | number | boolean | readonly string[] {
  switch (kind) {
    case "switch":
      return true;
    case "number":
      return 7;
    case "text":
      return "seven";
    case "list":
      return ["six", "seven"];
    default:
      return kind satisfies never;
  }
}

function asArguments({ name, kind }: Flag): readonly string[] {
  if (kind === "switch") return [`--${name}`];
  const values = kind === "list" ? ["six", "seven"] : [kind === "number" ? "7" : "seven"];
  return values.flatMap((value) => [`--${name}`, value]);
}

for (const command of COMMANDS) {
  test(`ostrom ${command.name}: each flag may stand on the command line or in a file, with the same meaning`, () => {
    for (const flag of [...command.flags, JSON_FLAG]) {
      const key = camelCase(flag.name);
      const fromLine = readFlags(command, asArguments(flag), noFile);
      const fromFile = readFlags(command, ["--config", "x.json"], () => ({ [key]: sampleOf(flag) }));
      assert.deepEqual(fromLine.values[key], sampleOf(flag));
      assert.deepEqual(fromFile, fromLine);
      assert.deepEqual([...fromLine.given], [key]);
    }
  });

  test(`ostrom ${command.name}: its help names each flag and has examples`, () => {
    const help = describeCommand(command);
    for (const { name } of [...command.flags, JSON_FLAG])
      assert.match(help, new RegExp(`^ {2}--(?:no-)?${name}\\b`, "m"));
    assert.ok(command.examples.length > 0);
    for (const example of command.examples) assert.ok(help.includes(`\n  ${example}`));
    for (const line of help.split("\n")) assert.ok(line.length <= 120, `too wide: ${line}`);
  });
}

test("lines that are wider than the terminal go on below their column", () => {
  const line = "  --flag  one two three four five six";
  assert.equal(wrapped(line, 10, 36), "  --flag  one two three four five\n          six");
  assert.equal(wrapped(line, 10, 40), line);
  assert.equal(wrapped(line, 10, 20), line, "too narrow for a column");
});

function refused(argv: readonly string[], file: Readonly<Record<string, unknown>>, says: RegExp): void {
  assert.throws(
    () => readFlags(up, argv, () => file),
    (error: Error) =>
      error instanceof UsageError && says.test(error.message) && !error.message.includes("\n"),
  );
}

test("what stands on the command line wins over the file, and the file over the default", () => {
  const { values, given } = readFlags(up, ["--config", "x.json", "--port", "1"], () => ({
    port: 2,
    validators: 3,
  }));
  assert.deepEqual([values["port"], values["validators"], values["dataDir"]], [1, 3, ".ostrom"]);
  assert.deepEqual([...given].sort(), ["port", "validators"]);
});

test("flags and settings that are none, or of the wrong kind, are refused in one line", () => {
  refused(["--prot", "1"], {}, /there is no flag --prot; did you mean --port\?/);
  refused(["--frobnicate"], {}, /there is no flag --frobnicate \(an argument/);
  refused(["-x"], {}, /there is no flag -x/);
  refused(["--port"], {}, /--port needs a value/);
  refused(["--port", "--json"], {}, /--port needs a value/);
  refused(["--fresh=yes"], {}, /--fresh takes no value/);
  refused(["now"], {}, /"now" is too much/);
  for (const wrong of ["-1", "1.5", "x", "", "0x10", "1e3", "9007199254740993"])
    refused([`--port=${wrong}`], {}, /--port: expected a whole number/);
  refused(["--data-dir="], {}, /--data-dir: expected text/);
  const config = ["--config", "x.json"];
  refused(config, { prot: 1 }, /x\.json: "prot" is no setting of "ostrom up" \(known: validators, dataDir/);
  refused(config, { "data-dir": "." }, /"data-dir" is no setting/);
  refused(config, { config: "y.json" }, /"config" is no setting/);
  refused(config, { port: "8545" }, /x\.json: "port": expected a whole number/);
  refused(config, { fresh: "yes" }, /x\.json: "fresh": expected true or false/);
});

test("checkpoints register reads the key that --consensus-key names", async () => {
  const flags = ["--consensus-key", "0x01", "--new", "second"];
  const { code, stderr } = await runInProcess(["checkpoints", "register", "nowhere", ...flags]);
  assert.notEqual(code, 0);
  assert.match(stderr, /--consensus-key and --new are two registrations/);
});
