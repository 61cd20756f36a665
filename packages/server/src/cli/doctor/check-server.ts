/** What `doctor` says of the server of this data folder: whether it runs, how its parts are, and whether its port is free. */
import { createServer } from "node:net";
import { createClient } from "@homeostat/client";
import type { SupervisionTree } from "@homeostat/client/api";
import { isApiError } from "@homeostat/client/api-error";
import { errorMessage } from "../../base/error.ts";
import type { LoadedConfig } from "../../config/config.ts";
import { findPortOwner } from "../../http/find-port-owner.ts";
import { addressOf, connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { findServerAddress } from "../connection/server-address.ts";

export async function checkServer({ config }: LoadedConfig): Promise<Diagnosis> {
  const url = config.url ?? (await findServerAddress(config.home)) ?? addressOf(config.host, config.port);
  try {
    const readiness = await createClient({ baseUrl: url }).call("health.ready", {
      signal: AbortSignal.timeout(3_000),
    });
    const ill = readiness.checks
      .filter(({ kind }) => kind !== "ok")
      .map(({ name, kind }) => `${name} ${kind}`);
    if (ill.length === 0) return { name: "server", state: "ok", detail: `runs at ${url}` };
    return {
      name: "server",
      state: "warning",
      detail: `runs at ${url}; ${ill.join(", ")}`,
      hint: "homeostat logs",
    };
  } catch (error) {
    if (isApiError(error) && error.status === 503) {
      return {
        name: "server",
        state: "failed",
        detail: `${url} says it is not ready`,
        hint: "The lines `parts` and `database` say why; else `homeostat logs`.",
      };
    }
    if (isApiError(error, "SERVER_UNREACHABLE") && config.url === undefined)
      return checkPort(config.host, config.port);
    return { name: "server", state: "failed", detail: `${url}: ${errorMessage(error)}` };
  }
}

/** What runs below what, where a server answers and takes our token; undefined where it does not: `checkServer` says why. */
export async function readTree(options: GlobalOptions): Promise<SupervisionTree | undefined> {
  try {
    const { client } = await connect(options);
    const status = await client.call("status.get", { signal: AbortSignal.timeout(3_000) });
    return status.tree;
  } catch {
    // No server, or one that does not know us.
    return undefined;
  }
}

/** Places that were made anew since the server started or do not serve now, deepest first. Pure. */
export function judgeTree(tree: SupervisionTree): readonly Diagnosis[] {
  const below = [...tree.children.flatMap(judgeTree), ...judgeHealth(tree)];
  if (tree.restarts === 0 && tree.state !== "failed") return below;
  const times = `${tree.restarts} ${tree.restarts === 1 ? "time" : "times"}`;
  const why = tree.lastError === null ? "" : `: ${tree.lastError}`;
  const isGone = tree.state === "failed";
  const detail = `${tree.name} ${isGone ? "has failed" : "was made anew"}, ${times} restarted${why}`;
  const state = isGone ? "failed" : "warning";
  return [
    ...below,
    { name: "parts", state, detail, hint: "`homeostat logs` has the errors with their causes." },
  ];
}

/** The cause stands with the part; a supervisor only repeats it. */
function judgeHealth({ name, kind, state, health }: SupervisionTree): readonly Diagnosis[] {
  if (kind === "supervisor" || state !== "running" || health.kind === "ok") return [];
  const isFailed = health.kind === "failed";
  const detail = `${name} ${isFailed ? "does not serve" : "works with less"}: ${health.detail ?? "no reason"}`;
  const hint = remedies.find(([sign]) => sign.test(health.detail ?? ""))?.[1];
  return [
    {
      ...{ name: "parts", state: isFailed ? "failed" : "warning", detail },
      hint: hint ?? "`homeostat logs` has the errors with their causes.",
    },
  ];
}

const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /disk is full|ENOSPC|no space left/i,
    "Free some space on the disk of the data folder; all goes on by itself.",
  ],
  [/policy/i, "homeostat policy check"],
  [/Redis/, "Start Redis, or correct redisUrl."],
];

async function checkPort(host: string, port: number): Promise<Diagnosis> {
  const problem = await new Promise<string | undefined>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
  if (problem === undefined)
    return { name: "server", state: "ok", detail: `not running; ${host} port ${port} is free` };
  const owner = await findPortOwner(port);
  const by = owner === undefined ? problem : `process ${owner.pid} (${owner.command})`;
  return {
    name: "server",
    state: "failed",
    detail: `port ${port} is taken: ${by}`,
    hint: "Choose another port with --port or HOMEOSTAT_PORT.",
  };
}
