// SPDX-License-Identifier: Apache-2.0
// Parts of the settings: the frame with its tabs, cards, and what is done with a word about how it went.
import type {ComponentChildren, JSX} from "preact";
import {useState} from "preact/hooks";
import {ApiError} from "../lib/api.ts";
import {_} from "../lib/i18n.ts";
import {useLocation} from "../lib/router.ts";
import {Heading} from "./controls.tsx";
import {Tabs} from "./page.tsx";
import {say} from "./toasts.tsx";

const PARTS: readonly { path: string; text: () => string }[] = [
  {path: "workspace", text: () => _("Workspace")},
  {path: "connectors", text: () => _("Connectors")},
  {path: "members", text: () => _("Members")},
  {path: "applications", text: () => _("Applications")},
  {path: "host", text: () => _("Host")},
  {path: "account", text: () => _("You")},
];

export function Settings({children}: { children: ComponentChildren }): JSX.Element {
  const {path} = useLocation();
  return <>
    <div class="page-head"><Heading title={_("Settings")}>{_("Settings")}</Heading></div>
    <Tabs label={_("Parts of the settings")} path={path} tabs={PARTS.map(part => ({href: `/settings/${part.path}`, text: part.text()}))}/>
    <div class="stack">{children}</div>
  </>;
}

export function Card({title, hint, aside, children}: { title: string; hint?: string; aside?: ComponentChildren; children: ComponentChildren }): JSX.Element {
  return <section class="card"><div class="card-body stack">
    <div class="row"><div class="grow"><h2>{title}</h2>{hint !== undefined && <p class="small muted">{hint}</p>}</div>{aside}</div>
    {children}
  </div></section>;
}

export function errorText(error: unknown): string {
  return error instanceof ApiError ? error.message : String(error);
}

/** One thing at a time; `done` is said when it went well, the reason when not. Gives whether it did. */
export function useDeed(): { busy: boolean; run: (work: () => Promise<unknown>, done?: string) => Promise<boolean> } {
  const [busy, setBusy] = useState(false);
  return {busy, async run(work, done) {
    if (busy) return false;
    setBusy(true);
    try {
      await work();
      if (done !== undefined) say("ok", done);
      return true;
    } catch (error) {
      say("bad", errorText(error));
      return false;
    } finally {
      setBusy(false);
    }
  }};
}
