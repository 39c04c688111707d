// SPDX-License-Identifier: Apache-2.0
// Sources and destinations are one thing twice: the same operations under two names.
import * as api from "#gen/api.ts";
import {call, type JsonObject} from "./api.ts";

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

/** What was typed of one that is there; masks stand for the secrets it has. */
export async function updateActor(side: Side, id: string, name: string, configuration: JsonObject): Promise<Actor> {
  const common = {name, connectionConfiguration: configuration};
  return toActor(side === "source" ? await call(api.configSourceUpdate, {...common, sourceId: id}) : await call(api.configDestinationUpdate, {...common, destinationId: id}));
}

export async function getActor(side: Side, id: string): Promise<Actor> {
  return toActor(side === "source" ? await call(api.configSourceGet, {sourceId: id}) : await call(api.configDestinationGet, {destinationId: id}));
}

export async function deleteActor(side: Side, id: string): Promise<void> {
  await (side === "source" ? call(api.configSourceDelete, {sourceId: id}) : call(api.configDestinationDelete, {destinationId: id}));
}
