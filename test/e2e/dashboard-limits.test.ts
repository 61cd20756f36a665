/** Limits and breakers of two processes on the dashboard of one of them, in a real browser. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../chaos/server-process.ts";
import { startMember } from "../cluster/member-process.ts";
import type { Member } from "../cluster/member-process.ts";
import { changePolicy, isBrowserSkipped, openDashboard, sidewaysOf, submit } from "./dashboard-browser.ts";
import { token, violationsOn } from "./dashboard-browser.ts";
import type { Dashboard } from "./dashboard-browser.ts";

let dashboard: Dashboard;
let worker: Member;
/** Nobody listens here. */
let shop: string;
let shelf: string;

beforeAll(async () => {
  if (isBrowserSkipped) return;
  shop = `127.0.0.1:${await freePort()}`;
  dashboard = await openDashboard({ settings: settings() });
  await changePolicy(dashboard, (text) =>
    text
      .replace(/# except: \["https:.*/, `except: ["http://${shop}/**"]`)
      .trimEnd()
      .concat(rules),
  );
  shelf = join(dashboard.home, "..", `${dashboard.home.split("/").at(-1)}-shelf`);
  await mkdir(shelf);
  await writeFile(join(shelf, "hello.txt"), "hello");
  const roots = JSON.stringify({ shelf: { path: shelf, mode: "read" } });
  const environment = { HOME: dashboard.home, HOMEOSTAT_HOME: dashboard.home, HOMEOSTAT_TOKEN: token };
  worker = await startMember({
    role: "worker",
    environment: { ...environment, HOMEOSTAT_ROOTS: roots, HOMEOSTAT_SANDBOX_INSTALL: "never" },
  });
});

afterEach(async () => {
  await dashboard?.closeWindows();
});

afterAll(async () => {
  await worker?.kill();
  await dashboard?.close();
  if (!isBrowserSkipped) await rm(shelf, { recursive: true });
});

const settings = (): string => `
tools:
  allowedHosts: ["${shop}"]
  allowPrivate: ["${shop}"]
limits:
  rates:
    calls: { of: tenant, action: "http.*", count: 100, within: 10h }
`;

const rules = `
  - name: shop-is-asked
    effect: allow
    action: http.get
    resource: ["http://127.0.0.1:*/**"]
  - name: shelf-is-read
    effect: allow
    action: file_ops.read
    resource: shelf/**
`;

/** Only the worker has the shelf; six tries, so that the breaker of its process opens. */
const shopping = (): string => `version: 1
name: shopping
steps:
  - { id: here, tool: file_ops.read, with: { path: "shelf:hello.txt" } }
  - id: ask
    tool: http.get
    with: { url: "http://${shop}/" }
    retry: { attempts: 6, delay: 1ms }
`;

describe.skipIf(isBrowserSkipped)("limits of two processes on the dashboard", () => {
  test("the breaker of the other process is shown with its process, and reset by a button", async () => {
    await submit(dashboard.api, { workflow: shopping(), maxAttempts: 1 });
    const { page, faults } = await dashboard.open("/system?tab=limits");
    const breakers = page.getByRole("region", { name: "Circuit breakers" });
    await breakers.getByText("Open", { exact: true }).waitFor();
    const place = new RegExp(`^open in worker \\S+:${worker.child.pid}$`);
    await breakers.getByText(place).waitFor();
    const rates = page.getByRole("region", { name: "Rates, quotas and places" });
    await rates.getByText("in one process").waitFor();
    const row = page
      .getByRole("region", { name: "By process" })
      .getByRole("listitem")
      .filter({ hasText: `:${worker.child.pid}` });
    await row.getByText(`http://${shop}`).waitFor();
    await row.getByText("Running", { exact: true }).waitFor();
    for (const width of [1440, 420]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await violationsOn(page)).toEqual([]);
      expect(await sidewaysOf(page)).toBe(0);
    }
    await breakers.getByRole("button", { name: `Reset http://${shop}` }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("status").getByText(`http://${shop} may be called again`).waitFor();
    await breakers.getByText("every breaker is closed").waitFor();

    await worker.kill();
    await page.getByRole("region", { name: "By process" }).waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });
});
