/** What the index answered instead, or why there is no answer. */
export class RestError extends Error {
  /** HTTP's; 0: no answer arrived. */
  readonly status: number;
  /** Of problem+json, if it has one. */
  readonly detail: string | undefined;

  constructor(status: number, title: string, detail?: string) {
    super(detail ?? title);
    this.name = "RestError";
    this.status = status;
    this.detail = detail;
  }
}

const BASE = "/api/v1";
const TIMEOUT_MS = 20_000;

export type RestQuery = Readonly<Record<string, string | number | undefined>>;

/** Asks the index's REST interface (`apps/indexer/rest-types.ts` has the types of its answers).
 * @param path below `/api/v1`, with a leading slash. @throws RestError */
export async function rest<Result>(path: string, query: RestQuery = {}): Promise<Result> {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  );
  const parameters = new URLSearchParams(given).toString();
  const response = await request(`${BASE}${path}${parameters === "" ? "" : `?${parameters}`}`);
  const body = await readJson(response);
  if (response.ok) return body as Result;
  const { title = response.statusText, detail } = (body ?? {}) as { title?: string; detail?: string };
  throw new RestError(response.status, title, detail);
}

async function request(url: string): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new RestError(0, error instanceof Error ? error.message : String(error));
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new RestError(response.status, response.statusText);
  }
}
