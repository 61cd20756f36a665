/** An error as the server tells it: what happened, what to do, and the code and request id to search the log with. */
import type { ReactElement } from "react";
import { problemOf } from "../api/problem.ts";
import { Button } from "./button.tsx";
import { CopyButton } from "./copy-button.tsx";
import { StateGlyph } from "./state-glyph.tsx";
import { Prose } from "./prose.tsx";

interface Props {
  readonly error: unknown;
  readonly onRetry?: () => void;
}

const look = { label: "Error", tone: "failed", glyph: "octagon" } as const;

export function ProblemNotice({ error, onRetry }: Props): ReactElement {
  const problem = problemOf(error);
  return (
    <section className="problem" role="alert">
      <StateGlyph look={look} size={18} />
      <div className="problem-text">
        <h2>{problem.title}</h2>
        {problem.detail !== "" && (
          <p>
            <Prose text={problem.detail} />
          </p>
        )}
        {problem.errors.length > 0 && (
          <ul>
            {problem.errors.map((item, index) => (
              <li key={index}>
                {item.pointer !== undefined && <code>{item.pointer}</code>}
                {item.line !== undefined && <code>line {item.line}</code>} <Prose text={item.detail} />
                {item.hint !== undefined && (
                  <span className="quiet">
                    {" "}
                    <Prose text={item.hint} />
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
        {problem.hint !== undefined && (
          <p className="problem-hint">
            <Prose text={problem.hint} />
          </p>
        )}
        <p className="problem-marks">
          <code>{problem.code}</code>
          {problem.requestId !== undefined && (
            <>
              <span>
                request <code>{problem.requestId}</code>
              </span>
              <CopyButton text={problem.requestId} what="request id" />
            </>
          )}
        </p>
      </div>
      {onRetry !== undefined && problem.code !== "AUTHORIZATION_DENIED" && (
        <Button icon="retry" onClick={onRetry}>
          Try again
        </Button>
      )}
    </section>
  );
}
