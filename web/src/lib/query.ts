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
  users: number;
  running: Promise<void> | null;
  again: boolean;
}

const KEEP_MS = 5 * 60_000;
const entries = new Map<string, Entry>();

function makeEntry(key: string, fetcher: () => Promise<unknown>): Entry {
  const answer = cell<Answer<unknown>>({data: undefined, error: null, busy: false});
  const entry: Entry = {answer, users: 0, running: null, again: false, load};

  async function once(): Promise<void> {
    answer.set({...answer.get(), busy: true});
    try {
      answer.set({data: await fetcher(), error: null, busy: false});
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError(0, String(error));
      answer.set({...answer.get(), error: known, busy: false});
    }
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
      if (event.type === "reset" || options.watch?.(event)) void entry.load();
    });
    return () => {
      unwatch();
      release(key, entry);
    };
  }, [key]);
  const answer = useCell(entry?.answer ?? nowhere) as Answer<O>;
  return {...answer, reload: () => entry?.load() ?? Promise.resolve()};
}
