import { randomUUID } from "node:crypto";
import { keccak256, toEventSelector, toFunctionSelector, toFunctionSignature } from "viem";
import type { ChainSource } from "./chain-source.ts";
import { constructorArguments, matchDeployed } from "./code-match.ts";
import type { CompiledContract, CompilerOutput, Compilers } from "./compiler.ts";
import {
  type CompilerInput,
  compilerInputText,
  readCompilerInput,
  targetOfMetadata,
} from "./compiler-input.ts";
import { bytes, bytesArray, type Database, storable, textArray } from "./database.ts";
import { RestProblem } from "./problem.ts";
import type { Hex, RestVerification, SourceMatch, VerificationRequest } from "./rest-types.ts";
import { hex } from "./unwind.ts";

/** Compares sources with what stands on the chain: asked by REST, and by the interfaces of Etherscan and Sourcify that tools speak. */
export type Verification = {
  readonly compilers: Compilers;
  /** Begins one. @throws RestProblem for what is no request. */
  readonly submit: (request: VerificationRequest) => RestVerification;
  readonly find: (id: string) => RestVerification | undefined;
  readonly hasCode: (address: string) => Promise<boolean>;
};

const REMEMBERED = 1_000;
const MAX_PENDING = 32;
const MAX_ERRORS = 20;
const MAX_ERROR_CHARACTERS = 2_000;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const BAD_ARGUMENTS =
  "the constructor's arguments are others: please provide the correct constructor argument(s) of the creation";

export function createVerification(
  database: Database,
  source: ChainSource,
  compilers: Compilers,
): Verification {
  const all = new Map<string, RestVerification>();
  let pending = 0;
  const remember = (entry: RestVerification): void => {
    all.set(entry.id, entry);
    if (all.size > REMEMBERED) all.delete(all.keys().next().value!);
  };
  return {
    compilers,
    find: (id) => all.get(id),
    hasCode: async (address) => (await codeAt(source, address)) !== "",
    submit: (request) => {
      if (!ADDRESS.test(request.address))
        throw new RestProblem(400, "bad-request", "address: expected 0x and 40 hexadecimal digits");
      if (typeof request.compiler !== "string")
        throw new RestProblem(
          400,
          "bad-request",
          "compiler: expected a version such as v0.8.37+commit.01234567",
        );
      if (pending >= MAX_PENDING)
        throw new RestProblem(503, "busy", "too many verifications wait: try again later");
      const address = request.address.toLowerCase() as Hex;
      const entry: RestVerification = {
        id: randomUUID(),
        address,
        state: "pending",
        match: null,
        code: null,
        detail: null,
        errors: [],
      };
      const input = readCompilerInput(request);
      remember(entry);
      pending++;
      void verify(database, source, compilers, { ...request, address }, input)
        .then((match) => remember({ ...entry, state: "verified", match }))
        .catch((error: unknown) => remember({ ...entry, state: "failed", ...failureOf(error) }))
        .finally(() => {
          pending--;
        });
      return entry;
    },
  };
}

/** Errors of the compiler, as it said them. */
class CompilationError extends RestProblem {
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(400, "compilation-failed", errors[0] ?? "the sources do not compile");
    this.errors = errors.slice(0, MAX_ERRORS).map((text) => text.slice(0, MAX_ERROR_CHARACTERS));
  }
}

function failureOf(error: unknown): Pick<RestVerification, "code" | "detail" | "errors"> {
  if (error instanceof RestProblem) {
    const errors = error instanceof CompilationError ? error.errors : [];
    return { code: error.code, detail: error.message.slice(0, MAX_ERROR_CHARACTERS), errors };
  }
  return { code: "internal", detail: (error as Error).message, errors: [] };
}

async function codeAt(source: ChainSource, address: string): Promise<string> {
  return (await source.ask<string>("eth_getCode", [address, "latest"])).slice(2);
}

async function verify(
  database: Database,
  source: ChainSource,
  compilers: Compilers,
  request: VerificationRequest & { readonly address: Hex },
  input: CompilerInput,
): Promise<SourceMatch> {
  const deployed = await codeAt(source, request.address);
  if (deployed === "") throw new RestProblem(400, "no-code", `there is no contract at ${request.address}`);
  const output = await compilers.compile(request.compiler, compilerInputText(input));
  const errors = (output.errors ?? [])
    .filter(({ severity }) => severity === "error")
    .map(({ formattedMessage, message }) => formattedMessage ?? message);
  if (errors.length > 0) throw new CompilationError(errors);
  const found = findMatch(output, request.qualifiedName ?? targetOfMetadata(request.metadata), deployed);
  const { match } = found;
  const trusted =
    match === "full" && !hasOwnMetadata(input) ? { ...found, match: "partial" as const } : found;
  const proved = await proveArguments(database, request, found.contract);
  const codeHash = keccak256(`0x${deployed}`);
  // What was shown first stays until something better comes, so that no stranger changes names and comments of a verified contract.
  const known = await knownMatch(database, request.address, codeHash);
  if (known === "full" || known === trusted.match) return known;
  await store(database, request, input, trusted, proved, codeHash);
  return trusted.match;
}

/** Whether a hash of metadata in the code can only have been put there by the compiler: Yul's `verbatim` makes any bytes, and so does whoever
 * has the compiler leave its own out. */
function hasOwnMetadata({ language, settings }: CompilerInput): boolean {
  const metadata = settings["metadata"] as Readonly<Record<string, unknown>> | null | undefined;
  return (
    language === "Solidity" && metadata?.["appendCBOR"] !== false && metadata?.["bytecodeHash"] !== "none"
  );
}

