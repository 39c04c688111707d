// SPDX-License-Identifier: Apache-2.0
// Who is logged in. Cookies are the server's and out of reach of scripts; here is only what it says about them.
import {cell} from "./cell.ts";
import * as api from "#gen/api.ts";
import {ApiError, call, onSessionEnded, renewSession} from "./api.ts";

export interface User {
  userId: string;
  email: string;
}

export type Session =
  | { state: "starting" }
  | { state: "out" }
  | { state: "in"; user: User }
  /** The session has ended under an open page: what is typed stays, the login is asked for on top of it. */
  | { state: "ended"; user: User }
  | { state: "unreachable"; error: ApiError };

export const session = cell<Session>({state: "starting"});

function toUser(login: api.LoginResponse): User {
  return {userId: login.userId ?? "", email: login.username};
}

const KEY = "sluice.user";

/** Who it was, so that a visit need not renew the session to know; what it may see is for its cookies to say. */
function remember(id: string | null): void {
  try {
    if (id === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, id);
  } catch { /* storage is switched off: the session is renewed at each visit, then */ }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** A refresh token is good once, so that a renewal that is cut off by leaving the page costs the session: as few as can be. */
async function whoAmI(): Promise<User> {
  const id = remembered();
  if (id !== null) {
    try {
      const read = await call(api.configUserGet, {userId: id});
      return {userId: read.userId, email: read.email};
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error; // 403: somebody else by now
    }
  }
  return toUser(await renewSession());
}

function enter(user: User): void {
  remember(user.userId);
  session.set({state: "in", user});
}

onSessionEnded(() => {
  const now = session.get();
  session.set(now.state === "in" ? {state: "ended", user: now.user} : now.state === "ended" ? now : {state: "out"});
});

/** With the cookies of the last visit, if there are any. */
export async function startSession(): Promise<void> {
  try {
    enter(await whoAmI());
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError(0, String(error));
    session.set(known.status === 401 || known.status === 403 ? {state: "out"} : {state: "unreachable", error: known});
  }
}

/** The password was right and the browser does not send the cookie back: that deserves a word of its own. */
export class CookieRefused extends Error {}

export async function logIn(email: string, password: string): Promise<void> {
  const login = await call(api.sessionLogin, {username: email, password});
  try {
    await call(api.configWorkspaceList, undefined);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) throw new CookieRefused();
    throw error;
  }
  enter(toUser(login));
}

export async function logOut(): Promise<void> {
  await call(api.sessionLogout, undefined);
  remember(null);
  session.set({state: "out"});
}
