// SPDX-License-Identifier: Apache-2.0
// All connections of the workspace, with how they stand.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type ConfigOverviewItem} from "../lib/api.ts";
import {filterConnections, GROUPS, groupOf, isSortKey, sortConnections, standingOf, type Group, type SortKey} from "../lib/connection-list.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {scheduleText} from "../lib/schedule.ts";
import {useWorkspace, useWorkspaces} from "../lib/workspace.ts";
import {ActorPicker} from "../ui/actor-picker.tsx";
import {BulkConnections} from "../ui/bulk-connections.tsx";
import {Ago, Empty, Heading, Notice, Switch} from "../ui/controls.tsx";
import {Icon} from "../ui/icons.tsx";
import {Waiting} from "../ui/page.tsx";
import {StatusPill} from "../ui/status.tsx";
import {say} from "../ui/toasts.tsx";
import {useWindow} from "../ui/window.ts";

const ALL_ROWS = 10_000;

const GROUP_TEXTS: Record<Group, () => string> = {
  failed: () => _("Failed"),
  running: () => _("Running"),
  healthy: () => _("Healthy"),
  pending: () => _("Not synced yet"),
  paused: () => _("Disabled"),
};

function Row({item, index, onSwitch}: { item: ConfigOverviewItem; index: number; onSwitch: (item: ConfigOverviewItem, on: boolean) => void }): JSX.Element {
  const on = item.status === "active";
  return <tr aria-rowindex={index + 2}>
    <th scope="row"><span class="two">
      <a class="name clip" href={`/connections/${item.connectionId}`} title={item.name}>{item.name}</a>
      <span class="small muted clip">{item.source.name} <span aria-hidden="true">→</span><span class="said">{_("to")}</span> {item.destination.name}</span>
    </span></th>
    <td class="status"><StatusPill standing={standingOf(item)} href={item.latestSyncJobId === undefined ? undefined : `/jobs/${item.latestSyncJobId}`}/></td>
    <td class="medium"><span class="clip">{item.latestSyncJobCreatedAt !== undefined ? <Ago at={item.latestSyncJobCreatedAt}/> : <span class="muted">{_("never")}</span>}</span></td>
    <td class="wide"><div class="clip" title={scheduleText(item.scheduleType, item.scheduleData)}>{scheduleText(item.scheduleType, item.scheduleData)}</div></td>
    <td class="on"><Switch on={on} label={fmt(_("$0 is enabled"), item.name)} onChange={next => onSwitch(item, next)}/></td>
  </tr>;
}

function SortHead({name, text, sort, className}: { name: SortKey; text: string; sort: { key: SortKey; down: boolean }; className?: string }): JSX.Element {
  const active = sort.key === name;
  return <th scope="col" class={className} aria-sort={active ? (sort.down ? "descending" : "ascending") : "none"}>
    <button type="button" class="sort" onClick={() => setQuery({sort: active && !sort.down ? `-${name}` : name})}>
      {text}{active && <Icon name={sort.down ? "down" : "up"} size={14}/>}</button>
  </th>;
}

function Rows({items, sort, onSwitch}: { items: ConfigOverviewItem[]; sort: { key: SortKey; down: boolean };
    onSwitch: (item: ConfigOverviewItem, on: boolean) => void }): JSX.Element {
  const {body, range, height} = useWindow(items.length);
  return <div class="card"><table class="list connections" aria-rowcount={items.length + 1}>
    <caption class="said">{_("Connections")}</caption>
    <colgroup><col/><col class="status"/><col class="last medium"/><col class="schedule wide"/><col class="on"/></colgroup>
    <thead><tr aria-rowindex={1}>
      <SortHead name="name" text={_("Name")} sort={sort}/>
      <SortHead name="status" text={_("Status")} sort={sort}/>
      <SortHead name="last" text={_("Last run")} sort={sort} className="medium"/>
      <th scope="col" class="wide">{_("Schedule")}</th>
      <th scope="col">{_("Enabled")}</th>
    </tr></thead>
    <tbody ref={body}>
      {range.first > 0 && <tr class="spacer" aria-hidden="true" style={{blockSize: `${range.first * height}px`}}><td colSpan={5}/></tr>}
      {items.slice(range.first, range.end).map((item, index) => <Row key={item.connectionId} item={item} index={range.first + index} onSwitch={onSwitch}/>)}
      {range.end < items.length && <tr class="spacer" aria-hidden="true" style={{blockSize: `${(items.length - range.end) * height}px`}}><td colSpan={5}/></tr>}
    </tbody>
  </table></div>;
}

