// SPDX-License-Identifier: Apache-2.0
// The connectors of this host, to choose one.
import type {JSX} from "preact";
import {listDefinitions} from "../lib/actors.ts";
import {_, fmt} from "../lib/i18n.ts";
import {sideOf, useLoad} from "../lib/load.ts";
import {setQuery, useLocation} from "../lib/router.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {Empty, Heading} from "../ui/controls.tsx";
import {Icon} from "../ui/icons.tsx";
import {Loaded} from "../ui/page.tsx";

export default function CataloguePage(): JSX.Element {
  const {path, query} = useLocation();
  const side = sideOf(path), id = useWorkspace()?.workspaceId ?? null;
  const found = useLoad(() => id === null ? null : listDefinitions(side, id), [side, id]);
  const title = side === "source" ? _("Where does the data come from?") : _("Where does the data go?");
  const term = (query.get("q") ?? "").toLocaleLowerCase();
  return <>
    <a class="up small" href={`/${side}s`}>{side === "source" ? _("Sources") : _("Destinations")}</a>
    <div class="page-head"><Heading title={title}>{title}</Heading></div>
    <Loaded answer={found}>{definitions => {
      const shown = definitions.filter(definition => definition.name.toLocaleLowerCase().includes(term));
      return <>
        <div class="toolbar"><div class="input-icon"><Icon name="search"/><input class="input" type="search" aria-label={_("Search connectors")} placeholder={_("Search connectors")}
          value={query.get("q") ?? ""} onInput={event => setQuery({q: event.currentTarget.value})}/></div></div>
        {shown.length === 0 ? <div class="card"><Empty icon="search" title={_("No connector has this name")}/></div>
          : <ul class="catalogue">{shown.map(definition => <li key={definition.id}><a class="card" href={`/${side}s/new/${definition.id}`}>
            <span class="sign" aria-hidden="true">{definition.name.charAt(0).toLocaleUpperCase()}</span>
            <span class="two grow"><span class="name clip">{definition.name}</span><span class="small muted clip">{fmt(_("Version $0"), definition.version)}{definition.custom && ` · ${_("custom")}`}</span></span>
          </a></li>)}</ul>}
      </>;
    }}</Loaded>
  </>;
}
