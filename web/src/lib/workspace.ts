// SPDX-License-Identifier: Apache-2.0
// The workspace that lists show; remembered by the browser.
import {cell, useCell} from "./cell.ts";
import * as api from "#gen/api.ts";
import {type ConfigWorkspaceRead} from "./api.ts";
import {useQuery, type Query} from "./query.ts";

const KEY = "sluice.workspace";

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

const chosen = cell<string | null>(remembered());

export function chooseWorkspace(id: string): void {
  try {
    localStorage.setItem(KEY, id);
  } catch { /* for this visit, then */ }
  chosen.set(id);
}

export function useWorkspaces(): Query<{ workspaces: ConfigWorkspaceRead[] }> {
  return useQuery(api.configWorkspaceList, undefined as void);
}

/** null: there is none, or they are not known yet. */
export function useWorkspace(): ConfigWorkspaceRead | null {
  const id = useCell(chosen);
  const list = useWorkspaces().data?.workspaces ?? [];
  return list.find(workspace => workspace.workspaceId === id) ?? list[0] ?? null;
}
