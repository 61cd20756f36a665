/** Links from mail and remembered answers on the dashboard in a real browser: who must sign in, and what ends with a key. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { changePolicy, isBrowserSkipped, openDashboard, submit } from "./dashboard-browser.ts";
import { sidewaysOf, untilRun, violationsOn } from "./dashboard-browser.ts";
import type { Dashboard } from "./dashboard-browser.ts";

let dashboard: Dashboard;
let ada: { readonly id: string; readonly key: string };

const rule = `
  - name: letters-ask
    effect: ask
    action: file_ops.write
    resource: workspace/letters/**
    approval: { by: [approver], expires: 2h }
`;

const letter = `version: 1
name: letters
steps:
  - id: write
    tool: file_ops.write
    with: { path: letters/a.txt, content: dear all }
`;

beforeAll(async () => {
  if (isBrowserSkipped) return;
  dashboard = await openDashboard();
  await changePolicy(dashboard, (text) => text.trimEnd().concat(rule));
  ada = await dashboard.api.post("/v1/api-keys", { principal: "ada", role: "approver" });
});

afterEach(async () => {
  await dashboard?.closeWindows();
});

afterAll(async () => {
  await dashboard?.close();
});

async function asked(): Promise<{ readonly run: string; readonly approval: string }> {
  const run = await submit(dashboard.api, { workflow: letter });
  await untilRun(dashboard.api, run, "approval");
  const { data } = await dashboard.api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
  return { run, approval: data.find(({ runId }) => runId === run)!.id };
}

describe.skipIf(isBrowserSkipped)("links and remembered answers on the dashboard", () => {
  test("a link leads to the question: its addressee signs in and answers, and it opens for nobody else", async () => {
    const { run, approval } = await asked();
    const { url } = await dashboard.api.post<{ url: string }>(`/v1/approvals/${approval}/links`, { for: "ada" });
    const { page } = await dashboard.visit({ width: 420, theme: "light" });
    await page.goto(url);
    await page.getByRole("heading", { name: "Sign in to Homeostat" }).waitFor();
    expect(page.url()).not.toContain("#");
    await page.getByLabel("Token").fill(ada.key);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "write letters/a.txt" }).waitFor();
    await page.getByText("You answer as ada").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(await sidewaysOf(page)).toBe(0);
    const other = await dashboard.open("/");
    await other.page.goto(url);
    await other.page.getByRole("heading", { name: "This link is for ada, and you are admin" }).waitFor();
    expect(await violationsOn(other.page)).toEqual([]);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("heading", { name: "Approved" }).waitFor();
    await untilRun(dashboard.api, run, "COMPLETED");
  }); // prettier-ignore

  test("a key that is revoked takes its remembered answers along, which are shown as void", async () => {
    const { run, approval } = await asked();
    await dashboard.apiOf(ada.key).post(`/v1/approvals/${approval}/decision`, {
      answer: "approve",
      remember: { scope: "tenant", for: "8h" },
    });
    await untilRun(dashboard.api, run, "COMPLETED");
    const { page, faults } = await dashboard.open("/secrets");
    await page.getByRole("tab", { name: "API keys" }).or(page.getByRole("link", { name: "API keys" })).first().click();
    await page.getByRole("button", { name: "Revoke the key of ada" }).click();
    await page.getByText("1 remembered answer ends with it").waitFor();
    await page.getByRole("textbox").fill("ada");
    await page.getByRole("button", { name: "Revoke key" }).click();
    await page.getByText("Nobody has a key but the admin").waitFor();
    await page.goto(`${dashboard.address}/approvals?show=remembered`);
    await page.getByText("It does not count any more: ada may not use this server any more.").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    const again = await asked();
    const { reason } = await dashboard.api.get<{ reason: string }>(`/v1/approvals/${again.approval}`);
    expect(reason).toMatch(/the remembered yes sta_\S+ of ada does not count: ada may not use this server any more/);
    expect(faults).toEqual([]);
  }); // prettier-ignore
});
