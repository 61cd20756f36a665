import { expect, test } from "vitest";
import { createStreamPlaces } from "./stream-places.ts";

test("one caller never has all places, and others still find one", () => {
  const { enter } = createStreamPlaces(40);
  const greedy = Array.from({ length: 30 }, () => enter("vera"));
  expect(() => enter("vera")).toThrow("you have 30 of 30 open live streams");
  for (let tab = 0; tab < 8; tab += 1) enter("admin");
  expect(() => enter("admin")).toThrow("you have 8 of 38 open live streams");
  enter("bob");
  const last = enter("zoe");
  expect(() => enter("eve")).toThrow("40 live streams are open already");
  last();
  enter("eve");
  for (const leave of greedy) leave();
  for (let more = 0; more < 20; more += 1) enter("vera");
});

test("a caller gets a few also where there are few in all", () => {
  const { enter } = createStreamPlaces(2);
  const leave = enter("ada");
  enter("ada");
  expect(() => enter("ada")).toThrow("2 live streams are open already");
  leave();
  enter("ada");
});
