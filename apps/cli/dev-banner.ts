import { toHex } from "@ostrom/base";
import { checksumAddress, type DevelopmentNode, type DevelopmentOptions } from "@ostrom/dev";

const WEI_PER_COIN = 10n ** 18n;

/** What `ostrom dev` prints when it is ready. */
export function devBanner(node: DevelopmentNode, options: DevelopmentOptions): string {
  const { accounts, port } = node;
  const coins = options.balance / WEI_PER_COIN;
  const width = String(accounts.length - 1).length;
  const rows = (text: (account: (typeof accounts)[number]) => string): readonly string[] =>
    accounts.map((account, index) => `(${String(index).padStart(width)}) ${text(account)}`);
  const isOpen = options.allowsNetwork;
  return [
    "",
    "Available Accounts",
    "==================",
    ...rows(({ address }) => `${checksumAddress(address)} (${coins} ETH)`),
    "",
    "Private Keys",
    "==================",
    ...rows(({ secretKey }) => toHex(secretKey)),
    "",
    "WARNING: everybody knows these accounts and their keys. Whatever is sent to them on a live network IS LOST.",
    ...(isOpen ? ["WARNING: other machines can reach this chain, and can do anything to it.", ""] : [""]),
    `Chain ID ${options.chainId}, ${options.fork}, gas limit ${options.blockGasLimit}, ${mining(options)}`,
    `Listening on ${options.host}:${port} (http and ws)`,
    "",
  ].join("\n");
}

function mining({ isAutomining, interval }: DevelopmentOptions): string {
  const at = interval === undefined ? undefined : `a block each ${interval.minMs / 1_000} s`;
  if (isAutomining)
    return at === undefined ? "a block at each transaction" : `a block at each transaction and ${at}`;
  return at ?? "blocks on demand";
}

/** The same for programs. */
export function devReadyEvent(
  node: DevelopmentNode,
  { host, chainId, fork }: DevelopmentOptions,
): Readonly<Record<string, unknown>> {
  return {
    event: "ready",
    rpc: `http://${host}:${node.port}`,
    webSocket: `ws://${host}:${node.port}`,
    chainId: Number(chainId),
    hardfork: fork,
    accounts: node.accounts.map(({ address, secretKey }) => ({
      address: checksumAddress(address),
      privateKey: toHex(secretKey),
    })),
  };
}
