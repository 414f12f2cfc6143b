/** Core packages and their ranks: a package imports only lower ones. */
export const CORE_RANKS: Readonly<Record<string, number>> = {
  "core/base": 0,
  "core/codec": 1,
  "core/crypto": 1,
  "core/wasm": 1,
  "core/state": 2,
  "core/vm": 3,
  "core/execution": 4,
  "core/txpool": 5,
  "core/dissemination": 5,
  "core/consensus": 5,
  "core/rpc-schema": 5,
};

/** The package that a file is of: `core/vm/precompiles/x.ts` -> `core/vm`, `modules/staking/chain/x.ts` -> `modules/staking/chain`. The
 * simulator and the sdk are one package each, and so are the manifests of all modules. */
export function packageOf(path: string): string {
  const parts = path.split("/");
  const [first = "", second = "", third = ""] = parts;
  if (first === "sim" || first === "sdk") return first;
  if (first !== "modules") return `${first}/${second}`;
  const isPart = parts.length > 3 && (third === "chain" || third === "service");
  return isPart ? `modules/${second}/${third}` : "modules";
}

const CHAIN_PACKAGE = /^modules\/[a-z-]+\/chain$/;
const SERVICE_PACKAGE = /^(modules\/[a-z-]+)\/service$/;

/** What all nodes must compute alike: core, and the chain parts of modules. */
export function isDeterministic(packageFolder: string): boolean {
  return packageFolder.startsWith("core/") || CHAIN_PACKAGE.test(packageFolder);
}

/** Whether one package of this repository may import another. */
export function mayImport(from: string, to: string): boolean {
  const fromRank = CORE_RANKS[from];
  const toRank = CORE_RANKS[to];
  if (fromRank !== undefined) return toRank !== undefined && toRank < fromRank;
  const isCore = to.startsWith("core/");
  if (from === "node/runtime") return isCore || to.startsWith("node/");
  if (from.startsWith("node/") || from === "sdk" || CHAIN_PACKAGE.test(from)) return isCore;
  if (from === "modules") return to === "node/runtime";
  const service = SERVICE_PACKAGE.exec(from);
  if (service !== null)
    return isCore || to === `${service[1]}/chain` || to === "node/runtime" || to === "sdk";
  // A whole network, with what runs beside its nodes.
  if (from === "sim") return isCore || to.startsWith("node/") || to.startsWith("modules/");
  return from.startsWith("apps/");
}

/** What a package may import from outside of this repository; undefined: whatever its package.json names. */
export function allowedOutside(packageFolder: string): RegExp | undefined {
  if (packageFolder.startsWith("core/")) return /^@noble\//;
  // Nothing at all.
  if (CHAIN_PACKAGE.test(packageFolder)) return /(?!)/;
  if (packageFolder === "sdk") return /^viem(?:\/|$)/;
  if (SERVICE_PACKAGE.test(packageFolder) || packageFolder === "modules") return /^(?:viem(?:\/|$)|node:)/;
  return undefined;
}

/** What the compiler cannot stop in core, because plain JavaScript has it. */
export const BANNED_IN_CORE: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /\bDate\b\s*[.(]|\bnew Date\b/, why: "time arrives in inputs" },
  { pattern: /\bMath\.random\b/, why: "randomness arrives in inputs" },
  {
    pattern: /\bMath\.(?:sin|cos|tan|exp|log|log2|log10|pow|sqrt|cbrt|hypot)\b/,
    why: "floats differ between machines",
  },
  { pattern: /\basync\b|\bawait\b|\bPromise\b/, why: "core never waits" },
  { pattern: /\bsetTimeout\b|\bsetInterval\b|\bqueueMicrotask\b/, why: "timers are effects" },
  {
    pattern: /\bconsole\b|\bprocess\.|\bglobalThis\b(?!.*(?:TextEncoder|TextDecoder))/,
    why: "input and output belong to node/",
  },
  { pattern: /\blocaleCompare\b|\btoLocale\w+|\bIntl\b/, why: "locales differ between machines" },
  { pattern: /\bcrypto\.getRandomValues\b/, why: "randomness arrives in inputs" },
  { pattern: /\bparseFloat\b|\bWeakRef\b|\bFinalizationRegistry\b/, why: "not deterministic" },
];

export const MAX_FILE_LINES = 400;
export const MAX_FUNCTION_LINES = 70;

/** Where the limits are exceeded today, with what they have: these numbers go down, never up. */
export const LENGTH_RATCHET: {
  readonly files: Readonly<Record<string, number>>;
  readonly functions: Readonly<Record<string, number>>;
} = {
  files: {},
  functions: {},
};
