/** The dashboard in a real browser against the real server: sign-in, the example from click to proof, and accessibility. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { buildDashboardIfStale } from "../../scripts/build-dashboard.ts";
import { createApi, freePort, repository, startServer } from "../chaos/server-process.ts";
import type { Api, ServerProcess } from "../chaos/server-process.ts";

const token = `hst_${"d".repeat(43)}`;
const skipped = (process.env["HOMEOSTAT_TEST_SKIP"] ?? "").split(",");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browserArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let home: string;
let server: ServerProcess;
let address: string;
let api: Api;
let browser: Browser;
let context: BrowserContext | undefined;

beforeAll(async () => {
  if (skipped.includes("browser")) return;
  expect(buildDashboardIfStale(repository)).toBe(true);
  home = await mkdtemp(join(tmpdir(), "homeostat-dashboard-"));
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  server = startServer({ home, port, token });
  await server.ready;
  api = createApi({ port, token });
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: browserArguments });
});

afterEach(async () => {
  await context?.close();
  context = undefined;
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

interface Visit {
  readonly page: Page;
  /** Console errors, page errors, and requests to anybody but the server. */
  readonly faults: string[];
}

async function visit(
  options: { readonly width?: number; readonly theme?: "dark" | "light" } = {},
): Promise<Visit> {
  context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: 900 },
    colorScheme: options.theme ?? "dark",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`)) faults.push(`asked ${request.url()}`);
  });
  return { page, faults };
}

async function signIn(options?: Parameters<typeof visit>[0]): Promise<Visit> {
  const seen = await visit(options);
  await seen.page.goto(`${address}/#token=${token}`);
  await seen.page.getByRole("heading", { level: 1 }).waitFor();
  await seen.page.getByRole("navigation", { name: "Pages" }).waitFor();
  // Before the sign-in the page asks who is there and is told 401, which the console notes.
  seen.faults.length = 0;
  return seen;
}

/** Runs the example through the API up to its question. */
async function runToQuestion(): Promise<{ readonly runId: string; readonly approvalId: string }> {
  const { id } = await api.post<{ id: string }>("/v1/tasks", { example: "brand-audit" });
  for (let tries = 0; tries < 300; tries += 1) {
    const { data } = await api.get<{ data: { id: string; runId: string }[] }>("/v1/approvals");
    const question = data.find((approval) => approval.runId === id);
    if (question !== undefined) return { runId: id, approvalId: question.id };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`run ${id} asked nothing`);
}

describe.skipIf(skipped.includes("browser"))("the dashboard", () => {
  test("a sign-in link signs in, and its token stays neither in the address nor in the history", async () => {
    const { page } = await signIn();
    expect(page.url()).toBe(`${address}/`);
    await page.reload();
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await page.evaluate("JSON.stringify([localStorage, sessionStorage])")).not.toContain(token);
  });

  test("a wrong token is refused in words, and a deep link survives the right one", async () => {
    const { page } = await visit();
    await page.goto(`${address}/ledger`);
    await page.getByLabel("Token").fill("hst_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The server does not know this token.").waitFor();
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Ledger" }).waitFor();
    expect(page.url()).toBe(`${address}/ledger`);
  });

  test("one click runs the example, two keys approve it, and its proof is intact", async () => {
    const { page, faults } = await signIn();
    await page.getByRole("link", { name: "New task" }).click();
    await page.getByRole("button", { name: "Run brand-audit" }).click();
    await page.waitForURL(`${address}/runs/*`);
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
    const { page, faults } = await signIn();
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

  test("whoever answers second is told who was first", async () => {
    const { approvalId } = await runToQuestion();
    const { page } = await visit();
    // Without the stream the page does not learn of the other answer.
    await page.route("**/v1/stream", (request) => request.abort());
    await page.goto(`${address}/#token=${token}`);
    await page.getByRole("navigation", { name: "Pages" }).waitFor();
    await page.goto(`${address}/approvals`);
    await page.getByRole("article").waitFor();
    await api.post(`/v1/approvals/${approvalId}/decision`, { answer: "approve" });
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
    async ({ theme, width }) => {
      const { runId, approvalId } = await runToQuestion();
      const { page, faults } = await signIn({ theme, width });
      const paths = [
        "/",
        "/new",
        "/new?from=file",
        `/runs/${runId}`,
        `/runs/${runId}?step=inventory`,
        `/runs/${runId}?tab=events`,
        `/runs/${runId}?tab=artifacts`,
        `/runs/${runId}?tab=values`,
        `/runs/${runId}?tab=proof`,
        "/approvals",
        "/approvals?show=all",
        "/artifacts",
        "/ledger",
        "/policy",
        "/policy?tab=edit",
        "/policy?tab=explain",
        "/policy?tab=shadow",
        "/policy?tab=coverage",
        "/policy?tab=versions",
        "/system",
      ];
      for (const path of paths) {
        await page.goto(address + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForLoadState("load");
        await page.waitForTimeout(400);
        expect(await violationsOn(page), path).toEqual([]);
        const sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        expect(await page.evaluate(sideways), `${path} scrolls sideways`).toBe(0);
      }
      await api.post(`/v1/approvals/${approvalId}/decision`, { answer: "reject", reason: "Only a test" });
      expect(faults).toEqual([]);
    },
    120_000,
  );
});

/** Rule and element of each violation of WCAG 2.2 AA and axe's best practices. */
async function violationsOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  return (await page.evaluate(`axe.run(document).then((result) =>
    result.violations.flatMap((violation) => violation.nodes.map((node) => violation.id + " " + node.target.join(" "))))`)) as string[];
}
