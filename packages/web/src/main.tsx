/** Starts the dashboard: takes the token of a sign-in link first, then shows sign-in or the pages. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { createQueryClient, keys } from "./api/queries.ts";
import { takeLinkToken } from "./approvals/take-link-token.ts";
import { createAppRouter } from "./router.tsx";
import { SessionGate } from "./sign-in/session-gate.tsx";
import { takeTokenFromAddress } from "./sign-in/take-token.ts";
import { Announcer } from "./ui/announcer.tsx";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./ui/tabs.css";
import "./ui/problem-notice.css";

const client = createQueryClient(() => client.setQueryData(keys.session, null));
// Before the router reads the address: the token must not stay in it a moment longer than needed.
const token = takeTokenFromAddress(window.location, window.history);
// A link from mail or chat may be its own credential: that page stands outside of the session, and asks for one if it is not.
const isAnswer = window.location.pathname === "/answer";
const linkToken = isAnswer ? takeLinkToken(window.location, window.history) : null;
const AnswerPage = lazy(async () => ({ default: (await import("./approvals/answer-page.tsx")).AnswerPage }));
const router = createAppRouter();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Announcer>
        {isAnswer ? (
          <Suspense fallback={null}>
            <AnswerPage token={linkToken} />
          </Suspense>
        ) : (
          <SessionGate token={token}>
            <RouterProvider router={router} />
          </SessionGate>
        )}
      </Announcer>
    </QueryClientProvider>
  </StrictMode>,
);
