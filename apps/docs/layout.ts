import { posix } from "node:path";
import type { RenderedPage } from "./markdown.ts";

export type SiteNavigation = readonly {
  readonly title: string;
  readonly pages: readonly { readonly title: string; readonly address: string }[];
}[];

export type PageFrame = {
  readonly page: RenderedPage;
  readonly navigation: SiteNavigation;
  /** From the site's root. */
  readonly address: string;
  /** From the repository's root. */
  readonly file: string;
};

/** Headings in the list beside a page: sections and their parts. */
const LISTED_LEVELS = [2, 3];

/** A whole page. Scripts and styles are files: a strict Content-Security-Policy holds. */
export function pageHtml({ page, navigation, address, file }: PageFrame): string {
  const root = posix.relative(posix.dirname(address), ".") || ".";
  const to = (target: string): string => posix.join(root, target);
  return `<!doctype html>
<html lang="en" data-root="${root}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)} - Ostrom</title>
<link rel="icon" href="${to("icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${to("site.css")}">
<script src="${to("theme.js")}"></script>
<script src="${to("site.js")}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<button type="button" id="menu" aria-controls="navigation" aria-expanded="false">Menu</button>
<a class="brand" href="${to("index.html")}">Ostrom</a>
<div class="search" role="search">
<input id="search" type="search" placeholder="Search (/)" aria-label="Search the documentation" autocomplete="off"
 role="combobox" aria-expanded="false" aria-controls="results">
<ul id="results" role="listbox" aria-label="What was found" hidden></ul>
</div>
<button type="button" id="theme" aria-label="Light or dark">Theme</button>
</header>
<div class="columns">
<nav id="navigation" aria-label="Pages">
${navigation.map((section) => navigationSection(section, address, to)).join("\n")}
</nav>
<main id="content">
${page.html}
<footer>${neighbours(navigation, address, to)}<p class="source">${escaped(file)} in the repository</p></footer>
</main>
<aside aria-label="On this page">${contents(page)}</aside>
</div>
</body>
</html>
`;
}

function navigationSection(
  section: SiteNavigation[number],
  address: string,
  to: (target: string) => string,
): string {
  const links = section.pages.map((page) => {
    const current = page.address === address ? ' aria-current="page"' : "";
    return `<li><a href="${to(page.address)}"${current}>${escaped(page.title)}</a></li>`;
  });
  return `<h2>${escaped(section.title)}</h2>\n<ul>${links.join("")}</ul>`;
}

function contents({ headings }: RenderedPage): string {
  const listed = headings.filter(({ level }) => LISTED_LEVELS.includes(level));
  if (listed.length < 2) return "";
  const items = listed.map(
    ({ level, anchor, text }) => `<li class="level-${level}"><a href="#${anchor}">${escaped(text)}</a></li>`,
  );
  return `<h2>On this page</h2><ul>${items.join("")}</ul>`;
}

/** The pages before and after this one, for who reads in order. */
function neighbours(navigation: SiteNavigation, address: string, to: (target: string) => string): string {
  const all = navigation.flatMap(({ pages }) => pages);
  const at = all.findIndex((page) => page.address === address);
  const [before, after] = at < 0 ? [undefined, undefined] : [all[at - 1], all[at + 1]];
  const link = (page: { title: string; address: string }, kind: string, arrow: string): string =>
    `<a class="${kind}" rel="${kind}" href="${to(page.address)}">${arrow} ${escaped(page.title)}</a>`;
  return `<div class="neighbours">${before === undefined ? "<span></span>" : link(before, "prev", "&larr;")}${
    after === undefined ? "" : link(after, "next", "&rarr;")
  }</div>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
