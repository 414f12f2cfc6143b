import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MODULES } from "@ostrom/modules";
import { createMethods, describeMethods, type MethodDescription, RPC_ERROR } from "@ostrom/rpc";
import { importServiceModules } from "@ostrom/runtime";

/** What was asked of a real node, and what it answered. */
export type RpcExample = {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
};

export const EXAMPLES_FILE: string = join(import.meta.dirname, "rpc-examples.json");

const FAMILIES: Readonly<Record<string, string>> = {
  eth: "Ethereum's execution API: blocks, state, transactions, logs, subscriptions.",
  net: "The network, as Ethereum's clients tell of it.",
  web3: "Client version and hashing.",
  txpool: "What waits to be included.",
  debug: "Raw blocks and receipts; traces.",
  ots: "What Otterscan and explorers like it ask.",
  ostrom: "What this chain has besides: state certificates, proofs, validators, batches, traffic.",
  admin: "For the node's operator: see who may ask what in [node/rpc](../node/rpc/README.md).",
  rpc: "The list of methods itself.",
  evm: "The development chain (`ostrom dev`) alone.",
  hardhat: "The development chain alone, as Hardhat's network helpers ask.",
  anvil: "The development chain alone, as Foundry's users ask.",
};

/** What answers may be, with what to do. The names are those of node/rpc. */
const ERRORS: Readonly<Record<keyof typeof RPC_ERROR, string>> = {
  parse: "the body is no JSON",
  invalidRequest: "JSON, but no request: `jsonrpc`, `method` and `params` as JSON-RPC 2.0 has them",
  methodNotFound: "no such method here: `rpc_modules` and `rpc.discover` tell which there are",
  invalidParams: "a parameter is missing, too many, or of the wrong form; the message says which",
  internal: "a fault of the node: its log has more",
  server: "the pool or the state refuses; the message says why, in geth's words",
  timeout: "the work did not end in time: ask for less",
  limitExceeded: "beyond a named limit, or the node is busy: `data.retryAfterMs` says when to try again",
  executionReverted:
    "the call reverted; `data` is the revert data, the message has the reason if it can be read",
  syncTimeout: "EIP-7966: sent, but no receipt in time; `data` is the transaction's hash",
  syncUnready: "EIP-7966: sent, but a nonce before it is missing; `data` is the transaction's hash",
  unauthorized: "who asks has not said who it is (show a token), or may not",
  historyPruned: "the block's body is pruned here: ask an archive node",
};

/** The JSON-RPC reference in Markdown, of the methods' own descriptions and of examples that a real node has answered. */
export async function rpcReference(): Promise<string> {
  const methods = await describedMethods();
  const examples = readExamples();
  const families = [...new Set(methods.map(familyOf))];
  return [
    "# JSON-RPC reference",
    "",
    "HTTP and WebSocket on the same port (8545 unless told otherwise), JSON-RPC 2.0, batches included. This page is made of what the node itself says of",
    "its methods (`rpc.discover` answers the same as an OpenRPC document), and each example was answered by a real node.",
    "Encodings are Ethereum's: quantities are `0x` and the shortest hex digits, data have two digits a byte. Limits and roles are in [node/rpc](../node/rpc/README.md).",
    "",
    "Methods of a module (`membership_...`, `staking_...`) are there on chains that have it active.",
    "",
    "## Errors",
    "",
    "| code | name | means |",
    "| --- | --- | --- |",
    ...Object.entries(RPC_ERROR).map(
      ([name, code]) => `| ${code} | ${name} | ${ERRORS[name as keyof typeof RPC_ERROR]} |`,
    ),
    "",
    ...families.flatMap((family) => [
      `## ${family}`,
      "",
      ...(FAMILIES[family] === undefined ? [] : [FAMILIES[family], ""]),
      ...methods
        .filter((method) => familyOf(method) === family)
        .flatMap((method) => methodLines(method, examples)),
    ]),
  ].join("\n");
}

/** All methods that a node of this program has, those of modules included. */
export async function describedMethods(): Promise<readonly MethodDescription[]> {
  const services = await importServiceModules(MODULES);
  const ofModules = services.flatMap(({ rpc = [] }) => rpc);
  const described = ofModules.map(({ name, summary, parameters, returns }) => ({
    name,
    summary,
    parameters: parameters.map(({ name: parameter, type, isRequired }) => ({
      name: parameter,
      type,
      isRequired,
    })),
    returns,
  }));
  return [...describeMethods(createMethods()), ...described].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function readExamples(): readonly RpcExample[] {
  return existsSync(EXAMPLES_FILE) ? (JSON.parse(readFileSync(EXAMPLES_FILE, "utf8")) as RpcExample[]) : [];
}

function familyOf({ name }: MethodDescription): string {
  return name.split(/[_.]/)[0]!;
}

function methodLines(method: MethodDescription, examples: readonly RpcExample[]): readonly string[] {
  const { name, summary, parameters, returns } = method;
  const shown = examples.filter((example) => example.method === name);
  return [
    `### ${name}`,
    "",
    summary,
    "",
    ...(parameters.length === 0
      ? ["No parameters.", ""]
      : [
          "| parameter | type | |",
          "| --- | --- | --- |",
          ...parameters.map(
            ({ name: parameter, type, isRequired }) =>
              `| ${parameter} | ${escapeCell(type)} | ${isRequired ? "required" : "optional"} |`,
          ),
          "",
        ]),
    `Result: ${returns}`,
    "",
    ...shown.flatMap(exampleLines),
  ];
}

function exampleLines({ method, params, result, error }: RpcExample): readonly string[] {
  const answer = error === undefined ? { jsonrpc: "2.0", id: 1, result } : { jsonrpc: "2.0", id: 1, error };
  return [
    "```json",
    JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    "```",
    "",
    "```json",
    JSON.stringify(answer, undefined, 2),
    "```",
    "",
  ];
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
