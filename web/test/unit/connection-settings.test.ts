// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {ConfigWebConnectionRead} from "#gen/api.ts";
import {isZone, newSettings, placeOf, problemsOf, settingsOf, toSend, type Settings, type SettingsField} from "../../src/lib/connection-settings.ts";

const base = newSettings("Shop", "Warehouse");

test("a new connection is called by its ends, and runs once a day", () => {
  assert.equal(base.name, "Shop → Warehouse");
  assert.deepEqual(toSend(base).scheduleData, {basicSchedule: {timeUnit: "hours", units: 24}});
  assert.deepEqual(problemsOf(base), {});
  assert.equal(base.zone, "UTC");
});

test("what is wrong is told of what is used, and of nothing else", () => {
  for (const [changes, wrong] of [
    [{name: "  "}, ["name"]], [{every: "0"}, ["every"]], [{every: "1.5"}, ["every"]], [{every: "x"}, ["every"]], [{every: "x", schedule: "manual"}, []],
    [{schedule: "cron", cron: " "}, ["cron"]], [{schedule: "cron", zone: "Middle/Earth"}, ["zone"]], [{zone: "Middle/Earth"}, []],
    [{namespace: "customformat", format: ""}, ["format"]], [{namespace: "source", format: ""}, []],
  ] as [Partial<Settings>, SettingsField[]][]) assert.deepEqual(Object.keys(problemsOf({...base, ...changes})), wrong, JSON.stringify(changes));
});

test("time zones", () => {
  for (const [zone, known] of [["Europe/Berlin", true], ["UTC", true], ["", false], ["Nowhere", false]] as const) assert.equal(isZone(zone), known, zone);
});

test("where a stream comes out", () => {
  const stream = {namespace: "public", name: "orders"}, bare = {namespace: "", name: "orders"};
  for (const [place, changes, expected] of [
    [stream, {}, "own.orders"], [stream, {namespace: "source"}, "public.orders"], [bare, {namespace: "source"}, "own.orders"], [stream, {prefix: "x_"}, "own.x_orders"],
    [stream, {namespace: "customformat", format: "raw_${SOURCE_NAMESPACE}"}, "raw_public.orders"], [bare, {namespace: "customformat", format: "${SOURCE_NAMESPACE}"}, "own.orders"],
    [stream, {namespace: "customformat", format: "${SOURCE_NAMESPACE}_${SOURCE_NAMESPACE}"}, "public_public.orders"],
  ] as [typeof stream, Partial<Settings>, string][]) {
    const found = placeOf(place, {...base, ...changes}, "own");
    assert.equal(`${found.namespace}.${found.name}`, expected);
  }
});

test("what is read of a connection is sent back the same", () => {
  const read = {connectionId: "c", name: "n", scheduleType: "cron", scheduleData: {cron: {cronExpression: "0 0 6 * * ?", cronTimeZone: "Europe/Berlin"}}, namespaceDefinition: "customformat",
    namespaceFormat: "x", prefix: "p", nonBreakingChangesPreference: "disable", backfillPreference: "enabled", notifySchemaChanges: true, notifySchemaChangesByEmail: false} as unknown as ConfigWebConnectionRead;
  assert.deepEqual(toSend(settingsOf(read)), {name: "n", scheduleType: "cron", scheduleData: {cron: {cronExpression: "0 0 6 * * ?", cronTimeZone: "Europe/Berlin"}}, namespaceDefinition: "customformat",
    namespaceFormat: "x", prefix: "p", nonBreakingChangesPreference: "disable", backfillPreference: "enabled", notifySchemaChanges: true, notifySchemaChangesByEmail: false});
  const manual = settingsOf({...read, scheduleType: "manual", scheduleData: {}} as ConfigWebConnectionRead);
  assert.deepEqual([toSend(manual).scheduleType, toSend(manual).scheduleData], ["manual", {}]);
});
