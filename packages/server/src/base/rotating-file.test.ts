import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRotatingFile } from "./rotating-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "homeostat-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (text: string): string => `${text.padEnd(9, ".")}\n`;

describe("a rotating file", () => {
  test("begins anew when it is full, keeps so many full ones, and cuts no line", () => {
    const path = join(folder, "logs", "a.log");
    const file = openRotatingFile(path, { maxBytes: 35, keep: 2 });
    for (let number = 1; number <= 10; number += 1) file.write(line(`line ${number}`));
    expect(readdirSync(join(folder, "logs")).sort()).toEqual(["a.log", "a.log.1", "a.log.2"]);
    expect(readFileSync(path, "utf8")).toBe(line("line 10"));
    expect(readFileSync(`${path}.1`, "utf8")).toBe(["line 7", "line 8", "line 9"].map(line).join(""));
    expect(readFileSync(`${path}.2`, "utf8")).toBe(["line 4", "line 5", "line 6"].map(line).join(""));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("keeps nothing beside it when it is told so, and takes a line larger than its bound", () => {
    const path = join(folder, "a.log");
    const file = openRotatingFile(path, { maxBytes: 20, keep: 0 });
    file.write(`${"x".repeat(100)}\n`);
    file.write(line("one"));
    file.write(line("two"));
    file.write(line("three"));
    expect(readdirSync(folder)).toEqual(["a.log"]);
    expect(readFileSync(path, "utf8")).toBe(line("three"));
  });

  test("is shared by several writers: who finds a new file goes on there, and no line is lost", () => {
    const path = join(folder, "a.log");
    const writers = [1, 2, 3].map(() => openRotatingFile(path, { maxBytes: 100, keep: 50 }));
    const wanted = Array.from({ length: 300 }, (_, index) => `n${index}`);
    for (const [index, text] of wanted.entries()) writers[index % 3]!.write(line(text));
    const found = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
    const texts = found.filter((text) => text !== "").map((text) => text.replaceAll(".", ""));
    expect(texts.sort()).toEqual([...wanted].sort());
    expect(readdirSync(folder).length).toBeLessThan(50);
  });

  test("goes on with what was there", () => {
    const path = join(folder, "logs", "a.log");
    openRotatingFile(path, { maxBytes: 1000, keep: 1 }).write(line("one"));
    const file = openRotatingFile(path, { maxBytes: 1000, keep: 1 });
    file.write(line("two"));
    expect(readFileSync(path, "utf8")).toBe(line("one") + line("two"));
  });

  test("loses the line and nothing else when it cannot write", () => {
    const file = openRotatingFile("/dev/full", { maxBytes: 1000, keep: 1 });
    expect(() => file.write(line("one"))).not.toThrow();
    const inFile = openRotatingFile(join(folder, "a.log", "never"), { maxBytes: 1000, keep: 1 });
    inFile.write(line("one"));
    expect(readdirSync(folder)).toEqual(["a.log"]);
  });
});
