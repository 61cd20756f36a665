/** Asks the policy, or a draft of it, about a made-up action, and shows everything that led to the answer. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useId, useState, type ReactElement } from "react";
import { policyApi, type Explanation } from "../../api/policy-calls.ts";
import { Button } from "../../ui/button.tsx";
import { Digest } from "../../ui/digest.tsx";
import { ProblemNotice } from "../../ui/problem-notice.tsx";
import { effectLooks, riskLook } from "../../ui/state.ts";
import { StateBadge } from "../../ui/state-glyph.tsx";
import { NearMisses, RiskScore } from "../decision/decision-parts.tsx";
import { findDraft, isChanged } from "../edit/draft.ts";
import { roles } from "../edit/use-language.ts";
import { MatchedRules } from "../matched-rules.tsx";
import { toolsQuery } from "../policy-queries.ts";
import { emptyForm, labels, readForm, type ExplainForm, type Label } from "./explain-input.ts";
import { Prose } from "../../ui/prose.tsx";
import "./explain-tab.css";

export function ExplainTab(): ReactElement {
  const [form, setForm] = useState<ExplainForm>(emptyForm);
  const [problem, setProblem] = useState<string | null>(null);
  const [draft] = useState(() => findDraft(sessionStorage));
  const [usesDraft, setUsesDraft] = useState(false);
  const ask = useMutation({ mutationFn: policyApi.explain });
  const submit = (): void => {
    const read = readForm(form);
    setProblem(read.ok ? null : read.message);
    if (read.ok)
      ask.mutate(usesDraft && draft !== undefined ? { ...read.input, files: draft.files } : read.input);
  };
  return (
    <div className="explain">
      <form
        className="panel panel-body explain-form"
        aria-label="Action to explain"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <What form={form} setForm={setForm} problem={problem} />
        <Who form={form} setForm={setForm} />
        {draft !== undefined && isChanged(draft) && (
          <label className="check">
            <input
              type="checkbox"
              checked={usesDraft}
              onChange={(event) => setUsesDraft(event.target.checked)}
            />
            Ask my draft instead of the policy in force
          </label>
        )}
        <div>
          <Button look="primary" type="submit" busy={ask.isPending} disabled={form.action.trim() === ""}>
            Explain
          </Button>
        </div>
      </form>
      <div className="stack" role="status">
        {ask.isError && <ProblemNotice error={ask.error} />}
        {ask.data === undefined && !ask.isError && (
          <p className="quiet explain-empty">
            Describe an action to see every rule that matches it, the nearest that do not and why, what it
            would have to keep to, and its risk. Nothing is done.
          </p>
        )}
        {ask.data !== undefined && <Answer explanation={ask.data} />}
      </div>
    </div>
  );
}

interface PartProps {
  readonly form: ExplainForm;
  readonly setForm: (form: ExplainForm) => void;
}

function What({ form, setForm, problem }: PartProps & { readonly problem: string | null }): ReactElement {
  const id = useId();
  const tools = useQuery(toolsQuery).data ?? [];
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-action`}>Action</label>
        <input
          id={`${id}-action`}
          className="input"
          data-kind="mono"
          list={`${id}-actions`}
          required
          value={form.action}
          onChange={(event) => setForm({ ...form, action: event.target.value })}
        />
        <datalist id={`${id}-actions`}>
          {tools.map(({ name }) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </div>
      <div className="field">
        <label htmlFor={`${id}-resource`}>Resource</label>
        <input
          id={`${id}-resource`}
          className="input"
          data-kind="mono"
          value={form.resource}
          onChange={(event) => setForm({ ...form, resource: event.target.value })}
        />
        <p className="field-hint">
          As it is judged: <code>workspace/a.png</code>, <code>https://host:443/path</code>,{" "}
          <code>bash/rm</code>
        </p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-args`}>Arguments</label>
        <textarea
          id={`${id}-args`}
          className="input"
          data-kind="mono"
          rows={4}
          spellCheck={false}
          placeholder='{ "path": "old.txt" }'
          value={form.args}
          aria-invalid={problem !== null}
          aria-describedby={problem === null ? undefined : `${id}-problem`}
          onChange={(event) => setForm({ ...form, args: event.target.value })}
        />
        {problem !== null && (
          <p className="field-error" id={`${id}-problem`} role="alert">
            {problem}
          </p>
        )}
      </div>
    </>
  );
}

function Who({ form, setForm }: PartProps): ReactElement {
  const id = useId();
  const toggle = (label: Label): void => {
    const isOn = form.labels.includes(label);
    setForm({
      ...form,
      labels: isOn ? form.labels.filter((each) => each !== label) : [...form.labels, label],
    });
  };
  const texts = [
    { name: "agent", label: "Agent", hint: "workflow:example" },
    { name: "user", label: "User", hint: "you" },
    { name: "tenant", label: "Tenant", hint: "yours" },
  ] as const;
  return (
    <>
      <fieldset className="explain-labels">
        <legend className="field-label">Values in the run come from</legend>
        {labels.map((label) => (
          <label className="check" key={label}>
            <input type="checkbox" checked={form.labels.includes(label)} onChange={() => toggle(label)} />
            {label}
          </label>
        ))}
      </fieldset>
      <div className="explain-who">
        <div className="field">
          <label htmlFor={`${id}-role`}>Role</label>
          <select
            id={`${id}-role`}
            className="input"
            value={form.role}
            onChange={(event) => setForm({ ...form, role: event.target.value })}
          >
            {roles.map((role) => (
              <option key={role}>{role}</option>
            ))}
          </select>
        </div>
        {texts.map(({ name, label, hint }) => (
          <div className="field" key={name}>
            <label htmlFor={`${id}-${name}`}>{label}</label>
            <input
              id={`${id}-${name}`}
              className="input"
              data-kind="mono"
              placeholder={hint}
              value={form[name]}
              onChange={(event) => setForm({ ...form, [name]: event.target.value })}
            />
          </div>
        ))}
      </div>
    </>
  );
}

function Answer({
  explanation: { decision, nearMisses },
}: {
  readonly explanation: Explanation;
}): ReactElement {
  return (
    <section className="panel panel-body stack explain-answer">
      <h2 className="visually-hidden">Answer</h2>
      <div className="cluster">
        <StateBadge look={effectLooks[decision.effect]} />
        <StateBadge look={riskLook(decision.risk)} />
        <span className="small quiet">
          policy <Digest value={decision.revision} what="policy revision" withCopy={false} />
        </span>
      </div>
      <p>
        <Prose text={decision.reason} />
      </p>
      {decision.demands !== "" && (
        <p>
          <b>It must keep to:</b> {decision.demands}
        </p>
      )}
      <section>
        <h3>Rules that matched</h3>
        <MatchedRules rules={decision.matched} />
      </section>
      <section>
        <h3>Nearest rules that did not</h3>
        <NearMisses misses={nearMisses} />
      </section>
      {decision.score !== null && (
        <section>
          <h3>Risk</h3>
          <RiskScore score={{ value: decision.score, factors: decision.factors }} />
        </section>
      )}
      <p className="quiet small">
        Where arguments come from and what a run did before are known only in a run: rules on them do not
        match here.
      </p>
    </section>
  );
}
