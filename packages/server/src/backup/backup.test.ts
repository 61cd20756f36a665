import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createSilentLogger } from "../base/log.ts";
import { parseSigningKey, parseVerifierKey, formatSigningKey } from "../ledger/checkpoint.ts";
import { openNote, signNote } from "../ledger/signed-note.ts";
import { leaseMigration } from "../store/lease.ts";
import type { LeaseStore } from "../store/lease.ts";
import { openSqliteStore } from "../store/sqlite/sqlite.ts";
import { until } from "../store/test-things.ts";
import { backupName, nextBackupAt, surplusBackups, timeOfBackup } from "./backup-names.ts";
import { openKeys, sealKeys } from "./key-box.ts";
import { parseFileLine } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { createScheduledBackups } from "./scheduled-backups.ts";
import { writeKeyFiles } from "./write-keys.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "homeostat-backup-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the box of keys", () => {
  const files = new Map([["keys/a.key", Buffer.from([0, 1, 255])]]);
  const passphrase = "correct horse battery";

  test("opens with its passphrase for its backup, and with nothing else", async () => {
    const box = await sealKeys(files, passphrase, "bak_1");
    expect(await openKeys(box, passphrase, "bak_1")).toEqual(files);
    const changed = box.replace(/"sealed":"./, '"sealed":"_');
    for (const [text, word, about] of [
      [box, "another passphrase", "bak_1"],
      [box, passphrase, "bak_2"],
      [changed, passphrase, "bak_1"],
      ["no box", passphrase, "bak_1"],
    ] as const) {
      await expect(openKeys(text, word, about)).rejects.toMatchObject({ code: "BACKUP_PASSPHRASE" });
    }
    expect(box).not.toContain(Buffer.from([0, 1, 255]).toString("base64"));
  });

  test("takes a passphrase that was typed composed for one that was typed decomposed", async () => {
    const box = await sealKeys(files, "Schl\u00fcsselwort eins", "bak_1");
    expect(await openKeys(box, "Schlu\u0308sselwort eins", "bak_1")).toEqual(files);
  });

  test("is not made with a short passphrase", async () => {
    await expect(sealKeys(files, "eleven char", "bak_1")).rejects.toMatchObject({
      code: "BACKUP_PASSPHRASE",
    });
  });

  test.each(["keys/../../etc/passwd", "/etc/passwd", "token/../x", "state.db", "../token"])(
    "cannot put a file at %s",
    async (path) => {
      const bad = new Map([[path, Buffer.from("x")]]);
      await expect(writeKeyFiles(bad, folder, () => true)).rejects.toMatchObject({ code: "BACKUP_INVALID" });
      expect(await readdir(folder)).toEqual([]);
    },
  );
});

describe("the list of files", () => {
  const digest = "0".repeat(64);

  test.each([
    `${digest}  ../x`,
    `${digest}  a/../../x`,
    `${digest}  /etc/x`,
    `${digest} x`,
    "x",
    `${digest}  a//b`,
  ])("refuses the line %s", (line) => {
    expect(() => parseFileLine(line, "there")).toThrow("names no file");
  });

  test("takes names with blanks", () => {
    expect(parseFileLine(`${digest}  a b/c d`, "there")).toEqual({ path: "a b/c d", sha256: digest });
  });
});

describe("a signed note", () => {
  const key = parseSigningKey(formatSigningKey("homeostat.local/a", Buffer.alloc(32, 1)))!;
  const other = parseSigningKey(formatSigningKey("homeostat.local/a", Buffer.alloc(32, 2)))!;

  test("gives its text back to whoever has the key, and no other text under any change", () => {
    const note = signNote("kind\ndigest\n", key);
    const verifier = parseVerifierKey(key.verifierKey)!;
    expect(openNote(note, verifier)).toBe("kind\ndigest\n");
    expect(openNote(note, parseVerifierKey(other.verifierKey)!)).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(note.length - 1), fc.integer({ min: 33, max: 126 }), (at, code) => {
        const changed = note.slice(0, at) + String.fromCharCode(code) + note.slice(at + 1);
        const text = openNote(changed, verifier);
        expect(text === undefined || text === "kind\ndigest\n").toBe(true);
        if (at < "kind\ndigest\n".length && changed !== note) expect(text).toBeUndefined();
      }),
    );
  });
});

