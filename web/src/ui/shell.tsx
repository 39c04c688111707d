// SPDX-License-Identifier: Apache-2.0
// What is around every page of somebody who is logged in.
import type {ComponentChildren, JSX} from "preact";
import {useCell} from "../lib/cell.ts";
import {connection} from "../lib/events.ts";
import {_} from "../lib/i18n.ts";
import {navigate, useLocation} from "../lib/router.ts";
import {logOut, type User} from "../lib/session.ts";
import {ApiError} from "../lib/api.ts";
import {chooseWorkspace, useWorkspace, useWorkspaces} from "../lib/workspace.ts";
import {Button} from "./controls.tsx";
import {Icon, Logo, type IconName} from "./icons.tsx";
import {say} from "./toasts.tsx";

const PLACES: readonly { path: string; icon: IconName; text: () => string }[] = [
  {path: "/connections", icon: "connections", text: () => _("Connections")},
  {path: "/sources", icon: "source", text: () => _("Sources")},
  {path: "/destinations", icon: "destination", text: () => _("Destinations")},
  {path: "/settings", icon: "settings", text: () => _("Settings")},
];

/** Lists begin anew in another workspace: what is open there may not exist in this one. */
function go(id: string, path: string): void {
  chooseWorkspace(id);
  const place = PLACES.find(each => path.startsWith(each.path + "/") && each.path !== "/settings");
  if (place) navigate(place.path);
}

function Picker(): JSX.Element | null {
  const {path} = useLocation();
  const workspaces = useWorkspaces().data?.workspaces ?? [], now = useWorkspace();
  return workspaces.length < 2 ? null : <select class="input picker" aria-label={_("Workspace")} value={now?.workspaceId} onChange={event => go(event.currentTarget.value, path)}>
    {workspaces.map(each => <option key={each.workspaceId} value={each.workspaceId}>{each.name}</option>)}</select>;
}

async function leave(): Promise<void> {
  try {
    await logOut();
  } catch (error) {
    say("bad", error instanceof ApiError ? error.message : String(error));
  }
}

function Side({user}: { user: User }): JSX.Element {
  const {path} = useLocation();
  return <header class="side">
    <a class="brand" href="/connections"><Logo/>Sluice</a>
    <Picker/>
    <nav class="nav" aria-label={_("Main")}>
      {PLACES.map(place => <a key={place.path} href={place.path === "/settings" ? "/settings/workspace" : place.path} aria-current={path === place.path ? "page" : path.startsWith(place.path + "/") ? "true" : undefined}>
        <Icon name={place.icon}/>{place.text()}</a>)}
    </nav>
    <div class="account">
      <span class="who small muted clip" title={user.email}>{user.email}</span>
      <Button kind="quiet" icon="leave" onClick={() => void leave()}>{_("Log out")}</Button>
    </div>
  </header>;
}

export function Shell({user, children}: { user: User; children: ComponentChildren }): JSX.Element {
  const lost = useCell(connection) === "lost";
  return <div class="shell">
    <a class="skip" href="#main" onClick={event => { event.preventDefault(); document.querySelector<HTMLElement>("main h1")?.focus(); }}>{_("Skip to the content")}</a>
    <Side user={user}/>
    <div>
      <div role="status">{lost && <div class="lost"><Icon name="run" spin/>{_("The server does not answer. Reconnecting…")}</div>}</div>
      <main id="main">{children}</main>
    </div>
  </div>;
}
