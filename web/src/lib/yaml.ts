// SPDX-License-Identifier: Apache-2.0
// Connections as a text for files: YAML of our own, without what a person would not write. Pure.
import type {ConfigConnectionRead, Json, JsonObject} from "./api.ts";
import {modeId, readCatalog, type Choice} from "./catalog.ts";

const PLAIN = /^[A-Za-z_][\w ./-]*[\w/]$|^[A-Za-z_]$/;
const WORD = /^(true|false|yes|no|on|off|null|y|n|nan|inf)$/i;

function scalar(value: Json): string {
  return typeof value === "string" && PLAIN.test(value) && !WORD.test(value) ? value : JSON.stringify(value);
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

/** Block style; lists of scalars stand in one line. What is undefined is left out. */
export function toYaml(value: Json, indent = ""): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    if (value.every(item => typeof item !== "object" || item === null)) return `[${value.map(item => JSON.stringify(item)).join(", ")}]`;
    return value.map(item => `\n${indent}- ${toYaml(item, indent + "  ").replace(/^\n\s*/, "")}`).join("");
  }
  if (typeof value !== "object" || value === null) return scalar(value);
  const lines = Object.entries(value).filter(([, each]) => each !== undefined).map(([name, each]) => {
    const text = toYaml(each as Json, indent + "  ");
    return `\n${indent}${scalar(name)}:${text.startsWith("\n") ? text : " " + text}`;
  });
  return lines.length === 0 ? "{}" : lines.join("");
}

function streamOf(choice: Choice): JsonObject {
  const {facts, cursor, primaryKey, fields, config} = choice, mode = modeId(choice.mode).replace(" ", "_");
  const stream: JsonObject = {name: facts.name};
  if (facts.namespace !== "") stream["namespace"] = facts.namespace;
  stream["mode"] = mode;
  if (choice.mode.source === "incremental" && cursor.length > 0 && !facts.ownCursor) stream["cursor"] = cursor.join(".");
  if (primaryKey.length > 0 && !facts.ownKey) stream["primaryKey"] = primaryKey.map(path => path.join("."));
  if (fields !== null) stream["fields"] = [...fields];
  const mappers = config["mappers"];
  if (!isEmpty(mappers)) stream["mappings"] = mappers as Json;
  return stream;
}

function scheduleOf({scheduleType, scheduleData}: ConfigConnectionRead): Json {
  if (scheduleType === "cron" && scheduleData?.cron) return {cron: scheduleData.cron.cronExpression, timezone: scheduleData.cron.cronTimeZone};
  if (scheduleType === "basic" && scheduleData?.basicSchedule) return {every: `${scheduleData.basicSchedule.units} ${scheduleData.basicSchedule.timeUnit}`};
  return "manual";
}

/** One document. `source`, `destination`: their names. */
export function connectionYaml(connection: ConfigConnectionRead, source: string, destination: string): string {
  const {namespaceDefinition, namespaceFormat} = connection;
  const document: JsonObject = {
    apiVersion: "sluice/v1", kind: "Connection", metadata: {name: connection.name, ...(connection.tags && connection.tags.length > 0 && {tags: connection.tags.map(tag => tag.name)})},
    spec: {
      source: {ref: source}, destination: {ref: destination}, enabled: connection.status === "active", schedule: scheduleOf(connection),
      namespace: namespaceDefinition === "customformat" ? {custom: namespaceFormat ?? ""} : namespaceDefinition ?? "destination", prefix: connection.prefix ?? "",
      onSchemaChange: {nonBreaking: connection.nonBreakingChangesPreference ?? "ignore", backfill: connection.backfillPreference === "enabled"},
      streams: readCatalog(connection.syncCatalog, []).filter(choice => choice.taken).map(streamOf),
    },
  };
  return `---${toYaml(document)}\n`;
}
