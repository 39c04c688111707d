// SPDX-License-Identifier: Apache-2.0
// Sources and destinations are one thing twice: the same operations under two names.
import * as api from "#gen/api.ts";
import {ApiError, call, type JsonObject} from "./api.ts";
import {watchEvents} from "./events.ts";

export type Side = "source" | "destination";

export interface Actor {
  id: string;
  name: string;
  definitionId: string;
  definitionName: string;
  configuration: JsonObject;
  connections: number;
}

export interface Definition {
  id: string;
  name: string;
  version: string;
  custom: boolean;
}

type AnySource = api.ConfigSourceRead | api.ConfigDestinationRead;

export function toActor(read: AnySource): Actor {
  const common = {name: read.name, configuration: read.connectionConfiguration, connections: read.numConnections ?? 0};
  return "sourceId" in read ? {...common, id: read.sourceId, definitionId: read.sourceDefinitionId, definitionName: read.sourceName}
    : {...common, id: read.destinationId, definitionId: read.destinationDefinitionId, definitionName: read.destinationName};
}

export async function listActors(side: Side, workspaceId: string): Promise<Actor[]> {
  const input = {workspaceId, pageSize: 10_000};
  return side === "source" ? (await call(api.configSourceList, input)).sources.map(toActor) : (await call(api.configDestinationList, input)).destinations.map(toActor);
}

export async function listDefinitions(side: Side, workspaceId: string): Promise<Definition[]> {
  const rows = side === "source"
    ? (await call(api.configSourceDefinitionListForWorkspace, {workspaceId})).sourceDefinitions.map(each => ({...each, id: each.sourceDefinitionId}))
    : (await call(api.configDestinationDefinitionListForWorkspace, {workspaceId})).destinationDefinitions.map(each => ({...each, id: each.destinationDefinitionId}));
  return rows.map(({id, name, dockerImageTag, custom}) => ({id, name, version: dockerImageTag, custom: custom ?? false})).sort((a, b) => a.name.localeCompare(b.name));
}

export async function getSpecification(side: Side, workspaceId: string, definitionId: string): Promise<JsonObject> {
  const found = side === "source" ? await call(api.configSourceSpecificationGet, {workspaceId, sourceDefinitionId: definitionId})
    : await call(api.configDestinationSpecificationGet, {workspaceId, destinationDefinitionId: definitionId});
  return found.connectionSpecification ?? {};
}

export async function createActor(side: Side, workspaceId: string, definitionId: string, name: string, configuration: JsonObject): Promise<Actor> {
  const common = {workspaceId, name, connectionConfiguration: configuration};
  return toActor(side === "source" ? await call(api.configSourceCreate, {...common, sourceDefinitionId: definitionId})
    : await call(api.configDestinationCreate, {...common, destinationDefinitionId: definitionId}));
}

export interface Verdict {
  ok: boolean;
  message: string;
}

const LOOK_MS = 3000; // events are hints: the slow look is the truth

/** Until the command has ended, whichever comes first of an event and the next look. */
function nextLook(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer);
      unwatch();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, LOOK_MS);
    const unwatch = watchEvents(event => { if (event.type === "command.done") done(); });
    signal.addEventListener("abort", done);
  });
}

/** Tries what is not saved yet. Aborting stops it on the server too. */
export async function testConfiguration(workspaceId: string, definitionId: string, configuration: JsonObject, signal: AbortSignal): Promise<Verdict> {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const id = "page-" + [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
  await call(api.configCommandRunCheck, {id, workspace_id: workspaceId, actor_definition_id: definitionId, config: configuration});
  for (;;) {
    if (signal.aborted) {
      await call(api.configCommandCancel, {id});
      throw new ApiError(0, "aborted");
    }
    const {status} = await call(api.configCommandStatus, {id});
    if (status === "completed" || status === "cancelled") break;
    await nextLook(signal);
  }
  const output = await call(api.configCommandOutputCheck, {id});
  const reason = output.failureReason?.["externalMessage"];
  return {ok: output.status === "succeeded", message: output.message ?? (typeof reason === "string" ? reason : "")};
}
