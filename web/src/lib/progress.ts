// SPDX-License-Identifier: Apache-2.0
// How far a run and each of its streams is: what was asked for, with what is told since. Pure.
import type {ConfigAttemptRead, ConfigStreamStatus} from "./api.ts";
import {keyOf, latestStatuses, standingOf, type StreamName, type StreamStanding} from "./streams.ts";

export interface Counters {
  records: number;
  bytes: number;
  committed: number;
  estimated: number;
}

export interface StreamRow extends StreamName, Counters {
  standing: StreamStanding;
}

const number = (value: unknown): number => typeof value === "number" && Number.isFinite(value) ? value : 0;

/** Of an event job.progress or stream.status. */
export function countersOf(data: Record<string, unknown>): Counters {
  return {records: number(data["recordsEmitted"]), bytes: number(data["bytesEmitted"]), committed: number(data["recordsCommitted"]), estimated: number(data["estimatedRecords"])};
}

export interface Live {
  attempt: number;
  streams: Map<string, StreamName & Counters>;
}

/** Takes in one event; those of another attempt begin anew, those of an older one are late and say nothing. */
export function takeIn(live: Live, data: Record<string, unknown>): Live {
  const attempt = number(data["attemptNumber"]);
  if (attempt < live.attempt) return live;
  const streams = attempt > live.attempt ? new Map<string, StreamName & Counters>() : live.streams;
  const name = {name: String(data["streamName"] ?? ""), namespace: String(data["streamNamespace"] ?? "")};
  streams.set(keyOf(name), {...name, ...countersOf(data)});
  return {attempt, streams};
}

const ORDER: Record<StreamStanding, number> = {failed: 0, running: 1, waiting: 2, cancelled: 3, queued: 4, pending: 5, synced: 6};

/** All streams that something is known of, those that need a look first. */
export function streamRows(attempt: ConfigAttemptRead, jobId: number, live: Live, statuses: readonly ConfigStreamStatus[], atWork: boolean): StreamRow[] {
  const own = latestStatuses(statuses.filter(status => status.jobId === jobId && status.attemptNumber === attempt.id));
  const known = new Map<string, StreamName & Counters>();
  for (const {streamName, streamNamespace, stats} of attempt.streamStats ?? []) {
    const name = {name: streamName, namespace: streamNamespace ?? ""};
    known.set(keyOf(name), {...name, records: stats.recordsEmitted ?? 0, bytes: stats.bytesEmitted ?? 0, committed: stats.recordsCommitted ?? 0, estimated: stats.estimatedRecords ?? 0});
  }
  for (const {streamName, streamNamespace} of own.values()) {
    const name = {name: streamName, namespace: streamNamespace ?? ""};
    if (!known.has(keyOf(name))) known.set(keyOf(name), {...name, records: 0, bytes: 0, committed: 0, estimated: 0});
  }
  if (live.attempt === attempt.id) for (const [key, row] of live.streams) known.set(key, row);
  return [...known].map(([key, row]) => {
    const status = own.get(key);
    // Records have come, and nobody has said that it began: it has.
    const standing = status === undefined && row.records > 0 ? atWork ? "running" : "pending" : standingOf(status, atWork);
    return {...row, standing};
  }).sort((a, b) => ORDER[a.standing] - ORDER[b.standing] || keyOf(a).localeCompare(keyOf(b)));
}

/** Part of what the source expects, 0 to 1; null: it did not say. */
export function share({records, estimated}: Pick<Counters, "records" | "estimated">): number | null {
  return estimated > 0 ? Math.min(1, records / estimated) : null;
}

export interface Moment {
  at: number;
  records: number;
}

const WINDOW_MS = 15_000;

/** Keeps what the rate of the last seconds is made from. */
export function remember(moments: readonly Moment[], next: Moment): Moment[] {
  const kept = moments.filter(moment => next.at - moment.at <= WINDOW_MS && moment.records <= next.records);
  return [...kept, next];
}

/** Records a second; null: too early to tell. */
export function rateOf(moments: readonly Moment[]): number | null {
  const first = moments[0], last = moments.at(-1);
  return first === undefined || last === undefined || last.at - first.at < 1000 ? null : (last.records - first.records) / ((last.at - first.at) / 1000);
}

/** Seconds until the rest is read at this rate; null: nobody knows. */
export function remaining({records, estimated}: Pick<Counters, "records" | "estimated">, rate: number | null): number | null {
  return estimated > records && rate !== null && rate > 0 ? (estimated - records) / rate : null;
}
