import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What benchmarks compare with, and what takes them long to make, is kept here between runs. */
export const BENCH_CACHE: string = join(tmpdir(), "ostrom-bench");

/** A program of the npm registry that is no dependency of the product: installed once, beside the machine's other temporary files.
 * @returns the folder that holds `node_modules`. @throws if npm cannot install it. */
export function fetchPackage(name: string, version: string): string {
  const folder = join(BENCH_CACHE, `${name.replaceAll(/[@/]/g, "-")}-${version}`);
  const stamp = join(folder, "installed");
  if (existsSync(stamp)) return folder;
  mkdirSync(folder, { recursive: true });
  // Without a manifest of its own, npm would look for one in the folders above.
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const npm = [
    "install",
    "--prefix",
    folder,
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    `${name}@${version}`,
  ];
  execFileSync("npm", npm, { stdio: ["ignore", "ignore", "inherit"] });
  writeFileSync(stamp, version);
  return folder;
}
