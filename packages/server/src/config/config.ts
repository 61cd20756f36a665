/** The effective configuration: defaults < homeostat.yaml < HOMEOSTAT_* < flags. The only file that reads the environment. */
import { accessSync, constants, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { HomeostatError, errorMessage } from "../base/error.ts";
import type { ErrorDetail } from "../base/error.ts";
import { toErrorDetail } from "../base/finding.ts";
import { suggestName } from "../base/nearest.ts";
import { readConfigFile } from "./config-file.ts";
import { settings } from "./config-schema.ts";
import type { Config } from "./config-schema.ts";
import type { Setting } from "./setting.ts";

/** One key of the effective configuration, as `config print` and GET /v1/config show it. */
export interface ConfigEntry {
  readonly key: string;
  /** Secrets masked. */
  readonly value: unknown;
  /** `default`, `homeostat.yaml:3`, `HOMEOSTAT_PORT`, `--port`. */
  readonly origin: string;
  readonly description: string;
  readonly env: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly entries: readonly ConfigEntry[];
  /** The file that was read, if there was one. */
  readonly file: string | undefined;
  /** Values of HOMEOSTAT_SECRET_* by the rest of their name: what `secret set --environment` may name. */
  readonly secretEnvironment: Readonly<Record<string, string>>;
}

/** A row of the reference, docs/reference/config.md. */
export interface ConfigRow {
  readonly key: string;
  readonly env: string;
  readonly form: string;
  readonly default: unknown;
  readonly unit: string | undefined;
  readonly description: string;
  readonly why: string;
  readonly secret: boolean;
}

/** Texts as they were typed, by dotted key; `config` names the file. */
export type ConfigFlags = Readonly<Record<string, string | undefined>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The only reading of the environment. Throws CONFIG_INVALID with every finding at once: unknown keys in the file, unknown
 * HOMEOSTAT_* variables (HOMEOSTAT_TEST_* are for tests, HOMEOSTAT_SECRET_* hold secrets), wrong values, each with its place and the nearest known name.
 */
export function loadConfig(flags: ConfigFlags = {}, environment: Environment = process.env): LoadedConfig {
  const keys = new Map(listSettings(settings));
  const details: ErrorDetail[] = [];
  const fromEnvironment = readEnvironment(environment, keys, details);
  const home = findHome(flags["home"] ?? fromEnvironment.get("home")?.text, environment);
  const file = openFile(flags["config"] ?? environment["HOMEOSTAT_CONFIG"], home);
  const inFile = [...keys].filter(([, setting]) => setting.inFile !== false).map(([key]) => key);
  const read = file === undefined ? undefined : readConfigFile(file.text, file.path, inFile);
  details.push(...(read?.findings ?? []).map(toErrorDetail));
  const chosen = [...keys].map(([key, setting]): Chosen => {
    const flag = flags[key];
    if (flag !== undefined)
      return choose(key, setting, { raw: setting.fromText(flag), origin: `--${key}` }, details);
    const variable = fromEnvironment.get(key);
    if (variable !== undefined) {
      return choose(key, setting, { raw: setting.fromText(variable.text), origin: variable.name }, details);
    }
    const found = read?.values.get(key);
    if (found !== undefined)
      return choose(
        key,
        setting,
        {
          raw: found.value,
          origin: `${basename(file!.path)}:${found.at.line}`,
          place: { file: file!.path, ...found.at },
        },
        details,
      );
    return { key, value: setting.default, origin: "default" };
  });
  refuseLoneReplica(chosen, details);
  if (details.length > 0) throw invalid(details);
  const values = new Map<string, unknown>(chosen.map(({ key, value }) => [key, value]));
  values.set("home", home);
  values.set("log.file", logFile(String(values.get("log.file")), home));
  values.set(
    "roots",
    absoluteRoots(values.get("roots") as Config["roots"], file?.path ?? join(home, "homeostat.yaml")),
  );
  const entries = chosen.map(({ key, origin }): ConfigEntry => {
    const { description } = keys.get(key)!;
    return {
      key,
      value: masked(keys.get(key)!, values.get(key)),
      origin,
      description,
      env: variableName(key),
    };
  });
  const secretEnvironment = readSecretEnvironment(environment);
  return { config: nest(values) as unknown as Config, entries, file: file?.path, secretEnvironment };
}

const secretPrefix = "HOMEOSTAT_SECRET_";

function readSecretEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const named = Object.entries(environment).filter(([name]) => name.startsWith(secretPrefix));
  return Object.fromEntries(named.map(([name, value = ""]) => [name.slice(secretPrefix.length), value]));
}

