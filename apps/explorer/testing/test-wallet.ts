import type { Page } from "playwright-core";
import type { Hex, WalletClient } from "viem";

type Call = { readonly method: string; readonly params?: readonly unknown[] };
type Announcer = { readonly callTestWallet: (call: Call) => Promise<unknown> };

/** What a wallet's extension does in a page: it announces itself (EIP-6963) and answers (EIP-1193), here by a development key.
 * @param wallet with an account and a chain. @returns the hashes of what it has sent. */
export async function injectWallet(
  page: Page,
  wallet: WalletClient,
  chainId: number,
): Promise<readonly Hex[]> {
  const account = wallet.account!;
  const sent: Hex[] = [];
  await page.exposeFunction("callTestWallet", async ({ method, params }: Call): Promise<unknown> => {
    switch (method) {
      case "eth_requestAccounts":
      case "eth_accounts":
        return [account.address];
      case "eth_chainId":
        return `0x${chainId.toString(16)}`;
      case "eth_sendTransaction": {
        const [given] = params as readonly [{ to: Hex; data: Hex; value: Hex; gas: Hex }];
        const { to, data, value, gas } = given;
        const request = { account, chain: null, to, data, value: BigInt(value), gas: BigInt(gas) };
        const hash = await wallet.sendTransaction(request);
        sent.push(hash);
        return hash;
      }
      default:
        throw new Error(`the test wallet does not know ${method}`);
    }
  });
  await page.addInitScript(() => {
    const { callTestWallet } = globalThis as unknown as Announcer;
    const provider = {
      request: (call: Call) => callTestWallet({ method: call.method, params: call.params ?? [] }),
    };
    const info = {
      uuid: "350670db-19fa-4704-a166-e52e178b59d2",
      name: "Test Wallet",
      icon: "",
      rdns: "test.wallet",
    };
    const announce = (): boolean =>
      dispatchEvent(
        new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }),
      );
    addEventListener("eip6963:requestProvider", announce);
    announce();
  });
  return sent;
}
