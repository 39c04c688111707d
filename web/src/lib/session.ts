// SPDX-License-Identifier: Apache-2.0
// Who is logged in. Cookies are the server's and out of reach of scripts; here is only what it says about them.
import {cell} from "./cell.ts";
import * as api from "#gen/api.ts";
import {ApiError, call, onSessionEnded, renewSession} from "./api.ts";

export interface User {
  userId: string;
  email: string;
  roles: string[];
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
  return {userId: login.userId ?? "", email: login.username, roles: login.roles};
}

onSessionEnded(() => {
  const now = session.get();
  session.set(now.state === "in" ? {state: "ended", user: now.user} : now.state === "ended" ? now : {state: "out"});
});

/** With the cookies of the last visit, if there are any. */
export async function startSession(): Promise<void> {
  try {
    session.set({state: "in", user: toUser(await renewSession())});
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
  session.set({state: "in", user: toUser(login)});
}

export async function logOut(): Promise<void> {
  await call(api.sessionLogout, undefined);
  session.set({state: "out"});
}
