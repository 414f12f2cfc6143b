import { join } from "node:path";
import { build } from "vite";
import config from "./vite.config.ts";

/** Builds the pages into a folder, which is emptied first: `index.html`, and under `assets/` what carries the hash of its content in its
 * name. Needs no network.
 * @throws what Vite says is wrong with the sources. */
export async function buildPages(outDir: string): Promise<void> {
  await build({
    ...config,
    root: join(import.meta.dirname, "web"),
    configFile: false,
    logLevel: "error",
    build: { ...config.build, outDir, emptyOutDir: true, reportCompressedSize: false },
  });
}
