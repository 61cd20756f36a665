import { expect, test } from "vitest";
import { mayShowInline, mediaTypeOf } from "./media-type.ts";

const png = Buffer.from("\x89PNG\r\n\x1a\n rest", "latin1");

test.each([
  ["report/chart.svg", "image/svg+xml"],
  ["a.b/REPORT.MD", "text/markdown"],
  ["logo.PNG", "image/png"],
  ["Makefile", "application/octet-stream"],
  [".png", "image/png"],
  ["a.constructor", "application/octet-stream"],
])("%s is %s by its name", (path, type) => {
  expect(mediaTypeOf(path)).toBe(type);
});

test("the beginning of the content is believed before the name where the two differ", () => {
  expect(mediaTypeOf("logo.png", png)).toBe("image/png");
  expect(mediaTypeOf("logo.png", Buffer.from("<script>"))).toBe("application/octet-stream");
  expect(mediaTypeOf("logo.jpg", png)).toBe("application/octet-stream");
  expect(mediaTypeOf("download", png)).toBe("image/png");
  expect(mediaTypeOf("unknown", Buffer.from("anything"))).toBe("application/octet-stream");
  expect(mediaTypeOf("a.webp", Buffer.from("RIFF\0\0\0\0WEBPVP8 "))).toBe("image/webp");
  expect(mediaTypeOf("notes.txt", png)).toBe("text/plain");
});

test("pages and scripts are never shown inline", () => {
  expect(["text/html", "text/javascript", "application/xml", "application/zip"].some(mayShowInline)).toBe(
    false,
  );
  expect(["image/png", "image/svg+xml", "text/markdown"].every(mayShowInline)).toBe(true);
});
