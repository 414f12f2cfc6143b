import { Address, fromHex, hex, toHex, unwrap } from "@ostrom/base";
import { addressOfSecretKey, signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { createPublicClient, createWalletClient, encodeFunctionData, http, parseAbi, parseEther } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { DEVELOPMENT_CHAIN_ID } from "../../apps/cli/local-network.ts";
import { compileContract } from "../../examples/demo/compile.ts";

export type Kind = "transfer" | "erc20";
export type BenchAccount = { readonly secretKey: Uint8Array; readonly address: `0x${string}` };

const TRANSFER_GAS = 21_000n;
const TOKEN_TRANSFER_GAS = 65_000n;
const MAX_FEE = 50n * 10n ** 9n;
const TOKEN_SHARE = parseEther("1000");
const TOKEN_ABI = parseAbi([
  "function transfer(address to, uint256 value) returns (bool)",
  "function balanceOf(address) view returns (uint256)",
]);

/** Senders with keys 0x01..01 and so on: for benchmarks alone. */
export function createAccounts(count: number): readonly BenchAccount[] {
  installNativeCrypto();
  return Array.from({ length: count }, (_, index) => {
    const secretKey = hex(
      (BigInt(index + 1) * 0x1000000000000000000000000000001n).toString(16).padStart(64, "0"),
    );
    return { secretKey, address: toHex(addressOfSecretKey(secretKey)) };
  });
}

/** Deploys OpenZeppelin's ERC-20 and gives each sender a share. @returns its address. */
export async function deployToken(url: string, accounts: readonly BenchAccount[]): Promise<`0x${string}`> {
  const contract = compileContract("Token.sol", "Token");
  const owner = privateKeyToAccount(deriveAccounts(DEVELOPMENT_MNEMONIC, 1)[0]!.secretKey);
  const transport = http(url);
  const chain = {
    id: DEVELOPMENT_CHAIN_ID,
    name: "Ostrom",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  };
  const wallet = createWalletClient({ account: owner, chain, transport });
  const client = createPublicClient({ chain, transport, pollingInterval: 50 });
  const supply = TOKEN_SHARE * BigInt(accounts.length);
  const deployed = await client.waitForTransactionReceipt({
    hash: await wallet.deployContract({ ...contract, args: [supply] }),
  });
  const token = deployed.contractAddress;
  if (token == null) throw new Error("the token was not deployed");
  let nonce = await client.getTransactionCount({ address: owner.address });
  let last: `0x${string}` = "0x";
  for (const { address } of accounts) {
    last = await wallet.writeContract({
      address: token,
      abi: TOKEN_ABI,
      functionName: "transfer",
      args: [address, TOKEN_SHARE],
      nonce: nonce++,
      gas: TOKEN_TRANSFER_GAS,
    });
  }
  await client.waitForTransactionReceipt({ hash: last });
  return token;
}

/** Signs about `total` transactions, the same number for each sender, as raw hex; receivers are the other senders. */
export function signAhead(
  accounts: readonly BenchAccount[],
  total: number,
  token: `0x${string}` | undefined,
): readonly (readonly string[])[] {
  const each = Math.ceil(total / accounts.length);
  return accounts.map((account, sender) => {
    const receiver = accounts[(sender + 1) % accounts.length]!.address;
    const to = Address(unwrap(fromHex(token ?? receiver)));
    const data =
      token === undefined
        ? new Uint8Array(0)
        : unwrap(
            fromHex(encodeFunctionData({ abi: TOKEN_ABI, functionName: "transfer", args: [receiver, 1n] })),
          );
    return Array.from({ length: each }, (_, nonce) =>
      toHex(
        signTransaction(
          {
            type: 2,
            chainId: BigInt(DEVELOPMENT_CHAIN_ID),
            nonce: BigInt(nonce),
            maxFeePerGas: MAX_FEE,
            maxPriorityFeePerGas: 1n,
            gasLimit: token === undefined ? TRANSFER_GAS : TOKEN_TRANSFER_GAS,
            to,
            value: token === undefined ? 1n : 0n,
            data,
          },
          account.secretKey,
        ).raw,
      ),
    );
  });
}
