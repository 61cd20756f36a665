/** `homeostat secret set|list|rotate|rm`: values come from standard input or a file, never from the command line. */
import { text as readAll } from "node:stream/consumers";
import { HomeostatError } from "../../base/error.ts";
import { connect } from "../connection/connect.ts";
import type { GlobalOptions } from "../connection/connect.ts";
import { exitCodes } from "../terminal/exit-code.ts";
import type { ExitCode } from "../terminal/exit-code.ts";
import { readUserFile } from "../terminal/read-user-file.ts";
import { formatTable, oneLine } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface SecretContentOptions extends GlobalOptions {
  /** A file whose content is the value. */
  readonly fromFile?: string;
  /** `PATH#FIELD`, optionally `@VERSION`. */
  readonly vault?: string;
  /** The rest of the name HOMEOSTAT_SECRET_*. */
  readonly environment?: string;
  /** A file of the server's secrets folder. */
  readonly mounted?: string;
}

export interface SecretSetOptions extends SecretContentOptions {
  /** `ACTION RESOURCE`, each a glob. */
  readonly for: readonly string[];
  readonly description?: string;
}

export interface SecretRotateOptions extends SecretContentOptions {
  readonly retirePrevious?: boolean;
}

export async function setSecret(
  name: string,
  options: SecretSetOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const uses = options.for.map(parseUse);
  const content = await readContent(options, terminal);
  const { client } = await connect(options);
  const secret = await client.call("secrets.set", {
    params: { name },
    body: { ...content, uses, description: options.description },
  });
  terminal.result(secret, (paint) => `${paint("bold", secret.handle)} is set (version ${secret.version})`);
  return exitCodes.done;
}

export async function rotateSecret(
  name: string,
  options: SecretRotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const content = await readContent(options, terminal);
  const { client } = await connect(options);
  const body = { ...content, retirePrevious: options.retirePrevious === true };
  const secret = await client.call("secrets.rotate", { params: { name }, body });
  terminal.result(secret, (paint) => `${paint("bold", secret.handle)} has version ${secret.version} now`);
  return exitCodes.done;
}

export async function listSecrets(options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = await connect(options);
  const secrets = await client.call("secrets.list", {});
  terminal.result(secrets, () => {
    if (secrets.data.length === 0) return "No secrets; `homeostat secret set NAME` makes one.";
    const rows = secrets.data.map((secret) => [
      secret.handle,
      String(secret.version),
      secret.source,
      secret.createdAt.slice(0, 10),
      oneLine(secret.uses.map((use) => `${use.action} ${use.resource}`).join("; ")),
    ]);
    return formatTable(["HANDLE", "VERSION", "KEPT IN", "SINCE", "FOR"], rows, terminal.columns);
  });
  return exitCodes.done;
}

export async function removeSecret(
  name: string,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { client } = await connect(options);
  await client.call("secrets.remove", { params: { name } });
  terminal.result({ removed: name }, () => `${name} is destroyed`);
  return exitCodes.done;
}

function parseUse(text: string): { action: string; resource: string } {
  const [action = "", resource = "", ...rest] = text.trim().split(/\s+/);
  if (resource !== "" && rest.length === 0) return { action, resource };
  throw new HomeostatError(
    "USAGE",
    `--for ${JSON.stringify(text)} is not an action and a resource`,
    {},
    {
      hint: 'For example: --for "http.request https://api.example.org:443/**"',
    },
  );
}

type Content = { value: string } | { reference: ReferenceBody };
type ReferenceBody =
  | { kind: "vault"; path: string; field: string; version?: number }
  | { kind: "environment"; name: string }
  | { kind: "file"; name: string };

async function readContent(options: SecretContentOptions, terminal: Terminal): Promise<Content> {
  const { fromFile, vault, environment, mounted } = options;
  const given = [fromFile, vault, environment, mounted].filter((each) => each !== undefined);
  if (given.length > 1) throw new HomeostatError("USAGE", "Say once where the value comes from");
  if (vault !== undefined) return { reference: parseVault(vault) };
  if (environment !== undefined) return { reference: { kind: "environment", name: environment } };
  if (mounted !== undefined) return { reference: { kind: "file", name: mounted } };
  if (fromFile !== undefined) return { value: withoutLineEnd((await readUserFile(fromFile)).toString()) };
  if (process.stdin.isTTY) terminal.note(() => "Type the value, then Enter and Ctrl-D:");
  return { value: withoutLineEnd(await readAll(process.stdin)) };
}

function parseVault(text: string): ReferenceBody {
  const match = /^([^#@]+)#([^#@]+)(?:@([1-9][0-9]{0,8}))?$/.exec(text);
  if (match === null) {
    const hint = "For example: --vault team/github#token, or team/github#token@3 for that version";
    throw new HomeostatError("USAGE", `--vault ${text} is not PATH#FIELD`, {}, { hint });
  }
  const [, path = "", field = "", version] = match;
  return { kind: "vault", path, field, ...(version === undefined ? {} : { version: Number(version) }) };
}

/** `echo` and editors end a text with one. */
function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
