/** The calls of the pages that look after the runtime: queue, schedules, workers, limits, secrets and API keys. */
import { createClient } from "@homeostat/client";
import type { ApiKey, Limits, Operations, QueueLevels, Schedule, Secret } from "@homeostat/client/api";
import type { Page, RunState, RunSummary } from "./contract.ts";

export type {
  ApiKey,
  Limits,
  QueueLevels,
  Schedule,
  Secret,
  SupervisionTree,
  Worker,
} from "@homeostat/client/api";
export type SecretContent = Operations["secrets.rotate"]["body"];
export type SecretSettings = Operations["secrets.set"]["body"];
export type SecretUse = Secret["uses"][number];
export type NewApiKey = Operations["keys.create"]["body"];
/** With how many remembered answers it took along. */
export type EndedApiKey = Operations["keys.revoke"]["answer"];
export type CreatedApiKey = Operations["keys.create"]["answer"];
export type RegisteredWorkflow = Operations["workflows.list"]["answer"]["data"][number];
/** Without a target all of them, without a process in every one. */
export type BreakerChoice = Operations["limits.resetBreakers"]["body"];
export type BreakerReset = Operations["limits.resetBreakers"]["answer"];
export type WorkersAnswer = Operations["workers.list"]["answer"];

export type SettleAction = "retry" | "discard";
export type DeadLetters = Operations["deadLetters.list"]["answer"];
export type DeadLetter = Operations["deadLetters.get"]["answer"];
/** Times are ISO 8601. */
export interface DeadLetterFilter {
  readonly workflow?: string | undefined;
  readonly code?: string | undefined;
  readonly since?: string | undefined;
}
export interface DeadLetterQuery extends DeadLetterFilter {
  readonly cursor?: string | undefined;
}
export type DeadLetterChoice = Operations["deadLetters.retry"]["body"];
export type Settled = Operations["deadLetters.retry"]["answer"];

export type ScheduleDetail = Operations["schedules.get"]["answer"];
export type NewSchedule = Operations["schedules.add"]["body"];
export type ScheduleSettings = Operations["schedules.change"]["body"];

const client = createClient({ baseUrl: "" });

/** Each rejects with an ApiError. */
export const operationsApi = {
  workers: (signal?: AbortSignal): Promise<WorkersAnswer> => client.call("workers.list", { signal }),
  limits: (signal?: AbortSignal): Promise<Limits> => client.call("limits.get", { signal }),
  resetBreakers: (which: BreakerChoice): Promise<BreakerReset> =>
    client.call("limits.resetBreakers", { body: which }),

  secrets: async (signal?: AbortSignal): Promise<readonly Secret[]> =>
    (await client.call("secrets.list", { signal })).data,
  setSecret: (name: string, settings: SecretSettings): Promise<Secret> =>
    client.call("secrets.set", { params: { name }, body: settings }),
  rotateSecret: (name: string, content: SecretContent): Promise<Secret> =>
    client.call("secrets.rotate", { params: { name }, body: content }),
  removeSecret: (name: string): Promise<undefined> => client.call("secrets.remove", { params: { name } }),

  apiKeys: async (signal?: AbortSignal): Promise<readonly ApiKey[]> =>
    (await client.call("keys.list", { signal })).data,
  createApiKey: (key: NewApiKey): Promise<CreatedApiKey> => client.call("keys.create", { body: key }),
  revokeApiKey: (id: string): Promise<EndedApiKey> => client.call("keys.revoke", { params: { id } }),

  queue: (signal?: AbortSignal): Promise<QueueLevels> => client.call("queue.get", { signal }),
  runsIn: (states: readonly RunState[], signal?: AbortSignal): Promise<Page<RunSummary>> =>
    client.call("runs.list", { query: { state: states.join(","), limit: 200 }, signal }),
  deadLetters: (query: DeadLetterQuery, signal?: AbortSignal): Promise<DeadLetters> =>
    client.call("deadLetters.list", { query: { ...query, limit: 50 }, signal }),
  deadLetter: (id: string, signal?: AbortSignal): Promise<DeadLetter> =>
    client.call("deadLetters.get", { params: { id }, signal }),
  schedules: (cursor?: string, signal?: AbortSignal): Promise<Page<Schedule>> =>
    client.call("schedules.list", { query: { limit: 50, cursor }, signal }),
  schedule: (name: string, signal?: AbortSignal): Promise<ScheduleDetail> =>
    client.call("schedules.get", { params: { id: name }, signal }),
  addSchedule: (schedule: NewSchedule): Promise<Schedule> => client.call("schedules.add", { body: schedule }),
  changeSchedule: (name: string, settings: ScheduleSettings): Promise<Schedule> =>
    client.call("schedules.change", { params: { id: name }, body: settings }),
  pauseSchedule: (name: string, isPaused: boolean): Promise<Schedule> =>
    client.call(isPaused ? "schedules.pause" : "schedules.resume", { params: { id: name } }),
  triggerSchedule: (name: string): Promise<RunSummary> =>
    client.call("schedules.trigger", { params: { id: name } }),
  removeSchedule: (name: string): Promise<undefined> =>
    client.call("schedules.remove", { params: { id: name } }),
  /** The runs a schedule made carry its name as a label. */
  scheduleRuns: (name: string, cursor?: string, signal?: AbortSignal): Promise<Page<RunSummary>> =>
    client.call("runs.list", { query: { label: `schedule:${name}`, limit: 20, cursor }, signal }),
  workflows: async (signal?: AbortSignal): Promise<readonly RegisteredWorkflow[]> =>
    (await client.call("workflows.list", { signal })).data,
  workflow: (name: string, signal?: AbortSignal): Promise<Operations["workflows.get"]["answer"]> =>
    client.call("workflows.get", { params: { name }, signal }),

  settleDeadLetters: (action: SettleAction, which: DeadLetterChoice): Promise<Settled> =>
    client.call(`deadLetters.${action}`, { body: which }),
};
