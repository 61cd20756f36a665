/** From a claim to a driven run: fold the journal, put the workspace right, walk the workflow under the lease. */
import type { Clock } from "../../base/clock.ts";
import { formatFinding } from "../../base/finding.ts";
import type { Finding } from "../../base/finding.ts";
import type { BlobStore } from "../../blobs/blob.ts";
import type { Store } from "../../store/store.ts";
import { countSteps } from "../../workflows/workflow.ts";
import { parseWorkflow } from "../../workflows/workflow-file.ts";
import type { ChildDeps } from "../submission/child-run.ts";
import { drive, expireOverdue } from "./drive.ts";
import type { RunState } from "../journal/fold.ts";
import { foldAnswers } from "./fold-inbox.ts";
import type { ReadBlobText } from "../journal/journal.ts";
import { createMessageBell } from "../session/message-bell.ts";
import { requireKnown } from "./require-known.ts";
import type { Program } from "./require-known.ts";
import { readState } from "../journal/run-reader.ts";
import { rootPlace, runWorkflow } from "../steps/run-workflow.ts";
import { layOut } from "../workspace/lay-out.ts";
import { createSession } from "../session/session.ts";
import type { SessionDeps } from "../session/session.ts";
import type { ToolStepDeps } from "../actions/tool-step.ts";
import { mustUnwind } from "../steps/unwind-plan.ts";
import type { Claim } from "./worker.ts";
import type { Workspaces } from "../workspace/workspace.ts";
import type { WalkResult } from "../journal/step-result.ts";

export interface RunDriverDeps {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly workspaces: Workspaces;
  readonly readBlobText: ReadBlobText;
  readonly announce: SessionDeps["announce"];
  readonly toolStep: ToolStepDeps;
  readonly children: ChildDeps;
  readonly program: Program;
  readonly maxEvents: number;
  /** Tells a driven session of messages; see `hasMessages`. Returns the unsubscriber. */
  readonly onMessages: (listener: () => void) => () => void;
}

export function createRunDriver(deps: RunDriverDeps): (claim: Claim) => Promise<void> {
  return async (claim) => {
    const { row, lease } = claim;
    const state = await readState(deps, row.id);
    const parsed = parseWorkflow(state.workflow.text);
    requireKnown(state, parsed, deps.program);
    const session = createSession(deps, {
      state,
      tenant: row.tenant,
      stepsTotal: parsed.ok ? countSteps(parsed.workflow.steps) : row.stepsTotal,
      lease,
      previousOwnerGone: claim.previousOwnerGone,
      interrupt: claim.interrupt,
    });
    const mustUndo = (each: RunState): boolean =>
      parsed.ok && mustUnwind(parsed.workflow, each, rootPlace(each, parsed.workflow));
    const bell = createMessageBell();
    let isLaidOut = false;
    const stop = deps.onMessages(bell.ring);
    try {
      await drive(session, {
        store: deps.store,
        clock: deps.clock,
        random: deps.toolStep.random,
        isStopping: claim.isStopping,
        spent: claim.spent,
        leaving: claim.leaving,
        listenAnew: bell.silence,
        heard: claim.heard,
        mustUnwind: mustUndo,
        runWorkflow: async (each) => {
          // A text that an older program took and this one refuses ends the run in plain sight, not in a loop.
          if (!parsed.ok) return unreadable(parsed.findings);
          // After the messages: a run whose files cannot be laid out must still hear a cancel.
          const fault = isLaidOut ? null : await layOut(each, deps.workspaces);
          if (fault !== null) return fault;
          isLaidOut = true;
          return await runWorkflow(each, parsed.workflow, {
            ...deps.toolStep,
            children: deps.children,
            maxEvents: deps.maxEvents,
            isStopping: claim.isStopping,
            bell,
            foldAnswers: async () => {
              bell.silence();
              await expireOverdue(each, deps);
              return await foldAnswers(each, { store: deps.store, mustUnwind: mustUndo, heard: claim.heard });
            },
          });
        },
      });
    } finally {
      stop();
    }
  };
}

function unreadable(findings: readonly Finding[]): WalkResult {
  const [first] = findings;
  const why = first === undefined ? "" : `: ${formatFinding(first)}`;
  const error = { code: "WORKFLOW_INVALID", message: `This version cannot read the run's workflow${why}` };
  return { kind: "failed", error, transient: false };
}
