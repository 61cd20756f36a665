/** Builds what registered workflows consist of: the registry, and webhooks with their secrets. */
import type { Clock } from "../base/clock.ts";
import { isHomeostatError } from "../base/error.ts";
import type { Logger } from "../base/log.ts";
import type { SubmitDeps } from "../runs/submission/submit.ts";
import type { RegisteredDeps, Timetable } from "../runs/triggers/registered-workflows.ts";
import type { SecretChanges } from "../secrets/secret-changes.ts";
import type { ApiKeys } from "../identity/api-keys.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { Store } from "../store/store.ts";
import { createHooks } from "../workflows/hooks.ts";
import type { HookSecrets } from "../workflows/hooks.ts";
import type { WorkflowRegistry } from "../workflows/registry.ts";

export interface WorkflowSystemDeps {
  readonly registry: WorkflowRegistry;
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: Secrets;
  readonly changes: SecretChanges;
  readonly submit: SubmitDeps;
  readonly keys: Pick<ApiKeys, "currentRole">;
  /** What starts runs at their time. Absent: this server keeps no schedules. */
  readonly timetable?: Timetable;
}

export function createRegistered(deps: WorkflowSystemDeps): RegisteredDeps {
  const { registry, store, clock, logger, submit, timetable } = deps;
  const hooks = createHooks({
    store,
    clock,
    secrets: hookSecrets(deps),
    refused: (name, why) => logger.warn({ hook: name, why }, "a webhook was refused"),
  });
  const roleOf = deps.keys.currentRole;
  return { registry, hooks, submit, clock, roleOf, ...(timetable === undefined ? {} : { timetable }) };
}

/** Signing secrets lie with all others, sealed, and may be rotated as they are; no action of a run is granted them. */
function hookSecrets({ secrets, changes }: WorkflowSystemDeps): HookSecrets {
  const nameOf = (hook: string): string => `hook-${hook}`;
  return {
    keep: ({ tenant, name, by }, value) =>
      changes.planSet({
        tenant,
        name: nameOf(name),
        by,
        content: { kind: "value", value },
        uses: [{ action: "webhook.verify", resource: name }],
        description: `Signs calls of the webhook ${name}`,
      }),
    async read(tenant, name) {
      try {
        const { secret } = await secrets.reveal(tenant, { secret: `secret://${nameOf(name)}` });
        return typeof secret === "string" ? secret : undefined;
      } catch (error) {
        if (isHomeostatError(error, "SECRET_NOT_FOUND")) return undefined;
        throw error;
      }
    },
    forget: ({ tenant, name, by }) => changes.planRemoval({ tenant, name: nameOf(name), by }),
    refresh: () => secrets.refresh(),
  };
}
