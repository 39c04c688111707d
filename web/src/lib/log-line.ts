// SPDX-License-Identifier: Apache-2.0
// A line of a job's log as it is kept, and as it is read. Pure.
export interface LogEntry {
  offset: number;
  time: number | null;
  level: string;
  source: string;
  message: string;
  stack: string;
}

// Colours of terminals; written as escapes, so that this file stays text.
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;

/** What is no JSON is a message of its own: a log shows everything that is in it. */
export function parseLine(offset: number, text: string): LogEntry {
  let found: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) found = value as Record<string, unknown>;
  } catch { /* as it is, then */ }
  const word = (name: string) => typeof found[name] === "string" ? found[name].replace(ANSI, "") : "";
  const time = found["timestamp"];
  return {offset, time: typeof time === "number" ? time : null, level: word("level").toLowerCase(), source: word("logSource"),
    message: "message" in found ? word("message") : text.replace(ANSI, ""), stack: word("stackTrace")};
}

/** Parts of a text that hold `term` and those that do not, in turn: [no, yes, no, …]. */
export function splitByTerm(text: string, term: string): string[] {
  if (term === "") return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase(), wanted = term.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + term.length));
    from = at + term.length;
  }
  return [...parts, text.slice(from)];
}
