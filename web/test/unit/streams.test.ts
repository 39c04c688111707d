// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import {test} from "node:test";
import type {ConfigStreamStatus} from "#gen/api.ts";
import {parseLine, splitByTerm} from "../../src/lib/log-line.ts";
import {firstFailure, keyOf, latestStatuses, selectedStreams, standingOf} from "../../src/lib/streams.ts";

test("selected streams of a catalog, whatever else is in it", () => {
  assert.deepEqual(selectedStreams({streams: [
    {stream: {name: "a", namespace: "s"}, config: {selected: true, syncMode: "incremental", destinationSyncMode: "append"}},
    {stream: {name: "b"}, config: {selected: false}}, {stream: {name: "c"}}, "nonsense", {config: {}}, null,
  ]}), [{name: "a", namespace: "s", syncMode: "incremental", destinationSyncMode: "append"}, {name: "c", namespace: "", syncMode: "", destinationSyncMode: ""}]);
  assert.deepEqual(selectedStreams(undefined), []);
  assert.deepEqual(selectedStreams({streams: 1}), []);
});

test("a stream's standing: what was open when the job ended was cut off", () => {
  for (const [runState, cause, active, expected] of [
    ["COMPLETE", undefined, false, "synced"], ["COMPLETE", undefined, true, "synced"], ["RUNNING", undefined, true, "running"], ["RUNNING", undefined, false, "cancelled"],
    ["RATE_LIMITED", undefined, true, "waiting"], ["PENDING", undefined, true, "queued"], ["PENDING", undefined, false, "pending"], ["INCOMPLETE", "FAILED", false, "failed"],
    ["INCOMPLETE", "CANCELED", false, "cancelled"], ["INCOMPLETE", undefined, false, "failed"],
  ] as const) assert.equal(standingOf({runState, ...(cause && {incompleteRunCause: cause})}, active), expected, `${runState} ${active}`);
  assert.equal(standingOf(undefined, true), "queued");
  assert.equal(standingOf(undefined, false), "pending");
});

test("the newest state of each stream counts", () => {
  const status = (streamName: string, transitionedAt: number, runState: ConfigStreamStatus["runState"]): ConfigStreamStatus =>
    ({id: "", workspaceId: "", connectionId: "", jobId: 1, attemptNumber: 0, jobType: "SYNC", streamName, runState, transitionedAt});
  const latest = latestStatuses([status("a", 2, "COMPLETE"), status("a", 1, "RUNNING"), status("b", 5, "PENDING")]);
  assert.equal(latest.get(keyOf({name: "a", namespace: ""}))?.runState, "COMPLETE");
  assert.equal(latest.size, 2);
});

test("the first failure is the cause; its words are those of the connector", () => {
  assert.equal(firstFailure(undefined), null);
  assert.equal(firstFailure({failures: []}), null);
  assert.equal(firstFailure({failures: "none"}), null);
  assert.deepEqual(firstFailure({failures: [{failureOrigin: "source", failureType: "config_error", externalMessage: "e", internalMessage: "i", streamDescriptor: {name: "s"}}, {externalMessage: "later"}]}),
    {message: "e", detail: "i", origin: "source", type: "config_error", stream: "s", trace: ""});
  assert.deepEqual(firstFailure({failures: [{internalMessage: "i"}]}), {message: "i", detail: "", origin: "", type: "", stream: "", trace: ""});
});

test("lines of a log: structured ones, others as they are, without colours of terminals", () => {
  const line = parseLine(7, JSON.stringify({timestamp: 5, level: "WARN", logSource: "source", message: "\u001b[31mred\u001b[0m", stackTrace: "at x"}));
  assert.deepEqual(line, {offset: 7, time: 5, level: "warn", source: "source", message: "red", stack: "at x"});
  for (const text of ["plain", "[1,2]", "{broken", "\"text\"", "null"]) assert.equal(parseLine(0, text).message, text);
  assert.equal(parseLine(0, "{\"other\":1}").message, "{\"other\":1}");
});

test("hits of a search are marked, in any case", () => {
  for (const [text, term, expected] of [["abcABC", "b", ["a", "b", "cA", "B", "C"]], ["aaa", "aa", ["", "aa", "a"]], ["x", "", ["x"]], ["x", "y", ["x"]], ["a.b", ".", ["a", ".", "b"]]] as const)
    assert.deepEqual(splitByTerm(text, term), expected);
});
