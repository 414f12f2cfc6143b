import { toHex } from "@ostrom/base";
import {
  addressOfPublicKeys,
  type ContractCall,
  KEY_SETS_CONTRACT,
  KEYED_ACCOUNT_CONTRACT,
  keyPairSigner,
  keySetReader,
  toAgileAccount,
} from "@ostrom/sdk";
import {
  createPublicClient,
  createWalletClient,
  getAddress,
  type Hex,
  http,
  type LocalAccount,
  type TransactionReceipt,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { UsageError } from "./command.ts";
import { ask, askMany } from "./rpc-client.ts";
import { ethereumKeys, type SigningKeys } from "./signing-key.ts";

const POLLING_INTERVAL_MS = 50;
const RECEIPT_TIMEOUT_MS = 60_000;
/** A call may need more than was estimated, because other blocks come before it: rewards that a new epoch brought are settled first. No
 * more than half as much again, and than some words of state cost: limits of blocks and transactions hold for large deployments too. */
const MAX_GAS_MARGIN = 100_000n;

const ETHEREUM_SCHEME = "secp256k1";
const NO_CODE = "0x";
/** Code of accounts whose keys are on chain (EIP-7702's designator). */
const KEYED_CODE = `0xef0100${KEYED_ACCOUNT_CONTRACT.slice(2)}`;

type ViemError = { readonly shortMessage?: string; readonly details?: string; readonly message: string };

/** An account that signs, and the node that it sends to. */
export type Wallet = {
  readonly account: LocalAccount;
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

/** @param signer keys of any kind, or the secret key of an Ethereum account.
 * @throws UsageError if nobody answers at `rpc`. */
export async function connectWallet(
  rpc: string,
  signer: Hex | SigningKeys | Promise<SigningKeys>,
): Promise<Wallet> {
  const keys = typeof signer === "string" ? ethereumKeys(signer) : await signer;
  const id = Number(await ask<string>(rpc, "eth_chainId"));
  const transport = http(rpc);
  const chain = {
    id,
    name: "Ostrom",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [rpc] } },
  };
  const account = await accountOf(rpc, keys, id);
  const wallet = createWalletClient({ account, chain, transport });
  const client = createPublicClient({ chain, transport, pollingInterval: POLLING_INTERVAL_MS });
  return {
    account,
    chainId: id,
    send: async (transaction) => {
      try {
        const needed = await client.estimateGas({ account, ...transaction });
        const half = needed / 2n;
        const margin = half < MAX_GAS_MARGIN ? half : MAX_GAS_MARGIN;
        const gas = transaction.data === "0x" ? needed : needed + margin;
        return await wallet.sendTransaction({ ...transaction, gas });
      } catch (error) {
        // The node's own words, where it has said something.
        const { details, shortMessage, message } = error as ViemError;
        throw new UsageError(details ?? shortMessage ?? message);
      }
    },
    receipt: (hash) =>
      client
        .waitForTransactionReceipt({ hash, timeout: RECEIPT_TIMEOUT_MS })
        .catch(async (error: ViemError) => {
          throw new UsageError(`${hash} was sent, but ${await describeFate(rpc, hash, error)}`);
        }),
  };
}

/** How contracts are read by commands. */
export function contractCall(rpc: string): ContractCall {
  return (to, data) => ask<Hex>(rpc, "eth_call", [{ to, data }, "latest"]);
}

/** @throws UsageError where accounts have no keys on chain. */
export async function requireKeySets(rpc: string): Promise<void> {
  if ((await ask<string>(rpc, "eth_getCode", [KEY_SETS_CONTRACT, "latest"])) !== NO_CODE) return;
  throw new UsageError(
    "this chain takes Ethereum's transactions alone: its genesis gives accounts no other keys",
  );
}

/** An Ethereum account as long as the chain takes Ethereum's transactions from it, else one that signs type 0x60. */
async function accountOf(
  rpc: string,
  { keys, threshold, sender }: SigningKeys,
  chainId: number,
): Promise<LocalAccount> {
  const own = addressOfPublicKeys(keys, threshold);
  if (own === undefined) throw new UsageError("of these keys, none can sign a transaction");
  const address = sender ?? getAddress(toHex(own));
  const [only] = keys;
  const isEthereum =
    keys.length === 1 && only?.scheme === ETHEREUM_SCHEME && address === getAddress(toHex(own));
  const isKeyed = (await ask<string>(rpc, "eth_getCode", [address, "latest"])) === KEYED_CODE;
  if (only !== undefined && isEthereum && !isKeyed) return privateKeyToAccount(toHex(only.secretKey));
  await requireKeySets(rpc);
  return toAgileAccount({
    address,
    signers: keys.map(keyPairSigner),
    threshold,
    keySet: keySetReader(contractCall(rpc)),
    chainId,
  });
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