/** Every key for the reference. Pure. */
export function describeConfig(): readonly ConfigRow[] {
  return listSettings(settings).map(([key, { form, default: value, unit, description, why, secret }]) => ({
    key,
    env: variableName(key),
    form,
    default: value,
    unit,
    description,
    why,
    secret: secret === true,
  }));
}

/** `http.bodyLimitBytes` -> `HOMEOSTAT_HTTP_BODY_LIMIT_BYTES`. */
export function variableName(key: string): string {
  return `HOMEOSTAT_${key
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll(".", "_")
    .toUpperCase()}`;
}

type AnySetting = Setting<unknown>;

interface Chosen {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** A value before it is judged, and where it stands. */
interface Source {
  readonly raw: unknown;
  readonly origin: string;
  readonly place?: Pick<ErrorDetail, "file" | "line" | "column">;
}

interface Variable {
  readonly name: string;
  readonly text: string;
}

function isSetting(node: unknown): node is AnySetting {
  return typeof node === "object" && node !== null && "kind" in node && node.kind === "setting";
}

function listSettings(tree: object, prefix = ""): readonly (readonly [string, AnySetting])[] {
  return Object.entries(tree).flatMap(([name, node]: [string, object]) =>
    isSetting(node) ? [[prefix + name, node] as const] : listSettings(node, `${prefix}${name}.`),
  );
}

/** Variables by key. Empty ones count as absent: container files cannot unset what they pass through. */
function readEnvironment(
  environment: Environment,
  keys: ReadonlyMap<string, AnySetting>,
  details: ErrorDetail[],
): ReadonlyMap<string, Variable> {
  const byName = new Map([...keys].map(([key]) => [variableName(key), key]));
  const secretFiles = new Map(
    [...keys].filter(([, { secret }]) => secret).map(([key]) => [`${variableName(key)}_FILE`, key]),
  );
  const known = [...byName.keys(), ...secretFiles.keys(), "HOMEOSTAT_CONFIG"];
  const found = new Map<string, Variable>();
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("HOMEOSTAT_") || name === "HOMEOSTAT_CONFIG") continue;
    if (name.startsWith("HOMEOSTAT_TEST_") || name.startsWith(secretPrefix)) continue;
    const key = byName.get(name);
    const secretKey = secretFiles.get(name);
    if (key === undefined && secretKey === undefined) {
      details.push({
        path: name,
        detail: "unknown environment variable",
        hint: suggestName(name, known),
      });
    } else if (text === undefined || text === "") continue;
    else if (key !== undefined) found.set(key, { name, text });
    else if (environment[name.slice(0, -"_FILE".length)]) {
      details.push({
        path: name,
        detail: `both ${name} and ${name.slice(0, -5)} are set`,
        hint: "unset one of them",
      });
    } else readSecretFile(secretKey!, { name, text }, { found, details });
  }
  return found;
}

function readSecretFile(
  key: string,
  { name, text: path }: Variable,
  { found, details }: { readonly found: Map<string, Variable>; readonly details: ErrorDetail[] },
): void {
  try {
    found.set(key, { name, text: readFileSync(path, "utf8").trim() });
  } catch (error) {
    details.push({ path: name, detail: `cannot read the file it names: ${errorMessage(error)}` });
  }
}

/** XDG Base Directory: user data goes to XDG_DATA_HOME, `~/.local/share` by default; relative values are to be ignored. */
function findHome(given: string | undefined, environment: Environment): string {
  if (given !== undefined) return absolutePath(given, process.cwd());
  const data = environment["XDG_DATA_HOME"];
  const base = data !== undefined && isAbsolute(data) ? data : join(homedir(), ".local", "share");
  return join(base, "homeostat");
}

