import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, before, test } from "node:test";
import { type BuiltDocs, buildDocs } from "./build.ts";
import { anchorOf, renderMarkdown } from "./markdown.ts";
import { DOCS_SECTIONS } from "./pages.ts";
import { describedMethods } from "./rpc-reference.ts";

const out = mkdtempSync(join(tmpdir(), "ostrom-docs-"));
let built: BuiltDocs;
const pageText = (address: string): string => readFileSync(join(out, address), "utf8");

before(async () => {
  built = await buildDocs(out);
});
after(() => rmSync(out, { recursive: true, force: true }));

test("every page of the navigation is there, and no link of any page leads nowhere", () => {
  assert.deepEqual(built.broken, []);
  const listed = DOCS_SECTIONS.flatMap(({ pages }) => pages);
  const navigation = pageText("index.html");
  for (const { file, title } of listed)
    assert.ok(navigation.includes(`>${title}</a>`), `${file} is not listed`);
  const anchors = new Map(built.pages.map((address) => [address, idsOf(pageText(address))]));
  const broken: string[] = [];
  for (const address of built.pages) {
    for (const [, href = ""] of pageText(address).matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^[a-z]+:/.test(href)) continue;
      const [path = "", anchor] = href.split("#");
      const target = path === "" ? address : posix.normalize(posix.join(dirname(address), path));
      const ids = anchors.get(target);
      if (ids === undefined || (anchor !== undefined && anchor !== "content" && !ids.has(anchor)))
        broken.push(`${address}: ${href}`);
    }
  }
  assert.deepEqual(broken, []);
});

function idsOf(html: string): ReadonlySet<string> {
  return new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id));
}

test("a page needs nothing from elsewhere, and holds no script and no style itself", () => {
  for (const address of built.pages) {
    const html = pageText(address);
    assert.doesNotMatch(html, /(?:src|<link[^>]*href)="(?:https?:)?\/\//, address);
    assert.doesNotMatch(html, /<script(?![^>]* src=)|<style| style="| on[a-z]+="/, address);
  }
});

test("the search index leads to headings that are there", () => {
  const index = JSON.parse(pageText("search.json")) as { address: string; heading: string }[];
  assert.ok(index.length > 100);
  for (const { address } of index.slice(0, 500)) {
    const [page = "", anchor = ""] = address.split("#");
    assert.ok(pageText(page).includes(`id="${anchor}"`), address);
  }
});

test("the JSON-RPC reference has every method", async () => {
  const html = pageText("rpc-reference.html");
  for (const { name } of await describedMethods()) assert.ok(html.includes(`id="${anchorOf(name)}"`), name);
});

test("text of a page is text: HTML in Markdown is shown, not obeyed", () => {
  const { html } = renderMarkdown(
    "# A <b>\n\n<script>alert(1)</script>\n\n```\n</code><script>\n```\n",
    (link) => link,
  );
  assert.doesNotMatch(html, /<script>|<b>/);
});

test("what is copied of a console block is what is typed", () => {
  const { html } = renderMarkdown(
    "```console\n$ ostrom status\nJSON-RPC ...\n$ ostrom help\n```\n",
    (link) => link,
  );
  assert.match(html, /data-copy="ostrom status\nostrom help"/);
});

test("two headings of one name have two anchors", () => {
  const { headings } = renderMarkdown("# Same\n\n## Same\n", (link) => link);
  assert.deepEqual(
    headings.map(({ anchor }) => anchor),
    ["same", "same-1"],
  );
});
