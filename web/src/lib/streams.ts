// SPDX-License-Identifier: Apache-2.0
// What a connection moves and how each stream stands. Pure.
import type {ConfigStreamStatus, Json, JsonObject} from "./api.ts";

export interface StreamName {
  name: string;
  namespace: string;
}

export interface SelectedStream extends StreamName {
  syncMode: string;
  destinationSyncMode: string;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

export const keyOf = (stream: StreamName): string => stream.namespace + "\u001f" + stream.name;

export function selectedStreams(catalog: JsonObject | undefined): SelectedStream[] {
  const rows = Array.isArray(catalog?.["streams"]) ? catalog["streams"] : [];
  return rows.flatMap(row => {
    if (!isObject(row) || !isObject(row["stream"])) return [];
    const {stream, config} = row as { stream: JsonObject; config?: Json };
    if (isObject(config) && config["selected"] === false) return [];
    const chosen = isObject(config) ? config : {};
    return [{name: textOf(stream["name"]), namespace: textOf(stream["namespace"]), syncMode: textOf(chosen["syncMode"]),
      destinationSyncMode: textOf(chosen["destinationSyncMode"])}];
  });
}

export type StreamStanding = "synced" | "running" | "queued" | "failed" | "cancelled" | "waiting" | "pending";

/** `active`: a job of the connection is at work, so that a state left open is not one that was cut off. */
export function standingOf(status: Pick<ConfigStreamStatus, "runState" | "incompleteRunCause"> | undefined, active: boolean): StreamStanding {
  switch (status?.runState) {
    case undefined: return active ? "queued" : "pending";
    case "COMPLETE": return "synced";
    case "RUNNING": return active ? "running" : "cancelled";
    case "RATE_LIMITED": return active ? "waiting" : "cancelled";
    case "PENDING": return active ? "queued" : "pending";
    case "INCOMPLETE": return status.incompleteRunCause === "CANCELED" ? "cancelled" : "failed";
  }
}

/** The newest state of each stream, by keyOf(). */
export function latestStatuses(statuses: readonly ConfigStreamStatus[]): Map<string, ConfigStreamStatus> {
  const latest = new Map<string, ConfigStreamStatus>();
  for (const status of statuses) {
    const key = keyOf({name: status.streamName, namespace: status.streamNamespace ?? ""});
    const known = latest.get(key);
    if (known === undefined || known.transitionedAt <= status.transitionedAt) latest.set(key, status);
  }
  return latest;
}

export interface Failure {
  message: string;
  detail: string;
  origin: string;
  type: string;
  stream: string;
  trace: string;
}

/** What brought an attempt down: of its failureSummary the first, which is the cause. */
export function firstFailure(summary: JsonObject | undefined): Failure | null {
  const list = Array.isArray(summary?.["failures"]) ? summary["failures"] : [];
  const found = list.find(isObject);
  if (found === undefined) return null;
  const stream = isObject(found["streamDescriptor"]) ? textOf(found["streamDescriptor"]["name"]) : "";
  const detail = textOf(found["internalMessage"]), message = textOf(found["externalMessage"]) || detail;
  return {message, detail: detail === message ? "" : detail, origin: textOf(found["failureOrigin"]), type: textOf(found["failureType"]),
    stream, trace: textOf(found["stacktrace"])};
}
