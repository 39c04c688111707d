// SPDX-License-Identifier: Apache-2.0
// How a connection stands, in one word with its colour and sign.
import type {JSX} from "preact";
import type {ConfigConnectionSyncStatus, JobStatus} from "../lib/api.ts";
import {_} from "../lib/i18n.ts";
import type {StreamStanding} from "../lib/streams.ts";
import {Icon, type IconName} from "./icons.tsx";

export type Standing = ConfigConnectionSyncStatus;

interface Look {
  tone: "ok" | "bad" | "warn" | "run" | "off";
  icon: IconName;
  text: () => string;
}

export const STANDINGS: Record<Standing, Look> = {
  failed: {tone: "bad", icon: "bad", text: () => _("Failed")},
  incomplete: {tone: "warn", icon: "warn", text: () => _("Incomplete")},
  running: {tone: "run", icon: "run", text: () => _("Running")},
  queued: {tone: "run", icon: "queued", text: () => _("Queued")},
  synced: {tone: "ok", icon: "ok", text: () => _("Synced")},
  pending: {tone: "off", icon: "none", text: () => _("Not synced yet")},
  paused: {tone: "off", icon: "paused", text: () => _("Disabled")},
};

export function StatusPill({standing, href}: { standing: Standing; href?: string | undefined }): JSX.Element {
  const look = STANDINGS[standing];
  const inside = <><Icon name={look.icon} size={14} spin={standing === "running"}/>{look.text()}</>;
  return href === undefined ? <span class={`pill ${look.tone}`}>{inside}</span> : <a class={`pill ${look.tone}`} href={href}>{inside}</a>;
}

const JOBS: Record<JobStatus, Look> = {
  pending: {tone: "run", icon: "queued", text: () => _("Queued")},
  running: {tone: "run", icon: "run", text: () => _("Running")},
  incomplete: {tone: "warn", icon: "warn", text: () => _("Incomplete, goes on")},
  failed: {tone: "bad", icon: "bad", text: () => _("Failed")},
  succeeded: {tone: "ok", icon: "ok", text: () => _("Succeeded")},
  cancelled: {tone: "off", icon: "close", text: () => _("Cancelled")},
};

export function JobPill({status}: { status: JobStatus }): JSX.Element {
  const look = JOBS[status];
  return <span class={`pill ${look.tone}`}><Icon name={look.icon} size={14} spin={status === "running"}/>{look.text()}</span>;
}

const STREAMS: Record<StreamStanding, Look> = {
  synced: {tone: "ok", icon: "ok", text: () => _("Synced")},
  running: {tone: "run", icon: "run", text: () => _("Running")},
  queued: {tone: "run", icon: "queued", text: () => _("Queued")},
  waiting: {tone: "warn", icon: "queued", text: () => _("Waits for the source's limit")},
  failed: {tone: "bad", icon: "bad", text: () => _("Failed")},
  cancelled: {tone: "warn", icon: "warn", text: () => _("Stopped")},
  pending: {tone: "off", icon: "none", text: () => _("Not synced yet")},
};

export function StreamPill({standing}: { standing: StreamStanding }): JSX.Element {
  const look = STREAMS[standing];
  return <span class={`pill ${look.tone}`}><Icon name={look.icon} size={14} spin={standing === "running"}/>{look.text()}</span>;
}
