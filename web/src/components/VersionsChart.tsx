// SPDX-License-Identifier: Apache-2.0
// Which share of a product's devices ran which version, over time.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { FleetHistory } from "../api";
import { withQuery } from "../api";
import { useNow, useResource } from "../hooks";
import { number } from "../format";
import { Card, ErrorBox, Segmented, Skeleton } from "./basics";
import { Chart, type Series } from "./Chart";

const SPANS = { hour: 3600, day: 86_400, week: 604_800, month: 2_592_000 };
type Span = keyof typeof SPANS;
const SHOWN = 7;
const YOUNG = 60;

const parts = (version: string): number[] =>
  version.split(/[^0-9]+/).map(Number);

export function newerFirst(a: string, b: string): number {
  const x = parts(a);
  const y = parts(b);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if ((x[i] ?? 0) !== (y[i] ?? 0)) {
      return (y[i] ?? 0) - (x[i] ?? 0);
    }
  }
  return a < b ? 1 : a > b ? -1 : 0;
}

/** Newest first, in the strongest colour; the many old ones as one. */
function seriesOf(history: FleetHistory): Series[] {
  const sorted = [...history.series].sort(
    (a, b) => newerFirst(a.version, b.version));
  const shown = sorted.slice(0, SHOWN).map((s, i): Series => ({
    label: s.version || "unknown",
    values: s.values,
    color: `--chart-${i + 1}`,
  }));
  const rest = sorted.slice(SHOWN);
  if (rest.length > 0) {
    shown.push({
      label: `${rest.length} older`,
      values: history.times.map((_, i) =>
        rest.reduce((sum, s) => sum + (s.values[i] ?? 0), 0)),
      color: "--chart-8",
    });
  }
  return shown.reverse();
}

export function VersionsChart({ products, preset }: {
  products: string[]; preset?: string; // shown until another is chosen
}) {
  const [product, setProduct] = useState(preset ?? products[0] ?? "");
  const [span, setSpan] = useState<Span>("day");
  // Of a young server the span's points would all be one: it begins where the
  // history does.
  const [begin, setBegin] = useState(0);
  const minute = Math.floor(useNow(60_000) / 60) * 60;
  const path = withQuery("/fleet/history", {
    product, from: Math.max(minute - SPANS[span], begin), points: 200,
  });
  const { data, error, loading, reload } = useResource<FleetHistory>(
    product ? path : null, { on: ["fleet"], everyMs: 10_000 });
  const [kept, setKept] = useState<FleetHistory | null>(null);
  const first = data?.times[0] ?? 0;
  useEffect(() => {
    if (first > begin + 60) {
      setBegin(first);
    }
  }, [first]);
  if (data && data !== kept) {
    setKept(data);
  }
  const history = data ?? kept;
  const young = history !== null && history.times.length < YOUNG;
  useEffect(() => {
    // A server that has just begun notes its counts each few seconds.
    const timer = young ? window.setInterval(reload, 5000) : 0;
    return () => window.clearInterval(timer);
  }, [young]);
  const series = useMemo(() => history ? seriesOf(history) : [], [history]);
  return (
    <Card title="Versions over time" aside={
      <div class="actions">
        {products.length > 1 && (
          <select aria-label="Product" class="select-small" value={product}
            onChange={(e) => {
              setProduct(e.currentTarget.value);
              setBegin(0);
            }}>
            {products.map((name) => <option key={name}>{name}</option>)}
          </select>
        )}
        <Segmented<Span> name="span" legend="Time" value={span}
          onChange={(next) => {
            setSpan(next);
            setBegin(0);
          }} choices={[
            { value: "hour", label: "1 h" }, { value: "day", label: "24 h" },
            { value: "week", label: "7 d" }, { value: "month", label: "30 d" },
          ]} />
      </div>
    }>
      <ErrorBox error={error} />
      {loading && !history && <Skeleton lines={6} />}
      {history && history.times.length > 1 && (
        <Chart stacked times={history.times} series={series} format={number}
          height={240} label={`Devices of ${product} by version`} />
      )}
      {history && history.times.length < 2 && (
        <p class="muted">The first points are being recorded.</p>
      )}
    </Card>
  );
}
