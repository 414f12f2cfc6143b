import type { RestContract, RestSource } from "@ostrom/indexer";
import { type ReactNode, useState } from "react";
import { CodeView } from "../components/code-view.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState, Loaded, Skeleton } from "../components/states.tsx";
import { Tabs } from "../components/tabs.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { RestError, rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { contract as section } from "../i18n/contract.ts";
import { useText } from "../i18n/language.ts";
import { functionsOf, isRead } from "./abi-types.ts";
import { Bytecode } from "./bytecode.tsx";
import { ReadForms } from "./read-form.tsx";
import { SourceView } from "./source-view.tsx";
import { StorageView } from "./storage-view.tsx";
import { VerifyForm } from "./verify-form.tsx";
import { WriteForms } from "./write-form.tsx";
import "./contract.css";

const NOT_FOUND = 404;

type Found = { readonly source: RestSource | undefined };

/** The source of a contract, or undefined where nobody has shown it. */
async function readSource(address: string): Promise<Found> {
  try {
    return { source: await rest<RestSource>(`/contracts/${address}/source`) };
  } catch (error) {
    if (error instanceof RestError && error.status === NOT_FOUND) return { source: undefined };
    throw error;
  }
}

const TABS = ["source", "read", "write", "storage", "abi", "bytecode", "verify"] as const;
type TabId = (typeof TABS)[number];

/** All that can be seen of a contract and done with it. */
export default function ContractView({ address }: { readonly address: `0x${string}` }) {
  const { services } = useConsole();
  const answer = useAnswer(services.index ? `source:${address}` : undefined, () => readSource(address));
  if (!services.index)
    return <ContractTabs address={address} source={undefined} onVerified={() => undefined} />;
  return (
    <Loaded answer={answer}>
      {({ source }) => <ContractTabs address={address} source={source} onVerified={answer.retry} />}
    </Loaded>
  );
}

type ContractProps = {
  readonly address: `0x${string}`;
  readonly source: RestSource | undefined;
  readonly onVerified: () => void;
};

function ContractTabs(props: ContractProps) {
  const t = useText(section);
  const { source } = props;
  const shown = TABS.filter((id) => (source === undefined ? !NEEDS_SOURCE.has(id) : id !== "verify"));
  const [wanted, select] = useState<TabId>();
  const selected = shown.find((id) => id === wanted) ?? (source === undefined ? "verify" : "source");
  return (
    <Tabs<TabId>
      label={t("parts")}
      tabs={shown.map((id) => ({ id, label: t(id) }))}
      selected={selected}
      onSelect={select}
    >
      {bodyOf(selected, props, t("abi"))}
    </Tabs>
  );
}

const NEEDS_SOURCE: ReadonlySet<TabId> = new Set(["source", "read", "write", "abi"]);

function bodyOf(tab: TabId, { address, source, onVerified }: ContractProps, abiLabel: string): ReactNode {
  const functions = functionsOf(source?.abi ?? []);
  const abi = source?.abi ?? [];
  switch (tab) {
    case "source":
      return source === undefined ? null : <SourceView source={source} />;
    case "read":
      return <ReadForms address={address} abi={abi} functions={functions.filter(isRead)} />;
    case "write":
      return <WriteForms address={address} abi={abi} functions={functions.filter((one) => !isRead(one))} />;
    case "storage":
      return <StorageView address={address} layout={source?.storageLayout} />;
    case "abi":
      return (
        <Card>
          <CodeView code={JSON.stringify(abi, undefined, 2)} label={abiLabel} numbers />
        </Card>
      );
    case "bytecode":
      return <CodeOf address={address} />;
    case "verify":
      return <VerifyPart address={address} onVerified={onVerified} />;
    default:
      return tab satisfies never;
  }
}

function CodeOf({ address }: { readonly address: string }) {
  const { rpc, path } = useNode();
  const answer = useAnswer(`code:${path}:${address}`, () =>
    rpc.call<string>("eth_getCode", [address, "latest"]),
  );
  return <Loaded answer={answer}>{(code) => <Bytecode code={code} />}</Loaded>;
}

function VerifyPart({
  address,
  onVerified,
}: {
  readonly address: `0x${string}`;
  readonly onVerified: () => void;
}) {
  const t = useText(section);
  const { services } = useConsole();
  const known = useAnswer(services.verification ? `contract:${address}` : undefined, () =>
    rest<RestContract>(`/contracts/${address}`).catch(() => undefined),
  );
  if (!services.verification) return <EmptyState title={t("unverified")}>{t("noVerification")}</EmptyState>;
  if (known.at === 0) return <Skeleton lines={3} />;
  return <VerifyForm address={address} onVerified={onVerified} />;
}
