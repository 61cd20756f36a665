/** Commands for the chosen runs: each is tried on its own, and each has a result of its own. */
import { useMutation, useQuery, useQueryClient, type UseMutationResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import type { RunSummary } from "../api/contract.ts";
import { keys } from "../api/queries.ts";
import { runApi, type BulkAction, type BulkAnswer, type BulkBody } from "../api/run-calls.ts";
import { formatCount, shortId } from "../format/quantity.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { StateGlyph } from "../ui/state-glyph.tsx";
import { bulkActions, bulkText } from "./bulk-words.ts";
import { RepeatCheck } from "./repeat-check.tsx";
import type { RunSelection } from "./run-table.tsx";

const fits = { label: "Will be done", tone: "done", glyph: "check" } as const;
const fitsNot = { label: "Will not be done", tone: "failed", glyph: "octagon" } as const;

interface Props {
  readonly runs: readonly RunSummary[];
  readonly selection: RunSelection;
}

export function BulkBar({ runs, selection }: Props): ReactElement | null {
  const [action, setAction] = useState<BulkAction | null>(null);
  const chosen = runs.filter(({ id }) => selection.chosen.has(id));
  if (chosen.length === 0) return null;
  return (
    <div className="bulk" role="group" aria-label="Chosen runs">
      <strong>{formatCount(chosen.length, "run")} chosen</strong>
      <div className="cluster">
        {bulkActions.map((each) => (
          <Button key={each.action} onClick={() => setAction(each.action)}>
            {each.label}
          </Button>
        ))}
        {chosen.length === 2 && (
          <Link className="button" to="/compare" search={{ a: chosen[1]?.id ?? "", b: chosen[0]?.id ?? "" }}>
            Compare
          </Link>
        )}
        <Button look="plain" icon="cross" onClick={() => selection.onChange(new Set())}>
          None
        </Button>
      </div>
      {action !== null && (
        <BulkDialog
          action={action}
          runs={chosen}
          onClose={() => setAction(null)}
          onDone={selection.onChange}
        />
      )}
    </div>
  );
}

interface DialogProps {
  readonly action: BulkAction;
  readonly runs: readonly RunSummary[];
  readonly onClose: () => void;
  /** With what stays chosen: the runs for which the command was refused. */
  readonly onDone: (left: ReadonlySet<string>) => void;
}

/** First what would happen to each run, then what did. */
function BulkDialog({ action, runs: given, onClose, onDone }: DialogProps): ReactElement {
  // As they were chosen: the list behind goes on changing.
  const [runs] = useState(given);
  const [reason, setReason] = useState("");
  const [hasWord, setWord] = useState(false);
  const words = bulkActions.find((each) => each.action === action);
  const body: BulkBody = {
    action,
    ids: runs.map((run) => run.id),
    ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
    ...(hasWord ? { confirm: true } : {}),
  };
  const preview = useQuery({
    queryKey: ["bulk", action, body.ids, hasWord],
    queryFn: () => runApi.bulk({ ...body, dryRun: true }),
    staleTime: 0,
  });
  const command = useBulk(action);
  const isWordNeeded =
    hasWord || preview.data?.results.some(({ error }) => error?.code === "RUN_REPEATS_EFFECTS") === true;
  const close = (): void => {
    if (command.data !== undefined)
      onDone(new Set(command.data.results.filter(({ ok }) => !ok).map((result) => result.id)));
    onClose();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    command.mutate(body);
  };
  return (
    <Dialog title={`${words?.label ?? action}: ${formatCount(runs.length, "run")}`} onClose={close}>
      <form className="stack" onSubmit={submit}>
        {preview.isPending && <Loading lines={2} />}
        {preview.isError && <ProblemNotice error={preview.error} />}
        {command.data !== undefined && <p role="status">{bulkText(action, command.data)}.</p>}
        <Results runs={runs} answer={command.data ?? preview.data} />
        {command.data === undefined && (
          <>
            {isWordNeeded && <RepeatCheck isGiven={hasWord} onChange={setWord} />}
            {action !== "rerun" && <ReasonField reason={reason} onChange={setReason} />}
            {command.isError && <ProblemNotice error={command.error} />}
          </>
        )}
        <div className="dialog-actions">
          <Button onClick={close}>Close</Button>
          {command.data === undefined && (
            <Button
              type="submit"
              look={action === "cancel" || action === "discard" ? "danger" : "primary"}
              busy={command.isPending}
              disabled={preview.data === undefined || preview.data.done === 0}
            >
              {words?.label} {preview.data === undefined ? "" : formatCount(preview.data.done, "run")}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

/** Announces how many were done; the lists are asked for again. */
function useBulk(action: BulkAction): UseMutationResult<BulkAnswer, Error, BulkBody> {
  const client = useQueryClient();
  const announce = useAnnounce();
  return useMutation({
    mutationFn: (body: BulkBody) => runApi.bulk(body),
    onSuccess: async (answer) => {
      announce(bulkText(action, answer), { tone: answer.failed === 0 ? "done" : "waiting" });
      await client.invalidateQueries({ queryKey: keys.runLists });
    },
  });
}

interface ReasonProps {
  readonly reason: string;
  readonly onChange: (reason: string) => void;
}

function ReasonField({ reason, onChange }: ReasonProps): ReactElement {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>Reason (optional)</label>
      <input id={id} className="input" value={reason} onChange={(event) => onChange(event.target.value)} />
    </div>
  );
}

function Results({
  runs,
  answer,
}: {
  readonly runs: readonly RunSummary[];
  readonly answer: BulkAnswer | undefined;
}): ReactElement | null {
  if (answer === undefined) return null;
  const names = new Map(runs.map((run) => [run.id, run.workflow.name]));
  return (
    <ul className="bulk-results" tabIndex={0} aria-label={answer.dryRun ? "What would happen" : "Results"}>
      {answer.results.map((result) => {
        const look = result.ok ? fits : fitsNot;
        return (
          <li key={result.id}>
            <StateGlyph
              look={look}
              size={15}
              label={answer.dryRun ? look.label : result.ok ? "Done" : "Not done"}
            />
            <span>
              <Link to="/runs/$runId" params={{ runId: result.id }} search={{}}>
                {names.get(result.id)} <code>{shortId(result.id)}</code>
              </Link>
              {result.newRunId !== null && (
                <>
                  {" is made again as "}
                  <Link to="/runs/$runId" params={{ runId: result.newRunId }} search={{}}>
                    <code>{shortId(result.newRunId)}</code>
                  </Link>
                </>
              )}
              {result.error !== null && (
                <span className="quiet small bulk-why">
                  {result.error.message} <code>{result.error.code}</code>
                </span>
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
