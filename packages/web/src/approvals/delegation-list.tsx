/** Who may answer for whom until when: begin one, end one. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactElement } from "react";
import { delegationsQuery, inboxApi, type Delegation } from "../api/inbox-calls.ts";
import { sessionQuery } from "../api/queries.ts";
import { nowMs } from "../live/now.ts";
import { useAnnounce } from "../ui/announcer.tsx";
import { Button } from "../ui/button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Ago } from "../ui/moment.tsx";
import { Loading } from "../ui/page.tsx";
import { ProblemNotice } from "../ui/problem-notice.tsx";
import { Left } from "./remembered-list.tsx";

const dayMs = 86_400_000;

export function DelegationList(): ReactElement {
  const list = useQuery(delegationsQuery);
  return (
    <div className="stack">
      <NewDelegation />
      {list.isPending && <Loading />}
      {list.isError && <ProblemNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && list.data.length === 0 && (
        <section className="panel">
          <EmptyState title="Nobody answers for anybody">
            <p>
              Before a holiday, let somebody answer what you may. The two of you then have one vote together,
              and four eyes see through it.
            </p>
          </EmptyState>
        </section>
      )}
      {list.isSuccess && list.data.length > 0 && (
        <ul className="panel standing">
          {list.data.map((delegation) => (
            <Row key={delegation.id} delegation={delegation} />
          ))}
        </ul>
      )}
    </div>
  );
}

function NewDelegation(): ReactElement {
  const [to, setTo] = useState("");
  const [days, setDays] = useState("14");
  const id = useId();
  const client = useQueryClient();
  const announce = useAnnounce();
  const name = to.trim();
  const create = useMutation({
    mutationFn: () => inboxApi.delegate(name, new Date(nowMs() + Number(days) * dayMs).toISOString()),
    onSuccess: async () => {
      announce(`${name} may answer for you`);
      setTo("");
      await client.invalidateQueries({ queryKey: delegationsQuery.queryKey });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name !== "") create.mutate();
  };
  return (
    <form
      className="panel panel-body delegation-form"
      onSubmit={submit}
      aria-label="Let somebody answer for you"
    >
      <div className="field">
        <label htmlFor={`${id}-to`}>Who may answer for you</label>
        <input
          id={`${id}-to`}
          className="input"
          placeholder="zoe"
          autoCapitalize="off"
          value={to}
          onChange={(event) => setTo(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-days`}>For</label>
        <select
          id={`${id}-days`}
          className="input"
          value={days}
          onChange={(event) => setDays(event.target.value)}
        >
          <option value="1">1 day</option>
          <option value="7">7 days</option>
          <option value="14">14 days</option>
          <option value="30">30 days</option>
        </select>
      </div>
      <Button type="submit" look="primary" icon="plus" busy={create.isPending} disabled={name === ""}>
        Let them answer
      </Button>
      {create.isError && <ProblemNotice error={create.error} />}
    </form>
  );
}

function Row({ delegation }: { readonly delegation: Delegation }): ReactElement {
  const client = useQueryClient();
  const announce = useAnnounce();
  const session = useQuery(sessionQuery).data;
  const end = useMutation({
    mutationFn: () => inboxApi.endDelegation(delegation.id),
    onSuccess: async () => {
      announce(`${delegation.to} no longer answers for ${delegation.from}`);
      await client.invalidateQueries({ queryKey: delegationsQuery.queryKey });
    },
  });
  const mayEnd = session?.role === "admin" || session?.principal === delegation.from;
  return (
    <li>
      <div className="standing-text">
        <p>
          <strong>{delegation.to}</strong> answers for <strong>{delegation.from}</strong>
        </p>
        <p className="quiet small">
          Since <Ago time={delegation.createdAt} />. <Left until={delegation.until} />
        </p>
        {end.isError && <ProblemNotice error={end.error} />}
      </div>
      {mayEnd && (
        <Button icon="cross" busy={end.isPending} onClick={() => end.mutate()}>
          End
        </Button>
      )}
    </li>
  );
}
