/** The signals a run waits for now, each with a form that sends one. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import type { JsonValue, RunDetail, StepView } from "../api/contract.ts";
import { runApi, type StepSignal } from "../api/run-calls.ts";
import { keys } from "../api/queries.ts";
import { listOf } from "../approvals/may-answer.ts";
import { takeRun } from "../live/live-updates.tsx";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { readSignalData, signalTemplate } from "./signal-data.ts";

type SignalStep = StepView & { readonly signal: StepSignal };

export function RunSignals({ run }: { readonly run: RunDetail }): ReactElement {
  const waiting = run.steps.filter(
    (step): step is SignalStep => step.signal !== null && step.state === "waiting",
  );
  return (
    <>
      {waiting.map((step) => (
        <SignalForm key={step.path} runId={run.id} step={step} />
      ))}
    </>
  );
}

function SignalForm({ runId, step }: { readonly runId: string; readonly step: SignalStep }): ReactElement {
  const { name, by, payload } = step.signal;
  const [text, setText] = useState(() => signalTemplate(payload));
  const client = useQueryClient();
  const announce = useAnnounce();
  const read = readSignalData(text);
  const send = useMutation({
    mutationFn: (data: JsonValue) => runApi.signal(runId, name, data),
    onSuccess: (after) => {
      announce(`Signal ${name} sent`);
      takeRun(client, after);
      void client.invalidateQueries({ queryKey: keys.run(runId) });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (read.kind === "value") send.mutate(read.value);
  };
  return (
    <form className="panel signal" onSubmit={submit}>
      <h2>
        <Icon name="clock" />
        Waits for the signal <code>{name}</code>
      </h2>
      <p className="quiet small">
        in the step <code>{step.path}</code>
        {by !== null && `, from ${listOf(by)}`}. It comes from outside, or from here:
      </p>
      <DataField
        {...{ text, payload, onChange: setText }}
        fault={read.kind === "broken" ? read.text : undefined}
      />
      {send.isError && <ProblemNotice error={send.error} />}
      <div>
        <Button
          type="submit"
          look="primary"
          icon="play"
          busy={send.isPending}
          disabled={read.kind === "broken"}
        >
          Send {name}
        </Button>
      </div>
    </form>
  );
}

interface DataProps {
  readonly text: string;
  /** Why it is no JSON; undefined when it is. */
  readonly fault: string | undefined;
  readonly payload: StepSignal["payload"];
  readonly onChange: (text: string) => void;
}

function DataField({ text, fault, payload, onChange }: DataProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Data as JSON</label>
      <textarea
        id={id}
        className="input"
        data-kind="mono"
        rows={Math.min(8, text.split("\n").length + 1)}
        value={text}
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => onChange(event.target.value)}
      />
      <div id={`${id}-note`}>
        {fault !== undefined && <p className="field-error">This is not JSON yet: {fault}</p>}
        {payload?.map((member) => (
          <p className="field-hint" key={member.name}>
            <code>{member.name}</code>: {member.type}
            {member.isNeeded ? ", needed" : ""}
            {member.description !== null && `. ${member.description}`}
          </p>
        ))}
      </div>
    </div>
  );
}
