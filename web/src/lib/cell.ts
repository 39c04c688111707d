// SPDX-License-Identifier: Apache-2.0
// A value that components can watch: all the state management there is.
import {useEffect, useReducer} from "preact/hooks";

export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after each change; returns what ends it. */
  subscribe(listener: () => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => { listeners.delete(listener); };
    },
  };
}

/** The value, and a new rendering when it changes. */
export function useCell<T>(source: Cell<T>): T {
  const [, again] = useReducer<number, void>(count => count + 1, 0);
  const shown = source.get();
  useEffect(() => {
    if (!Object.is(source.get(), shown)) again(); // changed between rendering and now
    return source.subscribe(again);
  }, [source]);
  return shown;
}
