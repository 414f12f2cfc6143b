import type { PageFile } from "./page-files.ts";

/** What is shown while the pages are built, or where they could not be: without a script, and it looks again by itself. */
export function preparingPage(failure: string | undefined): PageFile {
  const text =
    failure === undefined
      ? "<h1>The explorer is being prepared</h1><p>Its pages are built once, on the first start. This takes some seconds; the page comes by itself.</p><h2>浏览器正在准备</h2><p>页面只在首次启动时构建，需要几秒钟，之后会自动显示。</p>"
      : `<h1>The explorer's pages could not be built</h1><p>The nodes are not concerned; data is served under <code>/api/v1</code>.</p><pre>${escapeHtml(failure)}</pre>`;
  const refresh = failure === undefined ? '<meta http-equiv="refresh" content="1">' : "";
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">${refresh}<title>Ostrom</title></head><body><main>${text}</main></body></html>`;
  return {
    type: "text/html; charset=utf-8",
    etag: "",
    isImmutable: false,
    plain: Buffer.from(html),
    brotli: undefined,
    gzip: undefined,
  };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
