import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createManualClock, systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { createAuthenticator } from "../http/authenticate.ts";
import { startTestServer } from "../http/test-server.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { outboxMigration } from "../store/outbox.ts";
import { openAdminToken, readAdminToken } from "./admin-token.ts";
import { apiKeysRoutes } from "./api-keys.routes.ts";
import { apiKeysMigration, apiKeysOfTenantMigration, createApiKeys } from "./api-keys.ts";
import type { ApiKey } from "./api-keys.ts";
import type { Principal } from "../http/access.ts";
import { sessionRoutes } from "./session.routes.ts";
import { createSessions, sessionsMigration } from "./sessions.ts";
import { createTokens } from "./tokens.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "homeostat-identity-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function openStore(): Promise<Store> {
  const logger = createSilentLogger();
  return openSqliteStore({
    path: join(home, "state.db"),
    migrations: [outboxMigration, sessionsMigration, apiKeysMigration, apiKeysOfTenantMigration],
    clock: systemClock,
    logger,
  });
}

describe("the token file", () => {
  test("is made on first start for its owner alone and read afterwards", async () => {
    const first = await openAdminToken(home);
    expect(first).toMatchObject({
      origin: "created",
      value: expect.stringMatching(/^hst_[\w-]{43}$/) as string,
    });
    expect((await stat(join(home, "token"))).mode & 0o777).toBe(0o600);
    expect(await openAdminToken(home)).toEqual({ ...first, origin: "file" });
    expect(await readAdminToken(home)).toBe(first.value);
  });

  test("two processes that start together agree on one token", async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => openAdminToken(home)));
    const written = (await readFile(join(home, "token"), "utf8")).trim();
    expect(tokens.map(({ value }) => value)).toEqual(Array(8).fill(written));
    expect(tokens.filter(({ origin }) => origin === "created").length).toBe(1);
    expect(await readdir(home)).toEqual(["token"]);
  });

  test("is refused when others may read it, when it is a link, and when it holds no token", async () => {
    const path = join(home, "token");
    await openAdminToken(home);
    await chmod(path, 0o644);
    await expect(readAdminToken(home)).rejects.toMatchObject({
      code: "TOKEN_UNSAFE",
      message: `The token file ${path} may be read by others (mode 644, wanted 600)`,
    });
    await chmod(path, 0o600);
    await writeFile(path, "");
    await expect(openAdminToken(home)).rejects.toMatchObject({ code: "TOKEN_UNSAFE" });
    await rm(path);
    await symlink("/etc/hostname", path);
    await expect(openAdminToken(home)).rejects.toMatchObject({ code: "TOKEN_UNSAFE" });
    await rm(path);
    await expect(readAdminToken(home)).rejects.toMatchObject({ code: "AUTHENTICATION_REQUIRED" });
  });

  test("is refused when it is a folder, and when the data folder is none", async () => {
    await mkdir(join(home, "token"));
    await expect(openAdminToken(home)).rejects.toMatchObject({
      code: "TOKEN_UNSAFE",
      message: `The token file ${join(home, "token")} is not a plain file`,
    });
    await writeFile(join(home, "file"), "");
    await expect(openAdminToken(join(home, "absent"))).rejects.toMatchObject({
      code: "DATA_FOLDER_UNUSABLE",
    });
    await expect(readAdminToken(join(home, "file"))).rejects.toMatchObject({ code: "DATA_FOLDER_UNUSABLE" });
  });

  test("a configured token is used as it is and must not be short", async () => {
    expect(await openAdminToken(home, "x".repeat(20))).toEqual({
      value: "x".repeat(20),
      origin: "configured",
    });
    await expect(openAdminToken(home, "secret")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

describe("sessions", () => {
  const admin = { id: "admin", role: "admin", tenant: "default" } as const;

  test("end by time, by signing out and with the token they come from", async () => {
    const store = await openStore();
    const clock = createManualClock();
    const deps = { store, clock, credential: "c1", lifetimeMs: 1_000 };
    const sessions = createSessions(deps);
    const first = await sessions.create(admin);
    expect(await sessions.find(first.value)).toEqual(admin);
    expect(await sessions.find("guess")).toBeUndefined();
    expect(await createSessions({ ...deps, credential: "c2" }).find(first.value)).toBeUndefined();
    clock.advance(1_000);
    expect(await sessions.find(first.value)).toBeUndefined();
    const second = await sessions.create(admin);
    await sessions.end(second.value);
    expect(await sessions.find(second.value)).toBeUndefined();
    await store.close();
  });

  test("the database holds no value that opens one", async () => {
    const store = await openStore();
    const sessions = createSessions({ store, clock: systemClock, credential: "c", lifetimeMs: 60_000 });
    const { value } = await sessions.create(admin);
    const rows = JSON.stringify(await store.read("SELECT * FROM sessions"));
    expect(rows).not.toContain(value);
    await store.close();
  });

  test("a browser signs in with the token, is remembered by its cookie and signs out", async () => {
    const store = await openStore();
    const { value: token } = await openAdminToken(home);
    const tokens = createTokens(token);
    const sessions = createSessions({
      store,
      clock: systemClock,
      credential: tokens.credential,
      lifetimeMs: 60_000,
    });
    const authenticate = createAuthenticator({
      findByToken: tokens.findByToken,
      findBySession: sessions.find,
      clock: systemClock,
    });
    await using server = await startTestServer(sessionRoutes({ sessions, clock: systemClock }), {
      authenticate,
    });
    const address = `${server.url}/v1/session`;
    expect(
      (await fetch(address, { method: "POST", headers: { authorization: `Bearer ${token}x` } })).status,
    ).toBe(401);
    const signIn = await fetch(address, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    expect([signIn.status, await signIn.json()]).toEqual([201, { principal: "admin", role: "admin" }]);
    const setCookie = signIn.headers.get("set-cookie") ?? "";
    expect(setCookie).toMatch(
      /^homeostat_session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    expect(setCookie).not.toContain(token);
    const cookie = setCookie.split(";")[0]!;
    expect((await fetch(address, { headers: { cookie } })).status).toBe(200);
    const signOut = await fetch(address, { method: "DELETE", headers: { cookie, origin: server.url } });
    expect([signOut.status, signOut.headers.get("set-cookie")]).toEqual([
      204,
      "homeostat_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict",
    ]);
    expect((await fetch(address, { headers: { cookie } })).status).toBe(401);
    // Whoever came with a token has no session to end.
    const withToken = { method: "DELETE", headers: { authorization: `Bearer ${token}` } };
    expect((await fetch(address, withToken)).status).toBe(204);
    await store.close();
  });
});

describe("API keys", () => {
  const rightsVoid = { delegations: 1, handOns: 2, links: 0 };
  const owner = { tenant: "default", by: "admin", expiresAtMs: null } as const;

  test("a name given out again in another tenant has no role in the first", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: createManualClock() });
    const first = await keys.create({ ...owner, principal: "ada", role: "viewer" });
    await keys.revoke({ tenant: "default", id: first.id, by: "admin" });
    await keys.create({ ...owner, tenant: "acme", principal: "ada", role: "admin" });
    expect(await keys.currentRole("default", "ada")).toBe("none");
    expect(await keys.currentRole("acme", "ada")).toBe("admin");
    expect(await keys.currentRole("acme", "admin")).toBe("none");
    await expect(keys.create({ ...owner, principal: "schedule", role: "viewer" })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
    await store.close();
  });

  test("people of two tenants may have one name, and nothing that becomes of one key concerns the other", async () => {
    const store = await openStore();
    const clock = createManualClock();
    const keys = createApiKeys({ store, clock });
    const sessions = createSessions({ store, clock, credential: "c", lifetimeMs: 60_000 });
    const expiresAtMs = clock.now() + 1_000;
    const vic = { ...owner, principal: "vic" } as const;
    const first = await keys.create({ ...vic, role: "viewer", expiresAtMs });
    await keys.create({ ...vic, tenant: "acme", role: "admin", expiresAtMs });
    await expect(keys.create({ ...vic, tenant: "acme", role: "admin" })).rejects.toMatchObject({
      code: "API_KEY_CONFLICT",
    });
    const ofDefault = { id: "vic", role: "viewer", tenant: "default" } as const;
    const ofAcme = { id: "vic", role: "admin", tenant: "acme" } as const;
    expect(await keys.findByToken(first.key)).toEqual(ofDefault);
    const session = await sessions.create(ofDefault);
    const other = await sessions.create(ofAcme);
    await keys.revoke({ tenant: "default", id: first.id, by: "admin" });
    expect(await sessions.find(session.value)).toBeUndefined();
    expect(await sessions.find(other.value)).toEqual(ofAcme);
    // Still another session of the ended key: the namesake's key does not open it.
    expect(await sessions.find((await sessions.create(ofDefault)).value)).toBeUndefined();
    await keys.create({ ...vic, role: "operator" });
    expect(await sessions.find(other.value)).toEqual(ofAcme);
    clock.advance(1_000);
    await keys.create({ ...vic, tenant: "other", role: "viewer" });
    const expired = "SELECT tenant FROM api_keys WHERE revoked_at_ms IS NULL AND expires_at_ms IS NOT NULL";
    expect(await store.read(expired)).toEqual([{ tenant: "acme" }]);
    await keys.create({ ...vic, tenant: "acme", role: "viewer" });
    expect(await keys.list(null)).toMatchObject([
      { tenant: "acme" },
      { tenant: "default" },
      { tenant: "other" },
    ]);
    await store.close();
  });

  test("a key names its holder and role until it is revoked, and then its sessions end too", async () => {
    const store = await openStore();
    const clock = createManualClock();
    const keys = createApiKeys({ store, clock });
    const sessions = createSessions({ store, clock, credential: "c", lifetimeMs: 60_000 });
    const made = await keys.create({ ...owner, principal: "ada", role: "approver" });
    const ada = { id: "ada", role: "approver", tenant: "default" };
    expect(await keys.findByToken(made.key)).toEqual(ada);
    expect(await keys.currentRole("default", "ada")).toBe("approver");
    expect(await keys.currentRole("default", "admin")).toBe("admin");
    const session = await sessions.create({ id: "ada", role: "approver", tenant: "default" });
    expect(await sessions.find(session.value)).toEqual(ada);
    await keys.revoke({ tenant: "default", id: made.id, by: "admin" });
    expect(await keys.findByToken(made.key)).toBeUndefined();
    expect(await keys.currentRole("default", "ada")).toBe("none");
    expect(await sessions.find(session.value)).toBeUndefined();
    await expect(keys.revoke({ tenant: "default", id: made.id, by: "admin" })).rejects.toMatchObject({
      code: "API_KEY_NOT_FOUND",
    });
    await store.close();
  });

  test("an expired key opens nothing, neither do sessions made with it, and its name is free again", async () => {
    const store = await openStore();
    const clock = createManualClock();
    const keys = createApiKeys({ store, clock });
    const sessions = createSessions({ store, clock, credential: "c", lifetimeMs: 60_000 });
    const made = await keys.create({
      ...owner,
      principal: "ada",
      role: "viewer",
      expiresAtMs: clock.now() + 1_000,
    });
    const session = await sessions.create({ id: "ada", role: "viewer", tenant: "default" });
    clock.advance(1_000);
    expect(await keys.findByToken(made.key)).toBeUndefined();
    expect(await sessions.find(session.value)).toBeUndefined();
    expect(await keys.list("default")).toEqual([]);
    await keys.create({ ...owner, principal: "ada", role: "operator" });
    expect(await keys.list("default")).toMatchObject([{ principal: "ada", role: "operator" }]);
    // Neither the old role nor a session that nobody opened with the new key.
    expect(await sessions.find(session.value)).toBeUndefined();
    await store.close();
  });

  test("a name has one key, and names that mean somebody already are refused", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: systemClock });
    await keys.create({ ...owner, principal: "ada", role: "viewer" });
    const again = keys.create({ ...owner, principal: "ada", role: "admin" });
    await expect(again).rejects.toMatchObject({ code: "API_KEY_CONFLICT" });
    for (const principal of ["admin", "system", "Ada", "a b", ""])
      await expect(keys.create({ ...owner, principal, role: "viewer" })).rejects.toMatchObject({
        code: "REQUEST_INVALID",
      });
    const past = keys.create({ ...owner, principal: "old", role: "viewer", expiresAtMs: 1 });
    await expect(past).rejects.toMatchObject({ code: "REQUEST_INVALID" });
    await store.close();
  });

  test("a role that this version does not know may do the least", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: systemClock });
    const made = await keys.create({ ...owner, principal: "ada", role: "admin" });
    await store.write([{ sql: "UPDATE api_keys SET role = 'emperor'" }]);
    expect(await keys.findByToken(made.key)).toMatchObject({ role: "viewer" });
    await store.write([{ sql: "UPDATE api_keys SET role = 'none'" }]);
    expect(await keys.findByToken(made.key)).toMatchObject({ role: "viewer" });
    await store.close();
  });

  test("are made, listed and ended over the API; a failure of the database is no name that is taken", async () => {
    const store = await openStore();
    const countEndedWith = ({ principal }: ApiKey) => Promise.resolve(principal === "ada" ? 2 : 0);
    await using server = await startTestServer(
      apiKeysRoutes({
        keys: createApiKeys({ store, clock: systemClock }),
        countEndedWith,
        countRightsEndedWith: () => Promise.resolve(rightsVoid),
      }),
    );
    const post = async (body: object): Promise<Response> =>
      await server.call("/v1/api-keys", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const made = (await (await post({ principal: "ada", role: "viewer" })).json()) as { id: string };
    expect(made).toMatchObject({ principal: "ada", expiresAt: null });
    expect(await (await post({ principal: "bob", role: "admin", expiresAt })).json()).toMatchObject({
      expiresAt,
    });
    expect((await post({ principal: "ada", role: "viewer" })).status).toBe(409);
    const ended = await server.call(`/v1/api-keys/${made.id}`, { method: "DELETE" });
    expect([ended.status, await ended.json()]).toMatchObject([
      200,
      { principal: "ada", rememberedAnswersVoid: 2, rightsVoid },
    ]);
    const list: unknown = await (await server.call("/v1/api-keys")).json();
    expect(list).toMatchObject({ data: [{ principal: "bob" }] });
    expect(JSON.stringify(list)).not.toContain("hsk_");
    await store.write([{ sql: "DROP TABLE sessions" }]);
    expect((await post({ principal: "cyd", role: "viewer" })).status).toBe(500);
    await store.close();
  });

  test("are ended also where nobody can say how many remembered answers end with them", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: systemClock });
    const { id } = await keys.create({ ...owner, principal: "ada", role: "approver" });
    const countEndedWith = () => Promise.reject(new Error("the database is away"));
    await using server = await startTestServer(
      apiKeysRoutes({ keys, countEndedWith, countRightsEndedWith: countEndedWith }),
    );
    const ended = await server.call(`/v1/api-keys/${id}`, { method: "DELETE" });
    expect([ended.status, await ended.json()]).toMatchObject([
      200,
      { id, rememberedAnswersVoid: null, rightsVoid: null },
    ]);
    expect(await keys.list(null)).toEqual([]);
    await store.close();
  });

  test("of other tenants are seen and ended by admins of the tenant that runs the server, and by nobody else", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: systemClock });
    const tenants = ["default", "acme", "other"];
    const admins: readonly Principal[] = tenants.map((tenant) => ({ id: `${tenant}-admin`, role: "admin", tenant }));
    const find = (id: string): Promise<Principal | undefined> =>
      Promise.resolve(admins.find((admin) => admin.id === id));
    await using server = await startTestServer(
      apiKeysRoutes({
        keys,
        countEndedWith: () => Promise.resolve(0),
        countRightsEndedWith: () => Promise.resolve(rightsVoid),
      }),
      { authenticate: createAuthenticator({ findByToken: find, findBySession: find, clock: systemClock }) },
    );
    const call = async (who: string, path: string, method = "GET") => {
      const headers = { authorization: `Bearer ${who}-admin` };
      const answer = await server.call(`/v1/api-keys${path}`, { method, headers });
      return { status: answer.status, body: (await answer.json()) as { data?: { principal: string }[] } };
    };
    const namesOf = async (who: string, path: string) =>
      (await call(who, path)).body.data?.map(({ principal }) => principal);
    const ids = new Map<string, string>();
    for (const tenant of tenants) {
      const made = await keys.create({ ...owner, tenant, principal: `of-${tenant}`, role: "viewer" });
      ids.set(tenant, made.id);
    }
    expect(await namesOf("default", "")).toEqual(["of-default"]);
    expect(await namesOf("default", "?tenant=acme")).toEqual(["of-acme"]);
    expect(await namesOf("default", "?tenant=*")).toEqual(["of-acme", "of-default", "of-other"]);
    expect(await namesOf("acme", "")).toEqual(["of-acme"]);
    expect(await namesOf("acme", "?tenant=acme")).toEqual(["of-acme"]);
    for (const wanted of ["default", "other", "*"])
      expect(await call("acme", `?tenant=${wanted}`)).toMatchObject({ status: 403, body: { code: "AUTHORIZATION_DENIED" } });
    expect((await call("acme", `/${ids.get("other")!}`, "DELETE")).status).toBe(404);
    expect((await call("acme", `/${ids.get("default")!}`, "DELETE")).status).toBe(404);
    const ended = await call("default", `/${ids.get("other")!}`, "DELETE");
    expect(ended).toMatchObject({ status: 200, body: { tenant: "other", principal: "of-other" } });
    expect((await call("default", `/${ids.get("other")!}`, "DELETE")).status).toBe(404);
    const facts = JSON.stringify(await store.read("SELECT * FROM ledger_outbox"));
    expect(facts).toContain("default-admin");
    // Whoever has that name in the other tenant did not do it.
    expect(facts.match(/byTenant[\\":]+default/g)).toHaveLength(1);
    expect(await namesOf("default", "?tenant=*")).toEqual(["of-acme", "of-default"]);
    await store.close();
  }); // prettier-ignore

  test("the key itself is nowhere in the database", async () => {
    const store = await openStore();
    const keys = createApiKeys({ store, clock: systemClock });
    const { key } = await keys.create({ ...owner, principal: "ada", role: "viewer" });
    const kept = JSON.stringify([
      await store.read("SELECT * FROM api_keys"),
      await store.read("SELECT * FROM ledger_outbox"),
    ]);
    expect(kept).not.toContain(key);
    expect(await keys.findByToken(`${key}x`)).toBeUndefined();
    await store.close();
  });
});
