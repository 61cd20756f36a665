/** The dashboard in a real browser against the real server: sign-in, the example from click to proof, and accessibility. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isBrowserSkipped, openDashboard, sidewaysOf, submit, token } from "./dashboard-browser.ts";
import { untilLoaded, untilRun, violationsOn } from "./dashboard-browser.ts";
import type { Dashboard } from "./dashboard-browser.ts";

let dashboard: Dashboard;

beforeAll(async () => {
  if (!isBrowserSkipped) dashboard = await openDashboard();
});

afterEach(async () => {
  await dashboard?.closeWindows();
});

afterAll(async () => {
  await dashboard?.close();
});

/** Runs the example through the API up to its question. */
async function runToQuestion(): Promise<{ readonly runId: string; readonly approvalId: string }> {
  const runId = await submit(dashboard.api, { example: "brand-audit" });
  await untilRun(dashboard.api, runId, "approval");
  const { waitingFor } = await dashboard.api.get<{ waitingFor: { id: string } }>(`/v1/runs/${runId}`);
  return { runId, approvalId: waitingFor.id };
}

describe.skipIf(isBrowserSkipped)("the dashboard", () => {
  test("a sign-in link signs in, and its token stays neither in the address nor in the history", async () => {
    const { page } = await dashboard.visit();
    await page.goto(`${dashboard.address}/#token=${token}`);
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    expect(page.url()).toBe(`${dashboard.address}/`);
    await page.reload();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).not.toContain(token);
  });

  test("a wrong token is refused in words, and a deep link survives the right one", async () => {
    const { page } = await dashboard.visit();
    await page.goto(`${dashboard.address}/ledger`);
    await page.getByLabel("Token").fill("hst_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The server does not know this token.").waitFor();
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Ledger" }).waitFor();
    expect(page.url()).toBe(`${dashboard.address}/ledger`);
  });

  test("one click runs the example, two keys approve it, and its proof is intact", async () => {
    const { page, faults } = await dashboard.open("/");
    await page.getByRole("link", { name: "New task" }).click();
    await page.getByRole("button", { name: "Run brand-audit" }).click();
    await page.waitForURL(`${dashboard.address}/runs/*`);
    const question = page.getByRole("article", { name: /^delete \d+ files/ });
    await question.waitFor({ timeout: 60_000 });
    expect(await question.getByRole("group", { name: "arguments" }).textContent()).toContain("sha256");
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("heading", { name: "Approvals" }).waitFor();
    await question.waitFor();
    await page.keyboard.press("a");
    await page.getByRole("button", { name: "Press A again to approve" }).waitFor();
    await page.keyboard.press("a");
    await page.getByText("Nothing waits for you").waitFor();
    await page.goBack();
    await page.locator(".run-heading", { hasText: "Completed" }).waitFor();
    await page.getByRole("link", { name: /^Artifacts \d/ }).click();
    expect(
      await page
        .locator(".artifact img")
        .first()
        .evaluate((image) => (image as { naturalWidth?: number }).naturalWidth),
    ).toBeGreaterThan(0);
    await page.getByRole("link", { name: "Proof" }).click();
    await page.getByRole("button", { name: "Verify this run" }).click();
    await page.getByRole("heading", { name: "Intact" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("Ctrl K leads to a page by its name, and ? shows the keys", async () => {
    const { page, faults } = await dashboard.open("/");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Page or run" }).pressSequentially("ledg");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Ledger", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(faults).toEqual([]);
  });

  test("with the server away a page says so, keeps the frame, and comes by itself when it answers again", async () => {
    const { page } = await dashboard.visit();
    const lost = ["**/assets/schedules-page*", "**/v1/stream"];
    for (const path of lost) await page.route(path, (request) => request.abort());
    await page.goto(`${dashboard.address}/#token=${token}`);
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.getByRole("heading", { name: "This page could not be fetched" }).waitFor();
    await page.getByText("The connection to the server is lost.").waitFor();
    expect(await page.getByRole("navigation", { name: "Pages" }).isVisible()).toBe(true);
    for (const path of lost) await page.unroute(path);
    await page.getByRole("heading", { name: "Schedules", level: 1 }).waitFor();
  });

  test("whoever answers second is told who was first", async () => {
    const { approvalId } = await runToQuestion();
    const { page } = await dashboard.visit();
    // Without the stream the page does not learn of the other answer.
    await page.route("**/v1/stream", (request) => request.abort());
    await page.goto(`${dashboard.address}/#token=${token}`);
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    await page.goto(`${dashboard.address}/approvals`);
    await page.getByRole("article").waitFor();
    await dashboard.api.post(`/v1/approvals/${approvalId}/decision`, { answer: "approve" });
    await page.getByPlaceholder("Reason (needed to reject)").fill("No");
    await page.getByRole("button", { name: "Reject" }).click();
    await page.getByRole("status").filter({ hasText: "Already approved by" }).waitFor();
    await page.getByText("Nothing waits for you").waitFor();
  });

  test.each([
    { theme: "dark", width: 1440 },
    { theme: "light", width: 420 },
  ] as const)(
    "every page passes axe, $theme at $width px, and asks nobody else",
    async (look) => {
      const { runId, approvalId } = await runToQuestion();
      const paths = [...pagesOf(runId, await furnish())];
      const walk = async (): Promise<readonly string[]> => {
        const { page, faults } = await dashboard.open("/", look);
        for (let path = paths.shift(); path !== undefined; path = paths.shift()) await examine(page, path);
        return faults;
      };
      // Two windows share the pages: most of the time goes into the browser's own processes.
      expect((await Promise.all([walk(), walk()])).flat()).toEqual([]);
      await dashboard.api.post(`/v1/approvals/${approvalId}/decision`, {
        answer: "reject",
        reason: "Only a test",
      });
    },
    120_000,
  );
});

/** Something to see on every page. Gives back a run that is over. */
async function furnish(): Promise<string> {
  const { api } = dashboard;
  const workflow = `version: 1
name: hello
description: Says hello to somebody
inputs: { who: { type: string, default: world } }
triggers:
  - { cron: "30 2 * * 1-5", name: night, timezone: Europe/Berlin }
steps:
  - { id: greet, title: Say hello, tool: file_ops.write, with: { path: hello.txt, content: "hello \${{ inputs.who }}" } }
`;
  await api.post("/v1/workflows", { workflow });
  const id = await submit(api, { registered: "hello", labels: ["demo"] });
  const { data } = await api.get<{ data: unknown[] }>("/v1/api-keys");
  if (data.length === 0) {
    await api.post("/v1/api-keys", { principal: "ada", role: "approver" });
    await api.post("/v1/delegations", { to: "ada", until: new Date(Date.now() + 864e5).toISOString() });
    await api.post("/v1/schedules", { name: "hourly", cron: "0 * * * *", workflowName: "hello" });
  }
  await untilRun(api, id, "COMPLETED");
  return id;
}

function pagesOf(runId: string, endedRunId: string): readonly string[] {
  const tabs = ["graph", "events", "artifacts", "values", "messages", "related", "proof"];
  return [
    "/",
    "/?state=failed",
    "/new",
    "/new?from=file",
    `/runs/${runId}`,
    `/runs/${runId}?step=inventory`,
    ...tabs.map((tab) => `/runs/${runId}?tab=${tab}`),
    `/runs/${endedRunId}?step=greet`,
    "/compare",
    `/compare?a=${runId}&b=${endedRunId}`,
    "/workflows",
    "/workflows?view=new",
    "/workflows/hello",
    ...["graph", "text", "edit", "runs"].map((tab) => `/workflows/hello?tab=${tab}`),
    "/approvals",
    ...["all", "remembered", "delegations"].map((view) => `/approvals?show=${view}`),
    "/artifacts",
    "/queue",
    "/queue?tab=dead",
    "/schedules",
    "/schedules?view=new",
    "/schedules?name=hourly",
    "/schedules?name=hourly&view=edit",
    "/secrets",
    "/secrets?tab=keys",
    "/ledger",
    "/policy",
    ...["edit", "explain", "shadow", "coverage", "versions"].map((tab) => `/policy?tab=${tab}`),
    "/system",
    ...["workers", "limits", "settings"].map((tab) => `/system?tab=${tab}`),
  ];
}

async function examine(page: Page, path: string): Promise<void> {
  await page.goto(dashboard.address + path);
  await untilLoaded(page);
  expect(await violationsOn(page), path).toEqual([]);
  expect(await sidewaysOf(page), `${path} scrolls sideways`).toBe(0);
}
