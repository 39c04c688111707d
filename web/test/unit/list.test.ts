// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import {filterConnections, groupOf, sortConnections, standingOf} from "../../src/lib/connection-list.ts";
import {visibleRange} from "../../src/ui/window.ts";

function item(name: string, connectionSyncStatus?: "failed" | "synced" | "running" | "paused" | "incomplete", latestSyncJobCreatedAt?: number) {
  return {name, source: {name: "Shop", sourceName: "Postgres"}, destination: {name: "Lake", destinationName: "S3"},
    ...(connectionSyncStatus && {connectionSyncStatus}), ...(latestSyncJobCreatedAt && {latestSyncJobCreatedAt})};
}

const ITEMS = [item("b 10", "synced", 3), item("b 9", "failed", 2), item("a", "paused"), item("Ärger", "incomplete", 9), item("c")];
const names = (items: { name: string }[]) => items.map(each => each.name).join();

test("groups: what is incomplete failed, what never ran is pending", () => {
  assert.deepEqual(ITEMS.map(groupOf), ["healthy", "failed", "paused", "failed", "pending"]);
});

test("what failed for good is failed, what goes on is incomplete", () => {
  for (const [connectionSyncStatus, latestSyncJobStatus, expected] of [
    ["incomplete", "failed", "failed"], ["incomplete", "incomplete", "incomplete"], ["synced", "succeeded", "synced"], ["paused", "failed", "paused"],
  ] as const) assert.equal(standingOf({connectionSyncStatus, latestSyncJobStatus}), expected);
  assert.equal(standingOf({}), "pending");
});

test("filter: every word, anywhere in the names, in any case", () => {
  for (const [term, group, expected] of [
    ["", null, "b 10,b 9,a,Ärger,c"], ["B", null, "b 10,b 9"], ["10 b", null, "b 10"], ["shop s3", null, "b 10,b 9,a,Ärger,c"],
    ["ÄR", null, "Ärger"], ["", "failed", "b 9,Ärger"], ["b", "failed", "b 9"], ["nothing", null, ""],
  ] as const) assert.equal(names(filterConnections(ITEMS, term, group)), expected, `${term} ${group}`);
});

test("sort: numbers in names count, equal ones stand by name", () => {
  for (const [key, down, expected] of [
    ["name", false, "a,Ärger,b 9,b 10,c"], ["name", true, "c,b 10,b 9,Ärger,a"],
    ["status", false, "Ärger,b 9,b 10,c,a"], ["status", true, "a,c,b 10,Ärger,b 9"],
    ["last", false, "Ärger,b 10,b 9,a,c"], ["last", true, "a,c,b 9,b 10,Ärger"],
  ] as const) assert.equal(names(sortConnections(ITEMS, key, down)), expected, `${key} ${down}`);
});

test("window: only what is near the screen, never outside the list", () => {
  for (const [top, view, total, first, end] of [
    [-200, 800, 1000, 0, 22], [0, 800, 1000, 0, 26], [6000, 800, 1000, 88, 126], [59_400, 800, 1000, 978, 1000],
    [90_000, 800, 1000, 1000, 1000], [0, 800, 0, 0, 0], [0, 800, 3, 0, 3],
  ] as const) assert.deepEqual(visibleRange(top, view, 60, total), {first, end}, `${top}`);
});
