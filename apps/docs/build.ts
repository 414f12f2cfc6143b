import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { type PageFrame, pageHtml, type SiteNavigation } from "./layout.ts";
import { type RenderedPage, renderMarkdown } from "./markdown.ts";
import { DOCS_SECTIONS, RPC_REFERENCE_FILE } from "./pages.ts";
import { rpcReference } from "./rpc-reference.ts";

const REPOSITORY = join(import.meta.dirname, "../..");
const ASSETS = join(import.meta.dirname, "site");
/** What a search result may be made of, of each section: enough to find it, little enough to load. */
const MAX_INDEXED_CHARACTERS = 1_200;

export type BuiltDocs = {
  /** Addresses of all pages, from the site's root. */
  readonly pages: readonly string[];
  /** Links that lead to no page and no file: `page: target`. */
  readonly broken: readonly string[];
};

/** Builds the documentation site into a folder: pages, styles, scripts and the search index; all links are relative. Needs no network.
 * @param out is made where it is not there; files of the same names are replaced. */
export async function buildDocs(out: string): Promise<BuiltDocs> {
  mkdirSync(out, { recursive: true });
  cpSync(ASSETS, out, { recursive: true });
  const generated = new Map([[RPC_REFERENCE_FILE, await rpcReference()]]);
  const read = (file: string): string | undefined =>
    generated.get(file) ?? readIfThere(join(REPOSITORY, file));
  const listed = DOCS_SECTIONS.flatMap(({ pages }) => pages.map(({ file }) => file));
  const { pages, broken } = renderAll(listed, read);
  const navigation = navigationOf(pages);
  for (const [file, page] of pages) {
    const address = addressOf(file);
    const path = join(out, address);
    mkdirSync(dirname(path), { recursive: true });
    const frame: PageFrame = { page, navigation, address, file };
    writeFileSync(path, pageHtml(frame));
  }
  writeFileSync(join(out, "search.json"), JSON.stringify(searchIndex(pages)));
  return { pages: [...pages.keys()].map(addressOf), broken };
}

/** Pages by their file: those listed, and all Markdown that they lead to. */
function renderAll(
  listed: readonly string[],
  read: (file: string) => string | undefined,
): { readonly pages: ReadonlyMap<string, RenderedPage>; readonly broken: readonly string[] } {
  const pages = new Map<string, RenderedPage>();
  const broken: string[] = [];
  const waiting = [...listed];
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (pages.has(file)) continue;
    const source = read(file);
    // A page of the navigation that nobody has written yet is no page.
    if (source === undefined) continue;
    const here = file;
    const resolve = (target: string): string | undefined => {
      if (/^[a-z]+:/.test(target) || target.startsWith("#")) return target;
      const [path = "", anchor] = target.split("#");
      const named = markdownAt(posix.normalize(posix.join(posix.dirname(here), path)), read);
      if (named === undefined) {
        if (!existsSync(join(REPOSITORY, dirname(here), path))) broken.push(`${here}: ${target}`);
        return undefined;
      }
      waiting.push(named);
      const address = relative(posix.dirname(addressOf(here)), addressOf(named));
      return anchor === undefined ? address : `${address}#${anchor}`;
    };
    pages.set(file, renderMarkdown(source, resolve));
  }
  return { pages, broken };
}

/** The Markdown that a path names: a file, or the README of a folder. */
function markdownAt(path: string, read: (file: string) => string | undefined): string | undefined {
  const candidates = path.endsWith(".md") ? [path] : [posix.join(path, "README.md")];
  return candidates.find((candidate) => read(candidate) !== undefined);
}

/** Where a page stands on the site: pages of docs/ at its root, all others under their folder's name. */
function addressOf(file: string): string {
  if (file === DOCS_SECTIONS[0]!.pages[0]!.file) return "index.html";
  return file.replace(/^docs\//, "").replace(/\.md$/, ".html");
}

function navigationOf(pages: ReadonlyMap<string, RenderedPage>): SiteNavigation {
  return DOCS_SECTIONS.map(({ title, pages: listed }) => ({
    title,
    pages: listed
      .filter(({ file }) => pages.has(file))
      .map((page) => ({ title: page.title, address: addressOf(page.file) })),
  })).filter(({ pages: shown }) => shown.length > 0);
}

function searchIndex(pages: ReadonlyMap<string, RenderedPage>): readonly object[] {
  return [...pages].flatMap(([file, { title, sections }]) =>
    sections.map(({ anchor, heading, text }) => ({
      address: `${addressOf(file)}#${anchor}`,
      title,
      heading,
      text: text.replace(/\s+/g, " ").trim().slice(0, MAX_INDEXED_CHARACTERS),
    })),
  );
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8") : undefined;
}
