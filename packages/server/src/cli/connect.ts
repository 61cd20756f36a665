/** The API client of a command: which server, and with which token. */
import { createClient } from "@homeostat/client";
import type { Client } from "@homeostat/client";
import { HomeostatError } from "../base/error.ts";
import { loadConfig } from "../config.ts";
import type { LoadedConfig } from "../config.ts";
import { isLoopbackName } from "../http/request-checks.ts";
import { readAdminToken } from "../identity/admin-token.ts";
import { findServerAddress } from "./server-address.ts";

/** Options of every command. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly token?: string;
  readonly home?: string;
  readonly config?: string;
}

export interface Connection {
  readonly client: Client;
  readonly url: string;
  readonly loaded: LoadedConfig;
}

/** Throws CONFIG_INVALID, AUTHENTICATION_REQUIRED (no token to be had) and TOKEN_UNSAFE; calls no server yet. */
export async function connect(options: GlobalOptions): Promise<Connection> {
  const loaded = loadOptions(options);
  const { config } = loaded;
  const url = config.url ?? (await findServerAddress(config.home)) ?? addressOf(config.host, config.port);
  const token = config.token ?? (await localToken(url, config.home));
  return { client: createClient({ baseUrl: url, token }), url, loaded };
}

export function loadOptions({ url, token, home, config }: GlobalOptions): LoadedConfig {
  return loadConfig({ url, token, home, config });
}

/** What a server listening on `host` is called from here: an unspecified address stands for every one, loopback included. */
export function addressOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://127.0.0.1:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The data folder's token is only for servers on this machine: any other address might be a mistake or a trap. */
async function localToken(url: string, home: string): Promise<string> {
  if (!URL.canParse(url))
    throw new HomeostatError("USAGE", `--url ${url} is not an address such as http://127.0.0.1:7717`);
  if (isLoopbackName(new URL(url).hostname)) return readAdminToken(home);
  throw new HomeostatError(
    "AUTHENTICATION_REQUIRED",
    `${url} is not on this machine, so its token must be given`,
    {},
    {
      hint: "Give --token or set HOMEOSTAT_TOKEN.",
    },
  );
}
