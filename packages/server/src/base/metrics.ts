/** Counts and times for /metrics in Prometheus' text format; the names come from the one table. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import { metricTable } from "./metric-table.ts";
import type { MetricRow } from "./metric-table.ts";

type Table = typeof metricTable;
type NameOf<Type extends MetricRow["type"]> = {
  [Name in keyof Table]: Table[Name]["type"] extends Type ? Name : never;
}[keyof Table];

export type CounterName = NameOf<"counter">;
export type GaugeName = NameOf<"gauge">;
export type HistogramName = NameOf<"histogram">;
/** Exactly the labels that the table names. */
export type Labels<Name extends keyof Table> = { readonly [Label in Table[Name]["labels"][number]]: string };

export interface Metrics {
  count<Name extends CounterName>(name: Name, labels: Labels<Name>, by?: number): void;
  set<Name extends GaugeName>(name: Name, labels: Labels<Name>, value: number): void;
  /** In the unit that the name ends with: seconds, not milliseconds. */
  observe<Name extends HistogramName>(name: Name, labels: Labels<Name>, value: number): void;
  /** Called before each scrape, to set gauges that are cheaper to read than to follow. One that throws is left out. */
  beforeScrape(read: () => void | Promise<void>): void;
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Stops the measuring of the event loop. */
  close(): void;
}

export interface MetricsOptions {
  readonly clock: Clock;
  /** Of this product, for `homeostat_build_info`. */
  readonly version: string;
  readonly nodeVersion: string;
}

export function createMetrics({ clock, version, nodeVersion }: MetricsOptions): Metrics {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, row] of Object.entries(metricTable) as [string, MetricRow][]) {
    const common = { name, help: row.help, labelNames: [...row.labels], registers: [registry] };
    if (row.type === "counter") counters.set(name, new Counter(common));
    if (row.type === "gauge") gauges.set(name, new Gauge(common));
    if (row.type === "histogram") {
      histograms.set(name, new Histogram({ ...common, buckets: [...row.buckets] }));
    }
  }
  collectDefaultMetrics({ register: registry, prefix: "homeostat_" });
  const startMs = clock.monotonic();
  // 10 ms is the smallest delay worth knowing; a finer timer would itself cost.
  const resolutionMs = 10;
  const loopDelay = monitorEventLoopDelay({ resolution: resolutionMs });
  loopDelay.enable();
  const readers: (() => void | Promise<void>)[] = [readProcess];
  const metrics: Metrics = {
    count: (name, labels, by = 1) => counters.get(name)?.inc(labels, by),
    set: (name, labels, value) => gauges.get(name)?.set(labels, value),
    observe: (name, labels, value) => histograms.get(name)?.observe(labels, value),
    beforeScrape: (read) => void readers.push(read),
    async scrape() {
      // One reader that fails must not hide the rest; its gauge then keeps the last value.
      await Promise.allSettled(readers.map(async (read) => read()));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    close: () => void loopDelay.disable(),
  };
  return metrics;

  function readProcess(): void {
    metrics.set("homeostat_build_info", { version, node: nodeVersion }, 1);
    metrics.set("homeostat_uptime_seconds", {}, (clock.monotonic() - startMs) / 1000);
    for (const percent of [50, 99, 100]) {
      // The histogram holds the intervals between its ticks in nanoseconds; the delay is what exceeds the wanted interval.
      const delaySeconds = Math.max(0, loopDelay.percentile(percent) / 1e9 - resolutionMs / 1000);
      metrics.set("homeostat_event_loop_delay_seconds", { quantile: String(percent / 100) }, delaySeconds);
    }
    loopDelay.reset();
  }
}
