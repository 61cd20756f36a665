/** Makes a new run of a run: from a step or an event, with other inputs or arguments, and says first what will be repeated. */
import { keepPreviousData, useMutation, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import {
  useDeferredValue,
  useId,
  useMemo,
  useState,
  type ComponentProps,
  type FormEvent,
  type ReactElement,
} from "react";
import type { RunDetail } from "../api/contract.ts";
import { problemOf } from "../api/problem.ts";
import { runApi, type Changes, type NewRunPoint, type RerunAnswer } from "../api/run-calls.ts";
import type { JsonObject } from "../approvals/check-arguments.ts";
import { InputForm } from "../new-task/input-form.tsx";
import { readInputs, type FieldValues } from "../new-task/input-values.ts";
import { readWorkflow } from "../new-task/read-workflow.ts";
import { RepeatCheck } from "../runs/repeat-check.tsx";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { AgainArguments } from "./again-arguments.tsx";
import { AgainPreview } from "./again-preview.tsx";
import { definitionsOf, needsWord, stepsToBeginFrom } from "./again-plan.ts";
import "./run-again.css";
import "../new-task/new-task-page.css";

interface Props {
  readonly run: RunDetail;
  readonly point: NewRunPoint;
  readonly onClose: () => void;
}

export function RunAgainDialog({ run, point: given, onClose }: Props): ReactElement {
  const [point, setPoint] = useState(given);
  const [values, setValues] = useState<FieldValues>({});
  const [stepArguments, setStepArguments] = useState<JsonObject | null>({});
  const [hasWord, setWord] = useState(false);
  const definitions = useMemo(
    () => definitionsOf(readWorkflow(run.workflowText)?.inputs ?? {}, run.inputs),
    [run.workflowText, run.inputs],
  );
  const { inputs, problems } = readInputs(definitions, values);
  const isReadable = stepArguments !== null && Object.keys(problems).length === 0;
  const fromStep = point.kind === "rerun" ? point.fromStep : undefined;
  const changes = changesOf({ inputs, fromStep, stepArguments });
  const preview = usePreview(run.id, point, changes, isReadable);
  const make = useMake(run.id, onClose);
  const isWordNeeded =
    (preview.data !== undefined && needsWord(preview.data)) ||
    (make.isError && problemOf(make.error).code === "RUN_REPEATS_EFFECTS");
  const beginFrom = (step: string | undefined): void => {
    setPoint({ kind: "rerun", fromStep: step });
    setStepArguments({});
    setWord(false);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate({ point, changes: isWordNeeded ? { ...changes, confirm: hasWord } : changes });
  };
  return (
    <Dialog title={titleOf(run, point)} onClose={onClose}>
      <form className="run-again" onSubmit={submit}>
        {point.kind === "rerun" ? (
          <FromStep run={run} fromStep={fromStep} onChange={beginFrom} />
        ) : (
          <ForkNote seq={point.seq ?? run.headSeq} />
        )}
        <Inputs definitions={definitions} values={values} onChange={setValues} problems={problems} />
        <AgainArguments
          key={fromStep}
          step={run.steps.find(({ path }) => path === fromStep)}
          onChange={setStepArguments}
        />
        <Preview preview={preview} isReadable={isReadable} />
        {isWordNeeded && <RepeatCheck isGiven={hasWord} onChange={setWord} />}
        {make.isError && <ProblemNotice error={make.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button
            type="submit"
            look="primary"
            icon="play"
            busy={make.isPending}
            disabled={!isReadable || preview.data === undefined || (isWordNeeded && !hasWord)}
          >
            {point.kind === "fork" ? "Fork" : "Run again"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function titleOf(run: RunDetail, point: NewRunPoint): string {
  if (point.kind === "fork") return `Fork ${run.workflow.name}`;
  return `Run ${run.workflow.name} again`;
}

/** Nothing that is empty is sent. */
function changesOf(given: {
  readonly inputs: JsonObject;
  readonly fromStep: string | undefined;
  readonly stepArguments: JsonObject | null;
}): Changes {
  const { inputs, fromStep, stepArguments } = given;
  const isSame = stepArguments === null || Object.keys(stepArguments).length === 0;
  return {
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(fromStep === undefined || isSame ? {} : { stepArguments: { [fromStep]: stepArguments } }),
  };
}

function Inputs(props: ComponentProps<typeof InputForm>): ReactElement | null {
  if (Object.keys(props.definitions).length === 0) return null;
  return (
    <section className="run-again-part">
      <h3>Inputs</h3>
      <InputForm {...props} />
    </section>
  );
}

function ForkNote({ seq }: { readonly seq: number }): ReactElement {
  return (
    <p className="small">
      A new run goes on from event {seq} of this one, and this one goes on as well: each with its own
      questions, files and keys.
    </p>
  );
}

interface PreviewProps {
  readonly preview: UseQueryResult<RerunAnswer>;
  readonly isReadable: boolean;
}

function Preview({ preview, isReadable }: PreviewProps): ReactElement {
  return (
    <section className="run-again-part" aria-live="polite">
      {preview.isError && <ProblemNotice error={preview.error} />}
      {preview.isPending && isReadable && <Loading lines={2} />}
      {preview.data !== undefined && <AgainPreview answer={preview.data} />}
    </section>
  );
}

/** What the server would keep and repeat; asked anew a moment after each change. */
function usePreview(
  id: string,
  point: NewRunPoint,
  changes: Changes,
  isReadable: boolean,
): UseQueryResult<RerunAnswer> {
  const wanted = useDeferredValue(JSON.stringify([point, changes]));
  return useQuery({
    queryKey: ["run-again", id, wanted],
    queryFn: ({ signal }) => runApi.runAgain(id, point, { ...changes, dryRun: true }, signal),
    enabled: isReadable,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

function useMake(id: string, onClose: () => void) {
  const navigate = useNavigate();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: ({ point, changes }: { readonly point: NewRunPoint; readonly changes: Changes }) =>
      runApi.runAgain(id, point, changes),
    onSuccess: ({ run }) => {
      onClose();
      if (run === null) return;
      announce("The new run is on its way");
      void navigate({ to: "/runs/$runId", params: { runId: run.id }, search: {} });
    },
  });
}

/** More would make the list of choices useless; the step's own panel begins from any. */
const mostChoices = 300;

interface FromStepProps {
  readonly run: RunDetail;
  readonly fromStep: string | undefined;
  readonly onChange: (step: string | undefined) => void;
}

function FromStep({ run, fromStep, onChange }: FromStepProps): ReactElement {
  const id = useId();
  const choices = stepsToBeginFrom(run.steps).slice(0, mostChoices);
  const isListed = fromStep === undefined || choices.some(({ path }) => path === fromStep);
  return (
    <div className="field">
      <label htmlFor={id}>From</label>
      <select
        id={id}
        className="input"
        value={fromStep ?? ""}
        onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)}
      >
        <option value="">the beginning: nothing is kept</option>
        {!isListed && <option value={fromStep}>{fromStep}</option>}
        {choices.map((step) => (
          <option key={step.path} value={step.path}>
            {`${"\u00a0\u00a0".repeat(step.depth)}${step.path}`}
          </option>
        ))}
      </select>
      <p className="field-hint">
        Steps done before it keep their outcome and the files of that point; policy and approvals are those of
        today.
      </p>
    </div>
  );
}
