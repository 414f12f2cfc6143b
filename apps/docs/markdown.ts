import MarkdownIt from "markdown-it";

/** A part of a page that a search can lead to. */
export type PageSection = { readonly anchor: string; readonly heading: string; readonly text: string };

export type RenderedPage = {
  /** The first heading. */
  readonly title: string;
  readonly html: string;
  readonly sections: readonly PageSection[];
  readonly headings: readonly { readonly level: number; readonly anchor: string; readonly text: string }[];
};

type Markdown = InstanceType<typeof MarkdownIt>;
type Token = ReturnType<Markdown["parse"]>[number];

/** Languages of fenced blocks that show what a person types. */
const CONSOLE_LANGUAGE = "console";

/** Renders one page: headings get anchors, blocks of code a button that copies, links what `resolveLink` makes of them.
 * @param resolveLink the address on the site of what a link names; undefined where it leads to no page. */
export function renderMarkdown(
  source: string,
  resolveLink: (target: string) => string | undefined,
): RenderedPage {
  const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });
  markdown.renderer.rules["fence"] = (tokens: Token[], index: number) =>
    renderFence(tokens[index]!, markdown);
  const tokens = markdown.parse(source, {});
  const anchors = new Map<string, number>();
  const headings: { level: number; anchor: string; text: string }[] = [];
  const sections: { anchor: string; heading: string; text: string }[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.type === "heading_open") {
      const text = plainText(tokens[index + 1]);
      const anchor = uniqueAnchor(text, anchors);
      token.attrSet("id", anchor);
      headings.push({ level: Number(token.tag.slice(1)), anchor, text });
      sections.push({ anchor, heading: text, text: "" });
      addAnchorLink(tokens[index + 1], anchor);
    } else if (token.type === "inline" || token.type === "fence") {
      const section = sections.at(-1);
      const isHeading = tokens[index - 1]?.type === "heading_open";
      if (section !== undefined && !isHeading)
        section.text += ` ${token.type === "fence" ? token.content : plainText(token)}`;
      rewriteLinks(token, resolveLink);
    }
  }
  return {
    title: headings[0]?.text ?? "",
    html: withoutStyles(markdown.renderer.render(tokens, markdown.options, {})).replaceAll(
      /<table>[\s\S]*?<\/table>/g,
      wrapTable,
    ),
    sections,
    headings,
  };
}

/** A strict Content-Security-Policy takes no style of a page's own: columns are aligned by classes. */
function withoutStyles(html: string): string {
  return html.replaceAll(/ style="text-align:(left|center|right)"/g, ' class="$1"');
}

/** Wide tables scroll by themselves, not the page. */
function wrapTable(table: string): string {
  return `<div class="table" tabindex="0" role="region" aria-label="table">${table}</div>`;
}

function renderFence(token: Token, markdown: Markdown): string {
  const escaped = markdown.utils.escapeHtml;
  const [language = ""] = token.info.trim().split(/\s+/);
  const lines = token.content.replace(/\n$/, "").split("\n");
  const shown =
    language === CONSOLE_LANGUAGE
      ? lines.map((line) => renderConsoleLine(line, escaped)).join("\n")
      : escaped(lines.join("\n"));
  // What a person pastes is what is typed, not what is answered.
  const copied =
    language === CONSOLE_LANGUAGE
      ? lines
          .filter((line) => line.startsWith("$ ") || line.startsWith("> "))
          .map((line) => line.slice(2))
          .join("\n")
      : lines.join("\n");
  return (
    `<div class="code"><button type="button" class="copy" data-copy="${escaped(copied)}">Copy</button>` +
    `<pre tabindex="0"><code class="language-${escaped(language)}">${shown}</code></pre></div>\n`
  );
}

function renderConsoleLine(line: string, escaped: (text: string) => string): string {
  const isTyped = line.startsWith("$ ") || line.startsWith("> ");
  if (!isTyped) return `<span class="output">${escaped(line)}</span>`;
  return `<span class="prompt" aria-hidden="true">${escaped(line.slice(0, 2))}</span>${escaped(line.slice(2))}`;
}

function plainText(token: Token | undefined): string {
  return (token?.children ?? [])
    .filter(({ type }) => type === "text" || type === "code_inline" || type === "softbreak")
    .map(({ type, content }) => (type === "softbreak" ? " " : content))
    .join("");
}

/** As GitHub makes them, so that links with anchors hold in both places. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function uniqueAnchor(heading: string, taken: Map<string, number>): string {
  const anchor = anchorOf(heading) || "section";
  const count = taken.get(anchor) ?? 0;
  taken.set(anchor, count + 1);
  return count === 0 ? anchor : `${anchor}-${count}`;
}

function addAnchorLink(inline: Token | undefined, anchor: string): void {
  if (inline?.children == null) return;
  const [first] = inline.children;
  if (first === undefined) return;
  const open = Object.assign(Object.create(Object.getPrototypeOf(first) as object), first, {
    type: "html_inline",
    content: `<a class="anchor" href="#${anchor}" aria-label="Link to this section">#</a>`,
    children: null,
  }) as Token;
  inline.children.unshift(open);
}

function rewriteLinks(token: Token, resolveLink: (target: string) => string | undefined): void {
  for (const child of token.children ?? []) {
    if (child.type === "image") child.attrSet("loading", "lazy");
    if (child.type !== "link_open") continue;
    const target = String(child.attrGet("href") ?? "");
    const resolved = resolveLink(target);
    if (resolved !== undefined) child.attrSet("href", resolved);
    else {
      child.tag = "span";
      child.attrs = [
        ["class", "source"],
        ["title", `${target} in the repository`],
      ];
      const close = token.children
        ?.slice(token.children.indexOf(child))
        .find(({ type }) => type === "link_close");
      if (close !== undefined) close.tag = "span";
    }
  }
}
