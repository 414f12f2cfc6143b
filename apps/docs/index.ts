export { type BuiltDocs, buildDocs } from "./build.ts";
export { DOCS_SECTIONS, type DocsPage, type DocsSection } from "./pages.ts";
