// SPDX-License-Identifier: Apache-2.0
// A new source or destination: its settings by the connector's specification, tried before they are saved.
import type {JSX} from "preact";
import {_, fmt} from "../lib/i18n.ts";
import {sideOf, useLoad} from "../lib/load.ts";
import {navigate, useLocation} from "../lib/router.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {ActorForm, loadSubject} from "../ui/actor-form.tsx";
import {Heading} from "../ui/controls.tsx";
import {Loaded} from "../ui/page.tsx";
import {say} from "../ui/toasts.tsx";

export default function NewActorPage({definitionId}: { definitionId: string }): JSX.Element {
  const {path} = useLocation();
  const side = sideOf(path), id = useWorkspace()?.workspaceId ?? null;
  const found = useLoad(() => id === null ? null : loadSubject(side, id, definitionId), [side, id, definitionId]);
  return <>
    <a class="up small" href={`/${side}s/new`}>{_("Other connectors")}</a>
    <Loaded answer={found}>{subject => <>
      <div class="page-head"><Heading title={subject.definition.name}>{subject.definition.name}</Heading></div>
      <ActorForm {...subject} onSaved={actor => {
        say("ok", fmt(_("“$0” is there."), actor.name));
        navigate(`/${side}s`);
      }}/>
    </>}</Loaded>
  </>;
}
