// SPDX-License-Identifier: Apache-2.0
// The workspace: its name, who is told of what, another one, its end.
import type {JSX} from "preact";
import {useEffect, useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {call, type ConfigWorkspaceRead} from "../lib/api.ts";
import {_, fmt} from "../lib/i18n.ts";
import {fromChannels, lacking, OCCASIONS, toChannels, type Channel, type Channels, type Occasion} from "../lib/notifications.ts";
import {setGuard} from "../lib/router.ts";
import {chooseWorkspace, useWorkspace, useWorkspaces} from "../lib/workspace.ts";
import {Button, Notice, Switch, TextField} from "../ui/controls.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Waiting} from "../ui/page.tsx";
import {Card, Settings, useDeed} from "../ui/settings.tsx";
import {say} from "../ui/toasts.tsx";

const TEXTS: Record<Occasion, () => string> = {
  sendOnFailure: () => _("A sync has failed"),
  sendOnSuccess: () => _("A sync has succeeded"),
  sendOnConnectionUpdate: () => _("A source's schema has changed"),
  sendOnConnectionUpdateActionRequired: () => _("A changed schema needs somebody to act"),
  sendOnSyncDisabledWarning: () => _("A connection will be disabled because it fails"),
  sendOnSyncDisabled: () => _("A connection was disabled because it failed"),
};

type Reload = () => Promise<void>;

function NameCard({workspace, reload}: { workspace: ConfigWorkspaceRead; reload: Reload }): JSX.Element {
  const [name, setName] = useState(workspace.name);
  const [error, setError] = useState<string | null>(null);
  const {busy, run} = useDeed();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const {workspaceId} = workspace;
    if (name.trim() === "") setError(_("This is needed."));
    else if (await run(() => call(api.configWorkspaceUpdateName, {workspaceId, name: name.trim()}), _("Saved."))) await reload();
  }

  return <Card title={_("Name")}>
    <form class="stack narrow-form" onSubmit={event => void submit(event)}>
      <TextField label={_("Name of the workspace")} value={name} onInput={value => { setName(value); setError(null); }} error={error} autocomplete="off"/>
      <div class="row"><Button kind="primary" submit busy={busy}>{_("Save")}</Button></div>
    </form>
  </Card>;
}

function OccasionRow({name, channel, wrong, onChange}: { name: Occasion; channel: Channel; wrong: boolean; onChange: (channel: Channel) => void }): JSX.Element {
  const text = TEXTS[name]();
  const {busy, run} = useDeed();

  async function test(): Promise<void> {
    await run(async () => {
      const {status, message} = await call(api.configWebhookTry, {notificationTrigger: OCCASIONS[name], slackConfiguration: {webhook: channel.url.trim()}});
      if (status === "succeeded") say("ok", _("The webhook has taken the test message."));
      else say("bad", message ?? _("The webhook did not take the test message."));
    });
  }

  return <tr>
    <th scope="row">{text}</th>
    <td class="mail"><label class="check"><input type="checkbox" checked={channel.mail} onChange={event => onChange({...channel, mail: event.currentTarget.checked})}/>
      <span class="narrow-only">{_("E-mail")}</span><span class="said">{fmt(_("E-mail when: $0"), text)}</span></label></td>
    <td class="hook"><div class="row nowrap">
      <Switch on={channel.webhook} label={fmt(_("Webhook when: $0"), text)} onChange={webhook => onChange({...channel, webhook})}/>
      <input class="input" type="url" value={channel.url} placeholder="https://" aria-label={fmt(_("Address of the webhook when: $0"), text)}
        aria-invalid={wrong ? true : undefined} onInput={event => onChange({...channel, url: event.currentTarget.value})}/>
      <Button busy={busy} label={fmt(_("Test the webhook when: $0"), text)} onClick={() => {
        if (channel.url.trim() === "") say("bad", _("Write the address of the webhook first."));
        else void test();
      }}>{_("Test")}</Button></div></td>
  </tr>;
}

