/** Proves what a re-run or fork took over: each carried step is what the other run's journal has on record. */
import { digestJson } from "../../base/digest.ts";
import { errorMessage, isHomeostatError } from "../../base/error.ts";
import type { JsonValue } from "../../base/canonical-json.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import type { Store } from "../../store/store.ts";
import type { EventBody } from "../journal/event.ts";
import { decodeRow, rowFromStore } from "../journal/journal.ts";
import type { CarriedBody } from "../control/plan-rerun.ts";

export interface CarriedProofDeps {
  readonly store: Pick<Store, "read">;
  readonly blobs: Pick<BlobStore, "get">;
  /** What the ledger proves of an event, also when its run was deleted since. */
  readonly provenDigest: (runId: string, seq: number) => string | undefined;
}

/** Undefined when the step is what its source says; otherwise what differs. */
export async function findCarriedProblem(
  body: CarriedBody,
  deps: CarriedProofDeps,
): Promise<string | undefined> {
  const { run, seq, digest } = body.from;
  const source = `event ${seq} of ${run}`;
  const [stored] = await deps.store.read("SELECT * FROM journal WHERE run_id = ? AND seq = ?", [run, seq]);
  if (stored === undefined) {
    const proven = deps.provenDigest(run, seq);
    if (proven === digest) return undefined;
    return proven === undefined ? `there is no ${source}` : `the ledger proves another ${source}`;
  }
  const row = rowFromStore(stored);
  if (row.digest !== digest) return `it names digest ${digest} of ${source}, which has ${row.digest}`;
  try {
    const event = await decodeRow(row, async (subject, sha256, sizeBytes) =>
      (await deps.blobs.get({ subject, sha256, sizeBytes })).toString(),
    );
    return contentProblem(body, event.body, source);
  } catch (error) {
    // What was erased on purpose is still proved by its digest.
    return isHomeostatError(error, "BLOB_ERASED") ? undefined : `${source}: ${errorMessage(error)}`;
  }
}

function contentProblem(body: CarriedBody, source: EventBody, where: string): string | undefined {
  if (!("step" in source) || source.step !== body.step) return `${where} is about something else`;
  const expected = outcomeIn(source);
  if (expected === undefined) return `${where} (${source.kind}) is no outcome`;
  if (body.as === "open" || !("output" in expected)) return undefined;
  return digestJson(expected.output) === digestJson(body.output) ? undefined : `${where} has another output`;
}

/** Undefined for events that neither end nor open a step. */
function outcomeIn(source: EventBody): { readonly output: JsonValue } | Record<never, never> | undefined {
  switch (source.kind) {
    case "action.completed":
    case "step.completed":
    case "step.caught":
    case "step.carried":
    case "outcome.resolved":
    case "child.ended":
      return { output: source.output };
    case "step.started":
    case "step.skipped":
      return {};
    default:
      return undefined;
  }
}
