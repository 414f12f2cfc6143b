import type { IncomingMessage, ServerResponse } from "node:http";
import { compress, type PageFile } from "./page-files.ts";

/** Answers an error as problem+json (RFC 9457), as the index does. */
export function refuse(response: ServerResponse, status: number, code: string, detail: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const title = TITLES[status] ?? "Error";
  const body = Buffer.from(JSON.stringify({ type: "about:blank", title, status, code, detail }));
  // What is still on its way of a refused body is not read.
  if (status === 413) response.setHeader("connection", "close");
  response.writeHead(status, { "content-type": "application/problem+json", "content-length": body.length });
  response.end(body);
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  413: "Too large",
  415: "Unsupported media type",
  502: "Node unreachable",
  503: "Not ready",
};

/** What is no file as if it were one. Compressing it costs much more than sending it: make it once for many answers. */
export function jsonFile(value: unknown): PageFile {
  const plain = Buffer.from(JSON.stringify(value));
  return { type: "application/json", etag: "", isImmutable: false, plain, ...compress(plain) };
}

/** Sends a file in the smallest form that the client reads; 304 where it has it already. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: PageFile,
  status = 200,
): void {
  response.setHeader("content-type", file.type);
  response.setHeader("vary", "accept-encoding");
  response.setHeader("cache-control", file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (file.etag !== "") response.setHeader("etag", file.etag);
  if (file.etag !== "" && request.headers["if-none-match"]?.includes(file.etag)) {
    response.writeHead(304).end();
    return;
  }
  const [encoding, body] = smallest(file, request.headers["accept-encoding"]);
  if (encoding !== undefined) response.setHeader("content-encoding", encoding);
  response.writeHead(status, { "content-length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

function smallest(
  file: PageFile,
  accepted: string | string[] | undefined,
): readonly [string | undefined, Buffer] {
  const names = String(accepted ?? "")
    .split(",")
    .filter((part) => !/;\s*q=0(?:\.0*)?\s*$/.test(part))
    .map((part) => part.split(";", 1)[0]!.trim());
  if (file.brotli !== undefined && names.includes("br")) return ["br", file.brotli];
  if (file.gzip !== undefined && names.includes("gzip")) return ["gzip", file.gzip];
  return [undefined, file.plain];
}
