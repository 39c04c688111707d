// SPDX-License-Identifier: Apache-2.0
// A source or destination that is there: its settings, tried before they are saved, and who uses it.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {deleteActor, getActor, type Actor, type Side} from "../lib/actors.ts";
import {call, type ConfigOverviewItem} from "../lib/api.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {sideOf, useLoad} from "../lib/load.ts";
import {navigate, setGuard, useLocation} from "../lib/router.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {ActorForm, loadSubject, type ActorSubject} from "../ui/actor-form.tsx";
import {Button, Heading, Notice} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Loaded} from "../ui/page.tsx";
import {say} from "../ui/toasts.tsx";

interface Known {
  actor: Actor;
  subject: ActorSubject;
  connections: ConfigOverviewItem[];
}

async function load(side: Side, workspaceId: string, id: string): Promise<Known> {
  const actor = await getActor(side, id);
  const users = {workspaceId, pageSize: 10_000, ...(side === "source" ? {sourceId: [id]} : {destinationId: [id]})};
  const [subject, list] = await Promise.all([loadSubject(side, workspaceId, actor.definitionId), call(api.configOverviewList, users)]);
  return {actor, subject, connections: list.connections};
}

function Users({connections}: { connections: ConfigOverviewItem[] }): JSX.Element {
  return <section class="card card-body stack-small" aria-labelledby="users"><h2 id="users">{_("Used by")}</h2>
    {connections.length === 0 ? <p class="muted">{_("No connection uses it.")}</p>
      : <ul class="stack-small">{connections.map(item => <li key={item.connectionId} class="clip"><a href={`/connections/${item.connectionId}`}>{item.name}</a></li>)}</ul>}
  </section>;
}

function Remove({side, actor, connections}: { side: Side; actor: Actor; connections: ConfigOverviewItem[] }): JSX.Element {
  const [asked, ask] = useState(false);
  return <section class="card card-body"><div class="row"><p class="grow small muted">{_("Its settings and secrets go; what was moved stays where it is.")}</p>
    <Button kind="danger" onClick={() => ask(true)}>{_("Delete…")}</Button></div>
    {asked && <Confirm title={fmt(_("Delete “$0”?"), actor.name)} action={_("Delete")} danger typed={actor.name} onClose={() => ask(false)} onConfirm={async () => {
      await deleteActor(side, actor.id);
      setGuard(null);
      say("ok", fmt(_("“$0” is deleted."), actor.name));
      navigate(`/${side}s`);
    }}>
      {connections.length > 0 ? <><p>{ngettext("$0 connection that uses it is deleted too, with its state:", "$0 connections that use it are deleted too, with their states:", connections.length, connections.length)}</p>
        <ul class="names" tabIndex={0} aria-label={_("Connections")}>{connections.map(item => <li key={item.connectionId} class="clip">{item.name}</li>)}</ul></>
        : <p>{_("No connection uses it.")}</p>}
    </Confirm>}
  </section>;
}

export default function ActorPage({actorId}: { actorId: string }): JSX.Element {
  const {path} = useLocation();
  const side = sideOf(path), id = useWorkspace()?.workspaceId ?? null;
  const [round, again] = useState(0);
  const found = useLoad(() => id === null ? null : load(side, id, actorId), [side, id, actorId, round]);
  return <>
    <a class="up small" href={`/${side}s`}>{side === "source" ? _("Sources") : _("Destinations")}</a>
    <Loaded answer={found}>{({actor, subject, connections}) => <>
      <div class="page-head"><div class="stack-small grow"><Heading title={actor.name}>{actor.name}</Heading><p class="muted">{actor.definitionName}</p></div></div>
      <div class="stack narrow-form">
        {connections.length > 0 && <Notice tone="info">{_("Connections go on with the old settings until the new ones have been tested and saved.")}</Notice>}
        <ActorForm key={round} {...subject} actor={actor} onSaved={saved => {
          say("ok", fmt(_("“$0” is saved."), saved.name));
          again(round + 1);
        }}/>
        <Users connections={connections}/>
        <Remove side={side} actor={actor} connections={connections}/>
      </div>
    </>}</Loaded>
  </>;
}
