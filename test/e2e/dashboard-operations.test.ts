/** Operating the server on its dashboard in a real browser: approvals by keyboard, schedules, dead letters, limits, parts, secrets. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../chaos/server-process.ts";
import { changePolicy, isBrowserSkipped, openDashboard, sidewaysOf, submit } from "./dashboard-browser.ts";
import { token, untilRun, violationsOn } from "./dashboard-browser.ts";
import type { Dashboard } from "./dashboard-browser.ts";

let dashboard: Dashboard;
/** Nobody listens here until a test does. */
let shopPort: number;

beforeAll(async () => {
  if (isBrowserSkipped) return;
  shopPort = await freePort();
  dashboard = await openDashboard({ settings: settingsFor(`127.0.0.1:${shopPort}`) });
  await changePolicy(dashboard, (text) =>
    text
      .replace(/# except: \["https:.*/, `except: ["http://127.0.0.1:${shopPort}/**"]`)
      .trimEnd()
      .concat(rules),
  );
});

afterEach(async () => {
  await dashboard?.closeWindows();
});

afterAll(async () => {
  await dashboard?.close();
});

const settingsFor = (shop: string): string => `
tools:
  allowedHosts: ["${shop}"]
  allowPrivate: ["${shop}"]
limits:
  rates:
    naps: { of: all, action: wait.for, count: 1, within: 1h }
`;

const rules = `
  - name: shop-is-asked
    effect: allow
    action: http.get
    resource: ["http://127.0.0.1:*/**"]
  - name: two-people-publish
    effect: ask
    action: file_ops.write
    resource: workspace/public/**
    approval: { by: [approver, admin], quorum: 2, four_eyes: true, expires: 4h }
  - name: letters-ask
    effect: ask
    action: file_ops.write
    resource: workspace/letters/**
    approval: { by: [approver, admin], expires: 2h }
`;

const writes = (name: string, path: string, content: string): string => `version: 1
name: ${name}
steps:
  - id: write
    tool: file_ops.write
    with: { path: ${path}, content: "${content}" }
`;

const asksShop = (name: string): string => `version: 1
name: ${name}
steps:
  - id: ask
    tool: http.get
    with: { url: "http://127.0.0.1:${shopPort}/prices" }
`;

async function keyOf(principal: string, role: string): Promise<string> {
  return (await dashboard.api.post<{ key: string }>("/v1/api-keys", { principal, role })).key;
}

describe.skipIf(isBrowserSkipped)("operations on the dashboard", () => {
  test("questions are walked, edited, remembered, rejected and agreed to with keys alone", async () => {
    const { api } = dashboard;
    const [ada, ben] = [dashboard.apiOf(await keyOf("ada", "approver")), await keyOf("ben", "operator")];
    const letters: string[] = [];
    for (const name of ["alpha", "beta", "gamma"]) {
      letters.push(await submit(api, { workflow: writes(name, `letters/${name}.txt`, "dear all") }));
      await untilRun(api, letters.at(-1) ?? "", "approval");
    }
    const published = await submit(dashboard.apiOf(ben), {
      workflow: writes("public", "public/a.txt", "news"),
    });
    await untilRun(api, published, "approval");
    const { page, faults } = await dashboard.open("/approvals");
    const inHand = (name: string) => page.getByRole("article", { name: `write letters/${name}.txt` });
    const key = (name: string): Promise<void> => page.keyboard.press(name);
    await inHand("alpha").waitFor();
    await key("j");
    await inHand("beta").waitFor();
    await key("k");
    await inHand("alpha").waitFor();

    await key("e");
    const field = page.getByRole("textbox", { name: "Arguments as JSON" });
    await field.waitFor();
    expect(await field.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    const asked = await field.inputValue();
    await field.fill(asked.replace('"content"', '"contents"'));
    await page
      .getByRole("status", { name: "What the tool's schema says" })
      .getByText("content")
      .first()
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await field.fill(asked.replace("dear all", "dear Zoe"));
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Approve with these" }).click();
    await inHand("beta").waitFor();

    await key("m");
    await page
      .getByRole("group", { name: "Approve and remember" })
      .or(page.getByRole("region", { name: "Approve and remember" }))
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Approve and remember" }).last().click();
    await inHand("gamma").waitFor();

    await key("r");
    await page.keyboard.type("not today");
    await key("Enter");
    await page.getByRole("article", { name: "write public/a.txt" }).waitFor();
    await untilRun(api, letters[2] ?? "", "FAILED");

    const { data } = await api.get<{ data: { id: string; workflow: string }[] }>("/v1/approvals");
    const question = data.find(({ workflow }) => workflow === "public");
    await ada.post(`/v1/approvals/${question?.id}/decision`, { answer: "approve", reason: "read it" });
    await page.locator(".quorum", { hasText: "1 of 2 have agreed" }).waitFor();
    await page.getByText("“read it”").waitFor();
    await page.getByText("ben asked for the run and may not agree to it").waitFor();
    await page
      .getByRole("article")
      .getByText(/^expires in 3:5\d/)
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await key("a");
    // The tool found out the digest of the new text: the question comes once more with it.
    await inHand("alpha").getByText("dear Zoe").waitFor();
    await key("a");
    await page.getByRole("heading", { name: "Nothing waits for you" }).waitFor();
    await untilRun(api, published, "COMPLETED");
    await untilRun(api, letters[0] ?? "", "COMPLETED");

    await page.getByRole("link", { name: "Remembered" }).click();
    await page.getByText("beta").first().waitFor();
    await page.getByRole("button", { name: "Forget" }).first().click();
    await page.getByText("write letters/beta.txt").waitFor({ state: "detached" });
    await key("?");
    await page.getByRole("dialog", { name: "Keyboard" }).getByText("Approve and remember").waitFor();
    expect(faults).toEqual([]);
  });

  test("a schedule is made with a time zone, shows its next times on both clocks, rests, and runs now", async () => {
    await dashboard.api.post("/v1/workflows", { workflow: writes("report", "report.txt", "all is well") });
    const { page, faults } = await dashboard.open("/schedules?view=new");
    await page.getByLabel("Name", { exact: true }).fill("morning");
    await page.getByLabel("Cron expression").fill("61 * * * *");
    await page
      .getByRole("status")
      .filter({ hasText: /61|minute/ })
      .first()
      .waitFor();
    await page.getByLabel("Cron expression").fill("30 7 * * 1-5");
    await page.getByLabel("Time zone").fill("America/New_York");
    await page.getByText("At 07:30, Monday to Friday").waitFor();
    await page.getByRole("combobox", { name: "Workflow" }).selectOption("report");
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Make schedule" }).click();
    await page.getByRole("heading", { name: "Next times" }).waitFor();
    await page.getByText("America/New_York").first().waitFor();
    expect(await page.getByRole("cell", { name: /, 07:30/ }).count()).toBeGreaterThan(3);
    await page.getByRole("button", { name: /^Run now/ }).click();
    await page.getByRole("table").getByText("Completed").waitFor();
    await page.getByRole("button", { name: /^Pause/ }).click();
    await page.getByText("None while it is paused.").waitFor();
    await page.getByRole("button", { name: /^Resume/ }).click();
    await page
      .getByRole("cell", { name: /, 07:30/ })
      .first()
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("a dead letter tells its history, is tried again once the other side is back, and another is given up", async () => {
    const { api } = dashboard;
    const lost = await submit(api, { workflow: asksShop("lost"), maxAttempts: 1 });
    await untilRun(api, lost, "DEAD");
    const asked = await submit(api, { workflow: asksShop("prices"), maxAttempts: 1 });
    await untilRun(api, asked, "DEAD");
    const { page, faults } = await dashboard.open("/queue?tab=dead");
    const row = page
      .getByRole("region", { name: "Dead letters" })
      .getByRole("listitem")
      .filter({ hasText: "prices" });
    await row.getByText("HTTP_FAILED").waitFor();
    await row.getByRole("button", { name: /^History/ }).click();
    await row
      .getByText(/attempt 1/)
      .first()
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    const shop = await openShop();
    try {
      await row.getByRole("button", { name: /^Retry/ }).click();
      await row.waitFor({ state: "detached" });
      await untilRun(api, asked, "COMPLETED");
    } finally {
      shop.close();
    }
    await page.getByRole("button", { name: /^Discard lost/ }).click();
    const dialog = page.getByRole("dialog", { name: "Discard 1 dead letter?" });
    expect(await dialog.getByRole("button", { name: "Discard" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Type lost to confirm").fill("lost");
    await dialog.getByLabel("Reason (optional)").fill("the shop has moved");
    await dialog.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("heading", { name: "No dead letters" }).waitFor();
    await untilRun(api, lost, "CANCELLED");
    expect(faults).toEqual([]);
  });

  test("limits say how far they are used and what they held back, and the tree shows the run that is driven", async () => {
    const { api } = dashboard;
    const naps = "version: 1\nname: naps\nsteps:\n  - { id: nap, tool: wait.for, with: { seconds: 3 } }\n";
    const first = await submit(api, { workflow: naps });
    await untilRun(api, first, "RUNNING");
    const { page, faults } = await dashboard.open("/system");
    await page.getByRole("link", { name: `run ${first.slice(-8)}` }).waitFor();
    await submit(api, { workflow: naps });
    await page.getByRole("link", { name: "Workers" }).click();
    await page.getByText("gateway and worker").waitFor();
    await page.getByRole("link", { name: "Limits" }).click();
    await page.getByText("1 wait.for per 1 h, together").waitFor();
    await page.getByText("used up").waitFor();
    const refused = page.getByRole("region", { name: "Held back" }).getByRole("row", { name: /naps/ });
    await refused.waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.goto(`${dashboard.address}/queue`);
    await page
      .getByText(/Limit naps allows 1 per/)
      .first()
      .waitFor();
    await page.setViewportSize({ width: 420, height: 900 });
    expect(await sidewaysOf(page)).toBe(0);
    expect(faults).toEqual([]);
  });

  test("a breaker that opened says when one call is tried again", async () => {
    const { api } = dashboard;
    const tries =
      asksShop("knocks").replace("/prices", "/knock").trimEnd() +
      "\n    retry: { attempts: 6, delay: 1ms }\n";
    await submit(api, { workflow: tries, maxAttempts: 1 });
    const { page, faults } = await dashboard.open("/system?tab=limits");
    const breakers = page.getByRole("region", { name: "Circuit breakers" });
    await breakers.getByText("Open", { exact: true }).waitFor();
    await breakers.getByText(/one call is tried in 0:\d\d/).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("a secret's value goes in and never comes out, and a key is shown once", async () => {
    const { page, faults } = await dashboard.open("/secrets");
    const seen: string[] = [];
    page.on(
      "response",
      (answer) =>
        void answer.text().then(
          (text) => seen.push(text),
          () => undefined,
        ),
    );
    await page.getByRole("button", { name: "Set a secret" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Set secret" }).click();
    await dialog.getByRole("alert").getByText("The value needs at least 8 characters.").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByLabel("Name").first().fill("shop-token");
    await dialog.getByLabel("Value").first().fill("never-to-be-seen-again");
    await dialog.getByRole("button", { name: "One web host" }).click();
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByRole("button", { name: /^(Set|Save)/ }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("main").getByText("secret://shop-token").waitFor();
    expect(await page.content()).not.toContain("never-to-be-seen-again");
    expect(seen.join("\n")).not.toContain("never-to-be-seen-again");
    await page.getByRole("link", { name: "API keys" }).click();
    await page.getByRole("button", { name: "Make a key" }).click();
    await page
      .getByRole("dialog")
      .getByLabel("Name")
      .or(page.getByRole("dialog").getByLabel("Who"))
      .first()
      .fill("cleo");
    await page.getByRole("dialog").getByRole("button", { name: /^Make/ }).click();
    const shown = page
      .getByRole("dialog")
      .getByText(/^hsk_|^hst_|^hs[a-z]_/)
      .first();
    const key = (await shown.textContent()) ?? "";
    expect(key.length).toBeGreaterThan(20);
    expect(key).not.toBe(token);
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /Close|Done/ })
      .last()
      .click();
    await page.getByText("cleo").waitFor();
    expect(await page.content()).not.toContain(key);
    expect(faults).toEqual([]);
  });
});

async function openShop(): Promise<Server> {
  const server = createServer((_, answer) => answer.end("3 coins"));
  await new Promise<void>((resolve) => server.listen(shopPort, "127.0.0.1", resolve));
  return server;
}
