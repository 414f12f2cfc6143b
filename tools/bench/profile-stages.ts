/** Where the time of a transaction goes. */
export const STAGES = [
  "JSON-RPC and HTTP",
  "hashing",
  "signatures of transactions",
  "signatures of votes",
  "encoding",
  "pool and intake",
  "gossip, links, TLS",
  "consensus",
  "execution",
  "trie and state",
  "storage",
  "between threads",
  "loading of code",
  "garbage collection",
  "V8 and native code outside of JavaScript",
  "V8's helper threads",
  "other threads",
  "the profiler",
  "other",
] as const;
export type Stage = (typeof STAGES)[number];

/** A function fits if all that is said of it holds. */
type Rule = { readonly stage: Stage; readonly file?: RegExp; readonly name?: RegExp };

/** The first rule that a function fits decides; where none does, it counts as part of what called it. */
const RULES: readonly Rule[] = [
  { stage: "garbage collection", name: /^\(garbage collector\)$/ },
  { stage: "V8 and native code outside of JavaScript", name: /^\(program\)$/ },
  { stage: "loading of code", file: /^node:internal\/(modules|bootstrap|main)|\/cleanup\.ts$/ },
  { stage: "hashing", file: /@noble\/hashes|emitted-(keccak|blake2)|core\/crypto\/(noble-hash|plain-)/ },
  { stage: "hashing", name: /^(keccak256|keccak|oneShotDigest|hash)$/ },
  {
    stage: "signatures of votes",
    name: /^(verifyAggregate|verifyBatch|aggregateVerify|aggregate)$/,
  },
  { stage: "signatures of votes", file: /native-crypto(-bls12381)?\.ts$/, name: /^sign$/ },
  {
    stage: "signatures of transactions",
    file: /signature-(worker|checker)\.ts|native-crypto-|@chainsafe\/blst|node_modules\/secp256k1|@noble\/curves|core\/crypto\/|execution\/signature\.ts/,
  },
  { stage: "storage", file: /node\/storage\/|classic-level|abstract-level|\/executor-store/ },
  { stage: "trie and state", file: /core\/state\// },
  { stage: "encoding", file: /core\/codec\/|core\/base\// },
  {
    stage: "between threads",
    file: /packed-bytes|worker-calls|node:internal\/(worker|per_context\/messageport)/,
  },
  { stage: "execution", file: /core\/(execution|vm|wasm)\/|runtime\/(executor|execution-)/ },
  { stage: "pool and intake", file: /core\/txpool\/|runtime\/(intake|pool-rules|transaction-traffic)/ },
  {
    stage: "JSON-RPC and HTTP",
    file: /node\/rpc\/|runtime\/(rpc-|chain-view|query-)|node:_http|node_modules\/ws\//,
  },
  {
    stage: "gossip, links, TLS",
    file: /node\/network\/|runtime\/(node-links|link-|messenger|peer-)|node:(_tls|internal\/tls)/,
  },
  {
    stage: "consensus",
    file: /core\/(consensus|dissemination)\/|runtime\/(ordering|epoch-|certifier|statement-desk|vote-journal|payload-|chain-follower|effect-queue|machine|evidence|node-core|signing-guard)/,
  },
];

/** What Node itself does on a thread for nobody in particular. */
const NODE_WORK: Readonly<Record<string, Stage>> = {
  main: "gossip, links, TLS",
  "json-rpc": "JSON-RPC and HTTP",
};

export type CallFrame = { readonly functionName: string; readonly url: string };

/** Threads that no profile shows, by their names. */
const UNSEEN_THREADS: readonly (readonly [name: RegExp, stage: Stage])[] = [
  [/V8Worker/, "V8's helper threads"],
  [/ProfEvntProc/, "the profiler"],
];

/** The stage of a whole thread that has no profile. */
export function stageOfThread(thread: string): Stage {
  return UNSEEN_THREADS.find(([name]) => name.test(thread))?.[1] ?? "other threads";
}

/** The stage of a function by itself; undefined: that of its caller. */
export function stageOfFrame({ functionName, url }: CallFrame): Stage | undefined {
  const fits = ({ file, name }: Rule): boolean =>
    (file?.test(url) ?? true) && (name?.test(functionName) ?? true);
  return RULES.find(fits)?.stage;
}

/** The stage of what no rule knows, all the way to the root. */
export function stageOfRest(thread: string, { url }: CallFrame): Stage {
  if (url.startsWith("node:internal/worker") || url.includes("messageport")) return "between threads";
  return (url.startsWith("node:") ? NODE_WORK[thread] : undefined) ?? "other";
}
