// SPDX-License-Identifier: Apache-2.0
// uPlot in the page's colours: lines or stacked areas over time. What it
// shows is also said in words, and in a table for screen readers.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import {
  dateTime, dayOfYear, number, timeOfDay, timeWithSeconds,
} from "../format";
import { watchTheme } from "../theme";

export interface Series {
  label: string;
  values: (number | null)[];
  color: string; // a CSS variable's name: "--chart-1"
}

interface ChartProps {
  times: number[];
  series: Series[];
  label: string;
  stacked?: boolean;
  height?: number;
  format?: (n: number) => string;
}

/** Devices are counted whole. */
const WHOLE = Array.from({ length: 10 }, (_, i) => 10 ** i)
  .flatMap((n) => [n, 2 * n, 5 * n]);

const css = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function stack(series: Series[]): (number | null)[][] {
  const sums: number[] = [];
  return series.map((s) => s.values.map((value, i) => {
    sums[i] = (sums[i] ?? 0) + (value ?? 0);
    return sums[i] ?? null;
  }));
}

function options(
  p: ChartProps, width: number, pointed: (at: number | null) => void,
): uPlot.Options {
  const axis = {
    stroke: css("--muted"),
    grid: { stroke: css("--line"), width: 1 },
    ticks: { show: false },
    font: "12px Inter, system-ui, sans-serif",
  };
  const span = (p.times[p.times.length - 1] ?? 0) - (p.times[0] ?? 0);
  const say = span > 2 * 86400 ? dayOfYear
    : span < 600 ? timeWithSeconds : timeOfDay;
  const stackedSeries = p.series.map((s): uPlot.Series => ({
    label: s.label,
    stroke: css(s.color),
    width: p.stacked ? 1 : 2,
    fill: p.stacked ? css(s.color) + "cc" : undefined,
    points: { show: false },
  }));
  return {
    width,
    height: p.height ?? 220,
    padding: [8, 4, 0, 0],
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, max * 1.05 || 1] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(say), grid: { show: false },
        space: 70, size: 32 },
      { ...axis, size: 44, space: 36, incrs: p.format ? undefined : WHOLE,
        values: (_, ticks) => ticks.map((t) => (p.format ?? number)(t)) },
    ],
    series: [{}, ...stackedSeries],
    legend: { show: false },
    hooks: { setCursor: [(u) => pointed(u.cursor.idx ?? null)] },
    cursor: { points: { show: !p.stacked }, drag: { x: false, y: false } },
    bands: p.stacked ? p.series.slice(1).map((_, i) => ({
      series: [i + 2, i + 1] as [number, number],
    })) : undefined,
  };
}

const aligned = (p: ChartProps): uPlot.AlignedData => [
  p.times, ...(p.stacked ? stack(p.series) : p.series.map((s) => s.values)),
] as uPlot.AlignedData;

export function Chart(p: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shape = `${p.series.map((s) => s.label + s.color).join("|")}
    ${p.stacked}${p.times.length > 1
      && (p.times[p.times.length - 1] ?? 0) - (p.times[0] ?? 0) > 2 * 86400}`;
  const [at, setAt] = useState<number | null>(null);
  const latest = useRef(p);
  latest.current = p;

  useEffect(() => {
    const element = box.current;
    if (!element) {
      return;
    }
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        options(latest.current, Math.max(200, element.clientWidth), setAt),
        aligned(latest.current), element);
    };
    draw();
    const sized = new ResizeObserver(() => plot.current?.setSize({
      width: Math.max(200, element.clientWidth),
      height: latest.current.height ?? 220,
    }));
    sized.observe(element);
    const forget = watchTheme(draw);
    return () => {
      forget();
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(aligned(p));
  }, [p.times, p.series]);

  const say = p.format ?? number;
  const shown = at ?? p.times.length - 1;
  return (
    <figure class="chart" aria-label={p.label}>
      <div ref={box} aria-hidden="true" />
      <figcaption>
        <ul class="chart-legend">
          {[...p.series].reverse().map((s) => (
            <li key={s.label}>
              <span class="swatch"
                style={{ background: `var(${s.color})` }} />
              {s.label} <b class="nums">{say(s.values[shown] ?? 0)}</b>
            </li>
          ))}
          <li class="chart-when nums">
            {at === null ? "now" : dateTime(p.times[shown] ?? 0)}</li>
        </ul>
      </figcaption>
    </figure>
  );
}
