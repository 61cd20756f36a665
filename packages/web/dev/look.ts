/** Photographs every page in both themes and two sizes and runs axe on each: `node dev/look.ts --url http://127.0.0.1:7718 --out /tmp/look`. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium, type Page } from "playwright-core";

const { values: flags } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:7718" },
    token: { type: "string", default: "fake" },
    out: { type: "string", default: "/tmp/look" },
    only: { type: "string", default: "" },
    sizes: { type: "string", default: "1440x900,420x900" },
    themes: { type: "string", default: "dark,light" },
    full: { type: "boolean", default: false },
  },
});

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What is done on a page before it is photographed. */
type Prepare = (page: Page) => Promise<void>;

interface View {
  readonly name: string;
  readonly path: string;
  readonly prepare?: Prepare;
}

/** A server with other data may not have it; the page is photographed as it is. */
const click =
  (selector: string): Prepare =>
  async (page) => {
    if ((await page.locator(selector).count()) === 0) return;
    await page.locator(selector).first().click();
    await page.waitForTimeout(400);
  };

async function findRun(page: Page, state: string): Promise<string> {
  const runs = (await page.evaluate(async (wanted) => {
    const response = await fetch(`/v1/runs?state=${wanted}`);
    return (await response.json()) as { data: { id: string }[] };
  }, state)) as { data: { id: string }[] };
  return runs.data[0]?.id ?? "none";
}

async function findWorkflow(page: Page): Promise<string> {
  const workflows = (await page.evaluate("fetch('/v1/workflows').then((answer) => answer.json())")) as {
    data: { name: string }[];
  };
  return workflows.data[0]?.name ?? "none";
}

async function viewsOf(page: Page): Promise<View[]> {
  const [done, waiting, failed, dead, retrying] = await Promise.all(
    ["COMPLETED", "WAITING", "FAILED", "DEAD", "RETRYING"].map((state) => findRun(page, state)),
  );
  const workflow = await findWorkflow(page);
  return [
    { name: "runs", path: "/" },
    { name: "runs-failed", path: "/?state=failed" },
    { name: "run-done", path: `/runs/${done}` },
    { name: "run-step", path: `/runs/${done}?step=clear%2Fdelete` },
    { name: "run-real", path: `/runs/${done}?scale=real` },
    { name: "run-waiting", path: `/runs/${waiting}` },
    { name: "run-failed", path: `/runs/${failed}?step=chart` },
    { name: "run-dead", path: `/runs/${dead}` },
    { name: "run-retrying", path: `/runs/${retrying}` },
    { name: "run-events", path: `/runs/${done}?tab=events`, prepare: click(".events summary") },
    { name: "run-artifacts", path: `/runs/${done}?tab=artifacts` },
    { name: "run-artifact-open", path: `/runs/${done}?tab=artifacts`, prepare: click(".artifact") },
    { name: "run-values", path: `/runs/${done}?tab=values` },
    { name: "run-proof", path: `/runs/${done}?tab=proof`, prepare: click(".proof .button") },
    { name: "run-missing", path: "/runs/none" },
    { name: "run-graph", path: `/runs/${waiting}?tab=graph` },
    { name: "run-related", path: `/runs/${waiting}?tab=related` },
    { name: "run-messages", path: `/runs/${waiting}?tab=messages` },
    { name: "compare", path: `/compare?a=${done}&b=${failed}` },
    ...pageViews(workflow),
  ];
}

