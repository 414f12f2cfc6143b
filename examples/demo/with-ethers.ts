import {
  Contract,
  ContractFactory,
  EventLog,
  type InterfaceAbi,
  isCallException,
  JsonRpcProvider,
  parseEther,
  Wallet,
} from "ethers";
import type { CompiledContract } from "./compile.ts";
import { check, type DemoStep } from "./steps.ts";

const POLLING_INTERVAL_MS = 50;

/** The same with ethers 6. */
export async function demoWithEthers(
  rpcUrl: string,
  contract: CompiledContract,
  keys: readonly [string, string],
  report: (step: DemoStep) => void,
): Promise<{ readonly token: string }> {
  const provider = new JsonRpcProvider(rpcUrl, undefined, {
    pollingInterval: POLLING_INTERVAL_MS,
    cacheTimeout: -1,
  });
  try {
    const owner = new Wallet(keys[0], provider);
    const friend = new Wallet(keys[1], provider);
    const factory = new ContractFactory(contract.abi as InterfaceAbi, contract.bytecode, owner);
    const deployed = await factory.deploy(parseEther("1000"));
    const deployment = await deployed.deploymentTransaction()?.wait();
    check(deployment?.status === 1, "the token is deployed");
    const token = await deployed.getAddress();
    report({ tool: "ethers", what: `deployed the token at ${token}`, gasUsed: deployment.gasUsed });

    const asOwner = new Contract(token, contract.abi as InterfaceAbi, owner);
    const amount = parseEther("25");
    const sent = await asOwner.getFunction("transfer")(friend.address, amount);
    const receipt = await sent.wait();
    check(receipt?.status === 1, "the transfer succeeds");
    report({ tool: "ethers", what: `transferred 25 CMN to ${friend.address}`, gasUsed: receipt.gasUsed });

    const balance: bigint = await asOwner.getFunction("balanceOf")(friend.address);
    check(balance === amount, "the friend has the tokens");
    const events = await asOwner.queryFilter(
      asOwner.getEvent("Transfer"),
      deployment.blockNumber,
      receipt.blockNumber,
    );
    const last = events.at(-1);
    check(
      events.length === 2 && last instanceof EventLog && last.args[2] === amount,
      "both Transfer events are in the logs",
    );
    report({ tool: "ethers", what: `read ${events.length} Transfer events` });

    const refused = await asOwner
      .getFunction("transfer")
      .staticCall(friend.address, parseEther("1000000"))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    check(
      isCallException(refused) && refused.revert?.name === "ERC20InsufficientBalance",
      "the client decodes the revert data",
    );
    report({
      tool: "ethers",
      what: "an overdraft is refused with the contract's own error, ERC20InsufficientBalance",
    });
    return { token };
  } finally {
    provider.destroy();
  }
}
