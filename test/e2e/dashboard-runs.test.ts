/** Runs and workflows on the dashboard in a real browser: register, run, watch the graph, make again, compare, many at once. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { isBrowserSkipped, openDashboard, submit, untilRun, violationsOn } from "./dashboard-browser.ts";
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

const waits = `version: 1
name: waits
steps:
  - id: greet
    title: Say hello
    set: { text: hello }
  - id: word
    title: Wait for a word
    wait: { signal: word, payload: { text: { type: string } } }
  - id: keep
    title: Keep the word
    tool: file_ops.write
    with: { path: word.txt, content: "\${{ steps.word.output.data.text }}" }
`;

const notes = `version: 1
name: notes
inputs:
  who: { type: string, default: Ada }
steps:
  - id: first
    tool: file_ops.write
    with: { path: first.txt, content: "first \${{ inputs.who }}" }
  - id: second
    tool: file_ops.write
    with: { path: second.txt, content: "second" }
`;

describe.skipIf(isBrowserSkipped)("runs and workflows on the dashboard", () => {
  test("a command for many runs says for each what will happen and what did, and what failed stays chosen", async () => {
    const { api } = dashboard;
    const done = await submit(api, { workflow: notes });
    const waiting = [await submit(api, { workflow: waits }), await submit(api, { workflow: waits })];
    await untilRun(api, done, "COMPLETED");
    for (const id of waiting) await untilRun(api, id, "signal");
    const { page, faults } = await dashboard.open("/");
    await page.getByRole("checkbox", { name: "Choose every run shown" }).check();
    const bar = page.getByRole("group", { name: "Chosen runs" });
    await bar.getByText("3 runs chosen").waitFor();
    await bar.getByRole("button", { name: "Cancel" }).click();
    const dialog = page.getByRole("dialog", { name: "Cancel: 3 runs" });
    await dialog.getByRole("list", { name: "What would happen" }).waitFor();
    expect(await dialog.getByText("RUN_STATE_CONFLICT").count()).toBe(1);
    await dialog.getByLabel("Reason (optional)").fill("no longer wanted");
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Cancel 2 runs" }).click();
    await dialog.getByText("2 runs cancelled, 1 not.").waitFor();
    await dialog.getByRole("button", { name: "Close", exact: true }).last().click();
    await bar.getByText("1 run chosen").waitFor();
    expect(await page.getByRole("checkbox", { name: /^Choose notes/ }).isChecked()).toBe(true);
    for (const id of waiting) await untilRun(api, id, "CANCELLED");
    await untilRun(api, done, "COMPLETED");
    expect(faults).toEqual([]);
  });

  test("a workflow is written, corrected, registered with a webhook whose secret is shown once, and run", async () => {
    const { page, faults } = await dashboard.open("/workflows");
    await page.getByRole("link", { name: "Register a workflow" }).first().click();
    const text = page.getByRole("textbox", { name: "Workflow" });
    const right = notes.replace(
      "name: notes",
      "name: kept-notes\ntriggers:\n  - webhook: note-wanted\n    auth: bearer",
    );
    await text.fill(right.replace("tool: file_ops.write", "tol: file_ops.write"));
    await page
      .getByRole("button", { name: /^line 10:/ })
      .first()
      .waitFor();
    const register = page.getByRole("button", { name: /^Register/ });
    expect(await register.isDisabled()).toBe(true);
    expect(await violationsOn(page)).toEqual([]);
    await text.fill(right);
    await page.getByRole("heading", { name: "Valid" }).waitFor();
    await page.getByRole("img", { name: /^kept-notes: / }).waitFor();
    await page.getByRole("button", { name: "Register kept-notes" }).click();
    await page.getByRole("heading", { name: "kept-notes is registered as version 1" }).waitFor();
    await page.getByText("/v1/hooks/note-wanted").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole("link", { name: "Look at it and run it" }).click();
    await page.getByLabel("who").fill("Zoe");
    await page.getByRole("button", { name: "Run kept-notes" }).click();
    await page.waitForURL(/\/runs\/run_/);
    await page.locator(".run-heading", { hasText: "Completed" }).waitFor();
    await page.getByRole("link", { name: "Inputs and outputs" }).click();
    await page.getByText("Zoe").first().waitFor();
    expect(faults).toEqual([]);
  });

  test("the next version is registered on the workflow's page, and what is said of it stays", async () => {
    const { api } = dashboard;
    await api.post("/v1/workflows", { workflow: notes });
    const { page, faults } = await dashboard.open("/workflows/notes?tab=edit");
    await page.getByText("Change something first.").waitFor();
    const next = notes.replace("inputs:", "triggers:\n  - webhook: noted\n    auth: bearer\ninputs:");
    await page.getByRole("textbox", { name: "Workflow" }).fill(next);
    await page.getByRole("button", { name: "Register notes as its next version" }).click();
    await page.getByRole("link", { name: /^Version 2/ }).waitFor();
    await page.getByRole("heading", { name: "notes is registered as version 2" }).waitFor();
    await page.getByText("It is shown this once").waitFor();
    expect(faults).toEqual([]);
  });

  test("the graph stands before the run, and shows in colours and words how far the run is while it goes on", async () => {
    const { api } = dashboard;
    await api.post("/v1/workflows", { workflow: waits });
    const { page, faults } = await dashboard.open("/workflows/waits?tab=graph");
    await page
      .getByRole("img", {
        name: /^waits: Say hello.*; Wait for a word.*; Keep the word/,
      })
      .waitFor();
    const id = await submit(api, { registered: "waits" });
    await page.goto(`${dashboard.address}/runs/${id}?tab=graph`);
    const graph = page.getByRole("region", { name: "Graph of waits" });
    const stateOf = (title: string) =>
      graph.locator(".graph-node", { hasText: title }).getAttribute("data-state");
    await graph.getByText("Waiting").waitFor();
    expect(await stateOf("Say hello")).toBe("completed");
    expect(await stateOf("Wait for a word")).toBe("waiting");
    expect(["pending", null]).toContain(await stateOf("Keep the word"));
    expect(await violationsOn(page)).toEqual([]);
    // The page is not loaded again: the stream brings the rest.
    await page.getByLabel("Data as JSON").fill('{ "text": "patience" }');
    await page.getByRole("button", { name: "Send word" }).click();
    await page.locator(".run-heading", { hasText: "Completed" }).waitFor();
    await graph.locator('.graph-node[data-state="completed"]', { hasText: "Keep the word" }).waitFor();
    expect(faults).toEqual([]);
  });

  test("a run is made again from a step with other arguments, and the two are compared", async () => {
    const { api } = dashboard;
    const id = await submit(api, { workflow: notes });
    await untilRun(api, id, "COMPLETED");
    const { page, faults } = await dashboard.open(`/runs/${id}?step=second`);
    await page.getByRole("button", { name: "Run again from here" }).click();
    const dialog = page.getByRole("dialog", { name: "Run notes again" });
    await dialog.getByText(/^1 step kept;/).waitFor();
    await dialog.getByText("Arguments of second").first().click();
    const field = dialog.getByRole("textbox", { name: "Arguments of second as JSON" });
    await field.fill('{ "path": "second.txt" ');
    await dialog.getByText("This is not JSON yet").waitFor();
    expect(await dialog.getByRole("button", { name: "Run again" }).isDisabled()).toBe(true);
    await field.fill('{ "path": "second.txt", "content": "quite another" }');
    expect(await violationsOn(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Run again" }).click();
    await page.waitForURL((url) => url.pathname.startsWith("/runs/") && !url.pathname.endsWith(id));
    const newId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await page.locator(".run-heading", { hasText: "Completed" }).waitFor();
    await page.getByRole("link", { name: "Related runs" }).click();
    await page.getByRole("heading", { name: "Made again from" }).waitFor();
    await page.getByRole("link", { name: "Compare the two" }).click();
    await page.getByRole("heading", { name: "Compare two runs" }).waitFor();
    expect(page.url()).toContain(`a=${id}`);
    expect(page.url()).toContain(newId);
    const steps = page.getByRole("region", { name: "Steps" });
    await steps.getByText("1 step differs, 1 the same").waitFor();
    await steps.getByText("quite another").first().waitFor();
    await page.getByRole("region", { name: "Artifacts", exact: true }).getByText("second.txt").waitFor();
    expect(await violationsOn(page)).toEqual([]);
    expect(faults).toEqual([]);
  });
});