function NotificationCard({workspace, reload}: { workspace: ConfigWorkspaceRead; reload: Reload }): JSX.Element {
  const [channels, setChannels] = useState<Channels>(() => toChannels(workspace.notificationSettings));
  const [changed, setChanged] = useState(false);
  const [wrong, setWrong] = useState<Occasion[]>([]);
  const {busy, run} = useDeed();
  const mail = useDeed();
  useEffect(() => {
    setGuard(changed ? () => _("What you have typed is not saved. Leave the page?") : null);
    return () => setGuard(null);
  }, [changed]);

  async function save(): Promise<void> {
    const found = lacking(channels);
    setWrong(found);
    if (found.length > 0) return;
    const input = {workspaceId: workspace.workspaceId, notificationSettings: fromChannels(channels, workspace.notificationSettings)};
    if (await run(() => call(api.configWorkspaceUpdate, input), _("Saved."))) {
      setChanged(false);
      await reload();
    }
  }

  async function tryMail(): Promise<void> {
    await mail.run(async () => {
      const {status, message} = await call(api.configNotificationTry, {notificationType: "customerio", sendOnSuccess: true, sendOnFailure: true});
      if (status === "succeeded") say("ok", _("A test message is on its way to your own address."));
      else say("bad", message ?? _("The mail could not be sent."));
    });
  }

  return <Card title={_("Notifications")} hint={_("E-mail goes to everybody who may edit the workspace; a webhook takes what Slack takes.")}
    aside={<Button busy={mail.busy} onClick={() => void tryMail()}>{_("Send me a test mail")}</Button>}>
    {wrong.length > 0 && <Notice tone="bad">{_("A webhook that is switched on needs an address that begins with https:// or http://.")}</Notice>}
    <table class="list plain matrix"><thead><tr><th scope="col">{_("When")}</th><th scope="col" class="mail">{_("E-mail")}</th><th scope="col">{_("Webhook")}</th></tr></thead>
      <tbody>{(Object.keys(TEXTS) as Occasion[]).map(name => <OccasionRow key={name} name={name} channel={channels[name]} wrong={wrong.includes(name)} onChange={channel => {
        setChannels(now => ({...now, [name]: channel}));
        setChanged(true);
      }}/>)}</tbody></table>
    <div class="row"><Button kind="primary" busy={busy} onClick={() => void save()}>{_("Save notifications")}</Button></div>
  </Card>;
}

function OthersCard({workspace, alone, reload}: { workspace: ConfigWorkspaceRead; alone: boolean; reload: Reload }): JSX.Element {
  const [name, setName] = useState("");
  const [asked, setAsked] = useState(false);
  const {busy, run} = useDeed();

  async function create(event: Event): Promise<void> {
    event.preventDefault();
    await run(async () => {
      const made = await call(api.configWorkspaceCreate, {name: name.trim() || _("New workspace"), organizationId: workspace.organizationId});
      await reload();
      chooseWorkspace(made.workspaceId);
    });
  }

  return <>
    <Card title={_("Another workspace")} hint={_("Sources, destinations and connections of a workspace are its own, and so is who may see them.")}>
      <form class="stack narrow-form" onSubmit={event => void create(event)}>
        <TextField label={_("Name of the new workspace")} value={name} onInput={setName} autocomplete="off"/>
        <div class="row"><Button submit busy={busy}>{_("Create the workspace")}</Button></div>
      </form>
    </Card>
    <Card title={_("Delete the workspace")} hint={_("Its connections, sources and destinations go; what was written to destinations stays there.")}
      aside={<Button kind="danger" onClick={() => alone ? say("bad", _("The only workspace cannot be deleted.")) : setAsked(true)}>{_("Delete…")}</Button>}>{null}</Card>
    {asked && <Confirm title={fmt(_("Delete “$0”?"), workspace.name)} action={_("Delete")} danger typed={workspace.name} onClose={() => setAsked(false)}
      onConfirm={async () => {
        await call(api.configWorkspaceDelete, {workspaceId: workspace.workspaceId});
        await reload();
      }}>
      <p>{_("All its connections, sources and destinations are deleted, and runs that are under way are cancelled. This cannot be taken back.")}</p>
    </Confirm>}
  </>;
}

export default function WorkspaceSettings(): JSX.Element {
  const workspace = useWorkspace();
  const {data, reload} = useWorkspaces();
  return <Settings>{workspace === null ? data ? <Notice tone="info">{_("You have no role in any workspace yet. Ask an administrator for one.")}</Notice> : <Waiting/> : <>
    <NameCard key={`name ${workspace.workspaceId}`} workspace={workspace} reload={reload}/>
    <NotificationCard key={`told ${workspace.workspaceId}`} workspace={workspace} reload={reload}/>
    <OthersCard workspace={workspace} alone={(data?.workspaces.length ?? 0) < 2} reload={reload}/>
  </>}</Settings>;
}
