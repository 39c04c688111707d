// SPDX-License-Identifier: Apache-2.0
import * as assert from "node:assert/strict";
import {test} from "node:test";
import type {ConfigAttemptRead, ConfigStreamStatus} from "../../src/lib/api.ts";
import {byDay, freshness, outcomeOf, roundUp, roundUpTime, toRuns, type Run} from "../../src/lib/history.ts";
import {countersOf, rateOf, remaining, remember, share, streamRows, takeIn, type Live, type Moment} from "../../src/lib/progress.ts";
import {keyOf} from "../../src/lib/streams.ts";

const nothing = (): Live => ({attempt: -1, streams: new Map()});
const event = (attemptNumber: number, streamName: string, recordsEmitted: number) => ({attemptNumber, streamName, recordsEmitted, jobId: 7});

test("counters of an event: what is missing or no number is nothing", () => {
  assert.deepEqual(countersOf({recordsEmitted: 5, bytesEmitted: "7", estimatedRecords: NaN}), {records: 5, bytes: 0, committed: 0, estimated: 0});
});

test("events: the newest attempt begins anew, late ones of an older one say nothing", () => {
  let live = takeIn(nothing(), event(0, "users", 10));
  live = takeIn(live, event(0, "orders", 3));
  live = takeIn(live, event(0, "users", 12));
  assert.deepEqual([...live.streams.values()].map(each => [each.name, each.records]), [["users", 12], ["orders", 3]]);
  live = takeIn(live, event(1, "users", 1));
  assert.deepEqual([live.attempt, live.streams.size], [1, 1]);
  live = takeIn(live, event(0, "orders", 99));
  assert.equal(live.streams.size, 1);
});

const attempt = (stats: [string, number][]): ConfigAttemptRead => ({id: 0, status: "running", createdAt: 0, updatedAt: 0,
  streamStats: stats.map(([streamName, recordsEmitted]) => ({streamName, stats: {recordsEmitted}}))});

const status = (streamName: string, runState: ConfigStreamStatus["runState"], more: Partial<ConfigStreamStatus> = {}): ConfigStreamStatus =>
  ({id: streamName + runState, workspaceId: "w", connectionId: "c", jobId: 7, attemptNumber: 0, jobType: "SYNC", streamName, runState, transitionedAt: 1, ...more});

test("streams of a run: what was asked for, with what was told since; those that need a look first", () => {
  const live = takeIn(takeIn(nothing(), event(0, "b", 50)), event(0, "new", 1));
  const rows = streamRows(attempt([["a", 10], ["b", 20]]), 7, live, [status("a", "COMPLETE"), status("b", "RUNNING"), status("f", "INCOMPLETE", {incompleteRunCause: "FAILED"}),
    status("b", "INCOMPLETE", {jobId: 6, transitionedAt: 9}), status("q", "PENDING")], true);
  assert.deepEqual(rows.map(row => [row.name, row.standing, row.records]), [["f", "failed", 0], ["b", "running", 50], ["new", "running", 1], ["q", "queued", 0], ["a", "synced", 10]]);
});

test("streams of a run that has ended: none of them runs, and an older attempt shows its own numbers", () => {
  const live = takeIn(nothing(), event(1, "a", 999));
  const rows = streamRows(attempt([["a", 10]]), 7, live, [status("a", "RUNNING")], false);
  assert.deepEqual(rows.map(row => [row.standing, row.records]), [["cancelled", 10]]);
});

test("share and what is left: only when the source says how much it expects", () => {
  assert.equal(share({records: 5, estimated: 0}), null);
  assert.equal(share({records: 5, estimated: 20}), 0.25);
  assert.equal(share({records: 50, estimated: 20}), 1);
  assert.equal(remaining({records: 5, estimated: 20}, 3), 5);
  for (const [records, rate] of [[20, 3], [25, 3], [5, 0], [5, null]] as const) assert.equal(remaining({records, estimated: 20}, rate), null);
});