function useConnections() {
  const workspace = useWorkspace();
  return useQuery(api.configOverviewList, workspace && {workspaceId: workspace.workspaceId, pageSize: ALL_ROWS},
    {watch: event => event.type === "connection.status"});
}

export default function ConnectionsPage(): JSX.Element {
  const {query} = useLocation();
  const spaces = useWorkspaces();
  const workspace = useWorkspace();
  const list = useConnections();
  const [switched, setSwitched] = useState<Record<string, boolean>>({});
  const term = query.get("q") ?? "";
  const group = GROUPS.find(name => name === query.get("status")) ?? null;
  const asked = (query.get("sort") ?? "name").replace(/^-/, "");
  const sort = {key: isSortKey(asked) ? asked : "name" as const, down: query.get("sort")?.startsWith("-") ?? false};

  async function onSwitch(item: ConfigOverviewItem, on: boolean): Promise<void> {
    setSwitched(now => ({...now, [item.connectionId]: on}));
    try {
      await call(api.configConnectionUpdate, {connectionId: item.connectionId, status: on ? "active" : "inactive"});
      await list.reload();
    } catch (error) {
      say("bad", fmt(_("“$0” stays as it was: $1"), item.name, error instanceof ApiError ? error.message : String(error)));
    }
    setSwitched(({[item.connectionId]: _gone, ...rest}) => rest);
  }

  const known = list.data?.connections.map(item => {
    const on = switched[item.connectionId];
    return on === undefined ? item : {...item, status: on ? "active" as const : "inactive" as const};
  });
  const searched = known && filterConnections(known, term, null);
  const shown = searched && sortConnections(filterConnections(searched, "", group), sort.key, sort.down);
  return <>
    <div class="page-head"><Heading title={_("Connections")}>{_("Connections")}</Heading>
      {workspace && known && shown && shown.length > 0 && <div class="row"><BulkConnections shown={shown} all={known} workspaceId={workspace.workspaceId} onDone={list.reload}/></div>}
      {known && known.length > 0 && <a class="button primary" href="/connections/new"><Icon name="plus"/>{_("New connection")}</a>}</div>
    {(list.error ?? spaces.error) && <Notice tone="bad">{(list.error ?? spaces.error)?.message}</Notice>}
    {known && known.length > 0 && searched && <div class="toolbar">
      <div class="input-icon"><Icon name="search"/><input class="input" type="search" aria-label={_("Search connections")} placeholder={_("Search by name")}
        value={term} onInput={event => setQuery({q: event.currentTarget.value})}/></div>
      <div class="chips" role="group" aria-label={_("Show")}>
        {([null, ...GROUPS] as const).map(name => <button key={name ?? "all"} type="button" class="chip" aria-pressed={group === name}
          onClick={() => setQuery({status: name})}>{name === null ? _("All") : GROUP_TEXTS[name]()}{" "}
          <span class="number">{new Intl.NumberFormat().format(name === null ? searched.length : searched.filter(item => groupOf(item) === name).length)}</span></button>)}
      </div>
    </div>}
    <p class="said" role="status">{shown && ngettext("$0 connection is shown", "$0 connections are shown", shown.length, shown.length)}</p>
    {shown === undefined ? (list.error || spaces.error ? null : spaces.data?.workspaces.length === 0 ? <NoWorkspace/> : <Waiting/>)
      : known?.length === 0 ? <First/>
      : shown.length === 0 ? <div class="card"><Empty icon="search" title={_("Nothing matches")}><p>{_("No connection has this name and status.")}</p></Empty></div>
      : <Rows items={shown} sort={sort} onSwitch={(item, on) => void onSwitch(item, on)}/>}
  </>;
}

function NoWorkspace(): JSX.Element {
  return <div class="card"><Empty icon="connections" title={_("No workspace")}>
    <p>{_("You have no role in any workspace yet. Ask an administrator for one.")}</p></Empty></div>;
}

/** Nothing is in the way between a new installation and its first source. */
function First(): JSX.Element {
  const workspace = useWorkspace();
  return <div class="stack">
    <div class="card"><Empty icon="connections" title={_("No connections yet")}>
      <p>{_("A connection moves streams from a source to a destination, on a schedule or when you say so.")} <strong>{_("Where does the data come from?")}</strong></p></Empty></div>
    {workspace && <ActorPicker side="source" workspaceId={workspace.workspaceId} useHref={id => `/connections/new?source=${id}`} newHref={kind => `/connections/new?step=source&kind=${kind}`}/>}
  </div>;
}
