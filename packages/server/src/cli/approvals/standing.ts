/** `homeostat approvals remembered|forget|delegate|hand|link`: what outlives one answer, and who else may give one. */
import { systemClock } from "../../base/clock.ts";
import { parseDuration } from "../../base/duration.ts";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { formatTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export async function listRemembered(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const page = await client.call("standingApprovals.list", {});
  terminal.result(page, () => {
    if (page.data.length === 0) return "No answer is remembered.";
    const rows = page.data.map((each) => [
      each.id,
      each.action,
      each.scopeId === "" ? each.scope : `${each.scope} ${each.scopeId}`,
      each.match,
      each.voidBecause === null ? each.expiresAt.slice(0, 16) : "void",
      each.createdBy,
      each.resource,
    ]);
    const header = ["ID", "ACTION", "SCOPE", "MATCH", "UNTIL", "BY", "RESOURCE"];
    const notes = page.data.flatMap(({ id, voidBecause }) =>
      voidBecause === null ? [] : [`${id} does not count any more: ${voidBecause}`],
    );
    return [formatTable(header, rows, terminal.columns), ...notes].join("\n");
  });
  return exitCodes.done;
}

export async function forget(id: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  await client.call("standingApprovals.revoke", { params: { id } });
  terminal.result({ forgotten: id }, () => `${id} is forgotten: the action asks again`);
  return exitCodes.done;
}

export interface ForOptions extends GlobalOptions {
  /** A duration. */
  readonly for: string;
}

export async function delegate(to: string, options: ForOptions, terminal: Terminal): Promise<ExitCode> {
  const ms = parseDuration(options.for);
  if (ms === undefined)
    throw new HomeostatError(
      "USAGE",
      `--for ${options.for} is no duration`,
      {},
      { hint: "For example 8h or 14d." },
    );
  const { client } = await connect(options);
  const until = new Date(systemClock.now() + ms).toISOString();
  const made = await client.call("delegations.create", { body: { to, until } });
  terminal.result(
    made,
    (paint) => `${paint("bold", made.id)}  ${to} may answer for ${made.from} until ${made.until}`,
  );
  return exitCodes.done;
}

export async function handOn(
  id: string,
  to: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const approval = await client.call("approvals.delegate", { params: { id }, body: { to } });
  terminal.result(approval, () => `${to} may answer ${id} too`);
  return exitCodes.done;
}

export async function createLink(
  id: string,
  who: string,
  options: GlobalOptions & { readonly expires?: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  const link = await client.call("approvals.createLink", {
    params: { id },
    body: { for: who, expires: options.expires ?? "24h" },
  });
  terminal.note((paint) =>
    paint(
      "dim",
      link.needsSession
        ? `${who} must sign in, or send their key, to answer with it.`
        : `Whoever has this link answers as ${who}.`,
    ),
  );
  terminal.result(link, () => link.url);
  return exitCodes.done;
}
