// Installs what package-lock.json names, once: `npm start` and `npm test` call it before they begin. Plain JavaScript,
// because it runs on whatever Node the machine has (18 or later), before Node 26 is there.
//
// Two passes: under an older Node npm silently leaves out optional packages that want a newer one; the second pass runs
// under the Node 26 that the first one brought.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const WANTED_NODE = "v26.";
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const wantsDevelopment = process.argv.includes("--dev");
const modules = join(root, "node_modules");
const lockHash = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const stampOf = (mode) => join(modules, `.ostrom-installed-${mode}`);
const isStamped = (mode) =>
  existsSync(stampOf(mode)) && readFileSync(stampOf(mode), "utf8").trim() === lockHash;

// A full installation serves both; a production one only `npm start`.
if (isStamped("full") || (!wantsDevelopment && isStamped("production"))) process.exit(0);

console.log(
  `Installing dependencies${wantsDevelopment ? " (with development tools)" : ""}; this happens once...`,
);
const binaries = join(modules, ".bin");
const environment = { ...process.env, PATH: binaries + delimiter + (process.env.PATH ?? "") };
const npmArguments = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
if (!wantsDevelopment) npmArguments.push("--omit=dev");

for (let pass = 1; pass <= 2; pass++) {
  const npm = spawnSync(process.platform === "win32" ? "npm.cmd" : "npm", npmArguments, {
    cwd: root,
    env: environment,
    stdio: "inherit",
  });
  if (npm.status !== 0) {
    console.error(
      `npm install failed (${npm.error?.message ?? `exit code ${npm.status}`}). Check the network and try again.`,
    );
    process.exit(1);
  }
}

const node = spawnSync(join(binaries, "node"), ["--version"], { encoding: "utf8" });
if (!node.stdout?.startsWith(WANTED_NODE)) {
  console.error(
    `The npm package "node" did not bring Node 26 (found ${node.stdout?.trim() || "nothing"}). ` +
      "npm must be allowed to run its install script: see allowScripts in package.json.",
  );
  process.exit(1);
}
writeFileSync(stampOf(wantsDevelopment ? "full" : "production"), lockHash);
