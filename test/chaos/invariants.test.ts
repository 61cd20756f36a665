/** Each check of the chaos suite is broken on purpose, in a copy of a good record: it must say so, and no other may. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventBody } from "../../packages/server/src/runs/journal/event.ts";
import { hasKind, numbered, recordGoodRun } from "./good-record.fixture.ts";
import type { Damageable, ForgedEvent, GoodRecord } from "./good-record.fixture.ts";
import { invariants } from "./invariants.ts";

let record: GoodRecord;
beforeAll(async () => {
  record = await recordGoodRun();
});
afterAll(() => record.remove());

interface Damage {
  readonly breaks: string;
  readonly by: string;
  /** Where a damage cannot but be seen by another check too. */
  readonly also?: string;
  readonly how: (copy: Damageable) => void;
}

const proof = "the ledger proves it all";
const paymentKey = (): string => `${record.paid}/pay/1`;

/** Puts `more` behind the first event of that kind, or in place of it. */
function behind(
  events: readonly ForgedEvent[],
  kind: EventBody["kind"],
  more: (event: ForgedEvent) => readonly EventBody[],
): readonly ForgedEvent[] {
  const at = events.findIndex(hasKind(kind));
  const { row } = events[at]!;
  const added = more(events[at]!).map((body) => ({ row, body }));
  return numbered([...events.slice(0, at + 1), ...added, ...events.slice(at + 1)]);
}

/** Changes the one intent of the paid run that went to the bank. */
function withIntent(
  change: (intent: Extract<EventBody, { kind: "action.intended" }>["intent"]) => object,
): (copy: Damageable) => void {
  return (copy) =>
    copy.rewrite(record.paid, (events) =>
      events.map(({ row, body }) =>
        body.kind === "action.intended" && body.step === "pay"
          ? { row, body: { ...body, intent: { ...body.intent, ...change(body.intent) } } }
          : { row, body },
      ),
    );
}

