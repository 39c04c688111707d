// SPDX-License-Identifier: Apache-2.0
// What has happened to a connection, the newest first.
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigEvent, type ConfigWebConnectionRead, type Json} from "../lib/api.ts";
import {watchEvents} from "../lib/events.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {isObject, textOf} from "../lib/streams.ts";
import {bytes, count} from "../lib/time.ts";
import {Ago, Button, Empty, Notice} from "../ui/controls.tsx";
import {Icon, type IconName} from "../ui/icons.tsx";
import {Waiting} from "../ui/page.tsx";

const PAGE = 50;

const RESULTS: Record<string, { tone: string; icon: IconName }> = {
  STARTED: {tone: "run", icon: "run"}, SUCCEEDED: {tone: "ok", icon: "ok"}, INCOMPLETE: {tone: "warn", icon: "warn"}, FAILED: {tone: "bad", icon: "bad"}, CANCELLED: {tone: "off", icon: "close"},
};

const TEXTS: Record<string, () => string> = {
  SYNC_STARTED: () => _("Sync started"), SYNC_SUCCEEDED: () => _("Sync succeeded"), SYNC_INCOMPLETE: () => _("Sync incomplete"), SYNC_FAILED: () => _("Sync failed"), SYNC_CANCELLED: () => _("Sync cancelled"),
  REFRESH_STARTED: () => _("Refresh started"), REFRESH_SUCCEEDED: () => _("Refresh succeeded"), REFRESH_INCOMPLETE: () => _("Refresh incomplete"), REFRESH_FAILED: () => _("Refresh failed"),
  REFRESH_CANCELLED: () => _("Refresh cancelled"),
  CLEAR_STARTED: () => _("Clear started"), CLEAR_SUCCEEDED: () => _("Clear succeeded"), CLEAR_INCOMPLETE: () => _("Clear incomplete"), CLEAR_FAILED: () => _("Clear failed"), CLEAR_CANCELLED: () => _("Clear cancelled"),
  CONNECTION_SETTINGS_UPDATE: () => _("Settings changed"), CONNECTION_ENABLED: () => _("Enabled"), CONNECTION_DISABLED: () => _("Disabled"), SCHEMA_UPDATE: () => _("The source's schema changed"),
  SCHEMA_CONFIG_UPDATE: () => _("Streams changed"), CONNECTOR_UPDATE: () => _("Connector updated"),
};

/** What clients know no type of: then the summary says the kind. */
const KINDS: Record<string, () => string> = {POST_SYNC: () => _("After the run")};

/** Settings as the form calls them. */
const SETTINGS: Record<string, () => string> = {
  name: () => _("Name"), prefix: () => _("Prefix of streams"), scheduleType: () => _("When it runs"), scheduleData: () => _("When it runs"), namespaceDefinition: () => _("Where streams come out"),
  namespaceFormat: () => _("Namespace"), nonBreakingChangesPreference: () => _("When the source's schema changes"),
  backfillPreference: () => _("Read streams again from the beginning when they get new fields"), notifySchemaChanges: () => _("Tell the workspace's webhook of changes"),
  notifySchemaChangesByEmail: () => _("Tell of changes by e-mail"),
};

/** What one filters by: the types of each. */
const GROUPS: Record<string, { text: () => string; types: string[] }> = {
  runs: {text: () => _("Runs"), types: Object.keys(TEXTS).filter(type => /^(SYNC|REFRESH|CLEAR)_/.test(type))},
  failures: {text: () => _("Failures"), types: Object.keys(TEXTS).filter(type => /_(FAILED|INCOMPLETE)$/.test(type))},
  changes: {text: () => _("Changes"), types: Object.keys(TEXTS).filter(type => !/^(SYNC|REFRESH|CLEAR)_/.test(type))},
};

const shownValue = (value: Json | undefined): string => value === undefined || value === null || value === "" ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value);

function Summary({event}: { event: ConfigEvent }): JSX.Element | null {
  const {summary} = event, patches = summary["patches"], moved = summary["recordsLoaded"];
  if (isObject(patches))
    return <ul class="small muted">{Object.entries(patches).map(([name, change]) => <li key={name} class="clip">{SETTINGS[name]?.() ?? name}: {isObject(change) ? `${shownValue(change["from"])} → ${shownValue(change["to"])}` : shownValue(change)}</li>)}</ul>;
  if (typeof moved === "number")
    return <p class="small muted">{fmt(ngettext("$0 record, $1", "$0 records, $1", moved), count(moved), bytes(Number(summary["bytesLoaded"] ?? 0)))}</p>;
  if (summary["kind"] === "POST_SYNC")
    return <p class="small muted">{[textOf(summary["action"]), textOf(summary["result"]), textOf(summary["message"])].filter(part => part !== "").join(": ")}</p>;
  const reason = isObject(summary["failureReason"]) ? textOf(summary["failureReason"]["externalMessage"]) : "";
  return reason !== "" ? <p class="small muted">{reason}</p> : null;
}

function Event({event}: { event: ConfigEvent }): JSX.Element {
  const result = RESULTS[event.eventType.replace(/^.*_/, "")], {jobId} = event.summary;
  const isRun = /^(SYNC|REFRESH|CLEAR)_/.test(event.eventType);
  const text = TEXTS[event.eventType]?.() ?? KINDS[textOf(event.summary["kind"])]?.() ?? event.eventType;
  return <li class="happening"><span class={`dot ${isRun ? result?.tone ?? "off" : "off"}`}><Icon name={isRun ? result?.icon ?? "info" : "settings"} size={14}/></span>
    <div class="grow stack-tiny"><p>{typeof jobId === "number" ? <a href={`/jobs/${jobId}`}>{text}</a> : text}</p><Summary event={event}/></div>
    <p class="small muted end"><Ago at={event.createdAt}/>{event.user && <><br/>{event.user.name || event.user.email}</>}</p></li>;
}

interface Pages {
  events: ConfigEvent[];
  more: boolean;
}

export function TimelineTab({connection: {connectionId}}: { connection: ConfigWebConnectionRead }): JSX.Element {
  const {query} = useLocation();
  const group = query.get("show") ?? "";
  const [pages, set] = useState<Pages | null>(null);
  const [error, setError] = useState<string | null>(null);

  async function load(from: ConfigEvent[]): Promise<void> {
    try {
      const found = await call(api.configEventList, {connectionId, eventTypes: GROUPS[group]?.types ?? [], pagination: {pageSize: PAGE, rowOffset: from.length}});
      set({events: [...from, ...found.events], more: found.events.length === PAGE});
      setError(null);
    } catch (failed) {
      setError(String((failed as Error).message));
    }
  }

  useEffect(() => {
    set(null);
    void load([]);
    return watchEvents(event => { if (event.type === "connection.status" && event.data["connectionId"] === connectionId) void load([]); });
  }, [connectionId, group]);

  return <div class="stack">
    <div class="chips" role="group" aria-label={_("Show")}>{["", ...Object.keys(GROUPS)].map(name =>
      <button key={name} type="button" class="chip" aria-pressed={group === name} onClick={() => setQuery({show: name})}>{GROUPS[name]?.text() ?? _("All")}</button>)}</div>
    {error !== null && <Notice tone="bad">{error}</Notice>}
    {pages === null ? error === null && <Waiting/> : pages.events.length === 0 ? <div class="card"><Empty icon="queued" title={_("Nothing has happened yet")}/></div>
      : <ul class="card timeline">{pages.events.map(event => <Event key={event.id} event={event}/>)}</ul>}
    {pages?.more && <div><Button onClick={() => void load(pages.events)}>{_("Older ones")}</Button></div>}
  </div>;
}
