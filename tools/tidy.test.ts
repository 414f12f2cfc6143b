import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { functionLengths } from "./tidy-functions.ts";
import {
  allowedOutside,
  BANNED_IN_CORE,
  isDeterministic,
  LENGTH_RATCHET,
  MAX_FILE_LINES,
  MAX_FUNCTION_LINES,
  mayImport,
  packageOf,
} from "./tidy-rules.ts";

const root = join(import.meta.dirname, "..");
const sources = globSync(
  [
    "core/**/*.ts",
    "node/**/*.ts",
    "modules/**/*.ts",
    "sdk/**/*.ts",
    "apps/**/*.{ts,tsx}",
    "sim/**/*.ts",
    "tools/**/*.ts",
    "examples/demo/**/*.ts",
  ],
  {
    cwd: root,
    exclude: (path) => path.includes("node_modules"),
  },
)
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

const isTest = (path: string): boolean => /\.(test|fuzz|bench)\.tsx?$/.test(path) || /\/testing\//.test(path);

function importsOf(text: string): string[] {
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
}

const FOLDER_OF_PACKAGE = new Map<string, string>(
  globSync(
    [
      "core/*/package.json",
      "node/*/package.json",
      "modules/package.json",
      "modules/*/{chain,service}/package.json",
      "sdk/package.json",
      "apps/*/package.json",
      "sim/package.json",
    ],
    { cwd: root },
  ).map((path) => [
    (JSON.parse(readFileSync(join(root, path), "utf8")) as { name: string }).name,
    dirname(path),
  ]),
);

test("imports between packages go down the ranks, and only through index.ts", () => {
  const broken: string[] = [];
  for (const { path, text } of sources) {
    if (isTest(path) || path.startsWith("tools/") || path.startsWith("examples/")) continue;
    const from = packageOf(path);
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith(".")) {
        const target = packageOf(join(dirname(path), specifier));
        if (target !== from) broken.push(`${path}: "${specifier}" reaches into ${target}`);
        continue;
      }
      if (!specifier.startsWith("@ostrom/")) continue;
      const to = FOLDER_OF_PACKAGE.get(specifier);
      if (to === undefined) broken.push(`${path}: "${specifier}" is no package (only index.ts is public)`);
      else if (!mayImport(from, to)) broken.push(`${path}: ${from} must not import ${to}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("core depends on @noble alone, chain parts of modules on nothing, their services and the sdk on viem", () => {
  const broken: string[] = [];
  for (const { path, text } of sources) {
    const allowed = allowedOutside(packageOf(path));
    if (allowed === undefined || isTest(path)) continue;
    for (const specifier of importsOf(text)) {
      if (!/^(\.|@ostrom\/)/.test(specifier) && !allowed.test(specifier))
        broken.push(`${path}: "${specifier}"`);
    }
  }
  assert.deepEqual(broken, []);
});

test("each module has its manifest, its chain part and a page for each part; no part lies elsewhere", () => {
  const broken: string[] = [];
  const manifests = readFileSync(join(root, "modules/index.ts"), "utf8");
  for (const entry of readdirSync(join(root, "modules"), { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === "node_modules") continue;
    const folder = join("modules", entry.name);
    if (!manifests.includes(`"./${entry.name}/module.ts"`))
      broken.push(`modules/index.ts: without ${entry.name}`);
    for (const needed of ["module.ts", "chain/package.json", "chain/index.ts"])
      if (!existsSync(join(root, folder, needed))) broken.push(`${folder}/${needed} is not there`);
    for (const inside of readdirSync(join(root, folder), { withFileTypes: true })) {
      const isPart = ["chain", "service"].includes(inside.name);
      if (inside.isDirectory() && inside.name !== "node_modules" && !isPart)
        broken.push(`${folder}/${inside.name}: a module has the parts chain and service`);
      if (isPart && !existsSync(join(root, folder, inside.name, "README.md")))
        broken.push(`${folder}/${inside.name}/README.md is not there`);
    }
  }
  assert.deepEqual(broken, []);
});

test("core and the chain parts of modules have no clock, randomness, I/O, asynchrony or locale", () => {
  const broken: string[] = [];
  for (const { path, text } of sources) {
    if (!isDeterministic(packageOf(path)) || isTest(path)) continue;
    const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
    for (const { pattern, why } of BANNED_IN_CORE) {
      const found = code.match(pattern);
      if (found !== null) broken.push(`${path}: "${found[0]}" (${why})`);
    }
  }
  assert.deepEqual(broken, []);
});

test("no file and no function grows beyond its limit; the listed exceptions only shrink", () => {
  const broken: string[] = [];
  for (const { path, text } of sources) {
    const lines = text.split("\n").length - 1;
    const allowance = LENGTH_RATCHET.files[path] ?? MAX_FILE_LINES;
    if (lines > allowance) broken.push(`${path}: ${lines} lines (limit ${allowance})`);
    if (isTest(path)) continue;
    for (const { name, length } of functionLengths(text)) {
      const limit = LENGTH_RATCHET.functions[`${path}:${name}`] ?? MAX_FUNCTION_LINES;
      if (length > limit) broken.push(`${path}:${name}: ${length} lines (limit ${limit})`);
    }
  }
  for (const path of Object.keys(LENGTH_RATCHET.files)) {
    const source = sources.find((candidate) => candidate.path === path);
    const lines = source === undefined ? 0 : source.text.split("\n").length - 1;
    if (lines <= MAX_FILE_LINES) broken.push(`${path}: is within the limit now; take it off the list`);
  }
  assert.deepEqual(broken, []);
});

test("every package has a README of what it owns, does not own, and where to start", () => {
  const broken: string[] = [];
  for (const folder of FOLDER_OF_PACKAGE.values()) {
    const path = join(root, folder, "README.md");
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    if (!/Owns:/.test(text) || !/Does not own:/.test(text) || !/Start reading at:/.test(text))
      broken.push(`${folder}/README.md`);
  }
  assert.deepEqual(broken, []);
});

test("links in the documentation lead somewhere", () => {
  const broken: string[] = [];
  for (const path of globSync(
    [
      "*.md",
      "docs/**/*.md",
      "core/**/README.md",
      "node/**/README.md",
      "modules/**/README.md",
      "sdk/**/README.md",
      "apps/**/README.md",
      "sim/**/README.md",
      "languages/**/README.md",
      "examples/**/README.md",
    ],
    {
      cwd: root,
      exclude: (name) => name.includes("node_modules"),
    },
  )) {
    const text = readFileSync(join(root, path), "utf8");
    for (const [, target] of text.matchAll(/\]\(([^)#]+?)(?:#[^)]*)?\)/g)) {
      if (target === undefined || /^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, dirname(path), target))) broken.push(`${path}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test("nothing is skipped, focused or silenced in the sources", () => {
  const broken: string[] = [];
  for (const { path, text } of sources) {
    if (path.startsWith("tools/tidy")) continue;
    const silenced = /\b(?:it|test|describe)\.(?:only|todo)\b|@ts-ignore|@ts-expect-error|\bTODO\b|\bFIXME\b/;
    // Prose may say "as any other".
    const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
    const found = text.match(silenced) ?? code.match(/\bas any\b/);
    if (found !== null) broken.push(`${path}: ${found[0]}`);
  }
  assert.deepEqual(broken, []);
});
