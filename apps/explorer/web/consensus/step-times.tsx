import { Card } from "../components/page.tsx";
import { consensus } from "../i18n/consensus.ts";
import { useFormats, useText } from "../i18n/language.ts";
import { phaseTimes } from "./view-model.ts";
import type { SimplexView } from "./view-types.ts";

const NAMES = {
  propose: "proposeTime",
  notarize: "notarizeTime",
  finalize: "finalizeTime",
  execute: "executeTime",
  certify: "certifyTime",
  all: "allTime",
} as const;

/** How long each step took in the views that are remembered: median and 99th percentile, as numbers and as bars. */
export function StepTimes({ views }: { readonly views: readonly SimplexView[] }) {
  const t = useText(consensus);
  const formats = useFormats();
  const times = phaseTimes(views);
  // An idle chain waits long for a proposal: beside that, the other bars would vanish.
  const longest = Math.max(1, ...times.filter(({ id }) => id !== "propose").map(({ high }) => high));
  const share = (time: number): string => `${Math.min(100, (100 * time) / longest)}%`;
  return (
    <Card
      title={t("timesTitle")}
      aside={<span className="muted">{t("timesNote", { count: views.length })}</span>}
      flush
    >
      <div className="table-frame">
        <table className="table step-times" aria-label={t("timesTitle")}>
          <thead>
            <tr>
              <th scope="col">{t("step")}</th>
              <th scope="col" data-align="end">
                {t("median")}
              </th>
              <th scope="col" data-align="end">
                {t("high")}
              </th>
            </tr>
          </thead>
          <tbody>
            {times.map(({ id, count, median, high }) => (
              <tr key={id} data-total={id === "all"}>
                <th scope="row">
                  {t(NAMES[id])}
                  <svg
                    aria-hidden="true"
                    className="step-bar"
                    width="100%"
                    height={5}
                    preserveAspectRatio="none"
                  >
                    <rect className="step-bar-high" width={share(high)} height={5} rx={2} />
                    <rect className="step-bar-median" width={share(median)} height={5} rx={2} />
                  </svg>
                </th>
                <td data-align="end">{count === 0 ? "–" : formats.duration(median)}</td>
                <td data-align="end">{count === 0 ? "–" : formats.duration(high)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
