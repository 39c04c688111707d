// SPDX-License-Identifier: Apache-2.0
// Everything of a connection but its ends and streams, as a form holds it. Pure.
import type {ConfigConnectionCreate, ConfigWebConnectionRead} from "./api.ts";
import {_} from "./i18n.ts";

export const UNITS = ["minutes", "hours", "days", "weeks", "months"] as const;
export type Unit = typeof UNITS[number];
export type Namespace = "source" | "destination" | "customformat";
export type Policy = "ignore" | "disable" | "propagate_columns" | "propagate_fully";

export interface Settings {
  name: string;
  schedule: "manual" | "basic" | "cron";
  /** As typed. */
  every: string;
  unit: Unit;
  cron: string;
  zone: string;
  namespace: Namespace;
  format: string;
  prefix: string;
  policy: Policy;
  backfill: boolean;
  notify: boolean;
  notifyByEmail: boolean;
}

export const POLICIES: readonly Policy[] = ["ignore", "disable", "propagate_columns", "propagate_fully"];

function localZone(): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return !zone || zone.startsWith("Etc/") ? "UTC" : zone; // the server takes places, and UTC
}

export function newSettings(source: string, destination: string): Settings {
  return {name: `${source} → ${destination}`, schedule: "basic", every: "24", unit: "hours", cron: "0 0 6 * * ?", zone: localZone(), namespace: "destination",
    format: "${SOURCE_NAMESPACE}", prefix: "", policy: "propagate_columns", backfill: false, notify: false, notifyByEmail: false};
}

export function settingsOf(connection: ConfigWebConnectionRead): Settings {
  const {scheduleType, scheduleData: data} = connection;
  return {...newSettings("", ""), name: connection.name, schedule: scheduleType ?? "manual",
    ...(data?.basicSchedule && {every: String(data.basicSchedule.units), unit: data.basicSchedule.timeUnit}),
    ...(data?.cron && {cron: data.cron.cronExpression, zone: data.cron.cronTimeZone}),
    namespace: connection.namespaceDefinition ?? "destination", format: connection.namespaceFormat ?? "${SOURCE_NAMESPACE}", prefix: connection.prefix ?? "",
    policy: connection.nonBreakingChangesPreference, backfill: connection.backfillPreference === "enabled",
    notify: connection.notifySchemaChanges, notifyByEmail: connection.notifySchemaChangesByEmail};
}

export type SettingsField = "name" | "every" | "cron" | "zone" | "format";

export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", {timeZone: zone});
    return zone !== "";
  } catch {
    return false;
  }
}

/** The server has the last word on cron expressions; what is here it need not be asked for. */
export function problemsOf(settings: Settings): Partial<Record<SettingsField, string>> {
  const found: Partial<Record<SettingsField, string>> = {};
  const units = Number(settings.every);
  if (settings.name.trim() === "") found.name = _("This is needed.");
  if (settings.schedule === "basic" && !(Number.isInteger(units) && units >= 1 && units <= 1_000_000)) found.every = _("This must be a whole number.");
  if (settings.schedule === "cron" && settings.cron.trim() === "") found.cron = _("This is needed.");
  if (settings.schedule === "cron" && !isZone(settings.zone.trim())) found.zone = _("There is no such time zone.");
  if (settings.namespace === "customformat" && settings.format.trim() === "") found.format = _("This is needed.");
  return found;
}

type Sent = Required<Pick<ConfigConnectionCreate, "name" | "scheduleType" | "scheduleData" | "namespaceDefinition" | "namespaceFormat" | "prefix"
  | "nonBreakingChangesPreference" | "backfillPreference" | "notifySchemaChanges" | "notifySchemaChangesByEmail">>;

export function toSend(settings: Settings): Sent {
  const {schedule} = settings;
  return {
    name: settings.name.trim(), scheduleType: schedule,
    scheduleData: schedule === "basic" ? {basicSchedule: {timeUnit: settings.unit, units: Number(settings.every)}}
      : schedule === "cron" ? {cron: {cronExpression: settings.cron.trim(), cronTimeZone: settings.zone.trim()}} : {},
    namespaceDefinition: settings.namespace, namespaceFormat: settings.format, prefix: settings.prefix,
    nonBreakingChangesPreference: settings.policy, backfillPreference: settings.backfill ? "enabled" : "disabled",
    notifySchemaChanges: settings.notify, notifySchemaChangesByEmail: settings.notifyByEmail,
  };
}

export interface Place {
  namespace: string;
  name: string;
}

/** Where a stream comes out. `own`: what a destination that says nothing else calls its default. */
export function placeOf(stream: Place, {namespace, format, prefix}: Pick<Settings, "namespace" | "format" | "prefix">, own: string): Place {
  const name = prefix + stream.name;
  if (namespace === "destination") return {namespace: own, name};
  if (namespace === "source") return {namespace: stream.namespace === "" ? own : stream.namespace, name};
  const made = format.replaceAll("${SOURCE_NAMESPACE}", stream.namespace);
  return {namespace: made === "" ? own : made, name};
}
