// SPDX-License-Identifier: Apache-2.0
// What the list of connections shows and in which order. Pure.
import type {ConfigOverviewItem} from "./api.ts";
import {locale} from "./i18n.ts";

/** The worst first: what a person looks for. */
export const GROUPS = ["failed", "running", "healthy", "pending", "paused"] as const;
export type Group = typeof GROUPS[number];

const GROUP_OF: Record<NonNullable<ConfigOverviewItem["connectionSyncStatus"]>, Group> = {
  failed: "failed", incomplete: "failed", running: "running", queued: "running", synced: "healthy", pending: "pending", paused: "paused",
};

type Stand = Pick<ConfigOverviewItem, "connectionSyncStatus" | "latestSyncJobStatus">;

/** The server calls a run incomplete that failed for another reason than its settings; what has failed for good is called so. */
export function standingOf(item: Stand): NonNullable<ConfigOverviewItem["connectionSyncStatus"]> {
  const known = item.connectionSyncStatus ?? "pending";
  return known === "incomplete" && item.latestSyncJobStatus === "failed" ? "failed" : known;
}

type Item = Stand & Pick<ConfigOverviewItem, "name" | "latestSyncJobCreatedAt"> & {
  source: { name: string; sourceName: string };
  destination: { name: string; destinationName: string };
};

export function groupOf(item: Stand): Group {
  return GROUP_OF[standingOf(item)];
}

/** Every word of the term must be somewhere in the names. */
export function filterConnections<T extends Item>(items: readonly T[], term: string, group: Group | null): T[] {
  const words = term.toLocaleLowerCase().split(/\s+/).filter(word => word !== "");
  return items.filter(item => {
    if (group !== null && groupOf(item) !== group) return false;
    if (words.length === 0) return true;
    const text = [item.name, item.source.name, item.source.sourceName, item.destination.name, item.destination.destinationName].join("\n").toLocaleLowerCase();
    return words.every(word => text.includes(word));
  });
}

const KEYS = ["name", "status", "last"] as const;
export type SortKey = typeof KEYS[number];

export function isSortKey(text: string): text is SortKey {
  return (KEYS as readonly string[]).includes(text);
}

/** Equal ones stand by name; "connection 10" comes after "connection 9". */
export function sortConnections<T extends Item>(items: readonly T[], key: SortKey, down: boolean): T[] {
  const {compare} = new Intl.Collator(locale(), {numeric: true, sensitivity: "base"});
  const rank = (item: T) => key === "status" ? GROUPS.indexOf(groupOf(item)) : key === "last" ? -(item.latestSyncJobCreatedAt ?? 0) : 0;
  const sign = down ? -1 : 1;
  return [...items].sort((a, b) => sign * (rank(a) - rank(b) || (key === "name" ? compare(a.name, b.name) : 0)) || compare(a.name, b.name));
}
