// node apps/docs/main.ts OUT: builds the documentation site into a folder.
import { resolve } from "node:path";
import { buildDocs } from "./build.ts";

const [out] = process.argv.slice(2);
if (out === undefined) {
  console.error("name the folder: node apps/docs/main.ts OUT");
  process.exitCode = 1;
} else {
  const { pages, broken } = await buildDocs(resolve(out));
  for (const link of broken) console.error(`leads nowhere: ${link}`);
  console.log(`${pages.length} pages in ${resolve(out)}`);
  if (broken.length > 0) process.exitCode = 1;
}
