import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { toHex } from "@ostrom/base";
import { genesisHash } from "@ostrom/execution";
import { GENESIS_FILE, type NodeConfiguration, readGenesis } from "@ostrom/runtime";
import { bad, type Finding, good, skip, warn } from "./doctor-finding.ts";
import { ask } from "./rpc-client.ts";

const CONNECT_TIMEOUT_MS = 2_000;
/** Votes refuse what is half a second ahead of the voter's clock. */
const SKEW_WARN_MS = 500;
const SKEW_FAIL_MS = 5_000;
const MS_PER_SECOND = 1_000;
/** As far behind others a node may be and still follow. */
const FOLLOWING_BLOCKS = 8;

/** Where somebody answers, or why nobody does. */
type Asked = { readonly url: string } & (
  | {
      readonly genesis: string;
      readonly head: number;
      readonly peers: number;
      readonly skewMs: number | undefined;
    }
  | { readonly problem: string }
);

/** The hash that names the chain, of the folder's genesis.json. */
export function checkGenesis(folder: string): {
  readonly finding: Finding;
  readonly hash: string | undefined;
} {
  const genesis = readGenesis(folder);
  if (!genesis.ok)
    return {
      finding: bad("genesis", genesis.error.message, "copy genesis.json from whoever runs the chain"),
      hash: undefined,
    };
  const hash = toHex(genesisHash(genesis.value));
  return { finding: good("genesis", hash), hash };
}

/** Asks the node itself, if it runs, and others that were named. */
export async function checkNetwork(
  folder: string,
  configuration: NodeConfiguration,
  hash: string | undefined,
  ownUrl: string | undefined,
  others: readonly string[],
): Promise<readonly Finding[]> {
  const urls = [...(ownUrl === undefined ? [] : [ownUrl]), ...others];
  const asked = await Promise.all(urls.map(askNode));
  return [
    checkAnswers(asked, ownUrl),
    checkSameChain(asked, hash),
    checkHeads(asked, ownUrl),
    checkClock(asked),
    await checkPeers(folder, configuration, asked, ownUrl),
  ];
}

async function askNode(url: string): Promise<Asked> {
  try {
    type Block = { readonly hash: string; readonly number: string; readonly timestamp: string };
    const first = await ask<Block>(url, "eth_getBlockByNumber", ["0x0", false]);
    const peers = Number(await ask<string>(url, "net_peerCount"));
    const latest = await ask<Block>(url, "eth_getBlockByNumber", ["latest", false]);
    return {
      url,
      genesis: first.hash,
      head: Number(latest.number),
      peers,
      skewMs: await skewOf(url, latest),
    };
  } catch (error) {
    return { url, problem: (error as Error).message };
  }
}

/** How far this machine's clock is from the node's, by the Date of its answer; where it shows none, by the newest block, which can only be in the past.
 * @returns positive where this clock is behind. */
async function skewOf(url: string, latest: { readonly timestamp: string }): Promise<number | undefined> {
  const blockMs = Number(latest.timestamp) * MS_PER_SECOND;
  const nowMs = Date.now();
  if (blockMs - nowMs > SKEW_WARN_MS) return blockMs - nowMs;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
  });
  await response.text();
  const told = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(told)) return undefined;
  // The header has whole seconds, cut off: anything within one of them is none.
  const ahead = Date.now() - told;
  return ahead >= 0 && ahead < MS_PER_SECOND ? 0 : ahead < 0 ? -ahead : MS_PER_SECOND - ahead;
}

function checkAnswers(asked: readonly Asked[], ownUrl: string | undefined): Finding {
  const silent = asked.flatMap((one) => ("problem" in one ? [one] : []));
  if (asked.length === 0)
    return skip("json-rpc", "the node does not run, and no other was named (--rpc URL)");
  const [first] = silent;
  if (first === undefined)
    return good(
      "json-rpc",
      `${asked.map(({ url }) => url).join(", ")} ${asked.length === 1 ? "answers" : "answer"}`,
    );
  const advice =
    first.url === ownUrl
      ? "see the node's log; if JSON-RPC wants a token, set OSTROM_TOKEN"
      : "is the URL right, and does that node run?";
  return bad("json-rpc", first.problem, advice);
}

