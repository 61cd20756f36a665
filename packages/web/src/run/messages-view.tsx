/** What people said to a run, and a box to say more; its workflow reads them as `run.messages`. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import type { RunDetail } from "../api/contract.ts";
import { keys } from "../api/queries.ts";
import { runApi } from "../api/run-calls.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { endedStates } from "../ui/state.ts";

export function MessagesView({ run }: { readonly run: RunDetail }): ReactElement {
  const hasEnded = endedStates.has(run.state);
  return (
    <section className="stack" aria-label="Messages">
      {run.messages.length === 0 && (
        <EmptyState title="Nobody said anything to this run">
          <p>
            Workflows read what people say as <code>run.messages</code>. It counts as data from a user
            wherever policy asks where arguments come from.
          </p>
        </EmptyState>
      )}
      {run.messages.length > 0 && (
        <ol className="panel messages">
          {run.messages.map((message, index) => (
            <li key={`${message.at} ${index}`}>
              <p className="quiet small">
                <strong>{message.by}</strong>, <Ago time={message.at} />
              </p>
              <p className="messages-text">{message.text}</p>
            </li>
          ))}
        </ol>
      )}
      {!hasEnded && <SteerForm runId={run.id} />}
    </section>
  );
}

function SteerForm({ runId }: { readonly runId: string }): ReactElement {
  const [text, setText] = useState("");
  const id = useId();
  const client = useQueryClient();
  const announce = useAnnounce();
  const steer = useMutation({
    mutationFn: () => runApi.steer(runId, text.trim()),
    onSuccess: () => {
      setText("");
      announce("Said; the run hears it before its next step");
      void client.invalidateQueries({ queryKey: keys.run(runId) });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim() !== "") steer.mutate();
  };
  return (
    <form className="panel panel-body steer" onSubmit={submit}>
      <div className="field">
        <label htmlFor={id}>Say something to this run</label>
        <textarea
          id={id}
          className="input"
          rows={3}
          maxLength={4000}
          value={text}
          placeholder="Use the blue one"
          aria-describedby={`${id}-hint`}
          onChange={(event) => setText(event.target.value)}
        />
        <p className="field-hint" id={`${id}-hint`}>
          It stays in the journal, so it must hold no secret.
        </p>
      </div>
      {steer.isError && <ProblemNotice error={steer.error} />}
      <div>
        <Button type="submit" look="primary" busy={steer.isPending} disabled={text.trim() === ""}>
          Say it
        </Button>
      </div>
    </form>
  );
}