/** The match of the code that stands there now; undefined where nobody has shown its source. */
async function knownMatch(database: Database, address: Hex, codeHash: Hex): Promise<SourceMatch | undefined> {
  const [row] = await database.query({
    text: "SELECT match FROM sources WHERE address = $1::bytea AND code_hash = $2::bytea",
    parameters: [bytes(address), bytes(codeHash)],
  });
  return row?.["match"] as SourceMatch | undefined;
}

type Match = {
  readonly path: string;
  readonly name: string;
  readonly contract: CompiledContract;
  readonly match: SourceMatch;
  readonly libraries: Readonly<Record<string, Hex>>;
};

/** The best match among what was compiled. */
function findMatch(output: CompilerOutput, asked: string | undefined, deployed: string): Match {
  const all = Object.entries(output.contracts ?? {}).flatMap(([path, contracts]) =>
    Object.entries(contracts).map(([name, contract]) => ({ path, name, contract })),
  );
  // Etherscan's interface names contracts with or without their file.
  const candidates = all.filter(
    ({ path, name }) => asked === undefined || asked === name || asked === `${path}:${name}`,
  );
  if (candidates.length === 0)
    throw new RestProblem(400, "no-such-contract", `the sources have no contract ${asked ?? ""}`);
  const matches = candidates.flatMap((candidate) => {
    const found = matchDeployed(candidate.contract.evm.deployedBytecode, deployed);
    return found === undefined ? [] : [{ ...candidate, ...found }];
  });
  const best = matches.find(({ match }) => match === "full") ?? matches[0];
  if (best !== undefined) return best;
  throw new RestProblem(
    400,
    "no-match",
    "the compiled code is not that of the contract: other sources, compiler version, optimizer or EVM version",
  );
}

/** What followed the creation code in the transaction that made the contract, where the index knows it.
 * @throws RestProblem if other arguments were given. */
async function proveArguments(
  database: Database,
  request: VerificationRequest,
  contract: CompiledContract,
): Promise<string | undefined> {
  const given = request.constructorArguments?.replace(/^0x/, "").toLowerCase();
  const [row] = await database.query({
    text: `SELECT ${hex("x.input")} AS input FROM contracts c JOIN transactions x ON x.position = c.position AND x.created = c.address
      WHERE c.address = $1::bytea`,
    parameters: [bytes(request.address)],
  });
  if (row === undefined) return undefined;
  const proved = constructorArguments(contract.evm.bytecode, String(row["input"]).slice(2));
  if (proved !== undefined && given !== undefined && given !== "" && given !== proved)
    throw new RestProblem(400, "constructor-arguments", BAD_ARGUMENTS);
  return proved;
}

async function store(
  database: Database,
  { address, compiler }: VerificationRequest,
  input: CompilerInput,
  { path, name, contract, match, libraries }: Match,
  proved: string | undefined,
  codeHash: string,
): Promise<void> {
  const used = JSON.parse(contract.metadata || "{}") as {
    readonly sources?: Readonly<Record<string, unknown>>;
    readonly settings?: { readonly evmVersion?: string };
    readonly compiler?: { readonly version: string };
  };
  const sources = Object.entries(input.sources)
    .filter(([file]) => used.sources === undefined || Object.hasOwn(used.sources, file))
    .map(([file, { content }]) => ({ path: file, content }));
  const { abi = [] } = contract;
  const signatures = signaturesOf(abi);
  await database.transaction([
    {
      text: `INSERT INTO contracts (address) VALUES ($1::bytea) ON CONFLICT (address) DO NOTHING`,
      parameters: [bytes(address)],
    },
    { text: "DELETE FROM sources WHERE address = $1::bytea", parameters: [bytes(address)] },
    {
      text: `INSERT INTO sources VALUES ($1::bytea, $2::text, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::bytea, $9::text, $10::text,
        $11::text, $12::bytea, $13::text, $14::text, $15::text)`,
      parameters: [
        bytes(address),
        storable(`${path}:${name}`),
        storable(name),
        used.compiler?.version ?? compiler.replace(/^v/, ""),
        input.language,
        match,
        Math.floor(Date.now() / 1_000),
        bytes(codeHash),
        storable(JSON.stringify(sources)),
        storable(JSON.stringify(abi)),
        storable(JSON.stringify(input.settings)),
        proved === undefined ? null : `\\x${proved}`,
        JSON.stringify(libraries),
        contract.storageLayout === undefined ? null : storable(JSON.stringify(contract.storageLayout)),
        used.settings?.evmVersion ?? null,
      ],
    },
    {
      text: "INSERT INTO signatures SELECT * FROM unnest($1::bytea[], $2::text[]) ON CONFLICT DO NOTHING",
      parameters: [
        bytesArray(signatures.map(([selector]) => selector)),
        textArray(signatures.map(([, signature]) => signature)),
      ],
    },
  ]);
}

/** Selector and signature of each function, error and event. */
function signaturesOf(abi: readonly unknown[]): readonly (readonly [string, string])[] {
  return (abi as readonly { readonly type: string }[]).flatMap((item) => {
    if (item.type !== "function" && item.type !== "error" && item.type !== "event") return [];
    // Errors have the signatures and selectors of functions.
    const entry = { ...item, type: "function" } as unknown as Parameters<typeof toFunctionSelector>[0];
    const signature = toFunctionSignature(entry);
    return [
      [item.type === "event" ? toEventSelector(signature) : toFunctionSelector(entry), signature] as const,
    ];
  });
}
