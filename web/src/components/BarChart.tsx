// SPDX-License-Identifier: Apache-2.0
// A few named amounts as bars, by uPlot. What it shows is also in a table.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { number } from "../format";
import { watchTheme } from "../theme";

export interface Amount {
  name: string;
  n: number;
  color: string; // a CSS variable's name
}

const HEIGHT = 190;
const css = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const wholeSteps = (max: number): number[] => {
  const step = Math.max(1, Math.ceil(max / 4));
  return Array.from({ length: 6 }, (_, i) => i * step)
    .filter((t) => t <= max + step / 2);
};

/** A series for each colour: uPlot paints a series in one. */
function shape(list: Amount[]): {
  colors: string[]; data: uPlot.AlignedData;
} {
  const colors = [...new Set(list.map((a) => a.color))];
  const at = list.map((_, i) => i);
  const rows = colors.map((color) =>
    list.map((a) => (a.color === color ? a.n : null)));
  return { colors, data: [at, ...rows] as uPlot.AlignedData };
}

function options(list: Amount[], width: number): uPlot.Options {
  const { colors } = shape(list);
  const most = Math.max(1, ...list.map((a) => a.n));
  const axis = {
    stroke: css("--muted"), ticks: { show: false },
    font: "12px Inter, system-ui, sans-serif",
  };
  const fits = Math.max(4, Math.floor(width / list.length / 7));
  return {
    width,
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    scales: {
      x: { time: false, range: [-0.6, list.length - 0.4] },
      y: { range: [0, most * 1.12] },
    },
    axes: [
      { ...axis, size: 30, grid: { show: false }, splits: () => list.map((_, i) => i),
        values: (_, ticks) => ticks.map((i) => {
          const name = list[i]?.name ?? "";
          return name.length > fits ? `${name.slice(0, fits - 1)}…` : name;
        }) },
      { ...axis, size: 38, grid: { stroke: css("--line"), width: 1 },
        splits: () => wholeSteps(most),
        values: (_, ticks) => ticks.map(number) },
    ],
    series: [{}, ...colors.map((color): uPlot.Series => ({
      fill: css(color), stroke: css(color), width: 0,
      points: { show: false },
      paths: uPlot.paths.bars?.({ size: [0.55, 64], radius: 0.12 }),
    }))],
    legend: { show: false },
    cursor: { show: false },
  };
}

export function BarChart({ amounts, label }:
  { amounts: Amount[]; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const key = amounts.map((a) => `${a.name}:${a.n}:${a.color}`).join("|");
  useEffect(() => {
    const at = box.current;
    if (!at) {
      return undefined;
    }
    let plot: uPlot | null = null;
    const draw = () => {
      plot?.destroy();
      plot = new uPlot(options(amounts, Math.max(200, at.clientWidth)),
        shape(amounts).data, at);
    };
    draw();
    let width = at.clientWidth;
    const sized = new ResizeObserver(() => {
      if (at.clientWidth !== width) {
        width = at.clientWidth;
        draw();
      }
    });
    sized.observe(at);
    const forget = watchTheme(draw);
    return () => {
      forget();
      sized.disconnect();
      plot?.destroy();
    };
  }, [key]);
  return (
    <figure class="chart">
      <div ref={box} aria-hidden="true" />
      <figcaption class="sr-only">
        {label}: {amounts.map((a) => `${a.name} ${number(a.n)}`).join(", ")}
      </figcaption>
    </figure>
  );
}
