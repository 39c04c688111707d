// SPDX-License-Identifier: Apache-2.0
// How the host does, judged. Pure.
import type {HostDataPlane, HostDisk, HostUnit} from "./api.ts";

export type Health = "ok" | "warn" | "bad" | "off";

/** A unit that waits for its socket or timer is well; one that is not there is as it should be, or was never needed. */
export function unitHealth(unit: Pick<HostUnit, "activeState" | "loadState">): Health {
  if (unit.activeState === "failed") return "bad";
  if (unit.activeState === "active" || unit.activeState === "reloading") return "ok";
  if (unit.activeState === "activating" || unit.activeState === "deactivating") return "warn";
  return "off";
}

export const TIGHT = 0.1, FULL = 0.03;

export function diskHealth(disk: Pick<HostDisk, "totalBytes" | "freeBytes">): Health {
  const free = disk.totalBytes > 0 ? disk.freeBytes / disk.totalBytes : 1;
  return free < FULL ? "bad" : free < TIGHT ? "warn" : "ok";
}

/** Work whose lease is over: whoever had it is gone, and it will be given to another. */
export function planeHealth(plane: Pick<HostDataPlane, "lost" | "running" | "failedToday" | "finishedToday">): Health {
  if ((plane.lost ?? 0) > 0) return "bad";
  if (plane.finishedToday > 0 && plane.failedToday === plane.finishedToday) return "warn";
  return plane.running > 0 || plane.finishedToday > 0 ? "ok" : "off";
}

/** What fails first, then what works, then what sleeps; by name among equals. */
export function sortUnits<T extends Pick<HostUnit, "name" | "activeState" | "loadState">>(units: readonly T[]): T[] {
  const order: Record<Health, number> = {bad: 0, warn: 1, ok: 2, off: 3};
  return [...units].sort((a, b) => order[unitHealth(a)] - order[unitHealth(b)] || a.name.localeCompare(b.name));
}
