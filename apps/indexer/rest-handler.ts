import { createHash } from "node:crypto";
import { SourceError } from "./chain-source.ts";
import { MAX_INPUT_BYTES } from "./compiler-input.ts";
import { DatabaseError } from "./database.ts";
import { etherscanAnswer } from "./etherscan-api.ts";
import { openApiDocument } from "./openapi.ts";
import { badRequest, notFound, problemBody, RestProblem } from "./problem.ts";
import { type RestServices, type Route, readParameters } from "./route.ts";
import { addressRoutes } from "./routes-address.ts";
import { chainRoutes } from "./routes-chain.ts";
import { contractRoutes } from "./routes-contract.ts";
import { tokenRoutes } from "./routes-token.ts";
import { sourcifyAnswer } from "./sourcify-api.ts";

export const ROUTES: readonly Route[] = [...chainRoutes, ...addressRoutes, ...tokenRoutes, ...contractRoutes];
export const BASE_PATH = "/api/v1" as string;

const MAX_BODY_BYTES: number = MAX_INPUT_BYTES + 1024 * 1024;
const ETAG_CHARACTERS = 22;
/** Whoever may read the chain may read its index, from any page. */
const CORS: Readonly<Record<string, string>> = { "access-control-allow-origin": "*" };
const COMPILED = ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${BASE_PATH}${route.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}/?$`),
}));

/** Answers one request of the interface. It never rejects: what goes wrong is an answer too. */
export async function handleRest(services: RestServices, request: Request): Promise<Response> {
  try {
    return await answer(services, request);
  } catch (error) {
    return problemResponse(asProblem(error));
  }
}

async function answer(services: RestServices, request: Request): Promise<Response> {
  const url = new URL(request.url);
  if (request.method === "OPTIONS") return preflight();
  if (url.pathname === "/api" || url.pathname === "/api/" || url.pathname === "/v2/api")
    return json(await etherscanAnswer(services, request.method, url.searchParams, await readForm(request)));
  const sourcify = await sourcifyAnswer(services, request.method, url.pathname, () => readJson(request));
  if (sourcify !== undefined) return json(sourcify.body, sourcify.status);
  if (url.pathname === `${BASE_PATH}/openapi.json`)
    return withEtag(request, JSON.stringify(openApiDocument(ROUTES, BASE_PATH)), "");
  const matches = COMPILED.flatMap(({ route, pattern }) => {
    const found = pattern.exec(url.pathname);
    return found === null ? [] : [{ route, inPath: found.groups ?? {} }];
  });
  const method = request.method === "HEAD" ? "GET" : request.method;
  const match = matches.find(({ route }) => route.method === method);
  if (matches.length === 0) throw notFound(`there is no ${url.pathname}; see ${BASE_PATH}/openapi.json`);
  if (match === undefined)
    throw new RestProblem(405, "bad-method", `${url.pathname} is for ${matches[0]!.route.method}`);
  return run(services, match, request, url);
}

async function run(
  services: RestServices,
  { route, inPath }: { readonly route: Route; readonly inPath: Readonly<Record<string, string>> },
  request: Request,
  url: URL,
): Promise<Response> {
  const values = readParameters(route, decoded(inPath), url.searchParams);
  const tip = route.isOfTip ? (services.status().indexedHash ?? "none") : "";
  // What only a new block changes is not even asked for again.
  const etag = tip === "" ? "" : etagOf(`${tip}${url.pathname}${url.search}`);
  if (etag !== "" && isFresh(request, etag)) return notModified(etag);
  const body = route.method === "POST" ? await readJson(request) : undefined;
  const result = await route.run(services, { values, body });
  if (route.method === "POST") return json(result, 202);
  // A block that came meanwhile may be in it already: then the mark would be that of an older one.
  const isStill = tip === (services.status().indexedHash ?? "none");
  return withEtag(request, JSON.stringify(result), isStill ? etag : "");
}

function decoded(inPath: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(
      Object.entries(inPath).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    throw badRequest("the path cannot be read");
  }
}

function etagOf(text: string): string {
  return `"${createHash("sha256").update(text).digest("base64url").slice(0, ETAG_CHARACTERS)}"`;
}

function isFresh(request: Request, etag: string): boolean {
  return request.headers.get("if-none-match")?.includes(etag) === true;
}

function notModified(etag: string): Response {
  return new Response(null, { status: 304, headers: { etag, "cache-control": "no-cache", ...CORS } });
}

/** @param known a mark that stands for the content; without one it is made from it. */
function withEtag(request: Request, text: string, known: string): Response {
  const etag = known === "" ? etagOf(text) : known;
  if (isFresh(request, etag)) return notModified(etag);
  return new Response(text, {
    headers: { "content-type": "application/json", "cache-control": "no-cache", etag, ...CORS },
  });
}

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...CORS },
  });
}

function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS,
      "access-control-allow-methods": "GET, HEAD, OPTIONS",
      "access-control-allow-headers": "content-type, if-none-match",
      "access-control-max-age": "7200",
    },
  });
}

function problemResponse(problem: RestProblem): Response {
  return new Response(JSON.stringify(problemBody(problem)), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...CORS },
  });
}

function asProblem(error: unknown): RestProblem {
  if (error instanceof RestProblem) return error;
  if (error instanceof SourceError) return new RestProblem(502, "node-unreachable", error.message);
  if (error instanceof DatabaseError) return new RestProblem(503, "database", error.message);
  return new RestProblem(500, "internal", (error as Error).message);
}

async function readText(request: Request): Promise<string> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES)
    throw new RestProblem(413, "too-large", `a body has at most ${MAX_BODY_BYTES} bytes`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Whoever does not say the length may send without an end.
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new RestProblem(413, "too-large", `a body has at most ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function readJson(request: Request): Promise<unknown> {
  if (request.headers.get("content-type")?.split(";", 1)[0]?.trim() !== "application/json")
    throw new RestProblem(415, "bad-type", "send application/json");
  try {
    return JSON.parse(await readText(request));
  } catch (error) {
    if (error instanceof RestProblem) throw error;
    throw badRequest("the body is no JSON");
  }
}

/** Of Etherscan's interface: parameters come in the address, in a form, or both. */
async function readForm(request: Request): Promise<URLSearchParams> {
  return request.method === "POST" ? new URLSearchParams(await readText(request)) : new URLSearchParams();
}
