// SPDX-License-Identifier: Apache-2.0
// One of the sources or destinations that are there, or a connector for a new one.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import {listActors, listDefinitions, type Side} from "../lib/actors.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useLoad} from "../lib/load.ts";
import {Empty} from "./controls.tsx";
import {Icon} from "./icons.tsx";
import {Loaded} from "./page.tsx";

interface PickerProps {
  side: Side;
  workspaceId: string;
  useHref: (actorId: string) => string;
  newHref: (definitionId: string) => string;
}

const EXISTING_SHOWN = 60;

function Tile({href, name, text}: { href: string; name: string; text: string }): JSX.Element {
  return <li><a class="card" href={href}><span class="sign" aria-hidden="true">{name.charAt(0).toLocaleUpperCase()}</span>
    <span class="two grow"><span class="name clip" title={name}>{name}</span><span class="small muted clip">{text}</span></span></a></li>;
}

export function ActorPicker({side, workspaceId, useHref, newHref}: PickerProps): JSX.Element {
  const [term, setTerm] = useState("");
  const found = useLoad(() => Promise.all([listActors(side, workspaceId), listDefinitions(side, workspaceId)]), [side, workspaceId]);
  return <Loaded answer={found}>{([actors, definitions]) => {
    const has = (text: string) => text.toLocaleLowerCase().includes(term.trim().toLocaleLowerCase());
    const old = actors.filter(actor => has(`${actor.name}\n${actor.definitionName}`)), kinds = definitions.filter(definition => has(definition.name));
    return <div class="stack">
      <div class="toolbar flat"><div class="input-icon"><Icon name="search"/><input class="input" type="search" aria-label={_("Search")} placeholder={_("Search")} value={term}
        onInput={event => setTerm(event.currentTarget.value)}/></div></div>
      {old.length > 0 && <section class="stack-small" aria-labelledby="those-there"><h2 id="those-there">{side === "source" ? _("A source that is there") : _("A destination that is there")}</h2>
        <ul class="catalogue">{old.slice(0, EXISTING_SHOWN).map(actor => <Tile key={actor.id} href={useHref(actor.id)} name={actor.name}
          text={`${actor.definitionName} · ${ngettext("$0 connection", "$0 connections", actor.connections, actor.connections)}`}/>)}</ul>
        {old.length > EXISTING_SHOWN && <p class="small muted">{fmt(_("$0 more: search to find them."), old.length - EXISTING_SHOWN)}</p>}</section>}
      {kinds.length > 0 && <section class="stack-small" aria-labelledby="new-ones"><h2 id="new-ones">{actors.length === 0 ? _("Choose a connector") : _("A new one")}</h2>
        <ul class="catalogue">{kinds.map(definition => <Tile key={definition.id} href={newHref(definition.id)} name={definition.name}
          text={`${fmt(_("Version $0"), definition.version)}${definition.custom ? ` · ${_("custom")}` : ""}`}/>)}</ul></section>}
      {old.length === 0 && kinds.length === 0 && <div class="card"><Empty icon="search" title={definitions.length === 0 ? _("No connector is installed") : _("Nothing matches")}/></div>}
    </div>;
  }}</Loaded>;
}
