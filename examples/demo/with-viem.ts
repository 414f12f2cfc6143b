import {
  type Address,
  createPublicClient,
  createWalletClient,
  type Hex,
  http,
  parseAbiItem,
  parseEther,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { CompiledContract } from "./compile.ts";
import { check, type DemoStep } from "./steps.ts";

/** Deploys the token and moves it about with viem, the way any application would. */
export async function demoWithViem(
  rpcUrl: string,
  contract: CompiledContract,
  keys: readonly [Hex, Hex],
  report: (step: DemoStep) => void,
): Promise<{ readonly token: Address }> {
  const transport = http(rpcUrl);
  const publicClient = createPublicClient({ transport, pollingInterval: 50 });
  const chainId = await publicClient.getChainId();
  const chain = {
    id: chainId,
    name: "Ostrom",
    nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  };
  const [owner, friend] = [privateKeyToAccount(keys[0]), privateKeyToAccount(keys[1])];
  const wallet = createWalletClient({ account: owner, chain, transport });

  const deployment = await wallet.deployContract({ ...contract, args: [parseEther("1000")] });
  const deployed = await publicClient.waitForTransactionReceipt({ hash: deployment });
  check(deployed.status === "success" && deployed.contractAddress != null, "the token is deployed");
  const token = deployed.contractAddress;
  report({ tool: "viem", what: `deployed the token at ${token}`, gasUsed: deployed.gasUsed });

  const amount = parseEther("25");
  const transfer = await wallet.writeContract({
    address: token,
    abi: contract.abi,
    functionName: "transfer",
    args: [friend.address, amount],
  });
  const transferred = await publicClient.waitForTransactionReceipt({ hash: transfer });
  check(transferred.status === "success", "the transfer succeeds");
  report({ tool: "viem", what: `transferred 25 CMN to ${friend.address}`, gasUsed: transferred.gasUsed });

  const balance = await publicClient.readContract({
    address: token,
    abi: contract.abi,
    functionName: "balanceOf",
    args: [friend.address],
  });
  check(balance === amount, "the friend has the tokens");

  const logs = await publicClient.getLogs({
    address: token,
    event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
    fromBlock: deployed.blockNumber,
    toBlock: transferred.blockNumber,
  });
  check(logs.length === 2 && logs[1]?.args.value === amount, "both Transfer events are in the logs");
  report({ tool: "viem", what: `read ${logs.length} Transfer events` });

  await refusedTransfer(publicClient, contract, token, friend.address);
  report({
    tool: "viem",
    what: "an overdraft is refused with the contract's own error, ERC20InsufficientBalance",
  });
  return { token };
}

async function refusedTransfer(
  client: ReturnType<typeof createPublicClient>,
  contract: CompiledContract,
  token: Address,
  from: Address,
): Promise<void> {
  let message = "";
  try {
    await client.simulateContract({
      address: token,
      abi: contract.abi,
      functionName: "transfer",
      args: [from, parseEther("26")],
      account: from,
    });
  } catch (error) {
    message = String((error as Error).message);
  }
  check(message.includes("ERC20InsufficientBalance"), "the client decodes the revert data");
}
