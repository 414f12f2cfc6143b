import { createPublicClient, createWalletClient, type Hex, http, type TransactionReceipt } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { UsageError } from "./command.ts";
import { ask, askMany } from "./rpc-client.ts";

const POLLING_INTERVAL_MS = 50;
const RECEIPT_TIMEOUT_MS = 60_000;

type ViemError = { readonly shortMessage?: string; readonly details?: string; readonly message: string };

/** An account that signs, and the node that it sends to. */
export type Wallet = {
  readonly account: PrivateKeyAccount;
  readonly chainId: number;
  /** @returns the hash. @throws UsageError with the node's own words if it refuses. */
  readonly send: (transaction: {
    readonly to?: Hex;
    readonly data: Hex;
    readonly value: bigint;
  }) => Promise<Hex>;
  /** @throws UsageError if no receipt comes, with what became of the transaction. */
  readonly receipt: (hash: Hex) => Promise<TransactionReceipt>;
};

/** @throws UsageError if nobody answers at `rpc`. */
export async function connectWallet(rpc: string, secretKey: Hex): Promise<Wallet> {
  const id = Number(await ask<string>(rpc, "eth_chainId"));
  const transport = http(rpc);
  const chain = {
    id,
    name: "Ostrom",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  };
  const account = privateKeyToAccount(secretKey);
  const wallet = createWalletClient({ account, chain, transport });
  const client = createPublicClient({ chain, transport, pollingInterval: POLLING_INTERVAL_MS });
  return {
    account,
    chainId: id,
    send: (transaction) =>
      wallet.sendTransaction(transaction).catch((error: ViemError) => {
        // The node's own words, where it has said something.
        throw new UsageError(error.details ?? error.shortMessage ?? error.message);
      }),
    receipt: (hash) =>
      client
        .waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS })
        .catch(async (error: ViemError) => {
          throw new UsageError(`${hash} was sent, but ${await describeFate(rpc, hash, error)}`);
        }),
  };
}

/** Why there is no receipt, as the node sees it. */
async function describeFate(rpc: string, hash: string, error: ViemError): Promise<string> {
  const [answer] = await askMany(rpc, [{ method: "ostrom_getTransactionStatus", params: [hash] }]);
  const fate = answer?.result as { readonly status?: string; readonly message?: string } | undefined;
  if (fate?.status === "dropped") return `was dropped: ${fate.message}`;
  if (fate?.status === undefined) return `no receipt came: ${error.shortMessage ?? error.message}`;
  return (
    `has no receipt after ${RECEIPT_TIMEOUT_MS / 1_000} s (${fate.status}): ` +
    "see with ostrom status whether the chain goes on, and whether an earlier nonce is missing"
  );
}
