/** `homeostat key create|list|revoke`: keys for people and programs besides the admin. */
import { systemClock } from "../../base/clock.ts";
import { parseDuration } from "../../base/duration.ts";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface KeyCreateOptions extends GlobalOptions {
  readonly role: "viewer" | "operator" | "approver" | "admin";
  /** A duration such as `90d`. */
  readonly expires?: string;
  readonly tenant?: string;
}

export async function createKey(
  principal: string,
  options: KeyCreateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const made = await client.call("keys.create", {
    body: {
      principal,
      role: options.role,
      expiresAt: expiryOf(options.expires),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    },
  });
  terminal.note((paint) =>
    paint("dim", "This key is shown once. Hand it over safely; HOMEOSTAT_TOKEN takes it."),
  );
  terminal.result(made, () => made.key);
  return exitCodes.done;
}

export interface KeyListOptions extends GlobalOptions {
  readonly tenant?: string;
  readonly allTenants?: boolean;
}

/** Throws USAGE for both a tenant and all of them. */
export async function listKeys(options: KeyListOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.tenant !== undefined && options.allTenants === true)
    throw new HomeostatError("USAGE", "--tenant and --all-tenants exclude each other");
  const { client } = await connect(options);
  const tenant = options.allTenants === true ? "*" : options.tenant;
  const keys = await client.call("keys.list", tenant === undefined ? {} : { query: { tenant } });
  terminal.result(keys, () => {
    if (keys.data.length === 0 && options.tenant !== undefined)
      return `Nobody has a key of tenant ${options.tenant}.`;
    if (keys.data.length === 0)
      return "No keys besides the admin's token; `homeostat key create NAME` makes one.";
    const rows = keys.data.map((key) => [
      key.id,
      key.principal,
      key.role,
      key.createdAt.slice(0, 10),
      key.expiresAt?.slice(0, 10) ?? "never",
      key.tenant,
    ]);
    return formatTable(["KEY", "PRINCIPAL", "ROLE", "SINCE", "EXPIRES", "TENANT"], rows, terminal.columns);
  });
  return exitCodes.done;
}

export async function revokeKey(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const key = await client.call("keys.revoke", { params: { id } });
  terminal.result({ revoked: id, ...key }, () => {
    const ended = `${id} of ${key.principal} is revoked, and its sessions have ended`;
    return [ended, ...endOfAnswers(key.rememberedAnswersVoid), ...endOfRights(key.rightsVoid)].join("; ");
  });
  return exitCodes.done;
}

function endOfAnswers(count: number | null): readonly string[] {
  if (count === 0) return [];
  if (count === null)
    return ["how many remembered answers end with it could not be counted (homeostat approvals remembered)"];
  return [
    `${count === 1 ? "1 remembered answer does" : `${count} remembered answers do`} not count any more`,
  ];
}

interface EndedRights {
  readonly delegations: number;
  readonly handOns: number;
  readonly links: number;
}

function endOfRights(rights: EndedRights | null): readonly string[] {
  if (rights === null) return ["how much of what it handed out ends with it could not be counted"];
  const kinds = [
    [rights.delegations, "delegation", "delegations"],
    [rights.handOns, "hand-on", "hand-ons"],
    [rights.links, "link", "links"],
  ] as const;
  const told = kinds.flatMap(([n, one, many]) => (n === 0 ? [] : [`${n} ${n === 1 ? one : many}`]));
  return told.length === 0 ? [] : [`ended with it: ${told.join(", ")}`];
}

function expiryOf(duration: string | undefined): string | undefined {
  if (duration === undefined) return undefined;
  const ms = parseDuration(duration);
  if (ms !== undefined) return new Date(systemClock.now() + ms).toISOString();
  throw new HomeostatError(
    "USAGE",
    `--expires ${duration} is no duration`,
    {},
    { hint: "For example 12h or 90d." },
  );
}
