import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../base/canonical-json.ts";
import { createManualClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { startTestServer } from "../http/test-server.ts";
import { leaseMigration } from "../store/lease.ts";
import { outboxMigration } from "../store/outbox.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import type { Store } from "../store/store.ts";
import { createExposures, formsOf } from "./exposure.ts";
import { findHandles, handleText, replaceHandles } from "./handle.ts";
import { readReference } from "./references.ts";
import { keyFromPassphrase, seal, unseal } from "./seal.ts";
import { createSecretChanges } from "./secret-changes.ts";
import type { SecretChanges, SetSecret } from "./secret-changes.ts";
import { openSecretKey } from "./secret-key.ts";
import { secretsMigration } from "./secret-rows.ts";
import { secretsRoutes } from "./secrets.routes.ts";
import { openSecrets } from "./secrets.ts";
import type { Secrets } from "./secrets.ts";

const clock = createManualClock(1_700_000_000_000);
const key = Buffer.alloc(32, 7);
const admin = { tenant: "default", by: "admin" } as const;
const apiUse = { action: "http.*", resource: "https://api.example.org:443/**" };

let folder: string;
let store: Store;
let changes: SecretChanges;
let secrets: Secrets;
let environment: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-secrets-"));
  const migrations = [outboxMigration, leaseMigration, secretsMigration];
  const logger = createSilentLogger();
  store = await openSqliteStore({ path: join(folder, "state.db"), migrations, clock, logger });
  changes = createSecretChanges({ store, clock, key });
  environment = { TOKEN: "value-from-the-environment" };
  secrets = await open();
});

afterEach(async () => {
  secrets.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(withKey = key): Promise<Secrets> {
  const references = { vault: undefined, environment, folder: undefined };
  return await openSecrets({ store, clock, logger: createSilentLogger(), key: withKey, references });
}

async function set(name: string, value: string, more: Partial<SetSecret> = {}): Promise<void> {
  await changes.set({
    ...admin,
    name,
    content: { kind: "value", value },
    uses: [apiUse],
    description: null,
    ...more,
  });
  await secrets.refresh();
}

const call = { action: "http.request", resources: ["https://api.example.org:443/v1"] };

function pin(args: JsonObject, resource = "https://api.example.org:443/v1", action = "http.request") {
  return secrets.pin({ tenant: "default", action, resources: [resource], args });
}

describe("handles", () => {
  test("are found in texts, lists and member names, each once", () => {
    const value = {
      headers: { authorization: "Bearer secret://token" },
      list: ["secret://token", "secret://b@3."],
    };
    expect(findHandles(value).map(handleText)).toEqual(["secret://token", "secret://b@3"]);
  });

  test("a value without handles comes back unchanged whatever it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as JsonValue;
        if (JSON.stringify(json).includes("secret://")) return;
        expect(replaceHandles(json, () => "X")).toEqual(json);
      }),
    );
  });

  test("a member called __proto__ stays a member", () => {
    const value = JSON.parse('{"__proto__": "secret://a"}') as JsonObject;
    expect(JSON.stringify(replaceHandles(value, () => "x"))).toBe('{"__proto__":"x"}');
  });
});

describe("sealing", () => {
  test("opens only with the same key, tenant, name and version, and not when a bit differs", () => {
    const place = { tenant: "default", name: "a", version: 1 };
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, at) => {
        const value = Buffer.from(text).toString();
        const sealed = seal(key, place, value);
        expect(unseal(key, place, sealed)).toBe(value);
        expect(() => unseal(Buffer.alloc(32, 8), place, sealed)).toThrow();
        expect(() => unseal(key, { ...place, tenant: "other" }, sealed)).toThrow();
        expect(() => unseal(key, { ...place, name: "b" }, sealed)).toThrow();
        expect(() => unseal(key, { ...place, version: 2 }, sealed)).toThrow();
        const bytes = Buffer.from(sealed, "base64");
        bytes[at % bytes.length]! ^= 1;
        expect(() => unseal(key, place, bytes.toString("base64"))).toThrow();
      }),
    );
  });

  test("a passphrase gives the same key again with the same salt, and another with another", () => {
    const salt = Buffer.alloc(16, 1);
    const once = keyFromPassphrase("correct horse battery", salt);
    expect(keyFromPassphrase("correct horse battery", salt)).toEqual(once);
    expect(keyFromPassphrase("correct horse battery", Buffer.alloc(16, 2))).not.toEqual(once);
    expect(once).toHaveLength(32);
  });
});

