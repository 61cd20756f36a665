/** The API client of a command: which server, and with which token. */
import { createClient } from "@homeostat/client";
import type { Client } from "@homeostat/client";
import { systemClock } from "../../base/clock.ts";
import { HomeostatError } from "../../base/error.ts";
import { loadConfig } from "../../config/config.ts";
import type { LoadedConfig } from "../../config/config.ts";
import { isLoopbackName } from "../../http/request-checks.ts";
import { readAdminToken } from "../../identity/admin-token.ts";
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
  requireAddress(url);
  const token = config.token ?? (await localToken(url, config.home));
  requireToken(token);
  return { client: createClient({ baseUrl: url, token, fetch: fetchInTime }), url, loaded };
}

export function loadOptions({ url, token, home, config }: GlobalOptions): LoadedConfig {
  return loadConfig({ url, token, home, config });
}

/** What a server listening on `host` is called from here: an unspecified address stands for every one, loopback included. */
export function addressOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://127.0.0.1:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function requireAddress(url: string): void {
  if (URL.canParse(url) && ["http:", "https:"].includes(new URL(url).protocol)) return;
  throw new HomeostatError("USAGE", `--url ${url} is not an address such as http://127.0.0.1:7717`);
}

/** What no header can carry would look like a server that does not answer. The value is not shown: it may be a real one. */
function requireToken(token: string): void {
  if (/^[\x21-\x7e]+$/.test(token)) return;
  throw new HomeostatError(
    "USAGE",
    "The token holds blanks, line ends or other characters that no token has",
    {},
    { hint: "Give it as it stands in the file `token` of the data folder." },
  );
}

/** How long a server may take until it begins to answer; a large task is read and stored before that. */
const answerTimeoutMs = 60_000;

/** What has begun to answer may take its time: a stream ends by itself and watches its own silence. */
const fetchInTime: typeof fetch = async (input, init) => {
  const answered = new AbortController();
  const silence = new AbortController();
  // Rejected by `answered`: then nothing is left to watch.
  void systemClock.sleep(answerTimeoutMs, answered.signal).then(
    () => silence.abort(new Error(`nothing came back within ${answerTimeoutMs / 1000} s`)),
    () => undefined,
  );
  const signals = init?.signal ? [init.signal, silence.signal] : [silence.signal];
  try {
    return await fetch(input, { ...init, signal: AbortSignal.any(signals) });
  } finally {
    answered.abort();
  }
};

/** The data folder's token is only for servers on this machine: any other address might be a mistake or a trap. */
async function localToken(url: string, home: string): Promise<string> {
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
