import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createManualClock } from "../base/clock.ts";
import { startFakeVault } from "./fake-vault.fixture.ts";
import type { FakeVault } from "./fake-vault.fixture.ts";
import { readReference } from "./references.ts";
import { openSecretKey } from "./secret-key.ts";
import { createVault } from "./vault.ts";
import type { Vault, VaultLogin } from "./vault.ts";

const clock = createManualClock(0);
let fake: FakeVault;

beforeEach(async () => {
  fake = await startFakeVault();
});

afterEach(async () => {
  await fake.close();
});

function connect(login?: VaultLogin, url = fake.url): Vault {
  const settings = { url, login: login ?? { kind: "token", token: fake.token }, mount: "secret" } as const;
  return createVault({ ...settings, transitMount: "transit", transitKey: "homeostat" }, { clock });
}

test("a field of the newest or of a named version is read, also below folders", async () => {
  fake.kv.set("team/git hub", [{ token: "one" }, { token: "two" }]);
  expect(await connect().read("team/git hub", "token")).toEqual({ value: "two", version: 2 });
  expect(await connect().read("team/git hub", "token", 1)).toEqual({ value: "one", version: 1 });
  const references = { vault: connect(), environment: {}, folder: undefined };
  const reference = { kind: "vault", path: "team/git hub", field: "token" } as const;
  expect(await readReference(reference, references)).toBe("two");
});

test("a path, version, field or deleted version that is not there is a secret not found", async () => {
  fake.kv.set("a", [{ token: "one" }, null]);
  const vault = connect();
  await expect(vault.read("b", "token")).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  await expect(vault.read("a", "token", 9)).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  await expect(vault.read("a", "token")).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
  await expect(vault.read("a", "password", 1)).rejects.toMatchObject({ code: "SECRET_NOT_FOUND" });
});

test("a wrong token, a sealed Vault and one that is not there are told apart, without the token in the message", async () => {
  const wrong = "hvs.wrong-token-of-a-test";
  const refused = connect({ kind: "token", token: wrong }).read("a", "b");
  await expect(refused).rejects.toMatchObject({
    code: "VAULT_FAILED",
    message: expect.stringContaining("permission denied") as string,
  });
  await refused.catch((error: Error) => expect(error.message).not.toContain(wrong));
  fake.sealed = true;
  await expect(connect().read("a", "b")).rejects.toMatchObject({
    data: { transient: true },
    message: expect.stringContaining("sealed") as string,
  });
  await fake.close();
  await expect(connect().read("a", "b")).rejects.toMatchObject({
    code: "VAULT_FAILED",
    data: { transient: true },
  });
});

test("an AppRole logs in once, and again when its token is refused", async () => {
  fake.kv.set("a", [{ token: "one" }]);
  const vault = connect({ kind: "approle", roleId: fake.roleId, secretId: fake.secretId });
  await vault.read("a", "token");
  await vault.read("a", "token");
  const logins = () => fake.requests.filter((request) => request.includes("login")).length;
  expect(logins()).toBe(1);
  fake.forgetLogins();
  expect((await vault.read("a", "token")).value).toBe("one");
  expect(logins()).toBe(2);
  const wrong = connect({ kind: "approle", roleId: fake.roleId, secretId: "guess" });
  await expect(wrong.read("a", "token")).rejects.toMatchObject({ code: "VAULT_FAILED" });
});

test("a login is good until it ends, or without end when Vault says so", async () => {
  fake.kv.set("a", [{ token: "one" }]);
  const login = { kind: "approle", roleId: fake.roleId, secretId: fake.secretId } as const;
  const logins = () => fake.requests.filter((request) => request.includes("login")).length;
  fake.leaseSeconds = 0;
  const endless = connect(login);
  await endless.read("a", "token");
  clock.advance(100 * 86_400_000);
  await endless.read("a", "token");
  expect(logins()).toBe(1);
  fake.leaseSeconds = 3_600;
  const hourly = connect(login);
  await hourly.read("a", "token");
  clock.advance(3_600_000);
  await hourly.read("a", "token");
  expect(logins()).toBe(3);
});

test("a field that is no text is told, and the namespace is sent", async () => {
  fake.kv.set("a", [{ token: "one", port: 5 }]);
  const settings = { url: fake.url, mount: "secret", transitMount: "transit", transitKey: "absent" } as const;
  const login = { kind: "token", token: fake.token } as const;
  const vault = createVault({ ...settings, login, namespace: "team" }, { clock });
  await expect(vault.read("a", "port")).rejects.toThrow("its field port is no text");
  expect(fake.namespaces).toEqual(["team"]);
  await expect(vault.encrypt(Buffer.from("x"))).rejects.toThrow(/answered 404$/);
  const broken = createVault({ ...settings, login, namespace: "a\nb" }, { clock });
  await expect(broken.read("a", "port")).rejects.toMatchObject({ code: "VAULT_FAILED" });
});

test("a token that cannot be sent is not quoted", async () => {
  const wrong = connect({ kind: "token", token: "hvs.first-line\nhvs.second-line" }).read("a", "b");
  await expect(wrong).rejects.toMatchObject({
    code: "VAULT_FAILED",
    message: expect.not.stringContaining("hvs.") as string,
  });
});

test("a wrapped key of another length is refused", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-transit-"));
  try {
    await writeFile(join(folder, "secrets.transit"), await connect().encrypt(Buffer.alloc(5)), {
      mode: 0o600,
    });
    const opened = openSecretKey(folder, { kind: "transit", vault: connect() });
    await expect(opened).rejects.toMatchObject({ code: "SECRETS_KEY_UNUSABLE" });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the transit engine wraps the key of the secrets: the file holds ciphertext alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "homeostat-transit-"));
  try {
    const key = await openSecretKey(folder, { kind: "transit", vault: connect() });
    expect(await openSecretKey(folder, { kind: "transit", vault: connect() })).toEqual(key);
    const kept = await readFile(join(folder, "secrets.transit"), "utf8");
    expect(kept).toMatch(/^vault:v1:/);
    expect(kept).not.toContain(key.toString("base64"));
    const other = await startFakeVault();
    await expect(
      openSecretKey(folder, {
        kind: "transit",
        vault: connect({ kind: "token", token: other.token }, other.url),
      }),
    ).rejects.toMatchObject({ code: "VAULT_FAILED" });
    await other.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("something else that answers in Vault's place is refused", async () => {
  let status = 200;
  const server = createServer((_, response) => {
    response.writeHead(status);
    response.end(status === 200 ? '{"hello":"world"}' : "gone away");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await expect(connect(undefined, url).read("a", "b")).rejects.toMatchObject({
    message: expect.stringContaining("not Vault's") as string,
  });
  status = 502;
  await expect(connect(undefined, url).read("a", "b")).rejects.toMatchObject({
    message: expect.stringMatching(/answered 502$/) as string,
    data: { transient: true },
  });
  await new Promise((resolve) => server.close(resolve));
});
