/** Shows the pages to whoever is signed in and the sign-in page to everybody else; the address stays, so deep links survive. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState, type ReactElement, type ReactNode } from "react";
import { api } from "../api/calls.ts";
import { keys, sessionQuery } from "../api/queries.ts";
import { SignInPage } from "./sign-in-page.tsx";
import { takeTokenFromAddress } from "./take-token.ts";

interface Props {
  /** From the sign-in link, used once. */
  readonly token: string | null;
  readonly children: ReactNode;
}

export function SessionGate({ token, children }: Props): ReactElement {
  const { signIn, error, isBusy } = useSignIn(token);
  const session = useQuery({ ...sessionQuery, enabled: !isBusy });
  if (session.data) return <>{children}</>;
  if (isBusy || session.isLoading)
    return (
      <div className="visually-hidden" role="status">
        Signing in
      </div>
    );
  return <SignInPage onToken={signIn} error={error ?? session.error} isBusy={isBusy} />;
}

function useSignIn(token: string | null): {
  readonly signIn: (token: string) => void;
  readonly error: unknown;
  readonly isBusy: boolean;
} {
  const client = useQueryClient();
  const [isBusy, setBusy] = useState(token !== null);
  const [error, setError] = useState<unknown>(null);
  const usedLink = useRef(false);
  const signIn = useCallback(
    (given: string): void => {
      setBusy(true);
      setError(null);
      api.signIn(given).then(
        async (session) => {
          await client.cancelQueries({ queryKey: keys.session });
          client.setQueryData(keys.session, session);
          setBusy(false);
        },
        (problem: unknown) => {
          setError(problem);
          setBusy(false);
        },
      );
    },
    [client],
  );
  useEffect(() => {
    if (token !== null && !usedLink.current) signIn(token);
    usedLink.current = true;
    // A link pasted into an open tab changes only the fragment, so the page does not load anew.
    const onHash = (): void => {
      const later = takeTokenFromAddress(window.location, window.history);
      if (later !== null) signIn(later);
    };
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, [token, signIn]);
  return { signIn, error, isBusy };
}