describe("values that leak", () => {
  test("are found in base64 and hex wherever they stand in the encoded whole", () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 12, maxLength: 40, unit: "grapheme-ascii" }),
        fc.string({ maxLength: 10 }),
        fc.string({ maxLength: 10 }),
        (value, before, after) => {
          const exposures = createExposures([{ tenant: "default", name: "s", value }]);
          const find = (text: JsonValue) => exposures.find(text).map(({ name }) => name);
          const whole = Buffer.from(before + value + after);
          expect(find({ a: [whole.toString("base64")] })).toEqual(["s"]);
          expect(find(whole.toString("base64url"))).toEqual(["s"]);
          expect(find(whole.toString("hex"))).toEqual(["s"]);
          const percent = whole.toString("hex").replaceAll(/../g, "%$&");
          expect([find(percent), find(percent.toUpperCase())]).toEqual([["s"], ["s"]]);
          expect(find({ [`x${value}`]: 1 })).toEqual(["s"]);
        },
      ),
    );
  });

  test("a text that is no whole Unicode has its forms too", () => {
    expect(formsOf("\ud800-value-of-it")).toContain("\ud800-value-of-it");
  });

  test("no form is so short that ordinary text would be masked", () => {
    for (const form of formsOf("12345678")) expect(form.length).toBeGreaterThanOrEqual(8);
  });
});