describe("names of backups", () => {
  const times = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000);

  test("tell their time and sort by it", () => {
    fc.assert(
      fc.property(times, times, (one, two) => {
        expect(timeOfBackup(backupName(one))).toBe(one);
        expect(backupName(one) < backupName(two)).toBe(one < two);
      }),
    );
    for (const name of ["homeostat-20261341T000000Z", "other", `${backupName(0)}.partial`, "homeostat-2026"])
      expect(timeOfBackup(name)).toBeUndefined();
  });

  test("say which are too old, and never name what is not ours", () => {
    fc.assert(
      fc.property(fc.uniqueArray(times), fc.integer({ min: 1, max: 5 }), (list, keep) => {
        const names = [...list.map(backupName), "my-own-folder"];
        const surplus = surplusBackups(names, keep);
        expect(surplus).toHaveLength(Math.max(0, list.length - keep));
        const kept = list.filter((time) => !surplus.includes(backupName(time)));
        for (const name of surplus) for (const time of kept) expect(timeOfBackup(name)!).toBeLessThan(time);
      }),
    );
  });

  test("say when the next is due, also after the clock was set back", () => {
    const [one, two] = [backupName(1_000_000), backupName(5_000_000)];
    expect(nextBackupAt([], 60_000, 7)).toBe(7);
    expect(nextBackupAt(["other"], 60_000, 7)).toBe(7);
    expect(nextBackupAt([two, one], 60_000, 6_000_000)).toBe(5_060_000);
    expect(nextBackupAt([two], 60_000, 2_000_000)).toBe(2_000_000);
  });
});

describe("scheduled backups", () => {
  let store: LeaseStore;
  beforeEach(async () => {
    const path = join(folder, "state.db");
    const options = { path, migrations: [leaseMigration], clock: systemClock, logger: createSilentLogger() };
    store = await openSqliteStore(options);
  });
  afterEach(() => store.close());

  const manifest = { id: "bak_1", filesDigest: "0", sizeBytes: 1, keys: "left out" } as Manifest;

  function createPart(
    makeBackup: (to: string) => Promise<Manifest>,
    facts: string[],
    owner = "one",
    clock = systemClock,
  ) {
    return createScheduledBackups({
      folder: join(folder, "backups"),
      everyMs: 3_600_000,
      keep: 2,
      makeBackup,
      record: (type) => void facts.push(type),
      store,
      owner,
      isOwnerDead: () => false,
      clock,
      logger: createSilentLogger(),
    });
  }

  test("are made when due, once among several processes, and the oldest go", async () => {
    const place = join(folder, "backups");
    const old = [1, 2, 3].map((hours) => backupName(systemClock.now() - (hours + 2) * 3_600_000));
    for (const name of [...old, "other"]) await mkdir(join(place, name), { recursive: true });
    const facts: string[] = [];
    let made = 0;
    const make = async (to: string): Promise<Manifest> => {
      made += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await mkdir(to);
      await writeFile(join(to, "manifest.json"), "{}");
      return manifest;
    };
    const parts = [createPart(make, facts, "one"), createPart(make, facts, "two")];
    await Promise.all(parts.map((part) => part.start()));
    await until(() => facts.length > 0);
    await until(() => parts.some((part) => part.health().detail?.startsWith("last one at") === true));
    await Promise.all(parts.map((part) => part.stop(1_000)));
    expect(made).toBe(1);
    const names = (await readdir(place)).sort();
    expect(names).toHaveLength(3);
    expect(names).toContain("other");
    expect(names).toContain(old[0]);
  });

  test("wait while the last one is young enough", async () => {
    await mkdir(join(folder, "backups", backupName(systemClock.now())), { recursive: true });
    const pauses: number[] = [];
    const sleep: typeof systemClock.sleep = (ms, signal) => {
      pauses.push(ms);
      return systemClock.sleep(ms, signal);
    };
    const never = (): Promise<Manifest> => Promise.reject(new Error("nobody asked for one"));
    const part = createPart(never, [], "one", { ...systemClock, sleep });
    await part.start();
    await until(() => pauses.length > 0);
    expect(part.health()).toEqual({ kind: "ok", detail: "none made yet" });
    await part.stop(1_000);
  });

  test("that end after their process was stopped leave the old ones to whoever has the lease then", async () => {
    const place = join(folder, "backups");
    const old = [1, 2, 3].map((hours) => backupName(systemClock.now() - (hours + 2) * 3_600_000));
    for (const name of old) await mkdir(join(place, name), { recursive: true });
    const [begun, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const facts: string[] = [];
    const part = createPart(async () => {
      begun.resolve();
      await stopped.promise;
      return manifest;
    }, facts);
    await part.start();
    await begun.promise;
    const stopping = part.stop(5_000);
    stopped.resolve();
    await stopping;
    await until(() => facts.length > 0);
    expect((await readdir(place)).sort()).toEqual(old.toSorted());
  });

  test("say why they fail, and try again", async () => {
    const part = createPart(() => Promise.reject(new Error("the disk is full")), []);
    await part.start();
    await until(() => part.health().kind === "degraded");
    expect(part.health().detail).toBe("the last backup failed: the disk is full");
    await part.stop(1_000);
    const lease = await store.read("SELECT owner FROM leases WHERE name = 'singleton/backup'");
    expect(lease[0]?.["owner"]).toBe("");
  });
});
