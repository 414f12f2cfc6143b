import type { RestToken } from "@ostrom/indexer";
import { useDeferredValue, useId, useMemo, useState } from "react";
import { Link } from "wouter";
import { kindName } from "../address/columns.tsx";
import { RestList } from "../address/lists.tsx";
import { Amount } from "../components/amount.tsx";
import { Badge } from "../components/badge.tsx";
import type { Column } from "../components/data-table.tsx";
import { Address } from "../components/hash.tsx";
import { Page } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import { useConsole } from "../data/network.ts";
import { type Text, useFormats, useText } from "../i18n/language.ts";
import { tokens as section } from "../i18n/tokens.ts";
import "../tokens/tokens.css";

const KINDS = ["all", "erc20", "erc721", "erc1155"] as const;
type Kind = (typeof KINDS)[number];

/** All tokens that the index has found. */
export default function TokensPage() {
  const t = useText(section);
  const { services } = useConsole();
  const formats = useFormats();
  const [kind, setKind] = useState<Kind>("all");
  const [text, setText] = useState("");
  const typed = useDeferredValue(text.trim());
  const columns = useMemo(() => columnsOf(t, formats.number), [t, formats]);
  const query = useMemo(
    () => ({ kind: kind === "all" ? undefined : kind, q: typed === "" ? undefined : typed }),
    [kind, typed],
  );
  if (!services.index) {
    return (
      <Page title={t("title")}>
        <EmptyState title={t("noIndex")} />
      </Page>
    );
  }
  return (
    <Page title={t("title")} lead={t("lead")}>
      <Filters kind={kind} onKind={setKind} text={text} onText={setText} />
      <RestList<RestToken>
        key={JSON.stringify(query)}
        label={t("title")}
        path="/tokens"
        query={query}
        columns={columns}
        rowKey={({ address }) => address}
        rowHref={({ address }) => `/token/${address}`}
        empty={`${t("none")}. ${t("noneWords")}`}
      />
    </Page>
  );
}

type FilterProps = {
  readonly kind: Kind;
  readonly onKind: (kind: Kind) => void;
  readonly text: string;
  readonly onText: (text: string) => void;
};

function Filters({ kind, onKind, text, onText }: FilterProps) {
  const t = useText(section);
  const id = useId();
  return (
    <div className="row token-filters">
      <label htmlFor={id} className="visually-hidden">
        {t("search")}
      </label>
      <input
        id={id}
        className="input token-search"
        type="search"
        placeholder={t("search")}
        value={text}
        onChange={(event) => onText(event.target.value)}
      />
      <fieldset className="token-kinds">
        <legend className="visually-hidden">{t("kind")}</legend>
        {KINDS.map((one) => (
          <button
            key={one}
            type="button"
            className="button"
            data-size="small"
            data-kind={one === kind ? "primary" : "normal"}
            aria-pressed={one === kind}
            onClick={() => onKind(one)}
          >
            {one === "all" ? t("all") : kindName(one)}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

function columnsOf(
  t: Text<keyof (typeof section)["en"]>,
  number: (value: number) => string,
): readonly Column<RestToken>[] {
  return [
    {
      id: "token",
      header: t("token"),
      cell: ({ address, name, symbol }) => (
        <Link href={`/token/${address}`}>
          {name ?? t("unnamed")} <span className="muted">{symbol}</span>
        </Link>
      ),
    },
    { id: "kind", header: t("kind"), cell: ({ kind }) => <Badge>{kindName(kind)}</Badge> },
    {
      id: "supply",
      header: t("supply"),
      align: "end",
      from: "tablet",
      cell: ({ totalSupply, decimals }) =>
        totalSupply === null ? "–" : <Amount value={totalSupply} decimals={decimals ?? 0} />,
    },
    {
      id: "holders",
      header: t("holders"),
      align: "end",
      sort: ({ holderCount }) => holderCount,
      cell: ({ holderCount }) => number(holderCount),
    },
    {
      id: "transfers",
      header: t("transfers"),
      align: "end",
      sort: ({ transferCount }) => transferCount,
      cell: ({ transferCount }) => number(transferCount),
    },
    {
      id: "contract",
      header: t("contract"),
      from: "desktop",
      cell: ({ address }) => <Address value={address} copy={false} />,
    },
  ];
}