describe("using a secret", () => {
  test("a handle is bound to the version it means now, and opened for the tool alone", async () => {
    await set("token", "first-value-of-it");
    const pinned = await pin({
      url: "https://api.example.org/",
      headers: { authorization: "Bearer secret://token" },
    });
    expect(pinned["headers"]).toEqual({ authorization: "Bearer secret://token@1" });
    await changes.rotate({
      ...admin,
      name: "token",
      content: { kind: "value", value: "second-value-of-it" },
      retirePrevious: false,
    });
    expect(await secrets.reveal("default", pinned)).toMatchObject({
      headers: { authorization: "Bearer first-value-of-it" },
    });
    expect((await pin({ a: "secret://token" }))["a"]).toBe("secret://token@2");
  });

  test("within an address the value is percent-encoded, so that it cannot change the address", async () => {
    await set("token", "a/b?c=d&e#f");
    const pinned = await pin({ url: "https://api.example.org/?key=secret://token" });
    expect(await secrets.reveal("default", pinned)).toEqual({
      url: "https://api.example.org/?key=a%2Fb%3Fc%3Dd%26e%23f",
    });
  });

  test("it is refused for another action, another resource, and when one of several resources is not granted", async () => {
    await set("token", "value-of-the-token");
    const args = { a: "secret://token" };
    await expect(pin(args, "https://evil.example:443/")).rejects.toMatchObject({ code: "SECRET_DENIED" });
    await expect(pin(args, "workspace/a.txt", "file_ops.write")).rejects.toMatchObject({
      code: "SECRET_DENIED",
    });
    const resources = ["https://api.example.org:443/a", "https://evil.example:443/"];
    const both = secrets.pin({ tenant: "default", action: "http.request", resources, args });
    await expect(both).rejects.toMatchObject({ code: "SECRET_DENIED", data: { resource: resources[1] } });
  });

  test("another tenant's secret does not exist, and a typing error is answered with the nearest name", async () => {
    await set("github-token", "value-of-the-token");
    await expect(pin({ a: "secret://github-tokn" })).rejects.toMatchObject({
      code: "SECRET_NOT_FOUND",
      hint: expect.stringContaining("github-token") as string,
    });
    const other = secrets.pin({
      tenant: "other",
      action: "http.get",
      resources: ["https://api.example.org:443/"],
      args: { a: "secret://github-token" },
    });
    await expect(other).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  });

  test("an action whose arguments hold the value itself is refused", async () => {
    await set("token", "value-of-the-token");
    await expect(pin({ body: "x=value-of-the-token" })).rejects.toMatchObject({ code: "SECRET_EXPOSED" });
    const encoded = Buffer.from("user:value-of-the-token").toString("base64");
    await expect(pin({ headers: { authorization: `Basic ${encoded}` } })).rejects.toMatchObject({
      code: "SECRET_EXPOSED",
    });
  });

  test("a removal that is planned is done with its batch, and of what is not there nothing is", async () => {
    await set("token", "value-of-the-token");
    const key = { ...admin, name: "token" };
    const planned = await changes.planRemoval(key);
    expect(await pin({ a: "secret://token" })).toEqual({ a: "secret://token@1" });
    await store.write(planned);
    await secrets.refresh();
    await expect(pin({ a: "secret://token" })).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
    expect(await changes.planRemoval(key)).toEqual([]);
  });

  test("after a removal neither handle nor pinned handle opens, and the value is gone from the table", async () => {
    await set("token", "value-of-the-token");
    const pinned = await pin({ a: "secret://token" });
    await changes.remove({ ...admin, name: "token" });
    await expect(pin({ a: "secret://token" })).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
    await expect(secrets.reveal("default", pinned)).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
    expect(await store.read("SELECT name FROM secrets WHERE sealed IS NOT NULL")).toEqual([]);
    await set("token", "value-of-another-one");
    expect((await pin({ a: "secret://token" }))["a"]).toBe("secret://token@2");
  });

  test("a value kept elsewhere is known to the redactors as soon as it was opened, and read anew after a minute", async () => {
    const reference = { kind: "environment", name: "TOKEN" } as const;
    await changes.set({
      ...admin,
      name: "env",
      content: { kind: "reference", reference },
      uses: [apiUse],
      description: null,
    });
    const pinned = await pin({ a: "secret://env" });
    expect(await secrets.reveal("default", pinned)).toEqual({ a: "value-from-the-environment" });
    expect(secrets.literals()).toContain("value-from-the-environment");
    environment["TOKEN"] = "rotated-in-the-environment";
    expect(await secrets.reveal("default", pinned)).toEqual({ a: "value-from-the-environment" });
    clock.advance(60_000);
    expect(await secrets.reveal("default", pinned)).toEqual({ a: "rotated-in-the-environment" });
    // What is under way may still hold the value of before.
    expect(secrets.literals()).toContain("value-from-the-environment");
    expect(secrets.literals()).toContain("rotated-in-the-environment");
  });

  test("a value kept elsewhere is masked from the start on, before any tool was given it", async () => {
    const reference = { kind: "environment", name: "TOKEN" } as const;
    const content = { kind: "reference", reference } as const;
    await changes.set({ ...admin, name: "env", content, uses: [apiUse], description: null });
    const absent = { kind: "reference", reference: { kind: "file", name: "nothing" } } as const;
    await changes.set({ ...admin, name: "lost", content: absent, uses: [apiUse], description: null });
    const anew = await open(key);
    expect(anew.literals()).toContain("value-from-the-environment");
    await expect(
      anew.pin({ tenant: "default", ...call, args: { a: "x value-from-the-environment" } }),
    ).rejects.toMatchObject({ code: "SECRET_EXPOSED", data: { name: "env" } });
    anew.close();
  });

  test("a value that was replaced or removed is masked for an hour more", async () => {
    await set("token", "value-of-the-token");
    await changes.remove({ ...admin, name: "token" });
    await secrets.refresh();
    expect(secrets.literals()).toContain("value-of-the-token");
    clock.advance(3_600_000);
    await set("other", "value-of-another-one");
    await secrets.refresh();
    expect(secrets.literals()).not.toContain("value-of-the-token");
  });

  test("whose secret it is that leaks is told to nobody of another tenant", async () => {
    await set("token", "value-of-the-token");
    const leaking = { ...call, args: { a: "x value-of-the-token" } };
    await expect(secrets.pin({ tenant: "default", ...leaking })).rejects.toMatchObject({
      data: { name: "token" },
    });
    const error = await secrets.pin({ tenant: "acme", ...leaking }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "SECRET_EXPOSED", data: {} });
    expect(String(error)).not.toContain("token");
  });

  test("a change of this server is known without being told", async () => {
    await changes.set({
      ...admin,
      name: "late",
      content: { kind: "value", value: "value-set-later-on" },
      uses: [apiUse],
      description: null,
    });
    await expect.poll(() => secrets.exposedIn("x value-set-later-on x")).toEqual(["late"]);
  });

  test("arguments without handles come back as they are", async () => {
    const args = { a: [1, { b: "c" }] };
    expect(await pin(args)).toBe(args);
    expect(await secrets.reveal("default", args)).toBe(args);
    await expect(pin({ a: "secret://nothing-like-it" })).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  });

  test("a change that cannot be read is told, and what was known stays known", async () => {
    await set("token", "value-of-the-token");
    const told: unknown[] = [];
    const logger = { ...createSilentLogger(), error: (data: unknown) => void told.push(data) };
    let changed = (): void => undefined;
    let read = store.read.bind(store);
    const references = { vault: undefined, environment, folder: undefined };
    const watched = await openSecrets({
      store: {
        read: (...all) => read(...all),
        onCommit: (_, listener) => ((changed = listener), () => undefined),
      },
      clock,
      logger: logger as ReturnType<typeof createSilentLogger>,
      key,
      references,
    });
    read = () => Promise.reject(new Error("the database is away"));
    changed();
    await expect.poll(() => told).toEqual([{ error: "the database is away" }]);
    expect(watched.exposedIn("x value-of-the-token x")).toEqual(["token"]);
  });

  test("with another key the start fails and says so", async () => {
    await set("token", "value-of-the-token");
    await expect(open(Buffer.alloc(32, 1))).rejects.toMatchObject({ code: "SECRETS_KEY_UNUSABLE" });
  });
});

