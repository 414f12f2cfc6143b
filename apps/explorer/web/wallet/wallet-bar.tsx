import { useEffect, useState } from "react";
import { Notice } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { Address } from "../components/hash.tsx";
import { Card } from "../components/page.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { useStore } from "../data/use-store.ts";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import {
  type Connection,
  connectionStore,
  connectWallet,
  disconnectWallet,
  discoverWallets,
  switchChain,
  type Wallet,
  walletStore,
} from "./wallets.ts";

/** Which wallet sends: to be chosen, connected, and brought to this chain. */
export function WalletBar() {
  const t = useText(section);
  const wallets = useStore(walletStore);
  const connection = useStore(connectionStore);
  const [failure, setFailure] = useState<string>();
  useEffect(discoverWallets, []);
  const attempt = (act: () => Promise<unknown>): void => {
    setFailure(undefined);
    act().catch((error: unknown) => setFailure(String((error as { message?: unknown })?.message ?? error)));
  };
  return (
    <Card>
      {connection === undefined ? (
        <Choice wallets={wallets} onChoose={(wallet) => attempt(() => connectWallet(wallet))} />
      ) : (
        <Connected connection={connection} attempt={attempt} />
      )}
      {failure === undefined ? null : <Notice tone="bad">{failure}</Notice>}
      {wallets.length > 0 ? null : (
        <p className="small soft">
          <strong>{t("noWallet")}.</strong> {t("noWalletWords")}
        </p>
      )}
    </Card>
  );
}

type ChoiceProps = { readonly wallets: readonly Wallet[]; readonly onChoose: (wallet: Wallet) => void };

function Choice({ wallets, onChoose }: ChoiceProps) {
  const t = useText(section);
  return (
    <div className="row">
      {wallets.map((wallet) => (
        <Button key={wallet.id} kind="primary" onClick={() => onChoose(wallet)}>
          {t("connect", { wallet: wallet.name })}
        </Button>
      ))}
    </div>
  );
}

type ConnectedProps = {
  readonly connection: Connection;
  readonly attempt: (act: () => Promise<unknown>) => void;
};

function Connected({ connection, attempt }: ConnectedProps) {
  const t = useText(section);
  const { chainId, chainName } = useConsole();
  const { url } = useNode();
  const isHere = connection.chainId === chainId;
  return (
    <div className="row" data-testid="connected">
      <span className="small soft">{t("connected")}</span>
      <Address value={connection.account.toLowerCase()} />
      {isHere ? null : (
        <>
          <span className="small">{t("wrongChain", { chain: String(connection.chainId) })}</span>
          <Button
            size="small"
            onClick={() =>
              attempt(() => switchChain(connection.wallet, { chainId, name: chainName, rpcUrl: url }))
            }
          >
            {t("switchChain")}
          </Button>
        </>
      )}
      <Button size="small" kind="plain" onClick={disconnectWallet}>
        {t("disconnect")}
      </Button>
    </div>
  );
}
