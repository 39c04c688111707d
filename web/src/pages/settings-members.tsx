// SPDX-License-Identifier: Apache-2.0
// Who may do what in the workspace.
import type {JSX} from "preact";
import {useState} from "preact/hooks";
import * as api from "#gen/api.ts";
import {ApiError, call, type PermissionType, type SetupLink} from "../lib/api.ts";
import {useCell} from "../lib/cell.ts";
import {_, fmt, ngettext} from "../lib/i18n.ts";
import {useQuery} from "../lib/query.ts";
import {byName, choices, roleText, withAdmins, WORKSPACE_ROLES, type Member} from "../lib/roles.ts";
import {session} from "../lib/session.ts";
import {absolute} from "../lib/time.ts";
import {useWorkspace} from "../lib/workspace.ts";
import {Button, Notice, TextField} from "../ui/controls.tsx";
import {Copyable} from "../ui/copyable.tsx";
import {Confirm} from "../ui/dialog.tsx";
import {Loaded} from "../ui/page.tsx";
import {Card, Settings, useDeed} from "../ui/settings.tsx";

type Reload = () => Promise<void>;

function MemberRow({member, self, reload, onRemove}: { member: Member; self: boolean; reload: Reload; onRemove: () => void }): JSX.Element {
  const {busy, run} = useDeed();
  const own = member.workspacePermission;
  const name = member.userName || member.userEmail;

  async function change(permissionType: PermissionType): Promise<void> {
    if (own === undefined) return;
    await run(() => call(api.configPermissionUpdate, {permissionId: own.permissionId, permissionType}), fmt(_("$0 is now: $1"), name, roleText(permissionType)));
    await reload();
  }

  return <tr>
    <th scope="row"><div class="two"><span class="name-only clip">{name}{self && <span class="muted"> · {_("you")}</span>}</span>
      {member.userName && <span class="small muted clip">{member.userEmail}</span>}</div></th>
    <td>{own ? <select class="input" aria-label={fmt(_("Role of $0"), name)} value={own.permissionType} disabled={busy} onChange={event => void change(event.currentTarget.value as PermissionType)}>
      {choices(own.permissionType).map(role => <option key={role} value={role}>{roleText(role)}</option>)}</select>
      : <span class="muted">{member.organizationPermission ? roleText(member.organizationPermission.permissionType) : member.admin ? roleText("instance_admin") : _("none")}</span>}</td>
    <td class="deeds"><div class="row end">{own && <Button kind="quiet" icon="close" label={fmt(_("Remove $0 from the workspace"), name)} onClick={onRemove}>{null}</Button>}</div></td>
  </tr>;
}

/** Whoever has an account already only gets the role. */
async function addMember(workspaceId: string, email: string, name: string, permissionType: PermissionType): Promise<SetupLink | null> {
  let link: SetupLink | null = null, userId: string;
  try {
    userId = (await call(api.configUserGetByEmail, {email})).userId;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    link = await call(api.userInvite, {email, ...(name !== "" && {name})});
    userId = link.userId;
  }
  await call(api.configPermissionCreate, {permissionType, userId, workspaceId});
  return link;
}

function AddCard({workspaceId, reload}: { workspaceId: string; reload: Reload }): JSX.Element {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [role, setRole] = useState<PermissionType>("workspace_editor");
  const [error, setError] = useState<string | null>(null);
  const [made, setMade] = useState<{ link: SetupLink | null; email: string } | null>(null);
  const {busy, run} = useDeed();

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const address = email.trim();
    if (!/^[^@\s]+@[^@\s]+$/.test(address)) {
      setError(_("This is no e-mail address."));
      return;
    }
    const done = await run(async () => setMade({link: await addMember(workspaceId, address, name.trim(), role), email: address}));
    if (!done) return;
    setEmail("");
    setName("");
    await reload();
  }

  return <Card title={_("Add somebody")} hint={_("Who has no account yet gets one, and a link to choose a password with.")}>
    {made && <Notice tone="ok">{made.link === null ? fmt(_("$0 has the role now."), made.email) : <div class="stack-small">
      <p>{fmt(_("Give this link to $0. It is good once, until $1, and is shown only now."), made.email, absolute(Date.parse(made.link.expiresAt)))}</p>
      <Copyable text={made.link.url} label={_("Link")}/></div>}</Notice>}
    <form class="columns" onSubmit={event => void submit(event)} noValidate>
      <TextField label={_("E-mail")} type="email" value={email} onInput={value => { setEmail(value); setError(null); }} error={error} autocomplete="off"/>
      <TextField label={_("Name")} value={name} onInput={setName} optional autocomplete="off"/>
      <div class="field"><label for="new-role">{_("Role")}</label>
        <select id="new-role" class="input" value={role} onChange={event => setRole(event.currentTarget.value as PermissionType)}>
          {WORKSPACE_ROLES.map(each => <option key={each} value={each}>{roleText(each)}</option>)}</select></div>
      <div class="row"><Button kind="primary" submit busy={busy}>{_("Add")}</Button></div>
    </form>
  </Card>;
}

function MemberTable({members, self, reload, onRemove}: { members: readonly Member[]; self: string; reload: Reload; onRemove: (member: Member) => void }): JSX.Element {
  return <section class="card" aria-label={_("Members")}>
    <div class="card-body row"><h2 class="grow">{_("Members")}</h2><span class="small muted">{ngettext("$0 person", "$0 people", members.length, members.length)}</span></div>
    <table class="list plain members"><thead><tr><th scope="col">{_("Name")}</th><th scope="col">{_("Role")}</th><th scope="col" class="deeds"><span class="said">{_("What can be done")}</span></th></tr></thead>
      <tbody>{[...members].sort(byName).map(member =>
        <MemberRow key={member.userId} member={member} self={member.userId === self} reload={reload} onRemove={() => onRemove(member)}/>)}</tbody></table>
  </section>;
}

function Members({workspaceId}: { workspaceId: string }): JSX.Element {
  const access = useQuery(api.configUserListAccess, {workspaceId});
  const admins = useQuery(api.configUserListInstanceAdmin, undefined as void); // refused to who is none
  const now = useCell(session);
  const [removing, setRemoving] = useState<Member | null>(null);
  const self = now.state === "in" || now.state === "ended" ? now.user.userId : "";
  return <>
    <Loaded answer={access}>{({usersWithAccess}) => <MemberTable members={withAdmins(usersWithAccess, admins.data?.users ?? [], workspaceId)} self={self} reload={access.reload} onRemove={setRemoving}/>}</Loaded>
    <AddCard workspaceId={workspaceId} reload={access.reload}/>
    {removing?.workspacePermission && <Confirm title={fmt(_("Remove $0?"), removing.userName || removing.userEmail)} action={_("Remove")} danger onClose={() => setRemoving(null)}
      onConfirm={async () => {
        await call(api.configPermissionDelete, {permissionId: removing.workspacePermission?.permissionId ?? ""});
        await access.reload();
      }}><p>{_("The account stays; its role in this workspace goes. What it has made stays.")}</p></Confirm>}
  </>;
}

export default function MemberSettings(): JSX.Element {
  const workspace = useWorkspace();
  return <Settings>{workspace && <Members key={workspace.workspaceId} workspaceId={workspace.workspaceId}/>}</Settings>;
}
