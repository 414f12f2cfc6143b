import type { Problem, RestVerification, VerificationRequest } from "@ostrom/indexer";
import { RestError, rest } from "../data/rest.ts";

const POLL_MS = 700;
/** A compilation that takes longer is the server's to end. */
const POLLS = 240;

/** Gives sources to be verified and waits for the outcome. @throws RestError */
export async function verifySource(request: VerificationRequest): Promise<RestVerification> {
  const { id } = await post(request);
  for (let poll = 0; poll < POLLS; poll++) {
    const found = await rest<RestVerification>(`/verification/${id}`);
    if (found.state !== "pending") return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new RestError(0, "the compiler takes too long");
}

async function post(request: VerificationRequest): Promise<{ readonly id: string }> {
  const response = await fetch("/api/v1/verification", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify(request),
  });
  const body = (await response.json().catch(() => ({}))) as Partial<Problem> & { readonly id?: string };
  if (response.ok && typeof body.id === "string") return { id: body.id };
  throw new RestError(response.status, body.title ?? response.statusText, body.detail);
}

export type SingleSource = {
  readonly fileName: string;
  readonly content: string;
  readonly optimizerRuns: number | undefined;
  readonly evmVersion: string;
};

/** The standard JSON input for one file. Source: Solidity documentation, "Input Description". */
export function standardInput({ fileName, content, optimizerRuns, evmVersion }: SingleSource): unknown {
  return {
    language: fileName.endsWith(".yul") ? "Yul" : "Solidity",
    sources: { [fileName]: { content } },
    settings: {
      optimizer: { enabled: optimizerRuns !== undefined, runs: optimizerRuns ?? 200 },
      ...(evmVersion === "" ? {} : { evmVersion }),
      outputSelection: {
        "*": { "*": ["abi", "evm.bytecode", "evm.deployedBytecode", "metadata", "storageLayout"] },
      },
    },
  };
}

/** Files that were chosen, by the paths that metadata.json gives them: the longest path that ends like the file's name. */
export function matchSources(
  metadata: unknown,
  files: readonly { readonly name: string; readonly text: string }[],
): Readonly<Record<string, string>> {
  const { sources = {} } = (metadata ?? {}) as { readonly sources?: Readonly<Record<string, unknown>> };
  const paths = Object.keys(sources);
  return Object.fromEntries(
    files.map(({ name, text }) => {
      const path = paths.find((one) => one === name) ?? paths.find((one) => one.endsWith(`/${name}`)) ?? name;
      return [path, text];
    }),
  );
}

/** Reads JSON that a person gave; undefined for what is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
