// SPDX-License-Identifier: Apache-2.0

/** Back to where one wanted to go; never to another host. */
export function afterLogin(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/connections";
}
