/** Every address of the dashboard, what its query may say, and which chunk draws it. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { inboxViews, type InboxView } from "./approvals/inbox-views.ts";
import { policyTabs, type PolicyTab } from "./policy/policy-tabs.ts";
import { readChoice, readNumber, readText } from "./search-values.ts";
import { runTabs, type RunTab } from "./run/run-tabs.ts";
import { runGroupNames, type RunGroupName } from "./runs/run-groups.ts";
import { AppShell } from "./shell/app-shell.tsx";
import { BrokenPage } from "./shell/broken-page.tsx";
import { EmptyState } from "./ui/empty-state.tsx";
import { Loading, Page } from "./ui/page.tsx";

type Search = Readonly<Record<string, unknown>>;

const rootRoute = createRootRoute({ component: AppShell, notFoundComponent: NotFoundPage });

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: (search: Search): { state?: RunGroupName; workflow?: string } => ({
    ...readChoice(search, "state", runGroupNames),
    ...readText(search, "workflow"),
  }),
  component: lazyRouteComponent(() => import("./runs/runs-page.tsx"), "RunsPage"),
});

const newTaskRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/new",
  validateSearch: (search: Search): { from?: "file"; example?: string } => ({
    ...readChoice(search, "from", ["file"] as const),
    ...readText(search, "example"),
  }),
  component: lazyRouteComponent(() => import("./new-task/new-task-page.tsx"), "NewTaskPage"),
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
  component: lazyRouteComponent(() => import("./run/run-page.tsx"), "RunPage"),
});

const approvalsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/approvals",
  validateSearch: (search: Search): { show?: InboxView; id?: string } => ({
    ...readChoice(search, "show", inboxViews),
    ...readText(search, "id"),
  }),
  component: lazyRouteComponent(() => import("./approvals/approvals-page.tsx"), "ApprovalsPage"),
});

const artifactsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/artifacts",
  validateSearch: (search: Search): { id?: string } => readText(search, "id"),
  component: lazyRouteComponent(() => import("./artifacts/artifacts-page.tsx"), "ArtifactsPage"),
});

const ledgerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/ledger",
  validateSearch: (search: Search): { from?: number } => readNumber(search, "from"),
  component: lazyRouteComponent(() => import("./ledger/ledger-page.tsx"), "LedgerPage"),
});

const policyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/policy",
  validateSearch: (search: Search): { line?: number; file?: string; tab?: PolicyTab } => ({
    ...readNumber(search, "line"),
    ...readText(search, "file"),
    ...readChoice(search, "tab", policyTabs),
  }),
  component: lazyRouteComponent(() => import("./policy/policy-page.tsx"), "PolicyPage"),
});

const systemRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/system",
  component: lazyRouteComponent(() => import("./system/system-page.tsx"), "SystemPage"),
});

const routeTree = rootRoute.addChildren([
  runsRoute,
  newTaskRoute,
  runRoute,
  approvalsRoute,
  artifactsRoute,
  ledgerRoute,
  policyRoute,
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