function openFile(
  given: string | undefined,
  home: string,
): { readonly path: string; readonly text: string } | undefined {
  const path =
    given === undefined || given === "" ? join(home, "homeostat.yaml") : absolutePath(given, process.cwd());
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (error) {
    const isMissing =
      error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
    // The file in the data folder is optional; one that was asked for by name is not.
    const isDefault = given === undefined || given === "";
    if (isMissing && isDefault) return undefined;
    // The file may not even be there: what cannot be looked into is the folder.
    if (isDefault && isLocked(home)) {
      throw new HomeostatError(
        "DATA_FOLDER_UNUSABLE",
        `The data folder ${home} may not be read by this user`,
        { home },
        { cause: error },
      );
    }
    throw new HomeostatError(
      "CONFIG_INVALID",
      isMissing ? `There is no file ${path}` : `Cannot read ${path}: ${errorMessage(error)}`,
      { file: path },
      { cause: error, hint: "Give a file that this user may read, or another one with --config." },
    );
  }
}

function isLocked(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK | constants.R_OK);
    return false;
  } catch {
    return true;
  }
}

function choose(
  key: string,
  setting: AnySetting,
  { raw, origin, place }: Source,
  details: ErrorDetail[],
): Chosen {
  const parsed = setting.schema.safeParse(raw);
  if (parsed.success) return { key, value: parsed.data, origin };
  const found = foundText(raw, setting.secret === true);
  const inside = parsed.error.issues[0]?.path.join(".") ?? "";
  const at = inside === "" ? "" : ` (at ${inside})`;
  details.push({
    ...place,
    path: place === undefined ? origin : key,
    detail: `expected ${setting.form}, found ${found}${at}`,
  });
  return { key, value: setting.default, origin: "default" };
}

/** A secret is not repeated, but an empty one may be named. */
function foundText(raw: unknown, isSecret: boolean): string {
  if (raw === "") return "an empty text";
  return isSecret ? "something else" : (JSON.stringify(raw) ?? "nothing").slice(0, 80);
}

/** Keys that mean nothing without another one. */
function refuseLoneReplica(chosen: readonly Chosen[], details: ErrorDetail[]): void {
  const of = (key: string): Chosen | undefined => chosen.find((each) => each.key === key);
  const replica = of("databaseReadUrl");
  if (replica?.value === undefined || of("databaseUrl")?.value !== undefined) return;
  details.push({
    path: replica.origin,
    detail: "databaseReadUrl names a replica, but databaseUrl names no database that it replicates",
    hint: "set databaseUrl too, or leave databaseReadUrl out",
  });
}

function invalid(details: readonly ErrorDetail[]): HomeostatError {
  const [first, ...others] = details;
  const place = first?.file === undefined ? "" : `${first.file}:${first.line ?? 1}:${first.column ?? 1}`;
  const more = others.length > 0 ? ` (and ${others.length} more)` : "";
  const hint = first?.hint === undefined || others.length > 0 ? {} : { hint: first.hint };
  return new HomeostatError(
    "CONFIG_INVALID",
    `${[place, first?.path].filter(Boolean).join(" ")}: ${first?.detail}${more}`,
    {},
    { details, ...hint },
  );
}

function absolutePath(path: string, base: string): string {
  return resolve(base, path.replace(/^~(?=\/|$)/, homedir()));
}

function logFile(value: string, home: string): string | undefined {
  return value === "none" ? undefined : absolutePath(value, home);
}

/** Relative paths mean: beside the file that names them. */
function absoluteRoots(roots: Config["roots"], file: string): Config["roots"] {
  const entries = Object.entries(roots).map(
    ([name, root]) => [name, { ...root, path: absolutePath(root.path, dirname(file)) }] as const,
  );
  return Object.fromEntries(entries);
}

function masked(setting: AnySetting, value: unknown): unknown {
  if (setting.secret !== true || value === undefined) return value ?? null;
  return "********";
}

/** Keys of any depth: `queue.limits.tenants` lies in `limits` of `queue`. */
function nest(values: ReadonlyMap<string, unknown>): object {
  const root: Record<string, unknown> = {};
  for (const [key, value] of values) {
    const names = key.split(".");
    let section = root;
    for (const name of names.slice(0, -1)) section = (section[name] ??= {}) as Record<string, unknown>;
    section[names.at(-1)!] = value;
  }
  return root;
}
