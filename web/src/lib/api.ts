// SPDX-License-Identifier: Apache-2.0
// The only way to the server: operations of the generated table, with types for both directions.
import * as api from "#gen/api.ts";
import type {JsonObject, Op} from "#gen/api.ts";
import {_} from "./i18n.ts";

export type * from "#gen/api.ts";

/** What went wrong, in words for a person. `status` 0: the server was not reached. */
export class ApiError extends Error {
  constructor(readonly status: number, message: string, readonly retryAfter: number | null = null) {
    super(message);
    this.name = "ApiError";
  }
}

export interface CallOptions {
  signal?: AbortSignal;
}

type Hook = (error: ApiError) => void;
const hooks: { ended: Hook } = {ended: () => undefined};

/** Called when a session that was there is no more. */
export function onSessionEnded(hook: Hook): void {
  hooks.ended = hook;
}

/** Fills {names} of the path from the input; the rest is the query of a GET or DELETE, or the body. */
export function makeRequest(op: { readonly method: string; readonly path: string }, input: object | undefined):
    { url: string; method: string; body: string | null } {
  const rest: Record<string, unknown> = {...input};
  let url = op.path.replace(/{(\w+)}/g, (_all, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  if (op.method !== "GET" && op.method !== "DELETE") return {url, method: op.method, body: JSON.stringify(rest)};
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest))
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== undefined && item !== null) query.append(name, String(item));
  const text = query.toString();
  if (text !== "") url += "?" + text;
  return {url, method: op.method, body: null};
}

/** Both dialects: {message} of the config API, {detail, title} of a problem. */
function messageOf(body: JsonObject, status: number): string {
  for (const name of ["message", "detail", "title"]) {
    const value = body[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return `HTTP ${status}`;
}

async function failure(answer: Response): Promise<ApiError> {
  const body = await answer.json().catch(() => ({})) as JsonObject;
  const wait = Number(answer.headers.get("Retry-After"));
  return new ApiError(answer.status, messageOf(body, answer.status), wait > 0 ? wait : null);
}

async function send(op: Op<never, unknown>, input: object | undefined, options: CallOptions): Promise<Response> {
  const {url, method, body} = makeRequest(op, input);
  // A renewal goes on when its page is left, so that the new cookie arrives.
  const init: RequestInit = {method, keepalive: op.path === api.sessionRefresh.path, credentials: "same-origin", headers: {Accept: "application/json"}};
  if (options.signal) init.signal = options.signal;
  if (body !== null) {
    init.body = body;
    init.headers = {Accept: "application/json", "Content-Type": "application/json"};
  }
  try {
    return await fetch(url, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, _("The server does not answer."));
  }
}

let renewal: Promise<api.LoginResponse> | null = null;

/** A new access token for the refresh cookie. Whoever asks meanwhile gets the same answer: a refresh token is good once. */
export function renewSession(): Promise<api.LoginResponse> {
  renewal ??= raw(api.sessionRefresh, undefined, {}).finally(() => { renewal = null; });
  return renewal;
}

async function raw<I, O>(op: Op<I, O>, input: I, options: CallOptions): Promise<O> {
  const answer = await send(op as Op<never, unknown>, input as object | undefined, options);
  if (!answer.ok) throw await failure(answer);
  if (op.text) return await answer.text() as O;
  const text = await answer.text();
  return (text === "" ? undefined : JSON.parse(text)) as O;
}

/** Does it, renewing the session once when its access token is over. */
export async function call<I, O>(op: Op<I, O>, input: I, options: CallOptions = {}): Promise<O> {
  try {
    return await raw(op, input, options);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || op.path === api.sessionLogin.path) throw error;
  }
  try {
    await renewSession();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) hooks.ended(error);
    throw error;
  }
  return raw(op, input, options);
}
