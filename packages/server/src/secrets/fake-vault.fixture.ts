/** A fake of Vault for tests: the paths, headers, bodies and errors of its HTTP API for KV v2, transit and AppRole. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export interface FakeVault {
  readonly url: string;
  readonly token: string;
  readonly roleId: string;
  readonly secretId: string;
  /** Versions of a KV path, oldest first; null is a deleted version. */
  readonly kv: Map<string, (Readonly<Record<string, unknown>> | null)[]>;
  sealed: boolean;
  /** Requests so far, as `METHOD path`. */
  readonly requests: string[];
  /** The namespace of each request, empty for none. */
  readonly namespaces: string[];
  /** How long a login is good for; 0 without end. */
  leaseSeconds: number;
  /** Forgets tokens given to AppRole logins, as when their lease ended early. */
  forgetLogins(): void;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

export async function startFakeVault(): Promise<FakeVault> {
  const transitKey = randomBytes(32);
  const logins = new Set<string>();
  const vault = {
    token: `hvs.${randomBytes(18).toString("base64url")}`,
    roleId: "role-of-tests",
    secretId: randomBytes(12).toString("hex"),
    kv: new Map<string, (Readonly<Record<string, unknown>> | null)[]>(),
    sealed: false,
    requests: [] as string[],
    namespaces: [] as string[],
    leaseSeconds: 2_764_800,
  };
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(vault, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forgetLogins: () => logins.clear(),
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  });

  async function answer(request: IncomingMessage): Promise<Reply> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://vault");
    vault.requests.push(`${request.method ?? ""} ${pathname}`);
    vault.namespaces.push(String(request.headers["x-vault-namespace"] ?? ""));
    if (vault.sealed) return errors(503, "Vault is sealed");
    if (request.headers["x-vault-request"] !== "true")
      return errors(412, "required 'X-Vault-Request' header is missing");
    const body = request.method === "POST" ? ((await json(request)) as Record<string, string>) : {};
    if (pathname === "/v1/auth/approle/login") return logIn(body);
    const token = String(request.headers["x-vault-token"] ?? "");
    if (token !== vault.token && !logins.has(token)) return errors(403, "permission denied");
    const kv = /^\/v1\/secret\/data\/(.+)$/.exec(pathname)?.[1];
    if (kv !== undefined && request.method === "GET")
      return readKv(decodeURIComponent(kv), searchParams.get("version"));
    if (pathname === "/v1/transit/encrypt/homeostat") return encrypt(body["plaintext"] ?? "");
    if (pathname === "/v1/transit/decrypt/homeostat") return decrypt(body["ciphertext"] ?? "");
    return errors(404);
  }

  function logIn(body: Record<string, string>): Reply {
    if (body["role_id"] !== vault.roleId || body["secret_id"] !== vault.secretId)
      return errors(400, "invalid role or secret ID");
    const token = `hvs.${randomBytes(18).toString("base64url")}`;
    logins.add(token);
    return {
      status: 200,
      body: { auth: { client_token: token, lease_duration: vault.leaseSeconds, renewable: true } },
    };
  }

  function readKv(path: string, wanted: string | null): Reply {
    const versions = vault.kv.get(path);
    const version = wanted === null ? (versions?.length ?? 0) : Number(wanted);
    const data = versions?.[version - 1];
    if (data === undefined) return errors(404);
    const metadata = { version, destroyed: false, created_time: "2026-01-02T03:04:05.6Z", deletion_time: "" };
    return { status: data === null ? 404 : 200, body: { data: { data, metadata } } };
  }

  function encrypt(plaintext: string): Reply {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", transitKey, nonce);
    const sealed = Buffer.concat([cipher.update(plaintext, "base64"), cipher.final()]);
    const bytes = Buffer.concat([nonce, sealed, cipher.getAuthTag()]);
    return {
      status: 200,
      body: { data: { ciphertext: `vault:v1:${bytes.toString("base64")}`, key_version: 1 } },
    };
  }

  function decrypt(ciphertext: string): Reply {
    try {
      const bytes = Buffer.from(ciphertext.replace(/^vault:v1:/, ""), "base64");
      const decipher = createDecipheriv("aes-256-gcm", transitKey, bytes.subarray(0, 12), {
        authTagLength: 16,
      });
      decipher.setAuthTag(bytes.subarray(bytes.length - 16));
      const plain = Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - 16)), decipher.final()]);
      return { status: 200, body: { data: { plaintext: plain.toString("base64") } } };
    } catch {
      return errors(400, "cipher: message authentication failed");
    }
  }
}

function errors(status: number, ...texts: readonly string[]): Reply {
  return { status, body: { errors: texts } };
}
