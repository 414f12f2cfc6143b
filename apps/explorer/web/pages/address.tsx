import type { RestAddress } from "@ostrom/indexer";
import { lazy, type ReactNode, Suspense } from "react";
import { useParams, useSearchParams } from "wouter";
import { accountKind } from "../address/account-kind.ts";
import { type AccountState, AddressFacts } from "../address/facts.tsx";
import { HoldingList, InternalList, LogList, TransactionList, TransferList } from "../address/lists.tsx";
import { Badge } from "../components/badge.tsx";
import { Address } from "../components/hash.tsx";
import { Page } from "../components/page.tsx";
import { EmptyState, Skeleton } from "../components/states.tsx";
import { Tabs } from "../components/tabs.tsx";
import { useConsole, useLiveChain, useNode } from "../data/network.ts";
import { rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { address as section } from "../i18n/address.ts";
import { useText } from "../i18n/language.ts";

const ContractView = lazy(() => import("../contract/contract-view.tsx"));
const AccountKeysCard = lazy(() => import("../address/keys.tsx"));

/** The index follows the chain by itself, and a source may be verified while the page is open. */
const INDEX_REFRESH_MS = 5_000;
const ADDRESS = /^0x[0-9a-f]{40}$/;

/** An account or a contract: what it has, what happened to it, and what it can do. */
export default function AddressPage() {
  const t = useText(section);
  const { address = "" } = useParams<{ address: string }>();
  const lower = address.toLowerCase();
  if (!ADDRESS.test(lower)) {
    return (
      <Page title={t("account")}>
        <EmptyState title={t("invalid")}>{t("invalidWords")}</EmptyState>
      </Page>
    );
  }
  return <AddressView key={lower} address={lower as `0x${string}`} />;
}

function AddressView({ address }: { readonly address: `0x${string}` }) {
  const t = useText(section);
  const state = useAccount(address);
  const { services } = useConsole();
  const known = useAnswer(
    services.index ? `address:${address}` : undefined,
    () => rest<RestAddress>(`/addresses/${address}`),
    { everyMs: INDEX_REFRESH_MS },
  );
  const kind = accountKind(state?.code);
  const isContract = kind === "contract";
  return (
    <Page
      title={isContract ? t("contract") : t("account")}
      beside={<Badges state={state} known={known.value} />}
      lead={<Address value={address} full link={false} />}
    >
      <AddressFacts address={address} state={state} known={known.value} />
      <AddressTabs address={address} isContract={isContract} hasIndex={services.index} />
    </Page>
  );
}

/** Balance, nonce and code as of the newest block, asked for again when one comes. */
function useAccount(address: string): AccountState | undefined {
  const { rpc, path } = useNode();
  const { head } = useLiveChain();
  const { value } = useAnswer(
    `account:${path}:${address}`,
    async (): Promise<AccountState> => {
      const [balance, nonce, code] = await Promise.all([
        rpc.call<string>("eth_getBalance", [address, "latest"]),
        rpc.call<string>("eth_getTransactionCount", [address, "latest"]),
        rpc.call<string>("eth_getCode", [address, "latest"]),
      ]);
      return { balance: BigInt(balance), nonce: BigInt(nonce), code };
    },
    { on: head },
  );
  return value;
}

type BadgesProps = { readonly state: AccountState | undefined; readonly known: RestAddress | undefined };

function Badges({ state, known }: BadgesProps) {
  const t = useText(section);
  const kind = accountKind(state?.code);
  const verified = known?.contract?.verified;
  return (
    <>
      {kind === "keyed" ? <Badge tone="accent">{t("keyed")}</Badge> : null}
      {kind === "delegated" ? <Badge tone="info">{t("delegated")}</Badge> : null}
      {kind === "contract" && verified != null ? <Badge tone="good">{t("verified")}</Badge> : null}
      {kind === "contract" && known !== undefined && verified == null ? (
        <Badge>{t("unverified")}</Badge>
      ) : null}
      {known?.token == null ? null : <Badge tone="accent">{known.token.symbol ?? t("token")}</Badge>}
    </>
  );
}

const TABS = ["transactions", "transfers", "tokens", "internal", "logs", "contract", "keys"] as const;
type TabId = (typeof TABS)[number];

type TabsProps = {
  readonly address: `0x${string}`;
  readonly isContract: boolean;
  readonly hasIndex: boolean;
};

function AddressTabs({ address, isContract, hasIndex }: TabsProps) {
  const t = useText(section);
  const [search, setSearch] = useSearchParams();
  const shown = TABS.filter((id) => (id === "contract" ? isContract : id === "keys" ? !isContract : true));
  const wanted = shown.find((id) => id === search.get("tab"));
  const selected = wanted ?? (isContract && !hasIndex ? "contract" : "transactions");
  return (
    <Tabs<TabId>
      label={t("parts")}
      tabs={shown.map((id) => ({ id, label: t(id) }))}
      selected={selected}
      onSelect={(id) => setSearch({ tab: id }, { replace: true })}
    >
      <Suspense fallback={<Skeleton lines={6} />}>
        {tabBody(selected, address, hasIndex, t("noIndex"))}
      </Suspense>
    </Tabs>
  );
}

function tabBody(tab: TabId, address: `0x${string}`, hasIndex: boolean, noIndex: string): ReactNode {
  if (tab === "contract") return <ContractView address={address} />;
  if (tab === "keys") return <AccountKeysCard address={address} />;
  if (!hasIndex) return <EmptyState title={noIndex} />;
  switch (tab) {
    case "transactions":
      return <TransactionList address={address} />;
    case "transfers":
      return <TransferList path={`/addresses/${address}/transfers`} owner={address} />;
    case "tokens":
      return <HoldingList address={address} />;
    case "internal":
      return <InternalList address={address} />;
    case "logs":
      return <LogList address={address} />;
    default:
      return tab satisfies never;
  }
}
