import assert from "node:assert/strict";
import { test } from "node:test";
import { runCli } from "./testing/cli-process.ts";
import { runInProcess } from "./testing/in-process.ts";

type Failed = {
  readonly error: { readonly code: string; readonly message: string; readonly advice?: string };
};

test("what cannot be read ends with 2, what is refused with 1; with --json the reason is one document", async () => {
  const cases = [
    [["upp", "--json"], 2, "usage", /no command "upp"; did you mean up\?/],
    [["up", "--prot", "1", "--json"], 2, "usage", /no flag --prot; did you mean --port\?/],
    [["up", "--port", "x", "--json"], 2, "usage", /expected a whole number/],
    [["send", "--json"], 1, "refused", /say where to/],
    [["doctor", "/nowhere", "--json"], 1, "doctor/no-node", /no node's folder/],
    [["up", "--config", "/nowhere.json", "--json"], 1, "ENOENT", /it is not there/],
  ] as const;
  for (const [args, exitCode, code, says] of cases) {
    const ended = await runInProcess(args);
    assert.equal(ended.code, exitCode, args.join(" "));
    const { error } = JSON.parse(ended.stdout) as Failed;
    assert.equal(error.code, code);
    assert.match(error.message, says);
    assert.match(ended.stderr, /^ostrom[^\n]*: [^\n]+\n$/);
  }
});

test("help --json lists every command with its flags and examples", async () => {
  const { code, stdout } = await runInProcess(["help", "--json"]);
  assert.equal(code, 0);
  type Catalogue = {
    readonly commands: readonly {
      name: string;
      usage: string;
      flags: { name: string }[];
      examples: string[];
    }[];
  };
  const { commands } = JSON.parse(stdout) as Catalogue;
  for (const { name, usage, flags, examples } of commands) {
    assert.ok(usage.startsWith(`ostrom ${name}`), name);
    assert.ok(
      flags.some((flag) => flag.name === "json"),
      name,
    );
    assert.ok(examples.length > 0, name);
  }
  assert.ok(commands.some(({ name }) => name === "export"));
});

test("colours: none in a pipe, with NO_COLOR or --no-color; FORCE_COLOR wants them", async () => {
  const colour = "\u001b[";
  for (const name of ["FORCE_COLOR", "NO_COLOR"]) delete process.env[name];
  const plain = await runCli(["help", "up"]);
  assert.ok(!plain.stdout.includes(colour));
  const forced = await runCli(["help", "up"], { environment: { FORCE_COLOR: "1" } });
  assert.ok(forced.stdout.includes(colour));
  const refused = await runCli(["help", "up", "--no-color"], { environment: { FORCE_COLOR: "1" } });
  assert.ok(!refused.stdout.includes(colour));
  assert.equal(refused.stdout, plain.stdout);
});
