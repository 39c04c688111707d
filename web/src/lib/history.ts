// SPDX-License-Identifier: Apache-2.0
// What runs have brought and how they went, as plots show it. Pure.
import type {ConfigHistoryRun, ConfigJobWithAttempts, ConfigLastJobOfStream, JobStatus} from "./api.ts";

export interface Day {
  /** Its beginning, in the reader's time zone, ms. */
  start: number;
  records: number;
  bytes: number;
  runs: number;
}

function startOfDay(ms: number): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** The last `n` days up to today, those without runs too: a gap is what one looks for. */
export function byDay(runs: readonly Pick<ConfigHistoryRun, "jobUpdatedAt" | "recordsCommitted" | "bytesCommitted">[], now: number, n: number): Day[] {
  const today = new Date(startOfDay(now));
  // By the calendar, since days are not all of 24 hours.
  const days = Array.from({length: n}, (_x, i): Day =>
    ({start: new Date(today.getFullYear(), today.getMonth(), today.getDate() - (n - 1 - i)).getTime(), records: 0, bytes: 0, runs: 0}));
  const known = new Map(days.map(day => [day.start, day]));
  for (const run of runs) {
    const day = known.get(startOfDay(run.jobUpdatedAt * 1000));
    if (day === undefined) continue;
    day.records += run.recordsCommitted;
    day.bytes += run.bytesCommitted;
    day.runs++;
  }
  return days;
}

export interface Run {
  id: number;
  status: JobStatus;
  start: number;
  ms: number;
  attempts: number;
}

/** From the oldest to the newest; those that have ended. */
export function toRuns(jobs: readonly ConfigJobWithAttempts[]): Run[] {
  return jobs.filter(({job}) => job.status === "succeeded" || job.status === "failed" || job.status === "cancelled").map(({job, attempts}) => {
    const start = Math.min(...attempts.map(each => each.createdAt)), end = Math.max(...attempts.map(each => each.endedAt ?? each.updatedAt));
    const known = attempts.length > 0;
    const from = known ? start : job.startedAt ?? job.createdAt;
    return {id: job.id, status: job.status, start: from * 1000, ms: Math.max(0, (known ? end : job.updatedAt) - from) * 1000, attempts: attempts.length};
  }).sort((a, b) => a.start - b.start);
}

export interface Outcome {
  runs: number;
  succeeded: number;
  /** The one in the middle of those that succeeded; null: none did. */
  median: number | null;
}

export function outcomeOf(runs: readonly Run[]): Outcome {
  const good = runs.filter(run => run.status === "succeeded").map(run => run.ms).sort((a, b) => a - b);
  return {runs: runs.length, succeeded: good.length, median: good.length === 0 ? null : good[Math.floor(good.length / 2)] ?? null};
}

export interface Fresh {
  stream: string;
  namespace: string;
  /** ms */
  at: number;
}

/** When each stream was last brought, the stalest first; those that failed last are as old as that is not. */
export function freshness(jobs: readonly ConfigLastJobOfStream[]): Fresh[] {
  return jobs.filter(job => job.jobStatus === "succeeded").map(job => ({stream: job.streamName, namespace: job.streamNamespace, at: job.endedAt * 1000}))
    .sort((a, b) => a.at - b.at || a.stream.localeCompare(b.stream));
}

/** A round number that is no less: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(each => each >= value) ?? value;
}

const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const TIMES = [SECOND, 2 * SECOND, 10 * SECOND, 20 * SECOND, MINUTE, 2 * MINUTE, 10 * MINUTE, 20 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, DAY, 2 * DAY];

/** A time whose half can be said, too, and that is no less; ms. */
export function roundUpTime(ms: number): number {
  return TIMES.find(time => time >= ms) ?? Math.ceil(ms / (2 * DAY)) * 2 * DAY;
}