function pageViews(workflow: string): View[] {
  return [
    { name: "new", path: "/new" },
    { name: "new-own", path: "/new?from=file" },
    {
      name: "new-own-bad",
      path: "/new?from=file",
      prepare: async (page) => {
        await page
          .locator("textarea.editor-text")
          .fill("version: 1\nname: mine\nsteps:\n  - id: a\n    tol: file_ops.list\n");
        await page.waitForTimeout(900);
      },
    },
    { name: "approvals", path: "/approvals" },
    { name: "approvals-all", path: "/approvals?show=all", prepare: click(".answered summary") },
    { name: "artifacts", path: "/artifacts" },
    { name: "ledger", path: "/ledger" },
    { name: "ledger-verified", path: "/ledger", prepare: click(".page-actions .button") },
    { name: "policy", path: "/policy?line=25" },
    { name: "policy-edit", path: "/policy?tab=edit" },
    { name: "policy-explain", path: "/policy?tab=explain", prepare: click(".explain-form .button") },
    { name: "policy-shadow", path: "/policy?tab=shadow" },
    { name: "policy-coverage", path: "/policy?tab=coverage", prepare: click(".panel-head .button") },
    { name: "policy-versions", path: "/policy?tab=versions" },
    { name: "system", path: "/system" },
    { name: "system-workers", path: "/system?tab=workers" },
    { name: "system-limits", path: "/system?tab=limits" },
    { name: "system-settings", path: "/system?tab=settings" },
    { name: "queue", path: "/queue" },
    { name: "queue-dead", path: "/queue?tab=dead" },
    { name: "schedules", path: "/schedules" },
    { name: "schedule-new", path: "/schedules?view=new" },
    { name: "secrets", path: "/secrets" },
    { name: "secrets-keys", path: "/secrets?tab=keys" },
    { name: "workflows", path: "/workflows" },
    { name: "workflow-new", path: "/workflows?view=new" },
    ...["", "?tab=graph", "?tab=text", "?tab=edit", "?tab=runs"].map((search) => ({
      name: `workflow${search.replace("?tab=", "-")}`,
      path: `/workflows/${workflow}${search}`,
    })),
    { name: "compare-empty", path: "/compare" },
    { name: "approvals-remembered", path: "/approvals?show=remembered" },
    { name: "approvals-delegations", path: "/approvals?show=delegations" },
    { name: "keys", path: "/", prepare: async (page) => page.keyboard.press("?") },
    {
      name: "palette",
      path: "/",
      prepare: async (page) => {
        await page.keyboard.press("Control+k");
        await page.waitForTimeout(300);
      },
    },
  ];
}

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: { readonly target: string[]; readonly failureSummary?: string }[];
}

async function check(page: Page): Promise<readonly Violation[]> {
  await page.evaluate(axeSource);
  const result = await page.evaluate(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  );
  return (result as { violations: Violation[] }).violations;
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(
    " ",
  ),
});
mkdirSync(flags.out, { recursive: true });
let count = 0;
try {
  for (const size of flags.sizes.split(",")) {
    for (const theme of flags.themes.split(",") as ("dark" | "light")[]) {
      const [width = 1440, height = 900] = size.split("x").map(Number);
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      const faults: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(String(error)));
      const photograph = async (name: string): Promise<void> => {
        await page.screenshot({
          path: join(flags.out, `${name}-${width}-${theme}.png`),
          fullPage: flags.full,
        });
        const violations = await check(page);
        const sideways = await page.evaluate(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (sideways !== 0) faults.push(`scrolls sideways by ${String(sideways)} px`);
        count += violations.length + faults.length;
        for (const fault of faults.splice(0)) console.log(`${name} ${size} ${theme}: ${fault}`);
        for (const { id, help, nodes } of violations) {
          console.log(`${name} ${size} ${theme}: ${id}: ${help}`);
          for (const node of nodes.slice(0, 4))
            console.log(`   ${node.target.join(" ")} ${node.failureSummary ?? ""}`);
        }
      };
      if (flags.only === "" || flags.only === "sign-in") {
        await page.goto(flags.url);
        await page.waitForSelector("h1");
        faults.length = 0;
        await photograph("sign-in");
      }
      await page.goto(`${flags.url}/#token=${flags.token}`);
      await page.waitForSelector(".rail");
      if (page.url().includes("token")) throw new Error("the token is still in the address");
      await page.waitForTimeout(300);
      faults.length = 0;
      for (const view of await viewsOf(page)) {
        if (flags.only !== "" && !flags.only.split(",").includes(view.name)) continue;
        await page.goto(flags.url + view.path);
        await page.waitForSelector("h1");
        await page.waitForTimeout(500);
        await view.prepare?.(page);
        await page.waitForTimeout(250);
        if (view.name === "run-missing") faults.length = 0;
        await photograph(view.name);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}
console.log(count === 0 ? "No violation, no error" : `${count} violations or errors`);
process.exitCode = count === 0 ? 0 : 1;
