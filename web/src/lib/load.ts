// SPDX-License-Identifier: Apache-2.0
// For what takes several questions to know.
import {useEffect, useState} from "preact/hooks";
import {ApiError} from "./api.ts";

export function useLoad<T>(load: () => Promise<T> | null, keys: readonly unknown[]): { data: T | undefined; error: ApiError | null } {
  const [answer, set] = useState<{ data: T | undefined; error: ApiError | null }>({data: undefined, error: null});
  useEffect(() => {
    let current = true;
    set({data: undefined, error: null});
    load()?.then(data => { if (current) set({data, error: null}); },
      error => { if (current) set({data: undefined, error: error instanceof ApiError ? error : new ApiError(0, String(error))}); });
    return () => { current = false; };
  }, keys);
  return answer;
}

/** Which of the two a page of both is for. */
export function sideOf(path: string): "source" | "destination" {
  return path.startsWith("/destinations") ? "destination" : "source";
}
