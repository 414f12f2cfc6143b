import { useEffect, useRef } from "react";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useResolvedTheme } from "../data/theme.ts";
import { useFormats } from "../i18n/language.ts";
import type { ChartProps, ChartSeries } from "./chart.tsx";

const AXIS_FONT = "11px system-ui, sans-serif";
const Y_AXIS_WIDTH = 56;
const X_AXIS_HEIGHT = 26;
const BAR_SHARE = 0.75;

type CanvasProps = ChartProps & { readonly height: number };

/** uPlot in a box: it is made anew when the theme, the language or the series change, and fed when the data do. */
export default function ChartCanvas(props: CanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const newest = useRef(props);
  newest.current = props;
  const theme = useResolvedTheme();
  const formats = useFormats();
  const shape = props.series.map(({ label, color, kind }) => `${label}/${color}/${kind}`).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and shape decide about colours and series, which are read when it is made
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new UPlot(
      optionsOf(newest.current, element.clientWidth, formats.clock),
      dataOf(newest.current),
      element,
    );
    plot.current = made;
    const watch = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: newest.current.height }),
    );
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [theme, shape, formats, props.height]);
  useEffect(() => plot.current?.setData(dataOf(props)), [props]);
  return <div ref={box} />;
}

function dataOf({ x, series }: CanvasProps): UPlot.AlignedData {
  return [[...x], ...series.map(({ values }) => [...values])];
}

function optionsOf(props: CanvasProps, width: number, clock: (atMs: number) => string): UPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const isTime = (props.xIs ?? "time") === "time";
  const grid = { stroke: color("--chart-grid"), width: 1 };
  const axis = { stroke: color("--ink-faint"), font: AXIS_FONT, ticks: { show: false } };
  return {
    width,
    height: props.height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    padding: [8, 8, 0, 0],
    scales: { x: { time: isTime }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: X_AXIS_HEIGHT,
        space: 80,
        values: (_, splits) => splits.map((split) => (isTime ? clock(split * 1_000) : String(split))),
      },
      { ...axis, grid, size: Y_AXIS_WIDTH, space: 34, values: (_, splits) => splits.map(props.format) },
    ],
    series: [{}, ...props.series.map((series) => seriesOf(series, color(`--chart-${series.color}`)))],
  };
}

function seriesOf({ label, kind = "line" }: ChartSeries, stroke: string): UPlot.Series {
  const bars = UPlot.paths.bars?.({ size: [BAR_SHARE, 24] });
  if (kind === "bars" && bars !== undefined) {
    return { label, stroke, fill: stroke, width: 0, paths: bars, points: { show: false } };
  }
  return { label, stroke, fill: `${stroke}1f`, width: 1.5, points: { show: false }, spanGaps: false };
}
