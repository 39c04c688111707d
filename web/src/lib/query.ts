// SPDX-License-Identifier: Apache-2.0
// What was asked for is kept and shown at once when it is asked for again, while the server is asked anew.
import {useEffect} from "preact/hooks";
import {cell, useCell, type Cell} from "./cell.ts";
import {ApiError, call, type Op} from "./api.ts";
import {watchEvents, type PageEvent} from "./events.ts";

export interface Answer<T> {
  data: T | undefined;
  /** Of the last try; data may still be what was known before. */
  error: ApiError | null;
  busy: boolean;
}

interface Entry {
  answer: Cell<Answer<unknown>>;
  load: () => Promise<void>;
  /** The same after an event: of many in a row not each is a question. */
  loadSoon: () => void;
  users: number;
  running: Promise<void> | null;
  again: boolean;
}

const KEEP_MS = 5 * 60_000;
/** After an answer that took n ms no event brings another question for so many times n, and within these bounds. */
const REST_TIMES = 10, REST_LEAST_MS = 200, REST_MOST_MS = 5000;
const entries = new Map<string, Entry>();

function makeEntry(key: string, fetcher: () => Promise<unknown>): Entry {
  const answer = cell<Answer<unknown>>({data: undefined, error: null, busy: false});
  const entry: Entry = {answer, users: 0, running: null, again: false, load, loadSoon};
  let rested = 0, timer: ReturnType<typeof setTimeout> | null = null;

  async function once(): Promise<void> {
    const begun = Date.now();
    answer.set({...answer.get(), busy: true});
    try {
      answer.set({data: await fetcher(), error: null, busy: false});
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(0, String(error));
      answer.set({...answer.get(), error: known, busy: false});
    }
    const ended = Date.now();
    rested = ended + Math.min(Math.max((ended - begun) * REST_TIMES, REST_LEAST_MS), REST_MOST_MS);
  }

  function loadSoon(): void {
    timer ??= setTimeout(() => {
      timer = null;
      if (entry.running) void entry.running.then(loadSoon);
      else void load();
    }, Math.max(rested - Date.now(), 0));
  }

  // Asked for while an answer is on its way: that one may be too old, so it is asked for once more behind it.
  async function load(): Promise<void> {
    if (entry.running) {
      entry.again = true;
      return entry.running;
    }
    entry.running = (async () => {
      do {
        entry.again = false;
        await once();
      } while (entry.again);
      entry.running = null;
    })();
    return entry.running;
  }

  entries.set(key, entry);
  return entry;
}

function release(key: string, entry: Entry): void {
  entry.users--;
  setTimeout(() => { if (entry.users === 0 && entries.get(key) === entry) entries.delete(key); }, KEEP_MS);
}

/** After another person has logged in nothing of the last one may be shown. */
export function forgetAnswers(): void {
  entries.clear();
}

const nowhere = cell<Answer<unknown>>({data: undefined, error: null, busy: false});

export interface QueryOptions {
  /** Events after which the answer is another one. */
  watch?: (event: PageEvent) => boolean;
}

export interface Query<T> extends Answer<T> {
  reload: () => Promise<void>;
}

/** `input` null: not yet. */
export function useQuery<I, O>(op: Op<I, O>, input: I | null, options: QueryOptions = {}): Query<O> {
  const key = input === null ? null : op.path + "\n" + JSON.stringify(input ?? null);
  const entry = key === null ? null : entries.get(key) ?? makeEntry(key, () => call(op, input as I));
  useEffect(() => {
    if (key === null || entry === null) return undefined;
    entry.users++;
    entries.set(key, entry);
    void entry.load();
    const unwatch = watchEvents(event => {
      if (event.type === "reset") void entry.load();
      else if (options.watch?.(event)) entry.loadSoon();
    });
    return () => {
      unwatch();
      release(key, entry);
    };
  }, [key]);
  const answer = useCell(entry?.answer ?? nowhere) as Answer<O>;
  return {...answer, reload: () => entry?.load() ?? Promise.resolve()};
}
