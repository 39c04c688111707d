// SPDX-License-Identifier: Apache-2.0
// The sources of the workspace, or its destinations.
import type {JSX} from "preact";
import {listActors} from "../lib/actors.ts";
import {_, ngettext} from "../lib/i18n.ts";
import {sideOf, useLoad} from "../lib/load.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {Empty, Heading} from "../ui/controls.tsx";
import {Icon} from "../ui/icons.tsx";
import {Loaded} from "../ui/page.tsx";

export default function ActorsPage(): JSX.Element {
  const {path, query} = useLocation();
  const side = sideOf(path), id = useWorkspace()?.workspaceId ?? null;
  const found = useLoad(() => id === null ? null : listActors(side, id), [side, id]);
  const title = side === "source" ? _("Sources") : _("Destinations");
  const add = side === "source" ? _("Add a source") : _("Add a destination");
  const term = (query.get("q") ?? "").toLocaleLowerCase();
  return <>
    <div class="page-head"><Heading key={side} title={title}>{title}</Heading><a class="button primary" href={`${path}/new`}><Icon name="plus"/>{add}</a></div>
    <Loaded answer={found}>{actors => {
      const shown = actors.filter(actor => `${actor.name}\n${actor.definitionName}`.toLocaleLowerCase().includes(term));
      if (actors.length === 0)
        return <div class="card"><Empty icon={side} title={side === "source" ? _("No sources yet") : _("No destinations yet")}>
          <p>{side === "source" ? _("A source is where streams come from: a database, an API, files.") : _("A destination is where streams go: a database, a warehouse, files.")}</p></Empty></div>;
      return <>
        <div class="toolbar"><div class="input-icon"><Icon name="search"/><input class="input" type="search" aria-label={_("Search by name")} placeholder={_("Search by name")}
          value={query.get("q") ?? ""} onInput={event => setQuery({q: event.currentTarget.value})}/></div></div>
        {shown.length === 0 ? <div class="card"><Empty icon="search" title={_("Nothing matches")}/></div> : <div class="card"><table class="list plain">
          <caption class="said">{title}</caption>
          <thead><tr><th scope="col">{_("Name")}</th><th scope="col">{_("Connector")}</th><th scope="col" class="medium">{_("Used by")}</th></tr></thead>
          <tbody>{shown.map(actor => <tr key={actor.id}>
            <th scope="row"><a class="name clip" href={`${path}/${actor.id}`} title={actor.name}>{actor.name}</a></th><td><span class="clip">{actor.definitionName}</span></td>
            <td class="medium muted">{ngettext("$0 connection", "$0 connections", actor.connections, actor.connections)}</td></tr>)}</tbody>
        </table></div>}
      </>;
    }}</Loaded>
  </>;
}
