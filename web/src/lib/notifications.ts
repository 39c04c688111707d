// SPDX-License-Identifier: Apache-2.0
// Who is told of what in a workspace, as the config API has it: {sendOnFailure: {notificationType: […], slackConfiguration}}. Pure.
import type {ConfigWebhookTry, JsonObject} from "./api.ts";
import {isObject} from "./streams.ts";

export type Occasion = "sendOnFailure" | "sendOnSuccess" | "sendOnConnectionUpdate" | "sendOnConnectionUpdateActionRequired" | "sendOnSyncDisabledWarning"
  | "sendOnSyncDisabled";

/** With the trigger that tries it. */
export const OCCASIONS: Record<Occasion, NonNullable<ConfigWebhookTry["notificationTrigger"]>> = {
  sendOnFailure: "sync_failure", sendOnSuccess: "sync_success", sendOnConnectionUpdate: "connection_update",
  sendOnConnectionUpdateActionRequired: "connection_update_action_required", sendOnSyncDisabledWarning: "sync_disabled_warning", sendOnSyncDisabled: "sync_disabled",
};

export interface Channel {
  mail: boolean;
  webhook: boolean;
  url: string;
}

export type Channels = Record<Occasion, Channel>;

function toChannel(item: JsonObject): Channel {
  const types = Array.isArray(item["notificationType"]) ? item["notificationType"] : [];
  const slack = item["slackConfiguration"];
  const url = isObject(slack) && typeof slack["webhook"] === "string" ? slack["webhook"] : "";
  return {mail: types.includes("customerio"), webhook: types.includes("slack"), url};
}

export function toChannels(settings: JsonObject | undefined): Channels {
  const read = (name: Occasion) => {
    const item = settings?.[name];
    return [name, toChannel(isObject(item) ? item : {})] as const;
  };
  return Object.fromEntries((Object.keys(OCCASIONS) as Occasion[]).map(read)) as Channels;
}

/** Over what is stored, so that what this page does not show stays. */
export function fromChannels(channels: Channels, stored: JsonObject | undefined): JsonObject {
  const settings: JsonObject = {...stored};
  for (const [name, {mail, webhook, url}] of Object.entries(channels))
    settings[name] = {notificationType: [...mail ? ["customerio"] : [], ...webhook ? ["slack"] : []], ...(url.trim() !== "" && {slackConfiguration: {webhook: url.trim()}})};
  return settings;
}

/** Occasions that have a webhook without an address to go to. */
export function lacking(channels: Channels): Occasion[] {
  return (Object.keys(channels) as Occasion[]).filter(name => channels[name].webhook && !/^https?:\/\/[^/]/.test(channels[name].url.trim()));
}
