// SPDX-License-Identifier: Apache-2.0
// What a connector is asked to do while a person waits, or does something else: started under an id of our own, looked at, stopped.
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type JsonObject} from "./api.ts";
import {watchEvents} from "./events.ts";
import {_} from "./i18n.ts";
import {firstFailure, type Failure} from "./streams.ts";

const LOOK_MS = 3000; // events are hints: the slow look is the truth

/** Until the command has ended, whichever comes first of an event and the next look. */
function nextLook(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      unwatch();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    const unwatch = watchEvents(event => { if (event.type === "command.done") done(); });
    signal.addEventListener("abort", done);
  });
}

function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "page-" + [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
}

export interface Ended {
  id: string;
  /** Whose log tells more; null: the server does not say. */
  jobId: number | null;
}

/** Aborting stops it on the server too, and throws. */
async function run(start: (id: string) => Promise<unknown>, signal: AbortSignal): Promise<Ended> {
  const id = newId();
  await start(id);
  for (;;) {
    if (signal.aborted) {
      await call(api.configCommandCancel, {id});
      throw new ApiError(0, _("It was stopped."));
    }
    const found = await call(api.configCommandStatus, {id});
    if (found.status === "cancelled") throw new ApiError(0, _("It was stopped."));
    if (found.status === "completed") return {id, jobId: found.jobId ?? null};
    await nextLook(signal);
  }
}

/** The connector was asked and said no. */
export class Refused extends Error {
  constructor(readonly failure: Failure, readonly jobId: number | null) {
    super(failure.message);
  }
}

function refused(reason: JsonObject | undefined, message: string | undefined, jobId: number | null, fallback: string): Refused {
  const found = reason === undefined ? null : firstFailure({failures: [reason]});
  const words = message !== undefined && message !== "" ? message : found?.message || fallback;
  return new Refused({...found ?? {detail: "", origin: "", type: "", stream: "", trace: ""}, message: words}, jobId);
}

export interface Draft {
  workspaceId: string;
  definitionId: string;
  /** Whose secrets the masks stand for. */
  actorId?: string | undefined;
  configuration: JsonObject;
}

async function endCheck(ended: Ended): Promise<void> {
  const output = await call(api.configCommandOutputCheck, {id: ended.id});
  if (output.status !== "succeeded")
    throw refused(output.failureReason, output.message, ended.jobId, _("The connector refused the settings without saying why."));
}

/** Tries settings that are not saved yet. */
export async function checkDraft({workspaceId, definitionId, actorId, configuration}: Draft, signal: AbortSignal): Promise<void> {
  await endCheck(await run(id => call(api.configCommandRunCheck, {id, workspace_id: workspaceId, config: configuration,
    ...(actorId === undefined ? {actor_definition_id: definitionId} : {actor_id: actorId})}), signal));
}

export async function checkActor(actorId: string, signal: AbortSignal): Promise<void> {
  await endCheck(await run(id => call(api.configCommandRunCheck, {id, actor_id: actorId}), signal));
}

export interface Discovered {
  catalog: JsonObject;
  catalogId: string | undefined;
}

export async function discover(sourceId: string, signal: AbortSignal): Promise<Discovered> {
  const ended = await run(id => call(api.configCommandRunDiscover, {id, actor_id: sourceId}), signal);
  const output = await call(api.configCommandOutputDiscover, {id: ended.id});
  if (output.status !== "succeeded" || output.catalog === undefined)
    throw refused(output.failureReason, undefined, ended.jobId, _("The connector could not tell which streams there are."));
  return {catalog: output.catalog, catalogId: output.catalogId};
}

export interface Command<T> {
  step: "idle" | "running" | "done" | "failed" | "stopped";
  since: number;
  output: T | undefined;
  error: Error | null;
}

const idle = {step: "idle", since: 0, output: undefined, error: null} as const;

/** Runs while `what` is not null and as long as one stays; another key begins anew. */
export function useCommand<T>(key: string | null, what: (signal: AbortSignal) => Promise<T>): Command<T> & { stop: () => void; again: () => void } {
  const [command, set] = useState<Command<T>>(idle);
  const [round, next] = useState(0);
  const [controller, hold] = useState<AbortController | null>(null);
  useEffect(() => {
    if (key === null) {
      set(idle);
      return undefined;
    }
    const mine = new AbortController();
    let current = true;
    hold(mine);
    const since = Date.now();
    set(now => ({step: "running", since, output: now.output, error: null}));
    what(mine.signal).then(output => { if (current) set({step: "done", since, output, error: null}); }, (error: Error) => {
      if (current) set({step: mine.signal.aborted ? "stopped" : "failed", since, output: undefined, error});
    });
    return () => {
      current = false;
      mine.abort();
    };
  }, [key, round]);
  return {...command, stop: () => controller?.abort(), again: () => next(round + 1)};
}
