import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { consoleBlocks, isAsShown } from "./page-commands.ts";
import { DOCS_SECTIONS } from "./pages.ts";
import { startPage } from "./testing/page-runner.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
/** What cannot be run on one machine by a test, on all pages together. */
const MAX_NOT_RUN = 5;
/** Of one page alone: DOCS_PAGE=docs/start.md */
const only = process.env["DOCS_PAGE"];

const files = [
  ...new Set([
    ...DOCS_SECTIONS.flatMap(({ pages }) => pages.map(({ file }) => file)),
    ...globSync("docs/*.md", { cwd: REPOSITORY }),
  ]),
].filter((file) => existsSync(join(REPOSITORY, file)));
const pages = files.map((file) => ({
  file,
  blocks: consoleBlocks(readFileSync(join(REPOSITORY, file), "utf8")),
}));

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

for (const { file, blocks } of pages) {
  const runnable = blocks.filter(({ notRun }) => notRun === undefined);
  if (runnable.length === 0 || (only !== undefined && only !== file)) continue;
  test(`${file}: its ${runnable.length} blocks of commands do what the page shows`, async () => {
    const page = await startPage();
    try {
      for (const block of runnable) {
        await page.run(block).catch((error: Error) => {
          throw new Error(`${file}:${block.line}: ${error.message}`);
        });
      }
    } finally {
      await page.end();
    }
  });
}