const damages: readonly Damage[] = [
  {
    breaks: "no acknowledged task is lost",
    by: "an acknowledged task that is in no table",
    how: ({ submitted }) => submitted.set("fourth", "run_never"),
  },
  {
    breaks: "no task became two runs",
    by: "a run that nobody was told of",
    how: ({ submitted }) => submitted.delete("paid"),
  },
  {
    breaks: "every run has ended as it may",
    by: "an end that is not among those allowed",
    how: ({ ends }) => ends.splice(ends.indexOf("FAILED"), 1),
  },
  {
    breaks: "a journal has no hole up to its head",
    by: "an event that was never written, with everything behind it chained over the gap",
    also: proof,
    how: (copy) => copy.rewrite(record.paid, (events) => events.filter(({ row }) => row.seq !== 2)),
  },
  {
    breaks: "a journal takes no event of a lost lease",
    by: "an event of an earlier epoch behind one of a later",
    how: (copy) =>
      copy.rewrite(record.paid, (events) =>
        events.map(({ row, body }, index) => ({ row: { ...row, epoch: index === 3 ? 0 : row.epoch }, body })),
      ),
  },
  {
    breaks: "a journal takes no event of a lost lease",
    by: "an event of an epoch that nobody was given",
    how: (copy) => copy.sql("UPDATE leases SET epoch = 0 WHERE name = ?", `run/${record.paid}`),
  },
  {
    breaks: "a journal folds to its run's row",
    by: "a row that says completed over a journal that does not",
    how(copy) {
      copy.rewrite(record.paid, (events) => events.filter(({ body }) => body.kind !== "run.completed"));
      copy.sql("UPDATE runs SET ended_at_ms = NULL WHERE id = ?", record.paid);
    },
  },
  {
    breaks: "a journal folds to its run's row",
    by: "a body that cannot be read",
    also: proof,
    how: (copy) =>
      copy.sql("UPDATE journal SET body = '{' WHERE run_id = ? AND kind = 'run.failed'", record.refused),
  },
  {
    breaks: "every attempt was intended and has one outcome",
    by: "an outcome that came twice",
    how: (copy) =>
      copy.rewrite(record.paid, (events) => behind(events, "action.completed", ({ body }) => [body])),
  },
  {
    breaks: "every attempt was intended and has one outcome",
    by: "a person's word about an outcome that is known",
    how: (copy) =>
      copy.rewrite(record.paid, (events) =>
        behind(events, "action.completed", () => [
          {
            ...{ kind: "outcome.resolved", step: "note", approvalId: "apr_none", answer: "did-not-happen" },
            ...{ by: "ada", reason: null, output: null },
          } as const,
        ]),
      ),
  },
  {
    breaks: "every attempt was intended and has one outcome",
    by: "an act begun again while its outcome is missing",
    how: (copy) =>
      copy.rewrite(record.paid, (events) => behind(events, "action.intended", ({ body }) => [body])),
  },
  {
    breaks: "every attempt was intended and has one outcome",
    by: "a step that ended twice",
    how: (copy) =>
      copy.rewrite(record.paid, (events) => behind(events, "step.completed", ({ body }) => [body])),
  },
  {
    breaks: "a run ends once, and nothing comes after",
    by: "a cancel of a completed run",
    how(copy) {
      copy.rewrite(record.paid, (events) =>
        behind(events, "run.completed", () => [{ kind: "run.cancelled", by: "ada", reason: null }]),
      );
      copy.sql(
        `UPDATE runs SET state = 'CANCELLED',
          ended_at_ms = (SELECT MAX(at_ms) FROM journal WHERE run_id = runs.id) WHERE id = ?`,
        record.paid,
      );
    },
  },
  {
    breaks: "no question of a run that has ended still waits",
    by: "a question of a cancelled run",
    how: (copy) => copy.sql("UPDATE approvals SET status = 'waiting' WHERE run_id = ?", record.cancelled),
  },
  {
    breaks: "nothing is begun that policy denied",
    by: "an intent with a decision that denies",
    how: withIntent(({ decision }) => ({ decision: { ...decision, effect: "deny" } })),
  },
  {
    breaks: "what policy asked about has a yes before its intent",
    by: "an intent that belongs to no question",
    how: withIntent(() => ({ approvalId: null })),
  },
  {
    breaks: "what policy asked about has a yes before its intent",
    by: "a yes to another question",
    how: withIntent(() => ({ approvalId: "apr_other" })),
  },
  {
    breaks: "what policy asked about has a yes before its intent",
    by: "a question that is not approved by its row",
    how: (copy) => copy.sql("UPDATE approvals SET status = 'expired' WHERE run_id = ?", record.paid),
  },
  {
    breaks: "nothing is begun while a run is undone",
    by: "an undoing that began before the act",
    how: (copy) =>
      copy.rewrite(record.paid, (events) =>
        behind(events, "approval.decided", () => [
          { kind: "run.unwinding", outcome: "failed", error: null, by: "ada", reason: null },
        ]),
      ),
  },
  {
    breaks: "an acknowledged word is on record",
    by: "an approve that reached no journal",
    how: ({ acknowledged }) =>
      acknowledged.push({ runId: record.paid, word: "approve", approvalId: "apr_unheard" }),
  },
  {
    breaks: "an acknowledged word is on record",
    by: "a cancel that was lost while the run waits on",
    how(copy) {
      copy.rewrite(record.cancelled, (events) => events.filter(({ body }) => body.kind !== "run.cancelled"));
      copy.sql("UPDATE runs SET state = 'WAITING', ended_at_ms = NULL WHERE id = ?", record.cancelled);
      copy.ends.push("WAITING");
    },
  },
  {
    breaks: "of a yes and a no to one question one is acknowledged",
    by: "a reject of what was approved, which came when the run was over",
    also: "an acknowledged word is on record",
    how({ acknowledged }) {
      const { runId, approvalId } = acknowledged.find(({ word }) => word === "approve")!;
      acknowledged.push({ runId, approvalId, word: "reject" });
    },
  },
  {
    breaks: "nothing is paid without an intent",
    by: "a payment of a run that only asked",
    how: ({ charges }) => charges.set(`${record.refused}/pay/1`, 1),
  },
  {
    breaks: "what is paid is what the intent says",
    by: "another amount",
    how: ({ bodies }) => bodies.set(paymentKey(), "amount=1000"),
  },
  {
    breaks: "no step is paid for twice",
    by: "the same key twice",
    how: ({ charges }) => charges.set(paymentKey(), 2),
  },
  {
    breaks: "no step is paid for twice",
    by: "another attempt of a step that was paid",
    also: "nothing is paid without an intent",
    how: ({ charges }) => charges.set(`${record.paid}/pay/2`, 1),
  },
  {
    breaks: "what is on record as paid was paid",
    by: "a bank that never heard of it",
    how({ charges, bodies }) {
      charges.delete(paymentKey());
      bodies.delete(paymentKey());
    },
  },
  {
    breaks: proof,
    by: "an event whose time was changed",
    how: (copy) =>
      copy.sql("UPDATE journal SET at_ms = at_ms + 1 WHERE run_id = ? AND kind = 'run.started'", record.paid),
  },
  {
    breaks: proof,
    by: "a file of the ledger that is gone",
    how: ({ home }) => writeFileSync(join(home, "ledger", "checkpoint"), ""),
  },
];

describe("the checks of the chaos suite", () => {
  test("find nothing in a good record", async () => {
    expect(await (await record.copy()).violations()).toEqual([]);
  });

  test("find nothing in a good record that was written again, so that what is found is the damage and not the writing", async () => {
    const copy = await record.copy();
    copy.rewrite(record.paid, (events) => events);
    expect(await copy.violations()).toEqual([]);
  });

  test("have each a damage here that breaks it", () => {
    expect(new Set(damages.map(({ breaks }) => breaks))).toEqual(new Set(invariants.map(({ name }) => name)));
  });

  test.each(damages)("$breaks: broken by $by", async ({ breaks, also, how }) => {
    const copy = await record.copy();
    how(copy);
    const violations = await copy.violations();
    const found = new Set(violations.map((each) => each.slice(0, each.indexOf(": "))));
    expect(found, violations.join("\n")).toEqual(new Set([breaks, ...(also === undefined ? [] : [also])]));
  });
});
