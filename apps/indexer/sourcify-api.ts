import { randomUUID } from "node:crypto";
import { RestProblem } from "./problem.ts";
import type { RestSource, RestVerification, VerificationRequest } from "./rest-types.ts";
import type { RestServices } from "./route.ts";
import { readSource } from "./source-reader.ts";

/** The part of Sourcify's interface, version 2, that tools use. Source: docs.sourcify.dev, "API"; the provider of hardhat-verify 3. */
export type SourcifyAnswer = { readonly status: number; readonly body: unknown };

const PATH = /^(?:\/api\/sourcify)?\/v2\/(contract|verify)\/(.+?)\/?$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** @returns undefined for what is none of its paths. */
export async function sourcifyAnswer(
  services: RestServices,
  method: string,
  path: string,
  readBody: () => Promise<unknown>,
): Promise<SourcifyAnswer | undefined> {
  const [, kind, rest = ""] = PATH.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const [first = "", address = "", ...more] = rest.split("/");
  if (kind === "verify" && method === "GET" && address === "") return job(services, first);
  const { chainId } = services.status();
  if (first !== String(chainId))
    return failed(404, "unsupported_chain", `this is chain ${chainId}, not ${first}`);
  if (!ADDRESS.test(address)) return failed(400, "invalid_parameter", `"${address}" is no address`);
  if (kind === "contract" && method === "GET") return contract(services, address);
  if (kind !== "verify" || method !== "POST" || more.length > 1) return undefined;
  return submit(services, address, more[0], (await readBody()) as Body);
}

type Body = {
  readonly stdJsonInput?: unknown;
  readonly metadata?: unknown;
  readonly sources?: Readonly<Record<string, string>>;
  readonly contractIdentifier?: string;
  readonly compilerVersion?: string;
};

function failed(status: number, customCode: string, message: string): SourcifyAnswer {
  return { status, body: { customCode, message, errorId: randomUUID() } };
}

async function contract({ database, status }: RestServices, address: string): Promise<SourcifyAnswer> {
  const source = await readSource(database, address.toLowerCase());
  return {
    status: source === undefined ? 404 : 200,
    body: {
      ...matchOf(source, address, String(status().chainId)),
      ...(source === undefined ? {} : detail(source)),
    },
  };
}

function matchOf(source: RestSource | undefined, address: string, chainId: string): object {
  const match = source === undefined ? null : source.match === "full" ? "exact_match" : "match";
  return { match, creationMatch: null, runtimeMatch: match, chainId, address };
}

function detail(source: RestSource): object {
  return {
    verifiedAt: new Date(source.verifiedAt * 1_000).toISOString(),
    abi: source.abi,
    compilation: {
      language: source.language,
      compiler: "solc",
      compilerVersion: source.compiler,
      compilerSettings: source.settings,
      name: source.name,
      fullyQualifiedName: source.qualifiedName,
    },
    sources: Object.fromEntries(source.sources.map(({ path, content }) => [path, { content }])),
  };
}

async function submit(
  services: RestServices,
  address: string,
  how: string | undefined,
  body: Body,
): Promise<SourcifyAnswer> {
  const known = await readSource(services.database, address.toLowerCase());
  if (known?.match === "full") return failed(409, "already_verified", `${address} is verified already`);
  const metadata = how === "metadata" ? body.metadata : undefined;
  const version = (metadata as { readonly compiler?: { readonly version?: string } } | undefined)?.compiler
    ?.version;
  try {
    const { id } = services.verification.submit({
      address: address as `0x${string}`,
      compiler: body.compilerVersion ?? version ?? "",
      ...(body.contractIdentifier === undefined ? {} : { qualifiedName: body.contractIdentifier }),
      ...(metadata === undefined ? { input: body.stdJsonInput } : { metadata, sources: body.sources ?? {} }),
    } satisfies VerificationRequest);
    return { status: 202, body: { verificationId: id } };
  } catch (error) {
    if (error instanceof RestProblem) return failed(error.status, "invalid_parameter", error.message);
    throw error;
  }
}

/** By our codes, where theirs have a name of their own. */
const CUSTOM_CODES: Readonly<Record<string, string>> = {
  "no-code": "contract_not_deployed",
  "no-match": "no_match",
  "compilation-failed": "compiler_error",
  "compiler-unavailable": "unsupported_compiler_version",
};

async function job({ verification, database, status }: RestServices, id: string): Promise<SourcifyAnswer> {
  const found = verification.find(id);
  if (found === undefined) return failed(404, "job_not_found", `there is no verification ${id}`);
  const source = found.state === "verified" ? await readSource(database, found.address) : undefined;
  return {
    status: 200,
    body: {
      isJobCompleted: found.state !== "pending",
      verificationId: id,
      jobStartTime: new Date().toISOString(),
      contract: matchOf(source, found.address, String(status().chainId)),
      ...(found.state === "failed" ? { error: errorOf(found) } : {}),
    },
  };
}

function errorOf({ id, code, detail, errors }: RestVerification): object {
  return {
    customCode: CUSTOM_CODES[code ?? ""] ?? "internal_error",
    message: errors[0] ?? detail ?? "the verification failed",
    errorId: id,
  };
}
