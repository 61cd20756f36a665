import { expect, test } from "vitest";
import { eventVersion } from "./event.ts";
import { eventKinds, upcast } from "./upcast.ts";

test("an event of this version is taken as it is, whatever its kind", () => {
  for (const kind of Object.keys(eventKinds)) {
    expect(upcast(eventVersion, kind, { step: "s" })).toEqual({ kind, step: "s" });
  }
});

test.each([0, -1, eventVersion + 1])("an event of version %i is not guessed at", (version) => {
  const reading = (): unknown => upcast(version, "run.started", { attempt: 1 });
  expect(reading).toThrow(expect.objectContaining({ code: "RUN_VERSION_UNKNOWN" }));
});

test.each(["run.danced", "", "toString", "__proto__"])("the kind %j is not passed over", (kind) => {
  const reading = (): unknown => upcast(eventVersion, kind, {});
  expect(reading).toThrow(expect.objectContaining({ code: "RUN_VERSION_UNKNOWN" }));
});