describe("changing secrets", () => {
  test("what cannot be protected is refused: short values, white space around them, no use, bad globs and names", async () => {
    const good = {
      ...admin,
      name: "a",
      content: { kind: "value", value: "long-enough" },
      uses: [apiUse],
      description: null,
    } as const;
    const bad: readonly SetSecret[] = [
      { ...good, name: "Ä" },
      { ...good, content: { kind: "value", value: "short" } },
      { ...good, content: { kind: "value", value: "long-enough\n" } },
      { ...good, content: { kind: "value", value: "x".repeat(20_000) } },
      { ...good, uses: [] },
      { ...good, uses: [{ action: "http.*", resource: "[" }] },
    ];
    for (const request of bad)
      await expect(changes.set(request)).rejects.toMatchObject({ code: "SECRET_INVALID" });
    expect(await changes.list("default")).toEqual([]);
  });

  test("a rotation keeps the version before until the next one, or not at all when asked", async () => {
    await set("token", "value-number-one");
    const rotate = (value: string, retirePrevious: boolean) =>
      changes.rotate({ ...admin, name: "token", content: { kind: "value", value }, retirePrevious });
    await rotate("value-number-two", false);
    await rotate("value-number-three", false);
    const live = async () =>
      (await store.read("SELECT version FROM secrets WHERE sealed IS NOT NULL ORDER BY version")).map(
        (row) => row["version"],
      );
    expect(await live()).toEqual([2, 3]);
    await rotate("value-number-four", true);
    expect(await live()).toEqual([4]);
    expect(await changes.list("default")).toMatchObject([{ name: "token", version: 4, uses: [apiUse] }]);
    await expect(
      changes.rotate({
        ...admin,
        name: "none",
        content: { kind: "value", value: "long-enough" },
        retirePrevious: true,
      }),
    ).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  });

  test("of two changes at the same time one is told to try again", async () => {
    const results = await Promise.allSettled([
      set("token", "value-number-one"),
      set("token", "value-number-two"),
    ]);
    const failed = results.filter((result) => result.status === "rejected");
    expect(failed.map(({ reason }) => (reason as { code: string }).code)).toEqual(["SECRET_CONFLICT"]);
  });

  test("a failure of the database is no change at the same time", async () => {
    await store.write([{ sql: "DROP TABLE ledger_outbox" }]);
    await expect(set("token", "value-number-one")).rejects.not.toMatchObject({ code: "SECRET_CONFLICT" });
  });

  test("the newest version of each is listed", async () => {
    for (const value of ["value-number-one", "value-number-two"]) {
      await set("token", value);
      await set("other", `${value}-of-it`);
    }
    expect((await changes.list("default")).map(({ name, version }) => [name, version])).toEqual([
      ["other", 2],
      ["token", 2],
    ]);
  });

  test("goes over the API by value or by reference, never both, and no value comes back", async () => {
    await using server = await startTestServer(
      secretsRoutes({ changes, holdsSecret: (text) => text.includes("hunter2") }),
    );
    const put = async (name: string, body: object): Promise<Response> =>
      await server.call(`/v1/secrets/${name}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uses: [apiUse], ...body }),
      });
    const vault = { kind: "vault", path: "team/a", field: "token" };
    expect(await (await put("plain", { value: "value-of-the-token" })).json()).toMatchObject({ source: "store", description: null });
    expect(await (await put("newest", { reference: vault, description: "why" })).json()).toMatchObject({ source: "vault", description: "why" });
    expect((await put("pinned", { reference: { ...vault, version: 3 } })).status).toBe(200);
    for (const description of ["it is hunter2", "value-of-the-token, for the shop"])
      expect((await put("told", { value: "value-of-the-token", description })).status).toBe(422);
    expect((await put("short", { value: "a-pin", description: "not a-pin for the door" })).status).not.toBe(500);
    for (const body of [{}, { value: "value-of-the-token", reference: vault }]) expect((await put("both", body)).status).toBe(422);
    const rotate = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ value: "value-number-two" }) };
    expect(await (await server.call("/v1/secrets/plain/rotate", rotate)).json()).toMatchObject({ version: 2 });
    expect((await server.call("/v1/secrets/pinned", { method: "DELETE" })).status).toBe(204);
    const list = await (await server.call("/v1/secrets")).text();
    expect(list).toContain("newest");
    expect(list).not.toContain("value-");
    const rows = await store.read("SELECT name, reference FROM secrets WHERE name IN ('newest', 'pinned') AND reference IS NOT NULL ORDER BY name");
    expect(rows.map(({ reference }) => JSON.parse(String(reference)) as unknown)).toContainEqual(vault);
  }); // prettier-ignore

  test("every change is a fact for the ledger, without the value", async () => {
    await set("token", "value-number-one");
    await changes.rotate({
      ...admin,
      name: "token",
      content: { kind: "value", value: "value-number-two" },
      retirePrevious: false,
    });
    await changes.remove({ ...admin, name: "token" });
    const entries = (await store.read("SELECT entry FROM ledger_outbox ORDER BY id")).map((row) =>
      String(row["entry"]),
    );
    expect(entries.map((entry) => (JSON.parse(entry) as { type: string }).type)).toEqual([
      "secret.set",
      "secret.rotated",
      "secret.removed",
    ]);
    expect(entries.join()).not.toContain("value-number");
  });
});

describe("the key of the secrets", () => {
  test("a file is made once, is only its owner's, and must hold a key", async () => {
    const [one, other] = await Promise.all([
      openSecretKey(folder, { kind: "file" }),
      openSecretKey(folder, { kind: "file" }),
    ]);
    expect(one).toEqual(other);
    await writeFile(join(folder, "secrets.key"), "not a key\n");
    await expect(openSecretKey(folder, { kind: "file" })).rejects.toMatchObject({
      code: "SECRETS_KEY_UNUSABLE",
    });
  });

  test("a passphrase must be long, and its salt is kept", async () => {
    const source = { kind: "passphrase", passphrase: "sixteen letters!" } as const;
    expect(await openSecretKey(folder, source)).toEqual(await openSecretKey(folder, source));
    await expect(openSecretKey(folder, { kind: "passphrase", passphrase: "short" })).rejects.toMatchObject({
      code: "SECRETS_KEY_UNUSABLE",
    });
    await writeFile(join(folder, "secrets.salt"), "x\n");
    await expect(openSecretKey(folder, source)).rejects.toMatchObject({ code: "SECRETS_KEY_UNUSABLE" });
  });
});

describe("files with secrets", () => {
  test("are read through the links of a mounted volume, but never from outside of it", async () => {
    const mounted = join(folder, "mounted");
    await mkdir(join(mounted, "..data"), { recursive: true });
    await writeFile(join(mounted, "..data", "token"), "value-in-a-file\n");
    await symlink("..data/token", join(mounted, "token"));
    await writeFile(join(folder, "outside"), "not for runs");
    await symlink("../outside", join(mounted, "link"));
    const read = (name: string) =>
      readReference({ kind: "file", name }, { vault: undefined, environment, folder: mounted });
    expect(await read("token")).toBe("value-in-a-file");
    for (const name of ["link", "../outside", ".."])
      await expect(read(name)).rejects.toMatchObject({ code: "SECRET_INVALID" });
    await expect(read("none")).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
    await writeFile(join(mounted, "big"), "x".repeat(70_000));
    await expect(read("big")).rejects.toMatchObject({ code: "SECRET_INVALID" });
  });

  test("a source that is not configured or has nothing is named", async () => {
    const none = { vault: undefined, environment: {}, folder: undefined };
    await expect(readReference({ kind: "vault", path: "a", field: "b" }, none)).rejects.toMatchObject({
      code: "SECRET_INVALID",
    });
    await expect(readReference({ kind: "file", name: "a" }, none)).rejects.toMatchObject({
      code: "SECRET_INVALID",
    });
    for (const name of ["TOKEN", "toString"])
      await expect(readReference({ kind: "environment", name }, none)).rejects.toMatchObject({
        code: "SECRET_NOT_FOUND",
      });
  });
});
