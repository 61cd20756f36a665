/** A real server with the dashboard, and a browser that is signed in to it: what the tests of its pages share. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { buildDashboardIfStale } from "../../scripts/build-dashboard.ts";
import { createApi, freePort, repository, startServer } from "../chaos/server-process.ts";
import type { Api } from "../chaos/server-process.ts";

export const isBrowserSkipped: boolean = (process.env["HOMEOSTAT_TEST_SKIP"] ?? "")
  .split(",")
  .includes("browser");

export const token: string = `hst_${"d".repeat(43)}`;

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

export interface Look {
  readonly width?: number;
  readonly theme?: "dark" | "light";
}

export interface Visit {
  readonly page: Page;
  /** Console errors, page errors, and requests to anybody but the server. */
  readonly faults: string[];
}

export interface Dashboard {
  readonly address: string;
  readonly home: string;
  readonly api: Api;
  /** The API as somebody else than the admin. */
  apiOf(key: string): Api;
  /** A new window that is not signed in. */
  visit(look?: Look): Promise<Visit>;
  /** A new window that is signed in, on this page. */
  open(path: string, look?: Look): Promise<Visit>;
  closeWindows(): Promise<void>;
  close(): Promise<void>;
}

export interface DashboardOptions {
  /** Text of homeostat.yaml. */
  readonly settings?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Throws when the dashboard does not build or the server does not start. */
export async function openDashboard({ settings, environment }: DashboardOptions = {}): Promise<Dashboard> {
  if (!buildDashboardIfStale(repository)) throw new Error("the dashboard does not build");
  const home = await mkdtemp(join(tmpdir(), "homeostat-dashboard-"));
  if (settings !== undefined) writeFileSync(join(home, "homeostat.yaml"), settings);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const server = startServer({ home, port, token, ...(environment === undefined ? {} : { environment }) });
  const [browser] = await Promise.all([
    chromium.launch({ executablePath: "/usr/bin/chromium", args: browserArguments }),
    server.ready,
  ]);
  const windows = await createWindows(browser, address);
  return {
    address,
    home,
    api: createApi({ port, token }),
    apiOf: (key) => createApi({ port, token: key }),
    ...windows,
    close: async () => {
      await browser.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

type Windows = Pick<Dashboard, "visit" | "open" | "closeWindows">;

async function createWindows(browser: Browser, address: string): Promise<Windows> {
  const contexts: BrowserContext[] = [];
  const signedIn = await signIn(browser, address);
  const openWindow = async ({ width = 1440, theme = "dark" }: Look, isSignedIn: boolean): Promise<Visit> => {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: theme,
      reducedMotion: "reduce",
      ...(isSignedIn ? { storageState: signedIn } : {}),
    });
    // What does not come within this time does not come; the failure then names what was waited for.
    context.setDefaultTimeout(30_000);
    contexts.push(context);
    return watch(await context.newPage(), address);
  };
  return {
    visit: (look = {}) => openWindow(look, false),
    open: async (path, look = {}) => {
      const visit = await openWindow(look, true);
      await visit.page.goto(address + path);
      await visit.page.getByRole("heading", { level: 1 }).waitFor();
      return visit;
    },
    closeWindows: async () => {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
    },
  };
}

function watch(page: Page, address: string): Visit {
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${address}/`)) faults.push(`asked ${request.url()}`);
  });
  page.on("dialog", (dialog) => void dialog.accept());
  return { page, faults };
}

/** The cookie of one sign-in serves every window. */
async function signIn(
  browser: Browser,
  address: string,
): Promise<Awaited<ReturnType<BrowserContext["storageState"]>>> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${address}/#token=${token}`);
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** Rule and element of each violation of WCAG 2.2 AA and axe's best practices. */
export async function violationsOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axeSource);
  return (await page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then((result) =>
    result.violations.flatMap((violation) => violation.nodes.map((node) => violation.id + " " + node.target.join(" "))))`)) as string[];
}

/** Pixels by which the page is wider than the window. */
export async function sidewaysOf(page: Page): Promise<number> {
  return await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

/** Until nothing on the page is being fetched. */
export async function untilLoaded(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForLoadState("load");
  await page.locator(".loading").first().waitFor({ state: "detached" });
}

interface RunShape {
  readonly id: string;
  readonly state: string;
  readonly waitingFor: { readonly kind: string } | null;
}

/** Waits until the run is in this state, or waits for this. */
export async function untilRun(api: Api, id: string, wanted: string): Promise<void> {
  let run: RunShape | undefined;
  for (let tries = 0; tries < 1_200; tries += 1) {
    run = await api.get<RunShape>(`/v1/runs/${id}`);
    if (run.state === wanted || run.waitingFor?.kind === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`run ${id} is ${run?.state}, not ${wanted}`);
}

/** Submits a task and gives back its id. */
export async function submit(api: Api, task: object): Promise<string> {
  return (await api.post<{ id: string }>("/v1/tasks", task)).id;
}

/** Makes a changed text of the policy in force the active one. */
export async function changePolicy(dashboard: Dashboard, change: (text: string) => string): Promise<void> {
  const { revision, text } = await dashboard.api.get<{ revision: string; text: string }>("/v1/policy");
  const answer = await fetch(`${dashboard.address}/v1/policy`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ text: change(text), expected: revision, note: "from elsewhere" }),
  });
  if (!answer.ok) throw new Error(`the policy was refused: ${await answer.text()}`);
}
