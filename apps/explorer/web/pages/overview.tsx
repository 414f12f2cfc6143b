import { useMemo } from "react";
import { Link } from "wouter";
import { BlockTable } from "../components/block-table.tsx";
import { Card, Columns, Page } from "../components/page.tsx";
import { EmptyState, Skeleton } from "../components/states.tsx";
import { TransactionTable } from "../components/transaction-table.tsx";
import { useLiveChain } from "../data/network.ts";
import { useText } from "../i18n/language.ts";
import { overview } from "../i18n/overview.ts";
import { Figures, Totals } from "../overview/figures.tsx";
import { Leaders } from "../overview/leaders.tsx";
import { LatencyPlot, ThroughputPlot } from "../overview/plots.tsx";

const SHOWN = 10;

/** What happens on the chain now. */
export default function OverviewPage() {
  const t = useText(overview);
  const live = useLiveChain();
  const newest = useMemo(() => live.blocks.slice(-SHOWN).reverse(), [live.blocks]);
  const transactions = useMemo(() => live.transactions.slice(0, SHOWN), [live.transactions]);
  return (
    <Page title={t("title")}>
      <Figures live={live} />
      <Columns>
        <ThroughputPlot blocks={live.blocks} />
        <LatencyPlot blocks={live.blocks} />
      </Columns>
      <Columns uneven>
        <Card title={t("latestBlocks")} aside={<Link href="/blocks">{t("allBlocks")}</Link>} flush>
          {live.head < 0 ? (
            <div className="card-body">
              <Skeleton lines={SHOWN} />
            </div>
          ) : (
            <BlockTable rows={newest} certified={live.certified} isLive compact />
          )}
        </Card>
        <Card title={t("latestTransactions")} flush>
          <TransactionTable
            rows={transactions}
            isLive
            compact
            empty={<EmptyState title={t("noTransactions")}>{t("noTransactionsAdvice")}</EmptyState>}
          />
        </Card>
      </Columns>
      <Columns>
        <Leaders blocks={live.blocks} />
        <Totals head={live.head} />
      </Columns>
    </Page>
  );
}
