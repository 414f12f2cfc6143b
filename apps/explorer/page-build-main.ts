// The process that builds the pages and the documentation beside them: its one argument is the folder that they are written to.
import { join } from "node:path";
import { buildDocs } from "@ostrom/docs";
import { buildPages } from "./build.ts";
import { compressFolder } from "./page-files.ts";

const [outDirectory] = process.argv.slice(2);
if (outDirectory === undefined) throw new Error("usage: page-build-main.ts FOLDER");
// Whoever asked for the pages is gone: nobody would name the folder.
process.once("disconnect", () => process.exit(1));
await buildPages(outDirectory);
await buildDocs(join(outDirectory, "docs"));
compressFolder(outDirectory);
process.exit(0);
