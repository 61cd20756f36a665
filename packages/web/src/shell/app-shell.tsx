/** What stands around every page: the rail, the keys that work anywhere, and the place the page is put into. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useState, type ReactElement } from "react";
import { api } from "../api/calls.ts";
import { keys, sessionQuery } from "../api/queries.ts";
import { LiveUpdates, useStreamState } from "../live/live-updates.tsx";
import { IconButton } from "../ui/button.tsx";
import { BalanceDial } from "./balance-dial.tsx";
import { useKeys } from "./keys.ts";
import { Logo } from "./logo.tsx";
import { Navigation } from "./navigation.tsx";
import { pageEntries } from "./pages.ts";
import { Palette } from "./palette.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";
import "./app-shell.css";

/** After the first page has had the line to itself. */
const pagesAtHandMs = 3_000;

export function AppShell(): ReactElement {
  const [dialog, setDialog] = useState<"none" | "keys" | "palette">("none");
  useGlobalKeys(setDialog);
  useFocusOnNewPage();
  usePagesAtHand();
  const close = (): void => setDialog("none");
  return (
    <LiveUpdates>
      <a className="skip" href="#main" onClick={skipToMain}>
        Skip to the page
      </a>
      <div className="shell">
        <div className="rail">
          <header className="rail-head">
            <Link className="brand" to="/" search={{}}>
              <Logo size={26} />
              <span>Homeostat</span>
            </Link>
            <div className="rail-tools rail-narrow">
              <IconButton icon="search" label="Find a page or a run" onClick={() => setDialog("palette")} />
              <ThemeToggle />
            </div>
          </header>
          <Navigation />
          <footer className="rail-foot">
            <BalanceDial />
            <div className="rail-user">
              <Who />
              <div className="rail-tools">
                <IconButton icon="keyboard" label="Keyboard shortcuts" onClick={() => setDialog("keys")} />
                <ThemeToggle />
              </div>
            </div>
          </footer>
        </div>
        <main id="main" tabIndex={-1}>
          <ConnectionNote />
          <Outlet />
        </main>
      </div>
      {dialog === "keys" && <ShortcutsDialog onClose={close} />}
      {dialog === "palette" && <Palette onClose={close} />}
    </LiveUpdates>
  );
}

function Who(): ReactElement {
  const session = useQuery(sessionQuery).data;
  const client = useQueryClient();
  const signOut = async (): Promise<void> => {
    await api.signOut().catch(() => undefined);
    client.setQueryData(keys.session, null);
  };
  return (
    <div className="who">
      <IconButton icon="signOut" label="Sign out" onClick={() => void signOut()} />
      <span className="truncate" title={`${session?.principal ?? ""}, ${session?.role ?? ""}`}>
        {session?.principal}
      </span>
    </div>
  );
}

function ConnectionNote(): ReactElement | null {
  if (useStreamState() !== "offline") return null;
  return (
    <p className="connection-note" role="status">
      The connection to the server is lost. What you see may be old; the page goes on by itself.
    </p>
  );
}

function useGlobalKeys(open: (dialog: "keys" | "palette") => void): void {
  const navigate = useNavigate();
  useKeys({
    ...Object.fromEntries(
      pageEntries.map((page) => [`g ${page.key}`, () => void navigate({ to: page.to, search: {} })]),
    ),
    n: () => void navigate({ to: "/new", search: {} }),
    "?": () => open("keys"),
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key !== "k" || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      open("palette");
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [open]);
}

/** A new page is read out from its heading, as it would be after a real page load. */
function useFocusOnNewPage(): void {
  const router = useRouter();
  useEffect(
    () =>
      router.subscribe("onRendered", (event) => {
        if (!event.pathChanged || event.fromLocation === undefined) return;
        document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
      }),
    [router],
  );
}

/** Fetches the code of the other pages once nothing else is to do: they then open at once, also while the server is away. */
function usePagesAtHand(): void {
  const router = useRouter();
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const route of Object.values(router.routesById))
        void router.loadRouteChunk(route)?.catch(() => undefined);
    }, pagesAtHandMs);
    return () => clearTimeout(timer);
  }, [router]);
}

function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
