/** The policy page in a real browser against the real server: write, check, try on history, activate, merge, shadow, roll back. */
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { changePolicy, isBrowserSkipped, openDashboard } from "./dashboard-browser.ts";
import { sidewaysOf, submit, untilRun, violationsOn } from "./dashboard-browser.ts";
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

interface PolicyState {
  readonly revision: string;
  readonly text: string;
}

const policyNow = (): Promise<PolicyState> => dashboard.api.get<PolicyState>("/v1/policy");

const activateText = (text: string): Promise<void> => changePolicy(dashboard, () => text);

function editor(page: Page): Locator {
  return page.getByRole("textbox", { name: "Text of policy.yaml" });
}

async function writeAtEnd(page: Page, text: string): Promise<void> {
  const field = editor(page);
  await field.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText(text);
}

const strictRule = `
  - name: reads-ask-here
    effect: ask
    action: file_ops.list
`;

describe.skipIf(isBrowserSkipped)("the policy page", () => {
  test("keys, values and actions are offered as one types, and help says what a key is for", async () => {
    const { page, faults } = await dashboard.open("/");
    const language = ["schema", "tools"].map((name) =>
      page.waitForResponse((answer) => answer.url().endsWith(name)),
    );
    await page.goto(`${dashboard.address}/policy?tab=edit`);
    await Promise.all([editor(page).waitFor(), ...language]);
    await writeAtEnd(page, "\n  - name: mine\n    ");
    await page.keyboard.type("eff");
    await page.getByRole("option", { name: /^effect/ }).waitFor();
    await page.keyboard.press("Enter");
    // The key's values follow at once.
    await page.getByRole("option", { name: "ask" }).waitFor();
    await page.keyboard.type("a");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.type("action: file_ops.del");
    await page.getByRole("option", { name: /^file_ops\.delete/ }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.keyboard.press("Tab");
    expect(await editor(page).inputValue()).toMatch(
      /\n {2}- name: mine\n {4}effect: ask\n {4}action: file_ops\.delete$/,
    );
    await page.keyboard.press("ArrowLeft");
    await page.getByText("`file_ops.delete`, `file_ops` for all its actions, or `*`").waitFor();
    await page.keyboard.press("Control+End");
    await page.keyboard.press("Control+z");
    expect(await editor(page).inputValue()).toMatch(/\n {4}action: file_ops\.del$/);
    expect(faults).toEqual([]);
  });

  test("findings appear as one types, with line and remedy, and choosing one leads there", async () => {
    const { page, faults } = await dashboard.open("/policy?tab=edit");
    await editor(page).waitFor();
    const lines = (await editor(page).inputValue()).split("\n").length;
    await writeAtEnd(page, "  - name: bad\n    efect: ask\n    action: x\n");
    await page
      .getByText("did you mean", { exact: false })
      .or(page.getByText("effect", { exact: false }))
      .first()
      .waitFor();
    await page.getByRole("heading", { name: /error/ }).waitFor();
    const jump = page.getByRole("button", { name: new RegExp(`^line ${lines + 1}:`) }).first();
    await jump.waitFor();
    expect(await page.getByRole("button", { name: "Review and activate" }).isDisabled()).toBe(true);
    await jump.click();
    const caretLine =
      "document.activeElement.value.slice(0, document.activeElement.selectionStart).split('\\n').length";
    expect(await page.evaluate(caretLine)).toBe(lines + 1);
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("a draft survives leaving the page and a reload, and is gone once discarded", async () => {
    const { page } = await dashboard.open("/policy?tab=edit");
    await editor(page).waitFor();
    await writeAtEnd(page, "# kept");
    await page.getByRole("link", { name: "Ledger" }).click();
    await page.getByRole("heading", { name: "Ledger", level: 1 }).waitFor();
    await page.goto(`${dashboard.address}/policy`);
    await page.getByRole("link", { name: "Edit draft" }).click();
    expect(await editor(page).inputValue()).toContain("# kept");
    await page.reload();
    await editor(page).waitFor();
    expect(await editor(page).inputValue()).toContain("# kept");
    await page.getByRole("button", { name: "Discard the draft" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    expect(await editor(page).inputValue()).not.toContain("# kept");
  });

  test("a draft is tried on history, reviewed, activated with a reason, and rolled back", async () => {
    const id = await runToQuestion();
    const before = await policyNow();
    const { page, faults } = await dashboard.open("/policy?tab=edit");
    await editor(page).waitFor();
    await writeAtEnd(page, strictRule);
    await page.getByRole("heading", { name: /^Valid/ }).waitFor();
    await page.getByRole("button", { name: "Try on history" }).click();
    await page.getByText(/would be decided otherwise/).waitFor();
    const group = page.locator(".dry-group").first();
    await group.locator("summary").click();
    const step = group.getByRole("link", { name: /^step / }).first();
    expect(await step.getAttribute("href")).toContain(`/runs/${id}?step=`);
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Review and activate" }).click();
    const dialog = page.getByRole("dialog", { name: "Activate this policy?" });
    await dialog.getByText("reads-ask-here").first().waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByLabel("Why").fill("lists are asked about");
    await dialog.getByRole("button", { name: "Activate" }).click();
    await dialog.waitFor({ state: "detached" });
    expect((await policyNow()).text).toContain("reads-ask-here");
    await page.getByRole("link", { name: "Versions" }).click();
    await page.getByText("lists are asked about").waitFor();
    await page.getByRole("heading", { name: /^From version \d+ to version \d+$/ }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Roll back to version 1" }).click();
    await page.getByRole("dialog").getByText("policy.yaml: 0 lines added, 4 lines removed").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("version 1 again").waitFor();
    expect((await policyNow()).revision).toBe(before.revision);
    expect(faults).toEqual([]);
  });

  test("who activates second is shown what changed meanwhile, and both changes come together", async () => {
    const { text } = await policyNow();
    const { page } = await dashboard.open("/policy?tab=edit");
    await editor(page).waitFor();
    await writeAtEnd(page, strictRule);
    await page.getByRole("heading", { name: /^Valid/ }).waitFor();
    // The other one's change is not seen before the activation.
    await page.getByRole("button", { name: "Review and activate" }).click();
    await activateText(
      text.replace(
        "\nrules:\n",
        "\n# somebody else\nrules:\n  - { name: elsewhere, effect: deny, action: http.request }\n",
      ),
    );
    await page.getByLabel("Why").fill("mine");
    await page.getByRole("dialog").getByRole("button", { name: "Activate" }).click();
    await page.getByRole("heading", { name: "The policy in force was changed meanwhile" }).waitFor();
    await page
      .getByRole("region", { name: "What changed in policy.yaml" })
      .getByText("# somebody else")
      .waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Take their change into my draft" }).click();
    const merged = await editor(page).inputValue();
    expect(merged).toContain("name: elsewhere");
    expect(merged).toContain("reads-ask-here");
    await activateText(text);
  });

  test("a draft runs as shadow and counts what it would decide otherwise", async () => {
    const { page, faults } = await dashboard.open("/policy?tab=edit");
    await editor(page).waitFor();
    await writeAtEnd(page, strictRule);
    await page.getByRole("heading", { name: /^Valid/ }).waitFor();
    await page.getByRole("button", { name: "Run as shadow" }).click();
    await page.getByRole("heading", { name: "A shadow policy runs" }).waitFor();
    await runToQuestion();
    await page.locator(".dry-group", { hasText: "file_ops.list" }).waitFor({ timeout: 20_000 });
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("button", { name: "Take it away" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take it away" }).click();
    await page.getByRole("heading", { name: "No shadow policy" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("an action is explained: what matched, what nearly did, demands and risk; bad arguments are told", async () => {
    const { page, faults } = await dashboard.open("/policy?tab=explain");
    await page.getByLabel("Arguments").fill("{");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("alert").getByText("no JSON").waitFor();
    await page.getByLabel("Arguments").fill('{ "path": "old.txt" }');
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByRole("strong").getByText("delete-asks", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "Nearest rules that did not" }).waitFor();
    await page.getByText("It must keep to:").waitFor();
    await page.getByRole("meter", { name: "Risk score" }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });

  test("coverage names rules that neither history nor cases reach", async () => {
    const { page, faults } = await dashboard.open("/policy?tab=coverage", { width: 420, theme: "light" });
    await page.getByRole("button", { name: "Count on history" }).click();
    await page.getByText(/never hit; \d+ recorded action/).waitFor();
    await page.getByRole("button", { name: "Run the cases" }).click();
    await page.getByText("2 cases passed").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(await sidewaysOf(page)).toBe(0);
    expect(faults).toEqual([]);
  });

  test("a step says how risky it was and where its arguments came from", async () => {
    const id = await runToQuestion();
    const { page, faults } = await dashboard.open(`/runs/${id}?step=inventory`);
    await page.getByRole("meter", { name: "Risk score" }).waitFor();
    await page.getByRole("heading", { name: "Where its arguments come from" }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });
});

/** A run that has decided its first actions and asks its question, so that there is history. */
async function runToQuestion(): Promise<string> {
  const id = await submit(dashboard.api, { example: "brand-audit" });
  await untilRun(dashboard.api, id, "approval");
  return id;
}
