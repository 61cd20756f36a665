/** Webhooks of registered workflows: who may call which address, told apart by a signature or a token. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { HomeostatError } from "../base/error.ts";
import type { Migration, Row, Statement, Store } from "../store/store.ts";
import { createHookSecret, signatureProblem } from "./hook-signature.ts";
import type { WebhookTrigger } from "./workflow.ts";

export const hooksMigration: Migration = {
  id: "0212-hooks",
  statements: () => [
    `CREATE TABLE hooks (
      name TEXT PRIMARY KEY,
      tenant TEXT NOT NULL,
      workflow TEXT NOT NULL,
      auth TEXT NOT NULL,
      -- SHA-256 of a bearer token; what signs lies with the secrets.
      token_digest TEXT,
      added_at_ms BIGINT NOT NULL
    )`,
  ],
};

export interface Hook {
  readonly name: string;
  readonly tenant: string;
  readonly workflow: string;
  readonly auth: WebhookTrigger["auth"];
  readonly tokenDigest: string | null;
}

/** What a caller needs to know once; never shown again. */
export interface NewHook {
  readonly name: string;
  readonly auth: WebhookTrigger["auth"];
  readonly secret: string;
}

export interface HookCall {
  readonly name: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly authorization: string | undefined;
  readonly body: Uint8Array;
}

export interface HooksDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** Where signing secrets are kept; each belongs to its webhook alone. */
  readonly secrets: HookSecrets;
  /** Told of refused calls, for the log; must not throw. */
  readonly refused: (name: string, why: string) => void;
}

/** Secrets come and go in the batch that makes and removes their webhooks, so that neither is there without the other. */
export interface HookSecrets {
  keep(
    hook: { readonly tenant: string; readonly name: string; readonly by: string },
    value: string,
  ): Promise<readonly Statement[]>;
  /** Undefined when there is none any more. */
  read(tenant: string, name: string): Promise<string | undefined>;
  /** None when somebody removed it by hand. */
  forget(hook: {
    readonly tenant: string;
    readonly name: string;
    readonly by: string;
  }): Promise<readonly Statement[]>;
  /** After the batch: this process knows what was kept at once. */
  refresh(): Promise<void>;
}

export interface HookOwner {
  readonly tenant: string;
  readonly workflow: string;
  readonly by: string;
}

export interface Hooks {
  /** What must change so that exactly these triggers are there. Throws HOOK_CONFLICT when another workflow has the name. */
  plan(owner: HookOwner, triggers: readonly WebhookTrigger[]): Promise<HookPlan>;
  list(tenant: string, workflow: string): Promise<readonly Hook[]>;
  /** The hook a call is for. Throws HOOK_DENIED, the same for an unknown name and a wrong secret. */
  authenticate(call: HookCall): Promise<Hook>;
}

export interface HookPlan {
  /** For the batch that registers or removes the workflow. */
  readonly statements: readonly Statement[];
  /** Called once the batch is written. */
  readonly written: () => Promise<void>;
  readonly created: readonly NewHook[];
}

export function createHooks(deps: HooksDeps): Hooks {
  const { store, clock } = deps;
  return {
    async plan(owner, triggers) {
      const now = await list(owner.tenant, owner.workflow);
      for (const { name } of triggers) await requireFree(store, name, owner);
      const gone = now.filter((hook) => !triggers.some((each) => isSame(each, hook)));
      const created = triggers
        .filter((trigger) => !now.some((hook) => isSame(trigger, hook)))
        .map(({ name, auth }) => ({ name, auth, secret: newSecret(auth) }));
      const secrets: Statement[] = [];
      for (const { name, auth } of gone)
        if (auth === "signature") secrets.push(...(await deps.secrets.forget({ ...owner, name })));
      for (const { name, auth, secret } of created)
        if (auth === "signature") secrets.push(...(await deps.secrets.keep({ ...owner, name }, secret)));
      return {
        created,
        statements: [
          ...gone.map(({ name }) => ({ sql: "DELETE FROM hooks WHERE name = ?", params: [name] })),
          ...created.map((hook) => insert(owner, hook, clock.now())),
          ...secrets,
        ],
        written: () => (secrets.length > 0 ? deps.secrets.refresh() : Promise.resolve()),
      };
    },
    list,
    async authenticate(call) {
      const [row] = await store.read("SELECT * FROM hooks WHERE name = ?", [call.name]);
      const hook = row && fromStore(row);
      const problem = hook === undefined ? "there is no such webhook" : await problemWith(hook, call, deps);
      if (hook !== undefined && problem === undefined) return hook;
      deps.refused(call.name, problem ?? "");
      throw new HomeostatError("HOOK_DENIED", "The webhook is unknown, or its signature or token is wrong");
    },
  };

  async function list(tenant: string, workflow: string): Promise<readonly Hook[]> {
    const sql = "SELECT * FROM hooks WHERE tenant = ? AND workflow = ? ORDER BY name";
    return (await store.read(sql, [tenant, workflow])).map(fromStore);
  }
}

async function requireFree(store: Store, name: string, { tenant, workflow }: HookOwner): Promise<void> {
  const [row] = await store.read("SELECT * FROM hooks WHERE name = ?", [name]);
  if (row === undefined || (row["tenant"] === tenant && row["workflow"] === workflow)) return;
  const whose = row["tenant"] === tenant ? `the workflow ${row["workflow"] as string}` : "somebody else";
  throw new HomeostatError("HOOK_CONFLICT", `The webhook ${name} belongs to ${whose}`, { name });
}

/** Undefined when the call proves that it may. */
async function problemWith(
  hook: Hook,
  call: HookCall,
  { secrets, clock }: HooksDeps,
): Promise<string | undefined> {
  if (hook.auth === "bearer") {
    const token = /^Bearer (\S{1,500})$/i.exec(call.authorization ?? "")?.[1] ?? "";
    const given = Buffer.from(sha256(token));
    return timingSafeEqual(given, Buffer.from(hook.tokenDigest ?? "".padEnd(64)))
      ? undefined
      : "the token is wrong";
  }
  const secret = await secrets.read(hook.tenant, hook.name);
  if (secret === undefined) return "its secret was removed";
  const { headers, body } = call;
  const signed = {
    id: headers["webhook-id"],
    timestamp: headers["webhook-timestamp"],
    signature: headers["webhook-signature"],
    body,
  };
  return signatureProblem(signed, secret, clock.now());
}

function isSame(trigger: Pick<Hook, "name" | "auth">, hook: Hook): boolean {
  return trigger.name === hook.name && trigger.auth === hook.auth;
}

function newSecret(auth: Hook["auth"]): string {
  return auth === "signature" ? createHookSecret(randomBytes) : randomBytes(32).toString("base64url");
}

function insert({ tenant, workflow }: HookOwner, { name, auth, secret }: NewHook, atMs: number): Statement {
  return {
    sql: "INSERT INTO hooks (name, tenant, workflow, auth, token_digest, added_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
    params: [name, tenant, workflow, auth, auth === "bearer" ? sha256(secret) : null, atMs],
    expect: { rows: 1, guard: "hook-name" },
  };
}

function fromStore(row: Row): Hook {
  return {
    name: row["name"] as string,
    tenant: row["tenant"] as string,
    workflow: row["workflow"] as string,
    auth: row["auth"] as Hook["auth"],
    tokenDigest: row["token_digest"] as string | null,
  };
}
