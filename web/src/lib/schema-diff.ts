// SPDX-License-Identifier: Apache-2.0
// What a source has changed since a connection last looked. Pure.
import type {Json, JsonObject} from "./api.ts";
import {isObject, textOf} from "./streams.ts";

export interface FieldChange {
  kind: "added" | "removed" | "changed";
  name: string;
  breaking: boolean;
}

export interface StreamChange {
  kind: "added" | "removed" | "changed";
  name: string;
  namespace: string;
  fields: FieldChange[];
  /** Its key is another one. */
  key: boolean;
}

const objects = (value: Json | undefined): JsonObject[] => Array.isArray(value) ? value.filter(isObject) : [];
const kindOf = (type: string) => type.startsWith("add_") ? "added" as const : type.startsWith("remove_") ? "removed" as const : "changed" as const;

function fieldOf(change: JsonObject): FieldChange {
  const path = Array.isArray(change["fieldName"]) ? change["fieldName"].map(textOf) : [textOf(change["fieldName"])];
  return {kind: kindOf(textOf(change["transformType"])), name: path.join("."), breaking: change["breaking"] === true};
}

export function readDiff(diff: JsonObject | undefined): StreamChange[] {
  return objects(diff?.["transforms"]).map(change => {
    const stream = isObject(change["streamDescriptor"]) ? change["streamDescriptor"] : {}, update = isObject(change["updateStream"]) ? change["updateStream"] : {};
    return {kind: kindOf(textOf(change["transformType"])), name: textOf(stream["name"]), namespace: textOf(stream["namespace"]),
      fields: objects(update["fieldTransforms"]).map(fieldOf), key: objects(update["streamAttributeTransforms"]).length > 0};
  });
}

/** `taken`: the connection syncs it; what it does not sync may go. */
export const isBreaking = (change: StreamChange, taken: boolean): boolean => taken && (change.kind === "removed" || change.fields.some(field => field.breaking));
