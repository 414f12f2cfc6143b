import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { runCli } from "../cli/testing/cli-process.ts";
import { type Catalogue, namedCommands, problemOf } from "./named-commands.ts";
import { type ConsoleBlock, consoleBlocks, isAsShown, missingWords, plainCommands } from "./page-commands.ts";
import { DOCS_SECTIONS } from "./pages.ts";
import { type PageRunner, startPage } from "./testing/page-runner.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
/** What cannot be run on one machine by a test, on all pages together. */
const MAX_NOT_RUN = 5;
/** Most of a page's time is waiting for blocks. */
const PAGES_AT_ONCE = 2;
/** Of one page alone: DOCS_PAGE=docs/start.md */
const only = process.env["DOCS_PAGE"];

const files = [
  ...new Set([
    ...DOCS_SECTIONS.flatMap(({ pages }) => pages.map(({ file }) => file)),
    ...globSync("docs/*.md", { cwd: REPOSITORY }),
  ]),
].filter((file) => existsSync(join(REPOSITORY, file)));
type Page = { readonly file: string; readonly blocks: readonly ConsoleBlock[] };
const pages: readonly Page[] = files.map((file) => ({
  file,
  blocks: consoleBlocks(readFileSync(join(REPOSITORY, file), "utf8")),
}));

/** Neither impossible here nor run elsewhere. */
const isRun = ({ notRun, testedBy }: ConsoleBlock): boolean => notRun === undefined && testedBy === undefined;

test("few commands of the pages cannot be run, and each has a reason", (t) => {
  const notRun = pages.flatMap(({ file, blocks }) =>
    blocks.flatMap(({ line, notRun: why }) => (why === undefined ? [] : [`${file}:${line}: ${why}`])),
  );
  for (const reason of notRun) t.diagnostic(`not run: ${reason}`);
  assert.ok(notRun.length <= MAX_NOT_RUN, notRun.join("\n"));
});

test("what is shown is compared line by line, with wildcards", () => {
  assert.ok(isAsShown("a\nb\nc\n", ["a", "...", "c"]));
  assert.ok(isAsShown("block 12, hash 0xab\n", ["block ..., hash 0x..."]));
  assert.ok(!isAsShown("a\nb\n", ["a"]));
  assert.ok(isAsShown("a\nb\n", ["a"], true));
  assert.ok(!isAsShown("a\n", ["a", "b"]));
});

test("commands that another test runs are named there", () => {
  const unnamed: string[] = [];
  for (const { file, blocks } of pages)
    for (const { line, testedBy, commands } of blocks) {
      if (testedBy === undefined) continue;
      const path = join(REPOSITORY, testedBy);
      assert.ok(/\.test\.ts$/.test(testedBy) && existsSync(path), `${file}:${line}: there is no ${testedBy}`);
      const text = readFileSync(path, "utf8");
      for (const command of commands) {
        const missing = missingWords(command.text, text);
        if (missing.length > 0)
          unnamed.push(`${file}:${line}: "${command.text}": ${testedBy} does not name ${missing.join(", ")}`);
      }
    }
  assert.deepEqual(unnamed, []);
});

test("no command of a page stands in a plain block, where nothing runs it", () => {
  const plain = files.flatMap((file) =>
    plainCommands(readFileSync(join(REPOSITORY, file), "utf8")).map((line) => `${file}:${line}`),
  );
  assert.deepEqual(
    plain.filter((where) => where.startsWith("docs/")),
    [],
  );
});

test("commands that a text names exist, with these flags", async () => {
  const { code, stdout } = await runCli(["help", "--json"]);
  assert.equal(code, 0);
  const catalogue = JSON.parse(stdout) as Catalogue;
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const wrong = files.flatMap((file) =>
    namedCommands(readFileSync(join(REPOSITORY, file), "utf8")).flatMap((text) => {
      const problem = problemOf(text, catalogue, Object.keys(scripts));
      return problem === undefined ? [] : [`${file}: "${text}": ${problem}`];
    }),
  );
  assert.deepEqual(wrong, []);
});

/** Pages that begin with this share one network: they leave it as the next one needs it. */
const SHARED_START = "ostrom up";
const isShared = ({ blocks }: Page): boolean =>
  blocks.some(({ kind, commands }) => kind === "background" && commands.at(-1)?.text === SHARED_START);
const runnable = pages.filter(
  ({ file, blocks }) => blocks.some(isRun) && (only === undefined || only === file),
);

async function runPage(runner: PageRunner, { file, blocks }: Page): Promise<void> {
  for (const block of blocks.filter(isRun)) {
    await runner.run(block).catch((error: Error) => {
      throw new Error(`${file}:${block.line}: ${error.message}`);
    });
  }
}

describe("the commands of the pages do what the pages show", { concurrency: PAGES_AT_ONCE }, () => {
  const together = runnable.filter(isShared);
  if (together.length > 0)
    test("on one network of four validators", async (t) => {
      const runner = await startPage(SHARED_START);
      try {
        for (const page of together) await t.test(page.file, () => runPage(runner, page));
      } finally {
        await runner.end();
      }
    });
  for (const page of runnable.filter((page) => !isShared(page)))
    test(page.file, async () => {
      const runner = await startPage();
      try {
        await runPage(runner, page);
      } finally {
        await runner.end();
      }
    });
});