test("the rate is that of the last seconds, and begins anew when the count does", () => {
  let moments: Moment[] = [];
  for (let i = 0; i <= 40; i++) moments = remember(moments, {at: i * 1000, records: i < 20 ? i * 10 : 200 + (i - 20) * 100});
  assert.equal(rateOf(moments), 100);
  moments = remember(moments, {at: 41_000, records: 0});
  assert.equal(rateOf(moments), null);
  assert.equal(rateOf([]), null);
});

test("days: a run counts where it ended, days without one are there", () => {
  const now = new Date(2026, 9, 27, 12).getTime();
  const run = (day: number, hour: number, recordsCommitted: number) => ({jobUpdatedAt: new Date(2026, 9, day, hour).getTime() / 1000, recordsCommitted, bytesCommitted: recordsCommitted * 2});
  const days = byDay([run(27, 0, 1), run(27, 11, 2), run(25, 23, 4), run(1, 1, 999)], now, 5);
  assert.deepEqual(days.map(day => [new Date(day.start).getDate(), day.runs, day.records, day.bytes]), [[23, 0, 0, 0], [24, 0, 0, 0], [25, 1, 4, 8], [26, 0, 0, 0], [27, 2, 3, 6]]);
});

test("runs: from the first attempt's beginning to the last one's end, without those that still run", () => {
  const job = (id: number, state: string, times: [number, number][]) => ({job: {id, configType: "sync", configId: "c", createdAt: 1, updatedAt: 90, status: state},
    attempts: times.map(([createdAt, endedAt], i) => ({id: i, status: "failed", createdAt, updatedAt: endedAt, endedAt}))});
  const runs = toRuns([job(3, "succeeded", [[50, 60]]), job(2, "failed", [[10, 20], [30, 45]]), job(4, "running", [[70, 71]]), job(5, "cancelled", [])] as never);
  assert.deepEqual(runs.map(run => [run.id, run.ms, run.attempts]), [[5, 89_000, 0], [2, 35_000, 2], [3, 10_000, 1]]);
});

test("outcome: the median of what succeeded", () => {
  const run = (status: Run["status"], ms: number): Run => ({id: 1, start: 0, attempts: 1, status, ms});
  assert.deepEqual(outcomeOf([run("succeeded", 3), run("failed", 900), run("succeeded", 1), run("succeeded", 2)]), {runs: 4, succeeded: 3, median: 2});
  assert.deepEqual(outcomeOf([run("failed", 1)]), {runs: 1, succeeded: 0, median: null});
});

test("freshness: the stalest first, and no stream whose last run failed", () => {
  const job = (streamName: string, jobStatus: string, endedAt: number) => ({streamName, streamNamespace: "", jobId: 1, configType: "sync", jobStatus, recordsCommitted: 0, bytesCommitted: 0, startedAt: 0, endedAt});
  assert.deepEqual(freshness([job("b", "succeeded", 5), job("a", "failed", 1), job("c", "succeeded", 2)] as never).map(each => each.stream), ["c", "b"]);
});

test("scales end at round numbers", () => {
  for (const [value, top] of [[0, 1], [0.3, 0.5], [1, 1], [3, 5], [7, 10], [11, 20], [999, 1000], [1001, 2000]] as const) assert.equal(roundUp(value), top, String(value));
  for (const [seconds, top] of [[0, 1], [1, 1], [3, 10], [15, 20], [50, 60], [61, 120], [3000, 3600], [90_000, 172_800], [172_801, 345_600]] as const)
    assert.equal(roundUpTime(seconds * 1000), top * 1000, `${seconds} s`);
});

test("streams of one name in two namespaces are two", () => {
  const live = takeIn(takeIn(nothing(), {...event(0, "t", 1), streamNamespace: "x"}), {...event(0, "t", 2), streamNamespace: "y"});
  assert.deepEqual([...live.streams.keys()], [keyOf({name: "t", namespace: "x"}), keyOf({name: "t", namespace: "y"})]);
});
