/** Sign-in with the token of this installation, for when the link that `homeostat up` prints is not at hand. */
import { useEffect, useId, useState, type FormEvent, type ReactElement } from "react";
import { isSignedOut } from "../api/problem.ts";
import { Logo } from "../shell/logo.tsx";
import { ThemeToggle } from "../shell/theme-toggle.tsx";
import { Button } from "../ui/button.tsx";
import { CommandLine } from "../ui/command-line.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import "./sign-in-page.css";

interface Props {
  readonly onToken: (token: string) => void;
  readonly error: unknown;
  readonly isBusy: boolean;
}

export function SignInPage({ onToken, error, isBusy }: Props): ReactElement {
  const [token, setToken] = useState("");
  const fieldId = useId();
  useEffect(() => {
    document.title = "Sign in · Homeostat";
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token.trim() !== "") onToken(token.trim());
  };
  const isRefused = isSignedOut(error);
  return (
    <main className="sign-in">
      <div className="sign-in-theme">
        <ThemeToggle />
      </div>
      <div className="sign-in-box">
        <div className="sign-in-brand">
          <Logo size={44} />
          <h1>Sign in to Homeostat</h1>
          <p className="quiet">
            The link that <code>homeostat up</code> prints signs you in. Without it, enter the token, or the
            key that an admin made for you.
          </p>
        </div>
        {error !== null && !isRefused && <ProblemNotice error={error} />}
        <form className="panel sign-in-form" onSubmit={submit}>
          <div className="field">
            <label htmlFor={fieldId}>Token</label>
            <input
              id={fieldId}
              className="input"
              data-kind="mono"
              type="password"
              autoComplete="current-password"
              autoFocus
              value={token}
              aria-invalid={isRefused}
              aria-describedby={`${fieldId}-hint`}
              onChange={(event) => setToken(event.target.value)}
            />
            {isRefused && (
              <p className="field-error" role="alert">
                The server does not know this token.
              </p>
            )}
            <p className="field-hint" id={`${fieldId}-hint`}>
              It is in the file <code>token</code> of the data folder, by default:
            </p>
          </div>
          <CommandLine command="cat ~/.local/share/homeostat/token" />
          <Button look="primary" size="large" type="submit" busy={isBusy} disabled={token.trim() === ""}>
            Sign in
          </Button>
        </form>
      </div>
    </main>
  );
}
