import { describe, expect, test } from "vitest";
import { createManualClock } from "./clock.ts";
import { metricTable } from "./metric-table.ts";
import type { MetricRow } from "./metric-table.ts";
import { createMetrics } from "./metrics.ts";

describe("the table of metrics", () => {
  test("keeps Prometheus' rules for names, and says with a sentence what each is", () => {
    for (const [name, row] of Object.entries(metricTable) as [string, MetricRow][]) {
      expect(name).toMatch(/^homeostat_[a-z_]+$/);
      expect(name.endsWith("_total")).toBe(row.type === "counter");
      expect(row.help).toMatch(/^[A-Z].*\.$/);
      expect(row.buckets !== undefined).toBe(row.type === "histogram");
      expect([...(row.buckets ?? [])].sort((a, b) => a - b)).toEqual(row.buckets ?? []);
      for (const label of row.labels) expect(label).toMatch(/^[a-z_]+$/);
    }
  });
});

describe("createMetrics", () => {
  test("counts, sets and observes under the names of the table", async () => {
    const metrics = createMetrics({ clock: createManualClock(), version: "1.2.3", nodeVersion: "24.0.0" });
    metrics.count("homeostat_task_success_total", {});
    metrics.count("homeostat_task_success_total", {}, 2);
    metrics.set("homeostat_runs", { state: "RUNNING" }, 7);
    metrics.observe("homeostat_store_commit_duration_seconds", { database: "state" }, 0.002);
    const { text, contentType } = await metrics.scrape();
    expect(contentType).toContain("text/plain");
    expect(text).toContain("homeostat_task_success_total 3\n");
    expect(text).toContain('homeostat_runs{state="RUNNING"} 7\n');
    expect(text).toContain(
      'homeostat_store_commit_duration_seconds_bucket{le="0.0025",database="state"} 1\n',
    );
    expect(text).toContain('homeostat_build_info{version="1.2.3",node="24.0.0"} 1\n');
    expect(text).toContain("homeostat_process_cpu_user_seconds_total");
    metrics.close();
  });

  test("tells the uptime by the monotonic clock and the delay of the event loop", async () => {
    const clock = createManualClock();
    const metrics = createMetrics({ clock, version: "1", nodeVersion: "24" });
    clock.advance(12_500);
    const { text } = await metrics.scrape();
    expect(text).toContain("homeostat_uptime_seconds 12.5\n");
    expect(text).toMatch(/homeostat_event_loop_delay_seconds\{quantile="0.99"\} \d/);
    metrics.close();
  });

  test("asks the readers before each scrape, and one that fails hides nothing", async () => {
    const metrics = createMetrics({ clock: createManualClock(), version: "1", nodeVersion: "24" });
    metrics.beforeScrape(() => {
      throw new Error("the database is away");
    });
    metrics.beforeScrape(async () => metrics.set("homeostat_approvals_waiting", {}, 4));
    expect((await metrics.scrape()).text).toContain("homeostat_approvals_waiting 4\n");
    metrics.close();
  });

  test("two registries in one process do not meet", async () => {
    const options = { clock: createManualClock(), version: "1", nodeVersion: "24" };
    const [one, other] = [createMetrics(options), createMetrics(options)];
    one.count("homeostat_task_success_total", {});
    expect((await other.scrape()).text).toContain("homeostat_task_success_total 0\n");
    one.close();
    other.close();
  });
});
