import { RestProblem } from "./problem.ts";
import type { RestSource, RestVerification } from "./rest-types.ts";
import type { RestServices } from "./route.ts";
import { readSource } from "./source-reader.ts";

/** The part of Etherscan's interface that tools use to verify contracts and to read what is verified. Blockscout speaks the same, but for a few
 * words: its requests name no chain. Source: docs.etherscan.io, "Contracts"; the providers of hardhat-verify 3. */
export type EtherscanAnswer = {
  readonly status: "0" | "1";
  readonly message: "OK" | "NOTOK";
  readonly result: unknown;
};

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** @param query of the address, @param form of the body: what tools put where differs. */
export async function etherscanAnswer(
  services: RestServices,
  method: string,
  query: URLSearchParams,
  form: URLSearchParams,
): Promise<EtherscanAnswer> {
  const read = (name: string): string => form.get(name) ?? query.get(name) ?? "";
  const { chainId } = services.status();
  const chain = read("chainid");
  if (read("module") !== "contract") return refused("Error! Missing Or invalid Module name");
  if (chain !== "" && chainId !== null && chain !== String(chainId))
    return refused(`Unsupported chainid ${chain}: this is chain ${chainId}`);
  const isBlockscout = chain === "";
  switch (read("action").toLowerCase()) {
    case "verifysourcecode":
      // What any page may read must not set a compiler to work: a link or an image of a foreign page is a GET.
      return method === "POST"
        ? submit(services, read, isBlockscout)
        : refused("Send verifysourcecode by POST");
    case "checkverifystatus":
      return status(services, read("guid"), isBlockscout);
    case "getsourcecode":
      return sourceCode(services, read("address"));
    case "getabi":
      return abi(services, read("address"));
    default:
      return refused("Error! Missing Or invalid Action name");
  }
}

function ok(result: unknown): EtherscanAnswer {
  return { status: "1", message: "OK", result };
}

function refused(result: string): EtherscanAnswer {
  return { status: "0", message: "NOTOK", result };
}

async function submit(
  services: RestServices,
  read: (name: string) => string,
  isBlockscout: boolean,
): Promise<EtherscanAnswer> {
  const address = read("contractaddress").toLowerCase();
  if (!ADDRESS.test(address)) return refused("Invalid Address format");
  if (!(await services.verification.hasCode(address)))
    return refused(
      isBlockscout ? "The address is not a smart contract" : `Unable to locate ContractCode at ${address}`,
    );
  const known = await readSource(services.database, address);
  if (known?.match === "full")
    return refused(
      isBlockscout ? "Smart-contract already verified." : "Contract source code already verified",
    );
  const format = read("codeformat");
  if (format !== "solidity-standard-json-input")
    return refused(`Invalid codeformat: only solidity-standard-json-input is taken, not "${format}"`);
  try {
    const { id } = services.verification.submit({
      address: address as `0x${string}`,
      compiler: read("compilerversion"),
      qualifiedName: read("contractname"),
      input: JSON.parse(read("sourceCode")),
      // Etherscan's own misspelling has been its name for years.
      constructorArguments: read("constructorArguments") || read("constructorArguements"),
    });
    return ok(id);
  } catch (error) {
    if (error instanceof RestProblem || error instanceof SyntaxError) return refused(error.message);
    throw error;
  }
}

function status({ verification }: RestServices, id: string, isBlockscout: boolean): EtherscanAnswer {
  const found = verification.find(id);
  if (found === undefined) return refused("Unknown UID");
  switch (found.state) {
    case "pending":
      return isBlockscout ? ok("Pending in queue") : refused("Pending in queue");
    case "verified":
      return ok("Pass - Verified");
    case "failed":
      return isBlockscout ? ok("Fail - Unable to verify") : refused(failure(found));
    default:
      return found.state satisfies never;
  }
}

function failure({ detail, errors }: RestVerification): string {
  return `Fail - Unable to verify. ${errors[0] ?? detail ?? ""}`.trim();
}

async function sourceCode({ database }: RestServices, address: string): Promise<EtherscanAnswer> {
  if (!ADDRESS.test(address)) return refused("Invalid Address format");
  const source = await readSource(database, address.toLowerCase());
  return ok([source === undefined ? unverified() : verified(source)]);
}

function unverified(): object {
  return {
    SourceCode: "",
    ABI: "Contract source code not verified",
    ContractName: "",
    CompilerVersion: "",
    OptimizationUsed: "",
    Runs: "",
    ConstructorArguments: "",
    EVMVersion: "Default",
    Library: "",
    LicenseType: "Unknown",
    Proxy: "0",
    Implementation: "",
    SwarmSource: "",
  };
}

function verified(source: RestSource): object {
  const optimizer = source.settings["optimizer"] as
    | { readonly enabled?: boolean; readonly runs?: number }
    | undefined;
  const sources = Object.fromEntries(source.sources.map(({ path, content }) => [path, { content }]));
  const input = { language: source.language, sources, settings: source.settings };
  return {
    // Two braces: Etherscan's mark of standard JSON input.
    SourceCode: `{${JSON.stringify(input)}}`,
    ABI: JSON.stringify(source.abi),
    ContractName: source.name,
    CompilerVersion: `v${source.compiler}`,
    OptimizationUsed: optimizer?.enabled === true ? "1" : "0",
    Runs: String(optimizer?.runs ?? 200),
    ConstructorArguments: source.constructorArguments?.slice(2) ?? "",
    EVMVersion: source.evmVersion ?? "Default",
    Library: Object.entries(source.libraries)
      .map(([name, address]) => `${name.slice(name.lastIndexOf(":") + 1)}:${address}`)
      .join(";"),
    LicenseType: "Unknown",
    Proxy: "0",
    Implementation: "",
    SwarmSource: "",
    ContractFileName: source.qualifiedName.slice(0, source.qualifiedName.lastIndexOf(":")),
  };
}

async function abi({ database }: RestServices, address: string): Promise<EtherscanAnswer> {
  if (!ADDRESS.test(address)) return refused("Invalid Address format");
  const source = await readSource(database, address.toLowerCase());
  return source === undefined ? refused("Contract source code not verified") : ok(JSON.stringify(source.abi));
}
