import { lazy, Suspense } from "react";
import { useText } from "../i18n/language.ts";
import { shell } from "../i18n/shell.ts";

const ChartCanvas = lazy(() => import("./chart-canvas.tsx"));

export type ChartSeries = {
  readonly label: string;
  /** One for each x; null: a gap. */
  readonly values: readonly (number | null)[];
  /** Which of the theme's four colours. */
  readonly color: 1 | 2 | 3 | 4;
  readonly kind?: "line" | "bars";
};

export type ChartProps = {
  /** What is plotted, for who cannot see it. */
  readonly label: string;
  /** Ascending; times in seconds since 1970 unless `xIs` says otherwise. */
  readonly x: readonly number[];
  readonly xIs?: "time" | "number";
  readonly series: readonly ChartSeries[];
  /** Writes a value of the y axis. */
  readonly format: (value: number) => string;
  readonly height?: number;
};

/** A plot over time in the theme's colours. What draws it is loaded when the first one is shown. */
export function Chart(props: ChartProps) {
  const t = useText(shell);
  const { label, series, format, height = 180 } = props;
  const newest = series
    .map(({ label: name, values }) => {
      const last = values.findLast((value) => value !== null);
      return `${name} ${last === undefined || last === null ? "–" : format(last)}`;
    })
    .join(", ");
  return (
    <figure>
      <div
        className="chart"
        role="img"
        aria-label={t("chartOf", { label, value: newest })}
        style={{ "--chart-height": `${height}px` } as Record<string, string>}
      >
        <Suspense fallback={null}>
          <ChartCanvas {...props} height={height} />
        </Suspense>
      </div>
      {series.length < 2 ? null : (
        <figcaption className="chart-legend">
          {series.map(({ label: name, color }) => (
            <span key={name} className="chart-key">
              <i style={{ "--key-color": `var(--chart-${color})` } as Record<string, string>} />
              {name}
            </span>
          ))}
        </figcaption>
      )}
    </figure>
  );
}
