/**
 * HashiCorp Vault (and OpenBao, which speaks the same): secrets of the KV engine, version 2, and keys wrapped by the transit
 * engine, over its HTTP API. Source: developer.hashicorp.com/vault/api-docs, sections kv-v2, transit and auth/approle.
 */
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { errorMessage, HomeostatError } from "../base/error.ts";

export interface VaultSettings {
  /** `https://vault.example.org:8200`. */
  readonly url: string;
  readonly namespace?: string | undefined;
  readonly login: VaultLogin;
  /** Mount of the KV engine. */
  readonly mount: string;
  readonly transitMount: string;
  /** Name of the key in the transit engine. */
  readonly transitKey: string;
}

export type VaultLogin =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "approle"; readonly roleId: string; readonly secretId: string };

export interface VaultValue {
  readonly value: string;
  /** The KV engine's own version number. */
  readonly version: number;
}

/** All reject with VAULT_FAILED, whose message names what Vault said and never a token or value. */
export interface Vault {
  /** Rejects with SECRET_NOT_FOUND for a path, version or field that is not there (any more). */
  read(path: string, field: string, version?: number): Promise<VaultValue>;
  /** Vault's ciphertext, `vault:v1:...`. */
  encrypt(plain: Buffer): Promise<string>;
  decrypt(ciphertext: string): Promise<Buffer>;
}

/** A Vault that does not answer must not hold a run for longer. */
const timeoutMs = 10_000;
/** A login is renewed this long before its lease ends. */
const loginMarginMs = 30_000;

const readAnswer = z.object({
  data: z.object({
    data: z.record(z.string(), z.unknown()).nullable(),
    metadata: z.object({ version: z.number().int(), destroyed: z.boolean() }),
  }),
});
const loginAnswer = z.object({ auth: z.object({ client_token: z.string(), lease_duration: z.number() }) });
const encryptAnswer = z.object({ data: z.object({ ciphertext: z.string() }) });
const decryptAnswer = z.object({ data: z.object({ plaintext: z.string() }) });
const errorAnswer = z.object({ errors: z.array(z.string()) });

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

export function createVault(settings: VaultSettings, deps: { readonly clock: Clock }): Vault {
  let login: { readonly token: string; readonly untilMs: number } | undefined;
  return {
    async read(path, field, version) {
      const query = version === undefined ? "" : `?version=${version}`;
      const reply = await authorized("GET", `${settings.mount}/data/${encodePath(path)}${query}`);
      // 404 also carries a body when the version is deleted; either way there is no value.
      if (reply.status === 404) throw notFound(path, "Vault has no such secret or version");
      const { data } = parse(readAnswer, requireSuccess(reply));
      const value = data.data?.[field];
      if (typeof value === "string") return { value, version: data.metadata.version };
      throw notFound(
        path,
        value === undefined ? `it has no field ${field}` : `its field ${field} is no text`,
      );
    },
    async encrypt(plain) {
      const body = { plaintext: plain.toString("base64") };
      const reply = await authorized("POST", `${settings.transitMount}/encrypt/${keyName()}`, body);
      return parse(encryptAnswer, requireSuccess(reply)).data.ciphertext;
    },
    async decrypt(ciphertext) {
      const reply = await authorized("POST", `${settings.transitMount}/decrypt/${keyName()}`, { ciphertext });
      return Buffer.from(parse(decryptAnswer, requireSuccess(reply)).data.plaintext, "base64");
    },
  };

  function keyName(): string {
    return encodeURIComponent(settings.transitKey);
  }

  /** A token that Vault no longer knows is fetched anew once. */
  async function authorized(method: string, path: string, body?: object): Promise<Reply> {
    const reply = await request(method, path, { body, token: await currentToken() });
    if (reply.status !== 403 || settings.login.kind === "token") return reply;
    login = undefined;
    return await request(method, path, { body, token: await currentToken() });
  }

  async function currentToken(): Promise<string> {
    if (settings.login.kind === "token") return settings.login.token;
    const nowMs = deps.clock.now();
    if (login !== undefined && nowMs < login.untilMs) return login.token;
    const { roleId, secretId } = settings.login;
    const body = { role_id: roleId, secret_id: secretId };
    const reply = await request("POST", "auth/approle/login", { body });
    const { auth } = parse(loginAnswer, requireSuccess(reply));
    // A lease of 0 is a token that does not end.
    const leaseMs = auth.lease_duration === 0 ? Infinity : auth.lease_duration * 1000;
    login = { token: auth.client_token, untilMs: nowMs + leaseMs - loginMarginMs };
    return auth.client_token;
  }

  async function request(
    method: string,
    path: string,
    { body, token }: { readonly body?: object | undefined; readonly token?: string },
  ): Promise<Reply> {
    const headers: Record<string, string> = { "x-vault-request": "true" };
    if (token !== undefined) headers["x-vault-token"] = requireToken(token);
    if (settings.namespace !== undefined) headers["x-vault-namespace"] = settings.namespace;
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      const answer = await fetch(`${settings.url.replace(/\/+$/, "")}/v1/${path}`, {
        method,
        headers,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json().catch(() => undefined) };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw failed(`did not answer: ${errorMessage(cause)}`, { transient: true });
    }
  }

  /** What makes requests would quote a token it cannot send, and the message goes into logs. */
  function requireToken(token: string): string {
    if (/^[\x21-\x7e]+$/.test(token)) return token;
    throw failed("cannot be asked: its token is not one line of visible ASCII", { transient: false });
  }

  function requireSuccess({ status, body }: Reply): unknown {
    if (status >= 200 && status < 300) return body;
    const said = errorAnswer.safeParse(body);
    const why = said.success ? said.data.errors.join("; ").slice(0, 200) : "";
    const what = status === 503 ? "is sealed or in maintenance" : `answered ${status}`;
    throw failed(why === "" ? what : `${what}: ${why}`, { transient: status === 429 || status >= 500 });
  }

  function parse<T>(schema: z.ZodType<T>, body: unknown): T {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw failed("gave an answer that is not Vault's", { transient: false });
  }

  function failed(what: string, data: { readonly transient: boolean }): HomeostatError {
    return new HomeostatError("VAULT_FAILED", `Vault at ${new URL(settings.url).host} ${what}`, data);
  }
}

function notFound(path: string, why: string): HomeostatError {
  return new HomeostatError("SECRET_NOT_FOUND", `${path.slice(0, 200)} in Vault: ${why}`, { path });
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
