import type { IndexStatus, RestStats } from "@ostrom/indexer";
import { Card, Stat, Stats } from "../components/page.tsx";
import { EmptyState, Loaded } from "../components/states.tsx";
import { useNow } from "../components/time.tsx";
import type { LiveState } from "../data/live-chain.ts";
import { certificateDelays, intervals, median, RATE_SECONDS, transactionRate } from "../data/live-figures.ts";
import { useConsole } from "../data/network.ts";
import { formatUnits } from "../data/quantity.ts";
import { rest } from "../data/rest.ts";
import { useAnswer } from "../data/use-answer.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { overview } from "../i18n/overview.ts";
import { shell } from "../i18n/shell.ts";

const GWEI_DIGITS = 9;
const NONE = "–";
/** Of these newest blocks medians are taken. */
const SAMPLE = 60;

/** The chain in six figures. */
export function Figures({ live }: { readonly live: LiveState }) {
  const t = useText(overview);
  const { number, duration, percent } = useFormats();
  const nowSeconds = Math.floor(useNow() / 1_000);
  const { blocks, head, certified } = live;
  const newest = blocks.at(-1);
  const sample = blocks.slice(-SAMPLE);
  const interval = median(intervals(sample));
  const delay = median(certificateDelays(sample));
  const gap = Math.max(0, head - certified);
  const isKnown = head >= 0 && certified >= 0;
  const share = newest === undefined ? 0 : newest.gasUsed / Math.max(1, newest.gasLimit);
  return (
    <Stats label={t("now")}>
      <Stat
        label={t("height")}
        value={head < 0 ? NONE : number(head)}
        note={certified < 0 ? undefined : t("certifiedAt", { number: certified })}
      />
      <Stat
        label={t("gap")}
        value={isKnown ? number(gap) : NONE}
        unit={t("gapUnit", { count: gap })}
        note={gap === 0 ? t("gapNone") : t("gapNote")}
      />
      <Stat
        label={t("rate")}
        value={number(transactionRate(blocks, nowSeconds), 1)}
        note={t("rateNote", { seconds: RATE_SECONDS })}
      />
      <Stat
        label={t("interval")}
        value={interval === undefined ? NONE : duration(interval)}
        note={t("intervalNote")}
      />
      <Stat
        label={t("finality")}
        value={delay === undefined ? NONE : duration(delay)}
        note={t("finalityNote")}
      />
      <Stat
        label={t("baseFee")}
        value={newest === undefined ? NONE : shortGwei(newest.baseFeePerGas)}
        unit={t("gwei")}
        note={t("gasShare", { share: percent(share) })}
      />
    </Stats>
  );
}

function shortGwei(wei: bigint): string {
  const [whole = "0", fraction = ""] = formatUnits(wei, GWEI_DIGITS).split(".");
  const digits = whole === "0" ? 4 : 2;
  return fraction === "" ? whole : `${whole}.${fraction.slice(0, digits)}`;
}

const TOTALS_MS = 10_000;

/** What the index counted since genesis. */
export function Totals({ head }: { readonly head: number }) {
  const t = useText(overview);
  const common = useText(shell);
  const { number, compact } = useFormats();
  const { services } = useConsole();
  const stats = useAnswer(services.index ? "stats" : undefined, () => rest<RestStats>("/stats"), {
    everyMs: TOTALS_MS,
  });
  const status = useAnswer(services.index ? "status" : undefined, () => rest<IndexStatus>("/status"), {
    everyMs: TOTALS_MS,
  });
  const behind = Math.max(0, head - (status.value?.indexed ?? head));
  return (
    <Card title={t("totals")} aside={behind > 1 ? t("behind", { count: behind }) : undefined} flush>
      {services.index ? (
        <Loaded answer={stats}>
          {({ transactions, contracts, tokens }) => (
            <div className="totals">
              <Stat
                label={t("totalTransactions")}
                value={<span title={number(transactions)}>{compact(transactions)}</span>}
              />
              <Stat label={t("totalContracts")} value={compact(contracts)} />
              <Stat label={t("totalTokens")} value={compact(tokens)} />
            </div>
          )}
        </Loaded>
      ) : (
        <EmptyState>{common("indexMissing")}</EmptyState>
      )}
    </Card>
  );
}
