// SPDX-License-Identifier: Apache-2.0
// The host: units, versions, disks, database, and who does the work.
import type {JSX} from "preact";
import * as api from "#gen/api.ts";
import type {HostDataPlane, HostDisk, HostResponse, HostUnit} from "../lib/api.ts";
import {diskHealth, planeHealth, sortUnits, unitHealth, type Health} from "../lib/host.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {bytes, count, duration} from "../lib/time.ts";
import {Ago, Button, Notice} from "../ui/controls.tsx";
import {Icon, type IconName} from "../ui/icons.tsx";
import {Facts, Loaded} from "../ui/page.tsx";
import {Card, Settings} from "../ui/settings.tsx";

const ICONS: Record<Health, IconName> = {ok: "ok", warn: "warn", bad: "bad", off: "none"};

function HealthPill({health, text}: { health: Health; text: string }): JSX.Element {
  return <span class={`pill ${health}`}><Icon name={ICONS[health]} size={14}/>{text}</span>;
}

const STATES: Record<string, () => string> = {
  active: () => _("active"), inactive: () => _("inactive"), failed: () => _("failed"), activating: () => _("starting"), deactivating: () => _("stopping"),
  reloading: () => _("reloading"),
};

function Units({units, error}: { units: readonly HostUnit[]; error: string | undefined }): JSX.Element {
  const bad = units.filter(unit => unitHealth(unit) === "bad").length;
  return <section class="card" aria-label={_("Units")}>
    <div class="card-body row"><h2 class="grow">{_("Units")}</h2><span class="small muted">{error !== undefined ? "" : bad > 0 ? ngettext("$0 unit has failed", "$0 units have failed", bad, bad) : ngettext("$0 unit", "$0 units", units.length, units.length)}</span></div>
    {error !== undefined && <div class="card-body"><Notice tone="warn">{fmt(_("systemd does not say: $0"), error)}</Notice></div>}
    {units.length > 0 && <table class="list plain units"><thead><tr><th scope="col">{_("Unit")}</th><th scope="col">{_("Status")}</th></tr></thead>
      <tbody>{sortUnits(units).map(unit => <tr key={unit.name}>
        <th scope="row"><div class="two"><span class="mono clip" title={unit.name}>{unit.name}</span><span class="small muted clip">{unit.description}</span></div></th>
        <td><HealthPill health={unitHealth(unit)} text={STATES[unit.activeState]?.() ?? unit.activeState}/> <span class="small muted medium">{unit.subState}</span></td></tr>)}</tbody></table>}
    {bad > 0 && <p class="card-body small muted">{_("On the host, “journalctl -u UNIT” tells why.")}</p>}
  </section>;
}

function Disks({disks}: { disks: readonly HostDisk[] }): JSX.Element {
  return <Card title={_("Disks")}>{disks.map(disk => {
    const used = disk.totalBytes - disk.freeBytes, health = diskHealth(disk);
    const text = fmt(_("$0 of $1 are free"), bytes(disk.freeBytes), bytes(disk.totalBytes));
    return <div key={disk.path} class="stack-small">
      <div class="row"><span class="mono grow">{disk.path}</span>{health !== "ok" && <HealthPill health={health} text={health === "bad" ? _("full") : _("nearly full")}/>}<span class="small muted">{text}</span></div>
      <progress class={health} max={disk.totalBytes} value={used} aria-label={fmt(_("Used part of $0"), disk.path)}/>
    </div>;
  })}</Card>;
}

function Planes({planes, queues}: { planes: readonly HostDataPlane[]; queues: HostResponse["queues"] }): JSX.Element {
  return <section class="card" aria-label={_("Data planes")}>
    <div class="card-body"><h2>{_("Data planes")}</h2><p class="small muted">{_("Where connectors run. Whoever had work today or has some now is shown.")}</p></div>
    {planes.length === 0 ? <p class="card-body muted">{_("Nobody has had work in the last day.")}</p>
      : <table class="list plain"><thead><tr><th scope="col">{_("Data plane")}</th><th scope="col">{_("Health")}</th><th scope="col" class="medium">{_("At work")}</th>
        <th scope="col" class="medium">{_("Today")}</th><th scope="col" class="medium">{_("Heard of")}</th></tr></thead>
      <tbody>{planes.map(plane => <tr key={`${plane.name}\n${plane.group}`}>
        <th scope="row"><div class="two"><span class="clip">{plane.name}</span><span class="small muted clip">{fmt(_("group $0"), plane.group)}</span></div></th>
        <td><HealthPill health={planeHealth(plane)} text={(plane.lost ?? 0) > 0 ? ngettext("$0 run was lost", "$0 runs were lost", plane.lost ?? 0, plane.lost ?? 0) : planeHealth(plane) === "off" ? _("idle") : planeHealth(plane) === "warn" ? _("everything failed") : _("well")}/></td>
        <td class="number medium">{count(plane.running)}</td>
        <td class="number medium">{fmt(_("$0 done, $1 failed"), plane.finishedToday, plane.failedToday)}</td>
        <td class="medium">{plane.heardAt === undefined ? "–" : <Ago at={Date.parse(plane.heardAt) / 1000}/>}</td></tr>)}</tbody></table>}
    {queues.map(queue => <p key={queue.group} class="card-body small">{ngettext("$0 task of group $1 waits for a data plane", "$0 tasks of group $1 wait for a data plane", queue.waiting, queue.waiting, queue.group)}{queue.oldestAt !== undefined && <>
      , {_("the oldest one since")} <Ago at={Date.parse(queue.oldestAt) / 1000}/></>}</p>)}
  </section>;
}

function HostParts({host}: { host: HostResponse }): JSX.Element {
  const {database} = host;
  return <>
    <Card title={host.hostName || _("Host")}><Facts facts={[
      [_("Sluice"), host.version], [_("System"), host.system], [_("Kernel"), host.kernel], host.upSeconds === undefined ? null : [_("Running for"), duration(host.upSeconds * 1000)] as const,
      host.load === undefined ? null : [_("Load"), fmt(_("$0 on $1 processors"), Math.round(host.load * 100) / 100, host.processors ?? 1)] as const,
      host.memoryBytes === undefined ? null : [_("Memory"), bytes(host.memoryBytes)] as const,
    ]}/></Card>
    <Units units={host.units} error={host.unitsError}/>
    <div class="halves">
      <Disks disks={host.disks}/>
      <Card title={_("Database")}><Facts facts={[
        ["PostgreSQL", database.version], [_("Size"), bytes(database.sizeBytes)], [_("Sessions"), fmt(_("$0 of $1"), database.connections, database.maxConnections)],
        [_("Schema"), String(database.migration).padStart(4, "0")],
      ]}/></Card>
    </div>
    <Planes planes={host.dataPlanes} queues={host.queues}/>
  </>;
}

export default function HostSettings(): JSX.Element {
  const host = useQuery(api.hostGet, undefined as void);
  return <Settings>
    {host.error?.status === 403 ? <Notice tone="info">{_("Only administrators of the instance see the host.")}</Notice> : <>
      <Loaded answer={host}>{data => <HostParts host={data}/>}</Loaded>
      {host.data && <div class="row"><Button busy={host.busy} onClick={() => void host.reload()}>{_("Look again")}</Button></div>}
    </>}
  </Settings>;
}
