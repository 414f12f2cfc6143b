import { addressFromHex } from "@ostrom/base";
import { mnemonicToAccount } from "viem/accounts";
import type { RpcLimits } from "../limits.ts";
import { createRpcServer, type RpcServer } from "../server.ts";
import { createMemoryChain, type MemoryChain, type MemoryChainOptions } from "./memory-backend.ts";

/** The usual development mnemonic's first accounts. */
export const ACCOUNTS: readonly ReturnType<typeof mnemonicToAccount>[] = [0, 1, 2, 3].map((addressIndex) =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex }),
);

const ETHER = 10n ** 18n;

export type ServedChain = {
  readonly chain: MemoryChain;
  readonly server: RpcServer;
  readonly http: string;
  readonly webSocket: string;
  readonly stop: () => Promise<void>;
};

/** A chain in memory, with funded accounts, behind a real server on a free port of 127.0.0.1. */
export async function serveChain(
  options: Partial<MemoryChainOptions> = {},
  limits: Partial<RpcLimits> = {},
  nowMs: () => number = Date.now,
): Promise<ServedChain> {
  const chain = createMemoryChain({
    accounts: ACCOUNTS.map(({ address }) => ({ address: addressFromHex(address), balance: 10_000n * ETHER })),
    ...options,
  });
  const server = createRpcServer({
    backend: chain.backend,
    port: 0,
    limits,
    nowMs,
    log: (level, message, fields) => console.error(level, message, fields),
  });
  const { port } = await server.start();
  return {
    chain,
    server,
    http: `http://127.0.0.1:${port}`,
    webSocket: `ws://127.0.0.1:${port}`,
    stop: server.stop,
  };
}
