import { createStore, type Store } from "../data/store.ts";

/** What a wallet in the browser offers. Source: EIP-1193. */
export type WalletProvider = {
  readonly request: (call: {
    readonly method: string;
    readonly params?: readonly unknown[];
  }) => Promise<unknown>;
  readonly on?: (event: string, listener: (news: unknown) => void) => unknown;
  readonly removeListener?: (event: string, listener: (news: unknown) => void) => unknown;
};

/** A wallet that has announced itself. Source: EIP-6963. */
export type Wallet = {
  readonly id: string;
  readonly name: string;
  readonly provider: WalletProvider;
};

export type Connection = {
  readonly wallet: Wallet;
  readonly account: `0x${string}`;
  readonly chainId: number;
};

const MAX_WALLETS = 16;
const MAX_NAME = 40;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

export const walletStore: Store<readonly Wallet[]> = createStore<readonly Wallet[]>([]);
export const connectionStore: Store<Connection | undefined> = createStore<Connection | undefined>(undefined);

let isListening = false;

/** Asks for wallets; those that answer, then or later, are in the store. One that only sets `window.ethereum` is found too. */
export function discoverWallets(): void {
  if (!isListening) {
    isListening = true;
    addEventListener("eip6963:announceProvider", (event) =>
      addWallet(readAnnouncement((event as CustomEvent).detail)),
    );
  }
  dispatchEvent(new Event("eip6963:requestProvider"));
  const { ethereum } = globalThis as { readonly ethereum?: unknown };
  if (isProvider(ethereum) && walletStore.get().length === 0) {
    addWallet({ id: "window.ethereum", name: "window.ethereum", provider: ethereum });
  }
}

function addWallet(wallet: Wallet | undefined): void {
  const known = walletStore.get();
  if (wallet === undefined || known.length >= MAX_WALLETS || known.some(({ id }) => id === wallet.id)) return;
  // One object behind both ways in is one wallet; its own name is the better one.
  walletStore.set([...known.filter(({ provider }) => provider !== wallet.provider), wallet]);
}

/** Reads what a wallet says of itself: anybody may announce anything. */
export function readAnnouncement(detail: unknown): Wallet | undefined {
  const { info, provider } = (detail ?? {}) as { readonly info?: unknown; readonly provider?: unknown };
  const { uuid, name } = (info ?? {}) as { readonly uuid?: unknown; readonly name?: unknown };
  if (typeof uuid !== "string" || typeof name !== "string" || !isProvider(provider)) return undefined;
  return { id: uuid.slice(0, MAX_NAME), name: name.slice(0, MAX_NAME), provider };
}

function isProvider(value: unknown): value is WalletProvider {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { request?: unknown }).request === "function"
  );
}

/** Connects: the wallet asks the user. @throws what the wallet says. */
export async function connectWallet(wallet: Wallet): Promise<Connection> {
  const accounts = await wallet.provider.request({ method: "eth_requestAccounts" });
  const connection = await connectionOf(wallet, accounts);
  if (connection === undefined) throw new Error("the wallet gave no account");
  connectionStore.set(connection);
  wallet.provider.on?.("accountsChanged", (news) => void follow(wallet, news));
  wallet.provider.on?.("chainChanged", () => void follow(wallet, [connectionStore.get()?.account]));
  return connection;
}

/** Leaves the wallet as far as these pages are concerned. */
export function disconnectWallet(): void {
  connectionStore.set(undefined);
}

async function follow(wallet: Wallet, accounts: unknown): Promise<void> {
  if (connectionStore.get()?.wallet !== wallet) return;
  connectionStore.set(await connectionOf(wallet, accounts));
}

async function connectionOf(wallet: Wallet, accounts: unknown): Promise<Connection | undefined> {
  const [account] = Array.isArray(accounts) ? (accounts as readonly unknown[]) : [];
  if (typeof account !== "string" || !ADDRESS.test(account)) return undefined;
  const chainId = await wallet.provider.request({ method: "eth_chainId" });
  return { wallet, account: account as `0x${string}`, chainId: Number(chainId) };
}

export type ChainFacts = { readonly chainId: number; readonly name: string; readonly rpcUrl: string };

const UNKNOWN_CHAIN = 4902;

/** Asks the wallet to go to this chain, and to learn it first if it does not know it. Sources: EIP-3085, EIP-3326. */
export async function switchChain(
  { provider }: Wallet,
  { chainId, name, rpcUrl }: ChainFacts,
): Promise<void> {
  const id = `0x${chainId.toString(16)}`;
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: id }] });
  } catch (error) {
    if ((error as { readonly code?: number }).code !== UNKNOWN_CHAIN) throw error;
    const nativeCurrency = { name: "Coin", symbol: "COIN", decimals: 18 };
    const chain = { chainId: id, chainName: name, nativeCurrency, rpcUrls: [rpcUrl] };
    await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
  }
}
