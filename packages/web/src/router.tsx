/** Every address of the dashboard, what its query may say, and which chunk draws it. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { inboxViews, type InboxView } from "./approvals/inbox-views.ts";
import { policyTabs, type PolicyTab } from "./policy/policy-tabs.ts";
import { readChoice, readNumber, readText } from "./search-values.ts";
import { diedWithin, type DiedWithin } from "./queue/died-within.ts";
import { runTabs, type RunTab } from "./run/run-tabs.ts";
import { runGroupNames, type RunGroupName } from "./runs/run-groups.ts";
import { AppShell } from "./shell/app-shell.tsx";
import { BrokenPage } from "./shell/broken-page.tsx";
import { systemTabs, type SystemTab } from "./system/system-tabs.ts";
import { EmptyState } from "./ui/empty-state.tsx";
import { Loading, Page } from "./ui/page.tsx";
import { workflowTabs, type WorkflowTab } from "./workflows/workflow-tabs.ts";

type Search = Readonly<Record<string, unknown>>;

/**
 * Failures in words of our own: the router reloads at once on those of the browser, and with the server away that ends on the
 * browser's error page. `BrokenPage` waits until the server answers.
 */
const fetched =
  <T,>(load: () => Promise<T>) =>
  (): Promise<T> =>
    load().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The code of this page did not come: ${why}`, { cause: error });
    });

const rootRoute = createRootRoute({ component: AppShell, notFoundComponent: NotFoundPage });

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: (
    search: Search,
  ): { state?: RunGroupName; workflow?: string; label?: string; parent?: string } => ({
    ...readChoice(search, "state", runGroupNames),
    ...readText(search, "workflow"),
    ...readText(search, "label"),
    ...readText(search, "parent"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./runs/runs-page.tsx")),
    "RunsPage",
  ),
});

const newTaskRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new",
  validateSearch: (search: Search): { from?: "file"; example?: string } => ({
    ...readChoice(search, "from", ["file"] as const),
    ...readText(search, "example"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./new-task/new-task-page.tsx")),
    "NewTaskPage",
  ),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$runId",
  validateSearch: (search: Search): { tab?: RunTab; step?: string; scale?: "real"; kind?: string } => ({
    ...readChoice(search, "tab", runTabs),
    ...readText(search, "step"),
    ...readChoice(search, "scale", ["real"] as const),
    ...readText(search, "kind"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./run/run-page.tsx")),
    "RunPage",
  ),
});

const workflowsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/workflows",
  validateSearch: (search: Search): { view?: "new" } => readChoice(search, "view", ["new"] as const),
  component: lazyRouteComponent(
    fetched(() => import("./workflows/workflows-page.tsx")),
    "WorkflowsPage",
  ),
});

const workflowRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/workflows/$name",
  validateSearch: (search: Search): { tab?: WorkflowTab; version?: number } => ({
    ...readChoice(search, "tab", workflowTabs),
    ...readNumber(search, "version"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./workflows/workflow-page.tsx")),
    "WorkflowPage",
  ),
});

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  validateSearch: (search: Search): { a?: string; b?: string } => ({
    ...readText(search, "a"),
    ...readText(search, "b"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./compare/compare-page.tsx")),
    "ComparePage",
  ),
});

const approvalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/approvals",
  validateSearch: (search: Search): { show?: InboxView; id?: string } => ({
    ...readChoice(search, "show", inboxViews),
    ...readText(search, "id"),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./approvals/approvals-page.tsx")),
    "ApprovalsPage",
  ),
});

const artifactsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/artifacts",
  validateSearch: (search: Search): { id?: string } => readText(search, "id"),
  component: lazyRouteComponent(
    fetched(() => import("./artifacts/artifacts-page.tsx")),
    "ArtifactsPage",
  ),
});

const ledgerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/ledger",
  validateSearch: (search: Search): { from?: number } => readNumber(search, "from"),
  component: lazyRouteComponent(
    fetched(() => import("./ledger/ledger-page.tsx")),
    "LedgerPage",
  ),
});

const policyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/policy",
  validateSearch: (search: Search): { line?: number; file?: string; tab?: PolicyTab } => ({
    ...readNumber(search, "line"),
    ...readText(search, "file"),
    ...readChoice(search, "tab", policyTabs),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./policy/policy-page.tsx")),
    "PolicyPage",
  ),
});

const queueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/queue",
  validateSearch: (
    search: Search,
  ): { tab?: "dead"; workflow?: string; code?: string; within?: DiedWithin } => ({
    ...readChoice(search, "tab", ["dead"] as const),
    ...readText(search, "workflow"),
    ...readText(search, "code"),
    ...readChoice(search, "within", diedWithin),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./queue/queue-page.tsx")),
    "QueuePage",
  ),
});

const schedulesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/schedules",
  validateSearch: (search: Search): { name?: string; view?: "new" | "edit" } => ({
    ...readText(search, "name"),
    ...readChoice(search, "view", ["new", "edit"] as const),
  }),
  component: lazyRouteComponent(
    fetched(() => import("./schedules/schedules-page.tsx")),
    "SchedulesPage",
  ),
});

const secretsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/secrets",
  validateSearch: (search: Search): { tab?: "keys" } => readChoice(search, "tab", ["keys"] as const),
  component: lazyRouteComponent(
    fetched(() => import("./secrets/secrets-page.tsx")),
    "SecretsPage",
  ),
});

const systemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/system",
  validateSearch: (search: Search): { tab?: SystemTab } => readChoice(search, "tab", systemTabs),
  component: lazyRouteComponent(
    fetched(() => import("./system/system-page.tsx")),
    "SystemPage",
  ),
});

const routeTree = rootRoute.addChildren([
  runsRoute,
  newTaskRoute,
  runRoute,
  compareRoute,
  workflowsRoute,
  workflowRoute,
  approvalsRoute,
  artifactsRoute,
  ledgerRoute,
  policyRoute,
  queueRoute,
  schedulesRoute,
  secretsRoute,
  systemRoute,
]);

function buildRouter() {
  return createRouter({
    routeTree,
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultPendingComponent: PendingPage,
    defaultErrorComponent: BrokenPage,
  });
}

export type AppRouter = ReturnType<typeof buildRouter>;

export function createAppRouter(): AppRouter {
  return buildRouter();
}

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}

function PendingPage(): ReactElement {
  return (
    <div className="page">
      <Loading />
    </div>
  );
}

function NotFoundPage(): ReactElement {
  return (
    <Page title="No such page">
      <EmptyState title="This address leads nowhere">
        <p>It may be from another version. The pages are in the navigation.</p>
      </EmptyState>
    </Page>
  );
}
