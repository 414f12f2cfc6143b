import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** A file of the pages, in all the forms that it is sent in. Kept in memory: a request names a key of a map, never a path on the disk. */
export type PageFile = {
  readonly type: string;
  readonly etag: string;
  /** Its name holds a hash of its content, so that it never changes. */
  readonly isImmutable: boolean;
  readonly plain: Buffer;
  /** Left out where they are no smaller. */
  readonly brotli: Buffer | undefined;
  readonly gzip: Buffer | undefined;
};

/** By path below the server's root, with a leading slash. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

const COMPRESSED: ReadonlySet<string> = new Set([".br", ".gz"]);
/** Vite writes what it names by content there. */
const IMMUTABLE_FOLDER = "/assets/";
const ETAG_CHARACTERS = 22;
/** Under this a file and its headers travel in one packet anyhow. */
const WORTH_COMPRESSING_BYTES = 512;
const BROTLI_QUALITY = 11;
/** Of one folder's files together: a mistaken folder is not taken into memory. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads all files of a folder, with what `compressFolder` left beside them.
 * @throws Error if they are larger than 64 MiB together. */
export function readPageFiles(folder: string, prefix = ""): PageFiles {
  const files = new Map<string, PageFile>();
  let bytes = 0;
  for (const path of filesOf(folder)) {
    if (COMPRESSED.has(extname(path))) continue;
    const plain = readFileSync(path);
    bytes += plain.length;
    if (bytes > MAX_BYTES) throw new Error(`${folder}: more than ${MAX_BYTES} bytes of pages`);
    const name = `${prefix}/${relative(folder, path).split(sep).join("/")}`;
    files.set(name, {
      type: TYPES[extname(path)] ?? "application/octet-stream",
      etag: `"${createHash("sha256").update(plain).digest("base64url").slice(0, ETAG_CHARACTERS)}"`,
      isImmutable: name.startsWith(`${prefix}${IMMUTABLE_FOLDER}`),
      plain,
      brotli: readIfThere(`${path}.br`),
      gzip: readIfThere(`${path}.gz`),
    });
  }
  return files;
}

/** Writes `x.br` and `x.gz` beside each file that they make smaller. */
export function compressFolder(folder: string): readonly { path: string; bytes: number; brotli: number }[] {
  return filesOf(folder)
    .filter((path) => !COMPRESSED.has(extname(path)))
    .map((path) => ({ path: relative(folder, path), ...compressFile(path) }));
}

/** @returns the forms of one content that are smaller than it. */
export function compress(plain: Buffer): Pick<PageFile, "brotli" | "gzip"> {
  if (plain.length < WORTH_COMPRESSING_BYTES) return { brotli: undefined, gzip: undefined };
  const brotli = brotliCompressSync(plain, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
    },
  });
  const gzip = gzipSync(plain, { level: constants.Z_BEST_COMPRESSION });
  return {
    brotli: brotli.length < plain.length ? brotli : undefined,
    gzip: gzip.length < plain.length ? gzip : undefined,
  };
}

function compressFile(path: string): { readonly bytes: number; readonly brotli: number } {
  const plain = readFileSync(path);
  const { brotli, gzip } = compress(plain);
  if (brotli !== undefined) writeFileSync(`${path}.br`, brotli);
  if (gzip !== undefined) writeFileSync(`${path}.gz`, gzip);
  return { bytes: plain.length, brotli: (brotli ?? plain).length };
}

function readIfThere(path: string): Buffer | undefined {
  return existsSync(path) ? readFileSync(path) : undefined;
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
