import type { Problem } from "./rest-types.ts";

/** What a request is answered instead of a result (RFC 9457). Codes are stable. */
export class RestProblem extends Error {
  override readonly name = "RestProblem";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  413: "Too large",
  415: "Unsupported media type",
  500: "Internal error",
  502: "Node unreachable",
  503: "Not ready",
};

export function badRequest(detail: string): RestProblem {
  return new RestProblem(400, "bad-request", detail);
}

export function notFound(detail: string): RestProblem {
  return new RestProblem(404, "not-found", detail);
}

export function problemBody({ status, code, message }: RestProblem): Problem {
  return { type: "about:blank", title: TITLES[status] ?? "Error", status, code, detail: message };
}
