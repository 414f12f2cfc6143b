import { useMemo } from "react";
import { Chart } from "../components/chart.tsx";
import { Card } from "../components/page.tsx";
import { EmptyState } from "../components/states.tsx";
import { useNow } from "../components/time.tsx";
import type { LiveBlock } from "../data/live-chain.ts";
import { certificateDelays, intervals, throughput } from "../data/live-figures.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { overview } from "../i18n/overview.ts";

type PlotProps = { readonly blocks: readonly LiveBlock[] };

/** Blocks that the plot of latency shows. */
const SHOWN = 120;

/** Transactions of each of the last seconds. */
export function ThroughputPlot({ blocks }: PlotProps) {
  const t = useText(overview);
  const { compact } = useFormats();
  const nowSeconds = Math.floor(useNow() / 1_000);
  const { seconds, transactions } = useMemo(() => throughput(blocks, nowSeconds), [blocks, nowSeconds]);
  return (
    <Card title={t("throughput")} aside={<span className="muted">{t("perSecond")}</span>}>
      <Chart
        label={t("throughput")}
        x={seconds}
        series={[{ label: t("perSecond"), values: transactions, color: 1, kind: "bars" }]}
        format={compact}
      />
    </Card>
  );
}

/** How long blocks take, as this page sees it. */
export function LatencyPlot({ blocks }: PlotProps) {
  const t = useText(overview);
  const { duration } = useFormats();
  const shown = useMemo(() => blocks.filter(({ heardMs }) => heardMs !== undefined).slice(-SHOWN), [blocks]);
  const series = useMemo(
    () => ({ between: intervals(shown), certificate: certificateDelays(shown) }),
    [shown],
  );
  return (
    <Card title={t("latency")}>
      {shown.length < 2 ? (
        <EmptyState title={t("waiting")}>{t("waitingAdvice")}</EmptyState>
      ) : (
        <Chart
          label={t("latency")}
          x={shown.map(({ number }) => number)}
          xIs="number"
          series={[
            { label: t("between"), values: series.between, color: 3 },
            { label: t("toCertificate"), values: series.certificate, color: 2 },
          ]}
          format={duration}
          height={158}
        />
      )}
    </Card>
  );
}
