// SPDX-License-Identifier: Apache-2.0
// What the roles are called. The order is from the mightiest to the least.
import type {ConfigAccessInfo, ConfigAdminUser, PermissionType} from "./api.ts";
import {_} from "./i18n.ts";

export const WORKSPACE_ROLES = ["workspace_admin", "workspace_editor", "workspace_source_editor", "workspace_destination_editor", "workspace_runner", "workspace_reader"] as const satisfies
  readonly PermissionType[];

const TEXTS: Record<PermissionType, () => string> = {
  instance_admin: () => _("Administrator of the instance"),
  organization_admin: () => _("Administrator of the organization"),
  organization_editor: () => _("Editor in all workspaces"),
  organization_runner: () => _("Runs syncs in all workspaces"),
  organization_reader: () => _("Reader in all workspaces"),
  organization_member: () => _("Member of the organization"),
  workspace_owner: () => _("Owner"),
  workspace_admin: () => _("Administrator"),
  workspace_editor: () => _("Editor"),
  workspace_source_editor: () => _("Editor of sources"),
  workspace_destination_editor: () => _("Editor of destinations"),
  workspace_runner: () => _("Runs syncs"),
  workspace_reader: () => _("Reader"),
};

export const roleText = (role: PermissionType): string => TEXTS[role]();

/** What may be chosen in a list: the usual ones, and the one that somebody has already. */
export function choices(current: PermissionType | undefined): PermissionType[] {
  const usual: PermissionType[] = [...WORKSPACE_ROLES];
  return current === undefined || usual.includes(current) ? usual : [current, ...usual];
}

export interface Member extends ConfigAccessInfo {
  /** Of the whole instance: may do everything, also without a role here. */
  admin?: boolean;
}

export function withAdmins(members: readonly ConfigAccessInfo[], admins: readonly ConfigAdminUser[], workspaceId: string): Member[] {
  const known = new Set(members.map(member => member.userId));
  const more = admins.filter(admin => !known.has(admin.userId)).map(({userId, email, name}) => ({userId, userEmail: email, workspaceId, admin: true, ...(name && {userName: name})}));
  return [...members, ...more];
}

export function byName(a: Member, b: Member): number {
  return (a.userName || a.userEmail).localeCompare(b.userName || b.userEmail);
}