function checkSameChain(asked: readonly Asked[], hash: string | undefined): Finding {
  const known = asked.flatMap((one) => ("genesis" in one ? [one] : []));
  if (known.length === 0 || hash === undefined)
    return skip("same-chain", "nobody to compare genesis.json with");
  const other = known.find(({ genesis }) => genesis !== hash);
  return other === undefined
    ? good("same-chain", `${nodesText(known.length)} ${known.length === 1 ? "has" : "have"} this genesis`)
    : bad(
        "same-chain",
        `${other.url} has block 0 ${other.genesis}, genesis.json gives ${hash}`,
        "one of them is of another chain: compare genesis.json with the other operators",
      );
}

function checkHeads(asked: readonly Asked[], ownUrl: string | undefined): Finding {
  const known = asked.flatMap((one) => ("head" in one ? [one] : []));
  const own = known.find(({ url }) => url === ownUrl);
  if (own === undefined) return skip("head", "the node does not answer");
  const highest = Math.max(...known.map(({ head }) => head));
  const behind = highest - own.head;
  return behind <= FOLLOWING_BLOCKS
    ? good("head", `block ${own.head}${known.length > 1 ? `, the others' highest ${highest}` : ""}`)
    : warn(
        "head",
        `block ${own.head}, ${behind} behind`,
        "it is catching up: ostrom status --wait shows how far",
      );
}

function checkClock(asked: readonly Asked[]): Finding {
  const skews = asked.flatMap((one) => ("skewMs" in one && one.skewMs !== undefined ? [one.skewMs] : []));
  if (skews.length === 0) return skip("clock", "no node to compare it with: name others with --rpc");
  const median = skews.sort((a, b) => a - b)[skews.length >> 1]!;
  const found =
    median === 0
      ? `as that of ${nodesText(skews.length)}, to the second`
      : `${Math.abs(median / MS_PER_SECOND).toFixed(1)} s ${median > 0 ? "behind" : "ahead of"} the others'`;
  const advice =
    "let NTP set it (timedatectl set-ntp true): votes refuse blocks half a second ahead of a clock";
  if (Math.abs(median) > SKEW_FAIL_MS) return bad("clock", found, advice);
  return Math.abs(median) > SKEW_WARN_MS ? warn("clock", found, advice) : good("clock", found);
}

type Place = { readonly name: string; readonly host: string; readonly port: number };

/** Whether links can be made: those in genesis, in node.json, and where it begins to look for others. */
async function checkPeers(
  folder: string,
  configuration: NodeConfiguration,
  asked: readonly Asked[],
  ownUrl: string | undefined,
): Promise<Finding> {
  const places = placesOf(folder, configuration);
  const own = asked.find((one) => one.url === ownUrl);
  const linked = own !== undefined && "peers" in own ? `linked with ${own.peers}; ` : "";
  if (places.length === 0)
    return linked === "" ? skip("peers", "the chain has one node") : good("peers", linked.slice(0, -2));
  const reached = await Promise.all(places.map((place) => accepts(place)));
  const silent = places.filter((_, index) => !reached[index]);
  const found = `${linked}${places.length - silent.length} of ${places.length} accept connections`;
  if (silent.length === 0) return good("peers", found);
  const names = silent.map(({ name, host, port }) => `${name} at ${host}:${port}`).join(", ");
  const advice = `not reached: ${names}: do they run, and does a firewall let this machine through?`;
  // Before a chain's first start nobody is there yet.
  return silent.length === places.length && own !== undefined
    ? bad("peers", found, advice)
    : warn("peers", found, advice);
}

function placesOf(folder: string, configuration: NodeConfiguration): readonly Place[] {
  const { name, peerAddresses, peers, bootstrap } = configuration;
  const genesis = JSON.parse(readFileSync(join(folder, GENESIS_FILE), "utf8")) as {
    readonly validators?: readonly Place[];
  };
  const ofGenesis = (genesis.validators ?? [])
    .filter((validator) => validator.name !== name && typeof validator.host === "string")
    .map((validator) => ({ ...validator, ...placeOf(validator.name, peerAddresses[validator.name] ?? "") }));
  const further = [
    ...Object.entries(peers),
    ...bootstrap.map((text) => [text, text.replace(/^.*@/, "")] as const),
  ]
    .map(([label, address]) => placeOf(label.slice(0, 16), address))
    .filter((place) => place !== undefined);
  return [...ofGenesis, ...further];
}

function placeOf(name: string, address: string): Place | undefined {
  const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(address);
  return match === null ? undefined : { name, host: match[1]!, port: Number(match[2]) };
}

function accepts({ host, port }: Place): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (isReached: boolean): void => {
      socket.destroy();
      resolve(isReached);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

function nodesText(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}
