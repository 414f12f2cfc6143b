import type { RestSearch, RestSearchResult } from "@ostrom/indexer";
import { Link, Redirect, useSearchParams } from "wouter";
import { Badge } from "../components/badge.tsx";
import { Address, Hash } from "../components/hash.tsx";
import { Card, Page } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { useConsole, useNode } from "../data/network.ts";
import { rest } from "../data/rest.ts";
import type { RpcClient } from "../data/rpc.ts";
import type { RpcBlock, RpcTransaction } from "../data/rpc-types.ts";
import { directTarget, isHash } from "../data/search-target.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useText } from "../i18n/language.ts";
import { search as text } from "../i18n/search.ts";
import "./search.css";

/** What a query leads to: at once where it says itself what it is, else a list. */
export default function SearchPage() {
  const t = useText(text);
  const [parameters] = useSearchParams();
  const query = (parameters.get("q") ?? "").trim();
  const direct = directTarget(query);
  if (direct !== undefined) return <Redirect to={direct} replace />;
  if (query === "") {
    return (
      <Page title={t("title")}>
        <EmptyState title={t("empty")}>{t("emptyAdvice")}</EmptyState>
      </Page>
    );
  }
  return (
    <Page title={t("results", { query })}>
      <Results query={query} />
    </Page>
  );
}

function Results({ query }: { readonly query: string }) {
  const t = useText(text);
  const { services } = useConsole();
  const { path, rpc } = useNode();
  const answer = useAnswer(`${path} search ${services.index} ${query}`, () =>
    find(rpc, query, services.index),
  );
  return (
    <Loaded answer={answer}>
      {(results) => {
        const [only] = results;
        if (only === undefined) {
          return (
            <EmptyState title={t("nothing")}>
              {services.index || isHash(query) ? t("nothingAdvice") : t("nothingWithoutIndex")}
            </EmptyState>
          );
        }
        if (results.length === 1) return <Redirect to={hrefOf(only)} replace />;
        return (
          <Card flush>
            <ul className="results">
              {results.map((result) => (
                <li key={hrefOf(result)}>
                  <Result result={result} />
                </li>
              ))}
            </ul>
          </Card>
        );
      }}
    </Loaded>
  );
}

/** A hash is the node's to know, without delay; names are the index's. */
async function find(rpc: RpcClient, query: string, hasIndex: boolean): Promise<readonly RestSearchResult[]> {
  if (isHash(query)) {
    const hash = query.toLowerCase() as `0x${string}`;
    const [transaction, block] = await Promise.all([
      rpc.call<RpcTransaction | null>("eth_getTransactionByHash", [hash]),
      rpc.call<RpcBlock | null>("eth_getBlockByHash", [hash, false]),
    ]);
    if (transaction !== null) return [{ kind: "transaction", hash, blockNumber: 0 }];
    return block === null ? [] : [{ kind: "block", hash, number: Number.parseInt(block.number, 16) }];
  }
  if (!hasIndex) return [];
  return (await rest<RestSearch>("/search", { q: query })).results;
}

function hrefOf(result: RestSearchResult): string {
  switch (result.kind) {
    case "block":
      return `/block/${result.number}`;
    case "transaction":
      return `/tx/${result.hash}`;
    case "token":
      return `/token/${result.address}`;
    case "address":
      return `/address/${result.address}`;
    default:
      return result satisfies never;
  }
}

function Result({ result }: { readonly result: RestSearchResult }) {
  const t = useText(text);
  switch (result.kind) {
    case "block":
      return (
        <>
          <Badge tone="accent">{t("block")}</Badge>
          <Link href={hrefOf(result)}>{result.number}</Link>
        </>
      );
    case "transaction":
      return (
        <>
          <Badge tone="info">{t("transaction")}</Badge>
          <Hash value={result.hash} href={hrefOf(result)} />
        </>
      );
    case "token":
      return (
        <>
          <Badge tone="good">{t("token")}</Badge>
          <Link href={hrefOf(result)}>{result.name ?? result.symbol ?? result.address}</Link>
          <span className="muted">{result.symbol}</span>
        </>
      );
    case "address":
      return (
        <>
          <Badge>{result.isContract ? t("contract") : t("address")}</Badge>
          <Address value={result.address} name={result.name ?? undefined} />
        </>
      );
    default:
      return result satisfies never;
  }
}
